package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// applyAck takes everything out of the outbox that the server has (XEP-0198, 4).
func (s *Session) applyAck(in *perch.AckIn) {
	for _, e := range slices.Clone(s.out.entries) {
		if e.link == s.link && s.link != nil && !e.carried && e.num <= in.Through {
			s.done(e, perch.StatusAcked, nil)
		}
	}
	s.pump() // there is room for what had to wait
}

// applyReceipt is a step beyond the server (XEP-0184, XEP-0333).
func (s *Session) applyReceipt(in *perch.ReceiptIn) {
	st := perch.StatusDelivered
	if in.Displayed {
		st = perch.StatusDisplayed
	}
	s.reported(in.ID, st, nil, func(r *perch.MessageRecord) bool { return in.From.Bare().Equal(r.To.Bare()) })
}

// applyMessageError is a bounce (RFC 6120, 8.3).
func (s *Session) applyMessageError(in *perch.MessageError) {
	s.reported(in.ID, perch.StatusFailed, &in.Error, func(r *perch.MessageRecord) bool { return s.mayBounce(r, in.From) })
}

// reported takes what another entity says of a message of ours. Ids can be guessed, so only
// those may say it who have it from the message; another one is ignored and counted.
func (s *Session) reported(id string, st perch.MessageStatus, xe *perch.XMPPError, may func(*perch.MessageRecord) bool) {
	s.withRecord(id, func(r *perch.MessageRecord) {
		switch {
		case r == nil:
			s.m.o.Observer.Dropped(DroppedUnmatched, 1)
		case !may(r):
			s.m.o.Observer.Dropped(DroppedForged, 1)
		default:
			s.advanceTo(r, st, xe)
		}
	})
}

// mayBounce reports whether from is on the way of a message: any resource of the recipient,
// its server, our own server or the own account.
func (s *Session) mayBounce(r *perch.MessageRecord, from perch.JID) bool {
	return slices.ContainsFunc([]perch.JID{r.To.Bare(), perch.JID(r.To.Domain()), s.rec.JID.Bare(), perch.JID(s.rec.JID.Domain())},
		from.Bare().Equal)
}

// recordQuery is a record that the Store is asked for, and what waits for it.
type recordQuery struct {
	id   string
	then []func(*perch.MessageRecord)
}

const maxQueries = 64 // reports that wait for the Store; whoever floods us has no claim to more

// withRecord runs f with the record of a message that we sent, or with nil when there is none:
// at once when it is at hand, else when the Store has been asked. Reports of one message keep
// their order.
func (s *Session) withRecord(id string, f func(*perch.MessageRecord)) {
	if r := s.record(id); r != nil || id == "" {
		f(r)
		return
	}
	waiting := 0
	for _, l := range s.out.queries {
		waiting += len(l.then)
	}
	if waiting >= maxQueries {
		s.m.o.Observer.Dropped(DroppedUnmatched, 1)
		return
	}
	for _, l := range s.out.queries {
		if l.id == id {
			l.then = append(l.then, f)
			return
		}
	}
	s.out.queries = append(s.out.queries, &recordQuery{id: id, then: []func(*perch.MessageRecord){f}})
	if len(s.out.queries) == 1 {
		s.queryNext()
	}
}

// queryNext asks the Store for one record after the other.
func (s *Session) queryNext() {
	l := s.out.queries[0]
	s.background(func(ctx context.Context) {
		r, err := s.m.o.Store.Message(ctx, s.id, l.id)
		s.tell(func() {
			if err == nil && s.record(l.id) == nil {
				s.remember(r)
			}
			s.out.queries = slices.Delete(s.out.queries, 0, 1)
			for _, f := range l.then {
				f(s.record(l.id))
			}
			if len(s.out.queries) > 0 {
				s.queryNext()
			}
		})
	})
}

// record is the newest form of a message's record, if it is at hand.
func (s *Session) record(id string) *perch.MessageRecord {
	for _, e := range s.out.entries {
		if e.ID == id {
			return e.record
		}
	}
	for _, r := range s.out.records {
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

func (s *Session) advanceTo(r *perch.MessageRecord, st perch.MessageStatus, xe *perch.XMPPError) {
	if !slices.Contains(next[r.Status], st) {
		return
	}
	for _, e := range s.out.entries {
		if e.ID == r.ID {
			s.done(e, st, xe)
			return
		}
	}
	s.remember(s.advance(r, st, xe))
}
