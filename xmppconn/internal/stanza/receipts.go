package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// receiptIn reads a delivery receipt (XEP-0184) or a displayed marker (XEP-0333). Whether
// we ever wrote to the sender is for the session to check.
func receiptIn(el *xmlstream.Borrowed, from perch.JID) *perch.ReceiptIn {
	if c := el.Child(nsMarkers, "displayed"); !c.Attr("id").Empty() {
		return &perch.ReceiptIn{ID: c.Attr("id").Copy(), From: from, Displayed: true}
	}
	if c := el.Child(nsReceipts, "received"); c != nil {
		id := c.Attr("id")
		if id.Empty() {
			id = el.Attr("id") // version 1.0 of the XEP had it there
		}
		if !id.Empty() {
			return &perch.ReceiptIn{ID: id.Copy(), From: from}
		}
	}
	return nil
}

// appendReceiptOut says that a message has arrived. It has the type of a chat: the Messenger
// service knows no other.
func appendReceiptOut(w *writer, r *perch.ReceiptOut) {
	if r.ID == "" {
		w.fail("/id", "the id of the message is required")
		return
	}
	w.Raw("<message")
	w.to(r.To)
	w.Raw(" type='chat'><received xmlns='" + nsReceipts + "'")
	w.Attr("/id", "id", r.ID)
	w.Raw("/></message>")
}
