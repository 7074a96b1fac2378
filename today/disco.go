package today

import (
	"encoding/xml"

	"github.com/perch-im/perch/internal/xmppserver"
)

const nsItems = "http://jabber.org/protocol/disco#items"

// discoFeature is service discovery (XEP-0030) of the domain and of accounts.
var discoFeature = feature{iq: map[xml.Name]func(*request){
	{Space: xmppserver.NSInfo, Local: "query"}: discoInfo,
	{Space: nsItems, Local: "query"}:           discoItems,
}, server: []string{xmppserver.NSInfo, nsItems}, account: []string{xmppserver.NSInfo, nsItems}}

// discoInfo shows what the features of the service say.
func discoInfo(r *request) {
	switch {
	case r.set:
		r.fail("bad-request")
	case r.payload.Get("node") != "":
		discoNode(r)
	case r.to.Domain:
		r.result(r.s.appendInfo("server", "im", "Perch", func(f *feature) []string { return f.server }))
	case r.s.mayDiscover(r):
		r.result(r.s.appendInfo("account", "registered", "", func(f *feature) []string { return f.account }))
	default:
		r.fail("service-unavailable") // XEP-0030, 8: as if there were no such account
	}
}

// mayDiscover reports whether the request is to an account that shows itself to who asks: the own one,
// and those whose presence it sees.
func (s *Service) mayDiscover(r *request) bool {
	if r.own() {
		return true
	}
	k := r.from.acct.Contact(r.to.Bare)
	return k != nil && k.To
}

func (s *Service) appendInfo(category, kind, name string, of func(*feature) []string) []byte {
	b := append([]byte("<query xmlns='"+xmppserver.NSInfo+"'>"), "<identity"...)
	b = xmppserver.AppendAttr(b, "category", category)
	b = xmppserver.AppendAttr(b, "type", kind)
	if name != "" {
		b = xmppserver.AppendAttr(b, "name", name)
	}
	b = append(b, "/>"...)
	for _, f := range s.features {
		if id := f.identity; category == "account" && id[0] != "" {
			b = xmppserver.AppendAttr(append(b, "<identity"...), "category", id[0])
			b = append(xmppserver.AppendAttr(b, "type", id[1]), "/>"...)
		}
		b = appendFeatures(b, of(f)...)
	}
	return append(b, "</query>"...)
}

// appendFeatures writes features as service discovery has them.
func appendFeatures(b []byte, names ...string) []byte {
	for _, name := range names {
		b = append(xmppserver.AppendAttr(append(b, "<feature"...), "var", name), "/>"...)
	}
	return b
}

// discoItems lists the components of the domain.
func discoItems(r *request) {
	if r.set {
		r.fail("bad-request")
		return
	}
	if r.to.Account != nil {
		discoNodes(r)
		return
	}
	b := []byte("<query xmlns='" + nsItems + "'>")
	if r.to.Domain {
		for _, host := range r.s.hosts() {
			b = append(xmppserver.AppendAttr(append(b, "<item"...), "jid", host), "/>"...)
		}
	}
	r.result(append(b, "</query>"...))
}
