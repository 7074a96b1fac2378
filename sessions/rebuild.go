package sessions

import (
	"context"
	"errors"
	"time"
)

// recordLost implements logHost. It opens the record again, and the owner writes all it knows
// under the new epoch. Nothing is committed meanwhile.
func (s *Session) recordLost() {
	s.report.recordMissing()
	s.background(func(ctx context.Context) {
		for d := storeRetryMin; ; d = min(2*d, storeRetryMax) {
			saved, adopted, err := s.m.acquire(ctx, s.id)
			if err == nil {
				s.report.acquired(saved, adopted, s.m.Self().ID)
				s.post(func() { s.rebuilt(saved) })
				s.m.bindAll(ctx, s)
				return
			}
			if _, ok := errors.AsType[*NotOwnerError](err); ok {
				s.post(s.fenced)
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(d):
			}
		}
	})
}

// rebuilt writes the whole state first and then what had gathered, with new offsets.
// Every subscriber has to reconnect: its cursor may belong to the log that was lost.
func (s *Session) rebuilt(saved *Saved) {
	old := s.log.reset(saved)
	s.subs.cut(ErrMoved)
	s.idle.attended()
	s.readers.rebuilt(saved)
	s.writeAll()
	for _, b := range old {
		s.log.requeue(b)
	}
}

// writeAll queues everything that the Store should have of the session.
func (s *Session) writeAll() {
	s.state.saveRecord()
	c := s.log.Change()
	c.Invitations.Reset, c.Outbox.Reset = true, true
	s.roster.writeAll(c)
	if list := conversationsOf(s); list != nil {
		list.writeAll(c)
	}
	if x := roomsOf(s); x != nil {
		x.writeAll(c)
	}
	s.readers.writeAll(c)
	for _, e := range s.outbox.entries {
		entry := e.OutboxEntry
		c.Outbox.Put = append(c.Outbox.Put, &entry)
		c.Messages = append(c.Messages, e.record)
	}
}
