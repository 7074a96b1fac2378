package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// decided says whether what became of a message is known: the server has it, or it has
// failed, or nobody will ever know.
func decided(st perch.MessageStatus) bool {
	return st != perch.StatusAccepted && st != perch.StatusSent
}

// AwaitMessage waits until the server has a message that we sent, or it is known that this
// cannot be known: its record is acked, delivered, displayed, failed or unknown, and kept.
// When ctx ends first it returns the record as it is, and no error. KindNotFound: there is
// no such message.
func (s *Session) AwaitMessage(ctx context.Context, id string) (*perch.MessageRecord, error) {
	came := make(chan struct{})
	var r *perch.MessageRecord
	if err := s.turn(context.WithoutCancel(ctx), func() { r = s.awaitDecided(id, came) }); err != nil {
		return nil, err
	}
	if r == nil || decided(r.Status) {
		return s.Message(context.WithoutCancel(ctx), id) // one of long ago is decided
	}
	select {
	case <-came:
	case <-ctx.Done():
		s.tell(func() { s.awaitNoMore(id, came) })
	case <-s.gone:
		return nil, s.endedError()
	}
	return s.Message(context.WithoutCancel(ctx), id)
}

// awaitDecided registers who waits, unless there is nothing to wait for.
func (s *Session) awaitDecided(id string, came chan struct{}) *perch.MessageRecord {
	r := s.record(id)
	if r == nil || decided(r.Status) {
		return r
	}
	if s.out.awaited == nil {
		s.out.awaited = map[string][]chan struct{}{}
	}
	s.out.awaited[id] = append(s.out.awaited[id], came)
	return r
}

func (s *Session) awaitNoMore(id string, came chan struct{}) {
	rest := slices.DeleteFunc(s.out.awaited[id], func(c chan struct{}) bool { return c == came })
	if len(rest) == 0 {
		delete(s.out.awaited, id)
		return
	}
	s.out.awaited[id] = rest
}

// decidedNow lets those who wait for a message know, once its new record is kept.
func (s *Session) decidedNow(r *perch.MessageRecord) {
	waiting := s.out.awaited[r.ID]
	if len(waiting) == 0 || !decided(r.Status) {
		return
	}
	delete(s.out.awaited, r.ID)
	s.log.AfterCommit(func(Result) {
		for _, c := range waiting {
			close(c)
		}
	})
}
