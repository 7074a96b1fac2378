package xmppconn

import "github.com/perch-im/perch"

// stanzaID reads the id that the own account's archive gave a message (XEP-0359). One by
// anybody else says nothing to us. Of several by the own account the last one counts: some
// servers let a forged one pass and add theirs behind it.
func stanzaID(el *element, self perch.JID) string {
	id, own := "", self.Bare()
	for _, c := range el.children {
		if c.is(nsSID, "stanza-id") && own.Equal(perch.JID(c.attr("by"))) {
			id = c.attr("id")
		}
	}
	return keep(id)
}
