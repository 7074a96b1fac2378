package xmppconn

import "github.com/perch-im/perch"

// receiptIn reads a delivery receipt (XEP-0184) or a displayed marker (XEP-0333). Whether
// we ever wrote to the sender is for the session to check.
func receiptIn(el *element, from perch.JID) *perch.ReceiptIn {
	if c := el.child(nsMarkers, "displayed"); c != nil && c.attr("id") != "" {
		return &perch.ReceiptIn{ID: keep(c.attr("id")), From: from, Displayed: true}
	}
	if c := el.child(nsReceipts, "received"); c != nil {
		id := c.attr("id")
		if id == "" {
			id = el.attr("id") // version 1.0 of the XEP had it there
		}
		if id != "" {
			return &perch.ReceiptIn{ID: keep(id), From: from}
		}
	}
	return nil
}

// appendReceiptOut says that a message has arrived. It has the type of a chat: the Messenger
// service knows no other.
func appendReceiptOut(w *writer, r *perch.ReceiptOut) {
	if r.ID == "" {
		w.fail("/id", "a receipt needs the id of the message")
		return
	}
	w.raw("<message")
	w.to(r.To)
	w.raw(" type='chat'><received xmlns='" + nsReceipts + "'")
	w.attr("/id", "id", r.ID)
	w.raw("/></message>")
}
