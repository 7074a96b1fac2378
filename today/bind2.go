package today

import (
	"encoding/hex"
	"slices"

	"mellium.im/xmpp/jid"

	"github.com/perch-im/perch/internal/xmppserver"
)

// resourceFor is the resource of a bind in one step (XEP-0386, 4.1): the tag of the client, and what stays
// the same for it without giving its id away. A tag that no resource can have is left out.
func (st *stream) resourceFor(bind *xmppserver.Element, agent string) string {
	tag := bind.Child(nsBind2, "tag").Text()
	id := xmppserver.NewID()[:12]
	if agent != "" {
		id = hex.EncodeToString(st.s.derived("resource", st.acct.Local+"\x00"+agent)[:6])
	}
	if tag == "" {
		return id
	}
	if _, err := jid.New("", st.s.o.Domain, tag+"/"+id); err != nil {
		return id
	}
	return tag + "/" + id
}

// appendBound does for a new session what its bind asks for, and writes what became of it. The messages
// that wait are dropped where the client reads them in its archive (XEP-0386, 4).
func (x *session) appendBound(b []byte, bind *xmppserver.Element) []byte {
	x.acct.Offline = slices.DeleteFunc(x.acct.Offline, x.acct.hasArchived)
	x.carbons = bind.Child(nsCarbons, "enable") != nil
	x.csi.inactive = bind.Child(nsCSI, "inactive") != nil
	b = append(append(b, "<bound xmlns='"+nsBind2+"'>"...), x.acct.archive.metadata()...)
	if enable := bind.Child(nsSM, "enable"); enable != nil {
		b = append(b, x.enable(enable)...)
	}
	return append(b, "</bound>"...)
}

// hasArchived reports whether a message that was delivered to an account is in its archive.
func (a *account) hasArchived(stanza []byte) bool {
	e, err := xmppserver.Parse(stanza)
	if err != nil {
		return false
	}
	for _, k := range e.Elements() {
		if k.Name.Space == nsSID && k.Name.Local == "stanza-id" && k.Get("by") == a.Bare && a.archive.get(k.Get("id")) != nil {
			return true
		}
	}
	return false
}
