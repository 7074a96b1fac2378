package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// carbonOf finds a carbon copy in a message (XEP-0280), and whether it is of a message that
// another device of the account sent.
func carbonOf(el *xmlstream.Borrowed) (carbon *xmlstream.Borrowed, sent bool) {
	for c := range el.Children() {
		if strings.HasPrefix(c.Space().Peek(), "urn:xmpp:carbons:") && (c.Local().Is("received") || c.Local().Is("sent")) {
			return c, c.Local().Is("sent")
		}
	}
	return nil, false
}

// unwrapCarbon returns the message in a carbon, or nil for a forged one. Servers relay
// forged carbons as they are: only the own account may send them, and the copy must be of
// a message to or from it (XEP-0280, 11).
func unwrapCarbon(outer, carbon *xmlstream.Borrowed, sent bool, self perch.JID) *xmlstream.Borrowed {
	own := self.Bare()
	if !carbon.Space().Is(nsCarbons) {
		return nil // of another version, which we have not asked for
	}
	if !peekJID(outer.Attr("from")).Equal(own) {
		return nil
	}
	inner := carbon.Child(nsForward, "forwarded").Child(nsClient, "message")
	if inner == nil {
		return nil
	}
	name := "to"
	if sent {
		name = "from"
	}
	if !peekJID(inner.Attr(name)).Bare().Equal(own) {
		return nil
	}
	if !sent && inner.Attr("from").Empty() {
		return nil
	}
	return inner
}

// EncodeCarbonsEnable is the payload of a set to the own account (XEP-0280, 4).
func EncodeCarbonsEnable() []byte { return []byte("<enable xmlns='" + nsCarbons + "'/>") }
