package sessions

import "github.com/perch-im/perch"

// receiptsHost is what receipts need of the session that they belong to.
type receiptsHost interface {
	// stream is the link in use; nil: there is none.
	stream() *link
	// seesUs reports whether a contact may see our presence.
	seesUs(jid perch.JID) bool
}

// receipts are what the senders of messages get (XEP-0184).
type receipts struct {
	host    receiptsHost
	journal journal
}

// giveReceipt tells a buddy that we have its message (XEP-0184, 5.5): once it is committed, and
// only to a contact who may see our presence anyway.
func (r *receipts) giveReceipt(to perch.JID, id string) {
	if !r.host.seesUs(to) {
		return
	}
	r.journal.AfterCommit(func(Result) {
		if l := r.host.stream(); l != nil {
			_, _ = l.conn.Send(&perch.ReceiptOut{To: to, ID: id}) // a lost receipt is not retried
		}
	})
}
