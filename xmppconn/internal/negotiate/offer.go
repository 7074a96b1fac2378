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
	most      = 64 // names of a list; a server has about ten
)

// Offer is what the features of a stream say about signing in.
type Offer struct {
	Mechanisms []string // names (RFC 6120, 6.4.1)
	Bindings   []string // types of channel binding (XEP-0440)
}

// OfferOf reads the features. The Messenger service printed blanks after its names.
func OfferOf(features *xmlstream.Element) (o Offer) {
	if list := features.Child(nsSASL, "mechanisms"); list != nil {
		for _, m := range list.Children() {
			if m.Is(nsSASL, "mechanism") && len(o.Mechanisms) < most {
				o.Mechanisms = append(o.Mechanisms, strings.TrimSpace(m.Text()))
			}
		}
	}
	if list := features.Child(nsBinding, "sasl-channel-binding"); list != nil {
		for _, b := range list.Children() {
			if b.Is(nsBinding, "channel-binding") && len(o.Bindings) < most {
				o.Bindings = append(o.Bindings, b.Attr("type"))
			}
		}
	}
	return o
}

func (o Offer) has(name string) bool { return slices.Contains(o.Mechanisms, name) }

// plus reports whether there is a form with channel binding at all.
func (o Offer) plus() bool {
	return slices.ContainsFunc(o.Mechanisms, func(name string) bool { return strings.HasSuffix(name, "-PLUS") })
}
