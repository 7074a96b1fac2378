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
	s.withRecord(in.ID, func(r *perch.MessageRecord) {
		if r.To.Bare().Equal(in.From.Bare()) {
			s.advanceTo(r, st, nil)
		}
	})
}

// applyMessageError is a bounce (RFC 6120, 8.3).
func (s *Session) applyMessageError(in *perch.MessageError) {
	e := in.Error
	s.withRecord(in.ID, func(r *perch.MessageRecord) { s.advanceTo(r, perch.StatusFailed, &e) })
}

// withRecord runs f with the record of a message that we sent: at once when it is at hand,
// else when the Store has been asked.
func (s *Session) withRecord(id string, f func(*perch.MessageRecord)) {
	if r := s.record(id); r != nil {
		f(r)
		return
	}
	if id == "" || s.out.looking {
		return // one look-up at a time: whoever floods us with receipts has no claim to more
	}
	s.out.looking = true
	s.background(func(ctx context.Context) {
		r, err := s.m.o.Store.Message(ctx, s.id, id)
		s.tell(func() {
			s.out.looking = false
			if err == nil && s.record(id) == nil {
				s.remember(r)
				f(r)
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

// rank orders the steps: a message never goes back. Unknown may still become anything.
var rank = map[perch.MessageStatus]int{
	perch.StatusAccepted: 0, perch.StatusSent: 1, perch.StatusUnknown: 1, perch.StatusAcked: 2,
	perch.StatusDelivered: 3, perch.StatusDisplayed: 4, perch.StatusFailed: 5,
}

func (s *Session) advanceTo(r *perch.MessageRecord, st perch.MessageStatus, xe *perch.XMPPError) {
	if rank[st] <= rank[r.Status] || st == perch.StatusFailed && rank[r.Status] > rank[perch.StatusAcked] {
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
