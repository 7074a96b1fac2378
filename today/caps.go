package today

import (
	"crypto/sha1" // what XEP-0115 names
	"encoding/base64"
	"encoding/xml"
	"slices"
	"strings"

	"github.com/perch-im/perch/internal/xmppserver"
)

const nsCaps = "http://jabber.org/protocol/caps"

// maxCaps bounds the answers that are remembered, and maxWants the nodes of one of them.
const (
	maxCaps  = 500
	maxWants = 100
)

// wishes are the nodes whose events a client wants (XEP-0163, 4.1). They are shared, and never changed.
type wishes map[string]bool

// capsTable are the wishes by the hash that a client shows in its presence; guarded by Service.mu.
type capsTable map[string]wishes

// caps are what a session says of itself by XEP-0115.
type caps struct {
	ver   string // of its presence
	asked string // the id of the question that waits for an answer
	wants wishes // nil: not known, or nothing
}

// learnCaps takes the caps of a presence of a session, which has just become available when first is
// set. It asks the client what they mean if nobody has told before.
func (s *Service) learnCaps(x *session, e *xmppserver.Element, first bool) {
	c := e.Child(nsCaps, "c")
	ver := c.Get("ver")
	switch {
	case c == nil || c.Get("hash") != "sha-1" || ver == "" || len(ver) > 64 || len(c.Get("node")) > 1023:
		x.caps = caps{}
		return
	case ver == x.caps.ver && !first:
		return
	}
	x.caps.ver = ver
	if known, ok := s.capsTable[ver]; ok {
		x.caps.asked, x.caps.wants = "", known
		s.sendLast(x)
		return
	}
	x.caps.wants, x.caps.asked = nil, "caps-"+xmppserver.NewID()
	b := xmppserver.AppendAttr([]byte("<iq type='get'"), "id", x.caps.asked)
	b = xmppserver.AppendAttr(b, "from", x.acct.Bare)
	b = xmppserver.AppendAttr(b, "to", x.Full)
	b = append(b, "><query xmlns='"+xmppserver.NSInfo+"'"...)
	b = xmppserver.AppendAttr(b, "node", c.Get("node")+"#"+ver)
	x.Send(append(b, "/></iq>"...))
}

// answered takes an answer of a session to a question of the service.
func (s *Service) answered(x *session, e *xmppserver.Element) {
	if x.caps.asked == "" || e.Get("id") != x.caps.asked {
		return
	}
	x.caps.asked = ""
	info := e.Child(xmppserver.NSInfo, "query")
	if info == nil || e.Get("type") != "result" {
		return
	}
	wants := make(wishes)
	for _, k := range info.Elements() {
		if node, ok := strings.CutSuffix(k.Get("var"), "+notify"); ok && k.Name.Local == "feature" && len(node) <= maxNodeName && len(wants) < maxWants {
			wants[node] = true
		}
	}
	x.caps.wants = wants
	// What does not have the hash that it should have is true of this session alone (XEP-0115, 5.4).
	if hash, ok := capsHash(info); ok && hash == x.caps.ver {
		if len(s.capsTable) >= maxCaps {
			clear(s.capsTable)
		}
		s.capsTable[x.caps.ver] = wants
	}
	if x.Available {
		s.sendLast(x)
	}
}

// capsHash is the verification string of an answer (XEP-0115, 5.1). It reports false for one that could
// stand for another.
func capsHash(info *xmppserver.Element) (string, bool) {
	var identities, features, forms []string
	if bracketed(info) {
		return "", false
	}
	for _, k := range info.Elements() {
		switch k.Name.Local {
		case "identity":
			lang := ""
			for _, a := range k.Attr {
				if a.Name.Space == xmppserver.NSXML && a.Name.Local == "lang" {
					lang = a.Value
				}
			}
			identities = append(identities, strings.Join([]string{k.Get("category"), k.Get("type"), lang, k.Get("name")}, "/"))
		case "feature":
			features = append(features, k.Get("var"))
		case "x":
			if text, ok := capsForm(k); ok {
				forms = append(forms, text)
			}
		}
	}
	var b strings.Builder
	for _, list := range [...][]string{identities, features} {
		slices.Sort(list)
		for i, text := range list {
			if i > 0 && text == list[i-1] {
				return "", false
			}
			b.WriteString(text + "<")
		}
	}
	slices.Sort(forms)
	b.WriteString(strings.Join(forms, ""))
	sum := sha1.Sum([]byte(b.String()))
	return base64.StdEncoding.EncodeToString(sum[:]), true
}

// bracketed reports whether an answer has texts with the character that separates them in the hash.
func bracketed(e *xmppserver.Element) bool {
	if slices.ContainsFunc(e.Attr, func(a xml.Attr) bool { return strings.Contains(a.Value, "<") }) {
		return true
	}
	return slices.ContainsFunc(e.Kids, func(k xmppserver.Node) bool {
		return strings.Contains(k.Text, "<") || k.El != nil && bracketed(k.El)
	})
}

// capsForm is a form (XEP-0128) as it goes into the hash; those without a FORM_TYPE do not.
func capsForm(x *xmppserver.Element) (string, bool) {
	kind := ""
	var fields []string
	for _, f := range x.Elements() {
		var values []string
		for _, v := range f.Elements() {
			values = append(values, v.Text())
		}
		if f.Get("var") == "FORM_TYPE" {
			kind = strings.Join(values, "")
			continue
		}
		slices.Sort(values)
		fields = append(fields, f.Get("var")+"<"+strings.Join(append(values, ""), "<"))
	}
	slices.Sort(fields)
	return kind + "<" + strings.Join(fields, ""), kind != ""
}
