package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// applyAck takes everything out of the outbox that the server has (XEP-0198, 4).
func (o *outbox) applyAck(in *perch.AckIn) {
	for _, e := range slices.Clone(o.entries) {
		if e.link != o.host.stream() || o.host.stream() == nil || e.carried || e.num > in.Through {
			continue
		}
		if o.toRoom(&e.MessageOut) {
			e.received = true
			continue
		}
		o.done(e, perch.StatusAcked, nil)
	}
	o.flush() // there is room for what had to wait
}

// applyReceipt is a step beyond the server (XEP-0184, XEP-0333).
func (o *outbox) applyReceipt(in *perch.ReceiptIn) {
	st := perch.StatusDelivered
	if in.Displayed {
		st = perch.StatusDisplayed
	}
	o.withRecord(in.ID, func(r *perch.MessageRecord) {
		if r == nil && in.Displayed && o.host.peerRead(in, nil) {
			return // of a message that another device sent
		}
		read := in.Displayed && r != nil && r.Status != perch.StatusDisplayed
		if o.applyReport(r, st, nil, func(r *perch.MessageRecord) bool { return in.From.Bare().Equal(r.To.Bare()) }) && read {
			o.host.peerRead(in, r)
		}
	})
}

// applyMessageError is a bounce (RFC 6120, 8.3).
func (o *outbox) applyMessageError(in *perch.MessageError) {
	o.withRecord(in.ID, func(r *perch.MessageRecord) {
		o.applyReport(r, perch.StatusFailed, &in.Error, func(r *perch.MessageRecord) bool { return o.mayBounce(r, in.From) })
	})
}

// applyReport takes what another entity says of a message of ours, and reports whether it counts. Ids
// can be guessed, so only those may say it who have it from the message; another one is ignored and
// counted.
func (o *outbox) applyReport(r *perch.MessageRecord, st perch.MessageStatus, xe *perch.XMPPError, may func(*perch.MessageRecord) bool) bool {
	switch {
	case r == nil:
		o.host.countDropped(DroppedUnmatched, 1)
	case !may(r):
		o.host.countDropped(DroppedForged, 1)
	default:
		o.advanceTo(r, st, xe)
		return true
	}
	return false
}

// mayBounce reports whether from is on the way of a message: any resource of the recipient,
// its server, our own server or the own account.
func (o *outbox) mayBounce(r *perch.MessageRecord, from perch.JID) bool {
	return slices.ContainsFunc([]perch.JID{r.To.Bare(), perch.JID(r.To.Domain()), o.host.ownJID().Bare(), perch.JID(o.host.ownJID().Domain())},
		from.Bare().Equal)
}

const maxQueries = 64 // reports that wait for the Store; more of them are a flood, and dropped

// withRecord runs f with the record of a message that we sent, or with nil when there is none:
// at once when it is in memory, else when the Store has been asked. Reports of one message keep
// their order.
func (o *outbox) withRecord(id string, f func(*perch.MessageRecord)) {
	if r := o.record(id); r != nil || id == "" {
		f(r)
		return
	}
	waiting := 0
	for _, l := range o.queries {
		waiting += len(l.then)
	}
	if waiting >= maxQueries {
		o.host.countDropped(DroppedUnmatched, 1)
		return
	}
	for _, l := range o.queries {
		if l.id == id {
			l.then = append(l.then, f)
			return
		}
	}
	o.queries = append(o.queries, &recordQuery{id: id, then: []func(*perch.MessageRecord){f}})
	if len(o.queries) == 1 {
		o.queryNext()
	}
}

// queryNext asks the Store for one record after the other.
func (o *outbox) queryNext() {
	l := o.queries[0]
	o.host.background(func(ctx context.Context) {
		r, err := o.store.Message(ctx, o.id, l.id)
		o.host.post(func() {
			if err == nil && o.record(l.id) == nil {
				o.remember(r)
			}
			o.queries = slices.Delete(o.queries, 0, 1)
			for _, f := range l.then {
				f(o.record(l.id))
			}
			if len(o.queries) > 0 {
				o.queryNext()
			}
		})
	})
}

// record is the newest form of a message's record, if it is in memory.
func (o *outbox) record(id string) *perch.MessageRecord {
	for _, e := range o.entries {
		if e.ID == id {
			return e.record
		}
	}
	for _, r := range o.records {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// next are the steps that may follow one that another entity reports. A message never goes
// back. Of unknown everything may become. A bounce is provisional: of several devices one may
// refuse what another one has, and what a device has is delivered, whatever came before.
// Neither that the server has it nor another bounce changes a bounce, and none takes back
// what a device has said.
var next = map[perch.MessageStatus][]perch.MessageStatus{
	perch.StatusAccepted:  {perch.StatusSent, perch.StatusUnknown, perch.StatusAcked, perch.StatusFailed, perch.StatusDelivered, perch.StatusDisplayed},
	perch.StatusSent:      {perch.StatusUnknown, perch.StatusAcked, perch.StatusFailed, perch.StatusDelivered, perch.StatusDisplayed},
	perch.StatusUnknown:   {perch.StatusAcked, perch.StatusFailed, perch.StatusDelivered, perch.StatusDisplayed},
	perch.StatusAcked:     {perch.StatusFailed, perch.StatusDelivered, perch.StatusDisplayed},
	perch.StatusFailed:    {perch.StatusDelivered, perch.StatusDisplayed},
	perch.StatusDelivered: {perch.StatusDisplayed},
}

func (o *outbox) advanceTo(r *perch.MessageRecord, st perch.MessageStatus, xe *perch.XMPPError) {
	if !slices.Contains(next[r.Status], st) {
		return
	}
	for _, e := range o.entries {
		if e.ID == r.ID {
			o.done(e, st, xe)
			return
		}
	}
	o.remember(o.advance(r, st, xe))
}
