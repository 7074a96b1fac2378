// Package negotiate decides how a client signs in: which of the mechanisms that a server offers is
// used with a credential, and whether the server offers less than it did before. It does no I/O.
package negotiate

import (
	"slices"
	"strings"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	nsSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBinding = "urn:xmpp:sasl-cb:0"
	nsSASL2   = "urn:xmpp:sasl:2"
	nsBind2   = "urn:xmpp:bind:0"
	nsFast    = "urn:xmpp:fast:0"
	nsSM      = "urn:xmpp:sm:3"
	most      = 64 // names of a list; a server has about ten
)

// Offer is what the features of a stream say about signing in.
type Offer struct {
	Mechanisms []string // names (RFC 6120, 6.4.1)
	Bindings   []string // types of channel binding (XEP-0440)
	SASL2      SASL2
}

// SASL2 is what the server offers by the newer profile (XEP-0388), and within it. Without mechanisms it
// does not have it.
type SASL2 struct {
	Mechanisms []string
	Resume     bool     // of a stream, with the login (XEP-0198)
	Bind       bool     // of a resource, with the login (XEP-0386)
	Enable     []string // namespaces of what may be enabled with that bind
	Fast       []string // mechanisms of tokens (XEP-0484)
}

// Enables reports whether the bind can enable what has this namespace.
func (o SASL2) Enables(namespace string) bool { return o.Bind && slices.Contains(o.Enable, namespace) }

// OfferOf reads the features. The Messenger service printed blanks after its names.
func OfferOf(features *xmlstream.Element) (o Offer) {
	o.Mechanisms = names(features.Child(nsSASL, "mechanisms"), nsSASL)
	if list := features.Child(nsBinding, "sasl-channel-binding"); list != nil {
		o.Bindings = attributes(list, nsBinding, "channel-binding", "type")
	}
	authentication := features.Child(nsSASL2, "authentication")
	if o.SASL2.Mechanisms = names(authentication, nsSASL2); o.SASL2.Mechanisms == nil {
		return o
	}
	inline := authentication.Child(nsSASL2, "inline")
	o.SASL2.Resume = inline.Child(nsSM, "sm") != nil
	o.SASL2.Fast = names(inline.Child(nsFast, "fast"), nsFast)
	if bind := inline.Child(nsBind2, "bind"); bind != nil {
		o.SASL2.Bind, o.SASL2.Enable = true, attributes(bind.Child(nsBind2, "inline"), nsBind2, "feature", "var")
	}
	return o
}

// names are the texts of the mechanisms in a list.
func names(list *xmlstream.Element, space string) (found []string) {
	for _, m := range list.Children() {
		if m.Is(space, "mechanism") && len(found) < most {
			found = append(found, strings.Clone(strings.TrimSpace(m.Text())))
		}
	}
	return found
}

// attributes are the values that the children of one name have.
func attributes(list *xmlstream.Element, space, local, attribute string) (found []string) {
	for _, c := range list.Children() {
		if c.Is(space, local) && len(found) < most {
			found = append(found, strings.Clone(c.Attr(attribute)))
		}
	}
	return found
}

func (o Offer) has(name string) bool { return slices.Contains(o.Mechanisms, name) }

// plus reports whether there is a form with channel binding at all.
func (o Offer) plus() bool {
	return slices.ContainsFunc(o.Mechanisms, func(name string) bool { return strings.HasSuffix(name, "-PLUS") })
}
