package sessions

import "github.com/perch-im/perch"

// peerRead makes the event of a displayed marker of the other side (XEP-0333), once for each message
// and only forward, and reports whether it is about a message of ours to them. Sent is the record
// of that message; without one, another device may have sent it.
func (r *relations) peerRead(in *perch.ReceiptIn, sent *perch.MessageRecord) bool {
	ref := perch.Ref{ID: in.ID, Sent: true}.String()
	var at perch.Time
	switch {
	case sent == nil:
		a := r.known.authorsOf(in.ID, r.host.ownJID(), in.From, nil)
		if !a.own {
			return false
		}
		at = a.sentAt
	case len(sent.History) > 0:
		at = sent.History[0].Time
	}
	if sent != nil && sent.Ref != "" {
		ref = sent.Ref // a correction: what was seen is the message
	}
	conversation := in.From.Bare()
	last := r.remembered().read(conversation)
	if ref == last.ref || at < last.at {
		return true
	}
	last.ref, last.at = ref, at
	// Every step of the other side becomes an event here, and nowhere else.
	r.host.durableAt(perch.EventMessageRead, r.host.now(), perch.MessageRead{Conversation: conversation, By: conversation, Ref: ref})
	return true
}
