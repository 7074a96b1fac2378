package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// marker reads the wish for a displayed marker (XEP-0333); the markers are those of receipts.go.
func (x *extras) marker(el *xmlstream.Borrowed) bool {
	if el.Local().Is("markable") {
		x.more().Markable = true
	}
	return true
}

// ownMarker reads a displayed marker that another device of the account has sent: the account has
// read the conversation so far.
func (m incoming) ownMarker() *perch.ReadIn {
	if !m.has.any(withReceipt) || !m.sent && !peekSender(m.el, m.self).Bare().Equal(m.self.Bare()) {
		return nil
	}
	displayed := m.el.Child(nsMarkers, "displayed")
	if displayed.Attr("id").Empty() {
		return nil
	}
	other := peekJID(m.el.Attr("to")).Bare()
	if other == "" {
		other = m.self.Bare()
	}
	return &perch.ReadIn{Conversation: cloneJID(string(other)), ID: displayed.Attr("id").Copy()}
}

// appendDisplayedOut tells the other side that a message was read, and asks the archives to keep it:
// the own other devices learn of it there, too.
func appendDisplayedOut(w *writer, d *perch.DisplayedOut) {
	if d.ID == "" {
		w.fail("/id", "the id of the message is required")
		return
	}
	w.Raw("<message")
	w.to(d.To)
	w.Raw(" type='chat'><displayed xmlns='" + nsMarkers + "'")
	w.Attr("/id", "id", d.ID)
	w.Raw("/>")
	w.store()
	w.Raw("</message>")
}

// store asks servers to archive a message that has no body (XEP-0334, 4.4).
func (w *writer) store() { w.Raw("<store xmlns='" + nsHints + "'/>") }
