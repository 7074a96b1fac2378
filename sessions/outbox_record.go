package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

// advance adds a step to a message's history, and says so by an event; that it was sent is
// said by message.sent. A message to a room has no handle before the room has given it one.
func (o *outbox) advance(r *perch.MessageRecord, st perch.MessageStatus, xe *perch.XMPPError) *perch.MessageRecord {
	now := o.host.now()
	next := &perch.MessageRecord{ID: r.ID, Ref: r.Ref, To: r.To, Status: st,
		History: append(slices.Clip(r.History), perch.StatusChange{Status: st, Time: now, Error: xe})}
	if n := len(next.History); n > maxHistory {
		next.History = slices.Concat(next.History[:1], next.History[n-maxHistory+1:])
	}
	putMessage(o.journal.Change(), next)
	if st != perch.StatusSent {
		o.journal.Durable(perch.EventMessageStatus, perch.StatusChange{ID: r.ID, Ref: next.Ref, Status: st, Conversation: r.To.Bare(), Error: xe})
	}
	o.notifyDecided(next)
	return next
}

// ownRef is the handle of a message that we send.
func ownRef(id string) string { return perch.Ref{ID: id, Sent: true}.String() }

// done takes e out of the outbox with its last step in it. What the server has, and is not in the log, was
// written by a process that ended before it could commit that: nothing else will log it.
func (o *outbox) done(e *outEntry, st perch.MessageStatus, xe *perch.XMPPError) {
	if e.Sent && e.record.Status == perch.StatusAccepted && arrived(st) {
		o.sent(e, o.toRoom(&e.MessageOut))
	}
	e.record = o.advance(e.record, st, xe)
	o.entries = slices.DeleteFunc(o.entries, func(x *outEntry) bool { return x == e })
	del(&o.journal.Change().Outbox, outboxKey, e.ID)
	o.remember(e.record)
}

// sent says that e was written: in a room it is logged when that has sent it to all.
func (o *outbox) sent(e *outEntry, inRoom bool) {
	if !inRoom {
		e.record = named(e.record, ownRef(e.ID))
	}
	e.record = o.advance(e.record, perch.StatusSent, nil)
	if !inRoom {
		o.host.logSent(e)
	}
}

// named is a record with the handle that its message has in the log; one that is about another message
// has the handle of that.
func named(r *perch.MessageRecord, ref string) *perch.MessageRecord {
	if r.Ref != "" {
		return r
	}
	next := *r
	next.Ref = ref
	return &next
}

// arrived reports whether a message with this status is with the server.
func arrived(st perch.MessageStatus) bool {
	return st == perch.StatusAcked || st == perch.StatusDelivered || st == perch.StatusDisplayed
}

func (o *outbox) fail(e *outEntry, xe *perch.XMPPError) { o.done(e, perch.StatusFailed, xe) }

// remember keeps a record in memory for the receipts that will come.
func (o *outbox) remember(r *perch.MessageRecord) {
	o.records = slices.DeleteFunc(o.records, func(x *perch.MessageRecord) bool { return x.ID == r.ID })
	if len(o.records) >= maxRecords {
		o.records = slices.Delete(o.records, 0, 1)
	}
	o.records = append(o.records, r)
}

// recordQuery is a record that the Store is asked for, and what waits for it.
type recordQuery struct {
	id   string
	then []func(*perch.MessageRecord)
}
