package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// stanzaID reads the id that an archive gave a message (XEP-0359), by the JID that the
// archive belongs to: the own account, or the room that a groupchat message is from. One by
// another entity says nothing to us. Of several by the same entity the last one counts: some
// servers let a forged one pass and add theirs after it.
func stanzaID(el *xmlstream.Borrowed, by perch.JID) xmlstream.Text {
	var id xmlstream.Text
	for c := range el.Children() {
		if c.Is(nsSID, "stanza-id") && by.Equal(peekJID(c.Attr("by"))) {
			id = c.Attr("id")
		}
	}
	return id
}

// roomStanzaID reads the id of a groupchat message in the archive of its room. A room
// removes ids in its own name from what its occupants send (XEP-0359, 5); another entity
// that is its own archive could only mark its own messages.
func roomStanzaID(el *xmlstream.Borrowed, from perch.JID, kind perch.MessageKind) xmlstream.Text {
	if kind != perch.GroupchatMessage {
		return xmlstream.Text{}
	}
	return stanzaID(el, from.Bare())
}

// originID reads the id that the sending client gave a message, which no server changes.
func originID(el *xmlstream.Borrowed) xmlstream.Text { return el.Child(nsSID, "origin-id").Attr("id") }
