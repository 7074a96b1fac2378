package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// decided reports whether the outcome of a message is known: the server has it, or it has
// failed, or it stays unknown.
func decided(st perch.MessageStatus) bool {
	return st != perch.StatusAccepted && st != perch.StatusSent
}

// AwaitMessage waits until the server has a message that we sent, or it is known that this
// cannot be known: its record is acked, delivered, displayed, failed or unknown, and committed.
// When ctx ends first it returns the record as it is, and no error. KindNotFound: there is
// no such message.
func (s *Session) AwaitMessage(ctx context.Context, id string) (*perch.MessageRecord, error) {
	came := make(chan struct{})
	var r *perch.MessageRecord
	if err := s.call(context.WithoutCancel(ctx), func() { r = s.outbox.awaitDecided(id, came) }); err != nil {
		return nil, err
	}
	if r == nil || decided(r.Status) {
		return s.Message(context.WithoutCancel(ctx), id) // one of long ago is decided
	}
	select {
	case <-came:
	case <-ctx.Done():
		s.post(func() { s.outbox.awaitNoMore(id, came) })
	case <-s.done:
		return nil, s.endedError()
	}
	return s.Message(context.WithoutCancel(ctx), id)
}

// awaitDecided registers who waits, unless there is nothing to wait for.
func (o *outbox) awaitDecided(id string, came chan struct{}) *perch.MessageRecord {
	r := o.record(id)
	if r == nil || decided(r.Status) {
		return r
	}
	if o.awaited == nil {
		o.awaited = map[string][]chan struct{}{}
	}
	o.awaited[id] = append(o.awaited[id], came)
	return r
}

func (o *outbox) awaitNoMore(id string, came chan struct{}) {
	rest := slices.DeleteFunc(o.awaited[id], func(c chan struct{}) bool { return c == came })
	if len(rest) == 0 {
		delete(o.awaited, id)
		return
	}
	o.awaited[id] = rest
}

// notifyDecided lets those who wait for a message know, once its new record is committed.
func (o *outbox) notifyDecided(r *perch.MessageRecord) {
	waiting := o.awaited[r.ID]
	if len(waiting) == 0 || !decided(r.Status) {
		return
	}
	delete(o.awaited, r.ID)
	o.journal.AfterCommit(func(Result) {
		for _, c := range waiting {
			close(c)
		}
	})
}
