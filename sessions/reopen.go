package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// reopen goes on after the Store has lost what was kept: it opens the record again, and
// the owner writes all it knows under the new epoch. Nothing is committed meanwhile.
func (s *Session) reopen() {
	s.log.busy, s.log.down = true, true
	s.m.log.Warn("what was kept of a session is gone; it is written again", "session", s.short())
	s.background(func(ctx context.Context) {
		for d := storeRetryMin; ; d = min(2*d, storeRetryMax) {
			saved, adopted, err := s.m.acquire(ctx, s.id)
			if err == nil {
				s.ours(saved, adopted)
				s.tell(func() { s.reopened(saved) })
				s.m.rebind(ctx, s)
				return
			}
			if _, ok := errors.AsType[*Elsewhere](err); ok {
				s.tell(s.letGo)
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

// reopened writes the whole state first and then what had gathered, with new offsets.
// Every subscriber has to come back: its cursor may belong to the log that was lost.
func (s *Session) reopened(saved *Saved) {
	s.fence, s.epoch = saved.Fence, saved.Epoch
	s.log.next, s.log.shown = saved.Tip, saved.Tip
	old := s.log.queue
	s.log = eventLog{next: saved.Tip, shown: saved.Tip, idle: s.log.idle}
	for _, sub := range s.subs {
		sub.cut(ErrMoved)
	}
	s.subs = nil
	s.attended()
	s.writeAll()
	for _, b := range old {
		s.requeue(b)
	}
}

// writeAll queues everything that the Store should have of the session.
func (s *Session) writeAll() {
	b := s.batch()
	rec := s.rec
	c := &b.commit
	c.Record = &rec
	c.Roster.Reset, c.Presence.Reset, c.Invitations.Reset, c.Outbox.Reset = true, true, true, true
	for i := range s.contacts {
		k := &s.contacts[i]
		c.Roster.Put = append(c.Roster.Put, k.buddy)
		if k.presence != nil {
			c.Presence.Put = append(c.Presence.Put, k.presence)
		}
	}
	c.Invitations.Put = append(c.Invitations.Put, s.invites...)
	for _, e := range s.out.entries {
		entry := e.OutboxEntry
		c.Outbox.Put = append(c.Outbox.Put, &entry)
		c.Messages = append(c.Messages, e.record)
	}
}

// requeue queues a batch of the lost log again. Its tables are in writeAll already.
func (s *Session) requeue(old *batch) {
	b := s.batch()
	b.closed = false
	for _, e := range old.show {
		if !e.Position.IsZero() {
			s.log.next++
			e = moved(e, perch.Position{Epoch: s.epoch, Offset: s.log.next})
			b.commit.Events = append(b.commit.Events, e)
		}
		s.queued(b, e)
	}
	b.commit.Messages = append(b.commit.Messages, old.commit.Messages...)
	b.commit.VCards = old.commit.VCards
	b.after = append(b.after, old.after...)
	b.link, b.seq = old.link, old.seq
	b.closed = true
}

// moved is e at another position.
func moved(e *perch.Event, pos perch.Position) *perch.Event {
	var env struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(e.Wire, &env); err != nil {
		panic("sessions: an event of ours cannot be read: " + err.Error())
	}
	return perch.NewEvent(pos, e.Type, e.Time, env.Data)
}
