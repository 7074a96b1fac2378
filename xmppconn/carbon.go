package xmppconn

import (
	"strings"

	"github.com/perch-im/perch"
)

// carbonOf finds a carbon copy in a message (XEP-0280), and whether it is of a message that
// another device of the account sent.
func carbonOf(el *element) (carbon *element, sent bool) {
	for _, c := range el.children {
		if strings.HasPrefix(c.space, "urn:xmpp:carbons:") && (c.local == "received" || c.local == "sent") {
			return c, c.local == "sent"
		}
	}
	return nil, false
}

// unwrapCarbon returns the message in a carbon, or nil for a forged one. Servers relay
// forged carbons as they are: only the own account may send them, and the copy must be of
// a message to or from it (XEP-0280, 11).
func unwrapCarbon(outer, carbon *element, sent bool, self perch.JID) *element {
	own := self.Bare()
	if carbon.space != nsCarbons {
		return nil // of another version, which we have not asked for
	}
	if !perch.JID(outer.attr("from")).Equal(own) {
		return nil
	}
	inner := carbon.child(nsForward, "forwarded").child(nsClient, "message")
	if inner == nil {
		return nil
	}
	name := "to"
	if sent {
		name = "from"
	}
	if who := perch.JID(inner.attr(name)); !who.Bare().Equal(own) {
		return nil
	}
	if !sent && inner.attr("from") == "" {
		return nil
	}
	return inner
}

// encodeCarbonsEnable is the payload of a set to the own account.
func encodeCarbonsEnable() []byte { return []byte("<enable xmlns='" + nsCarbons + "'/>") }
