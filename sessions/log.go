package sessions

import (
	"errors"
	"time"

	"github.com/perch-im/perch"
)

const (
	batchEvents = 128     // then the next batch begins
	queueEvents = 256     // then nothing more is taken from the connection
	queueBytes  = 1 << 20 // the same, in bytes
)

// eventLog is the owner's side of the log: what is to be committed, in order. One batch is
// with the Store at a time, so that a failed one can be tried again before anything that
// builds on it; the next one gathers meanwhile.
type eventLog struct {
	next   uint64 // offset of the newest event that was made
	shown  uint64 // offset of the newest event that is kept, and was shown
	queue  []*batch
	events int // in the queue
	bytes  int
	taken  int  // stanzas that were applied and are not kept
	cards  int  // bytes of vCards in the queue
	busy   bool // queue[0] is with the Store, or waits for another try
	down   bool // the last answer was that the Store cannot take writes
	fails  int
	pause  *time.Timer
	idle   []func() // run when the queue is empty
}

func (l *eventLog) full() bool {
	return l.events >= queueEvents || l.bytes >= queueBytes || l.taken >= unkeptMost
}

// batch is one compound write and what follows from it.
type batch struct {
	commit Commit
	show   []*perch.Event // durable and ephemeral, in order
	bytes  int
	taken  int // stanzas whose effects are in it
	cards  int // bytes of vCards
	after  []func(Result)
	link   *link // whose stanzas up to handled are covered
	seq    uint64
	solo   bool // decided by a key that may exist: nothing else may depend on it
	closed bool // nothing is added any more
}

func (b *batch) empty() bool {
	c := &b.commit
	return len(c.Events) == 0 && c.Record == nil && c.Once == nil && !c.Release && len(c.Messages) == 0 && c.Roster.Empty() &&
		c.Presence.Empty() && c.Invitations.Empty() && c.VCards.Empty() && c.Outbox.Empty()
}

// batch returns the one that gathers.
func (s *Session) batch() *batch {
	if n := len(s.log.queue); n > 0 {
		if b := s.log.queue[n-1]; !b.solo && !b.closed && len(b.show) < batchEvents {
			return b
		}
	}
	b := &batch{}
	s.log.queue = append(s.log.queue, b)
	return b
}

// emit makes a durable event.
func (s *Session) emit(typ perch.EventType, data any) {
	s.emitAt(typ, s.now(), data)
}

func (s *Session) emitAt(typ perch.EventType, at perch.Time, data any) {
	e := perch.NewEvent(perch.Position{Epoch: s.epoch, Offset: s.log.next + 1}, typ, at, data)
	s.log.next++ // not before: an event that cannot be made must not leave a hole
	b := s.batch()
	b.commit.Events = append(b.commit.Events, e)
	s.queued(b, e)
}

// hint makes an ephemeral event; nobody sees it when nobody is there.
func (s *Session) hint(typ perch.EventType, key string, data any) {
	if len(s.subs) == 0 {
		return
	}
	e := perch.NewEvent(perch.Position{}, typ, s.now(), data)
	e.Key = key
	s.queued(s.batch(), e)
}

func (s *Session) queued(b *batch, e *perch.Event) {
	b.show = append(b.show, e)
	b.bytes += len(e.Wire)
	s.log.events++
	s.log.bytes += len(e.Wire)
}

// saveRecord puts the record as it is now into the batch that gathers. It is copied: what
// changes later belongs to a later batch.
func (s *Session) saveRecord() {
	rec := s.rec
	s.batch().commit.Record = &rec
}

// whenKept runs f when everything until now is kept, or is known not to be.
func (s *Session) whenKept(f func(Result)) {
	b := s.batch()
	b.after = append(b.after, f)
}

// alone queues a commit that an idempotency key decides.
func (s *Session) alone(c Commit, f func(Result)) {
	s.log.queue = append(s.log.queue, &batch{commit: c, solo: true, after: []func(Result){f}})
}

// whenWritten runs f when nothing is left to write.
func (s *Session) whenWritten(f func()) { s.log.idle = append(s.log.idle, f) }

// flush hands the next batch to the Store. The loop calls it after every turn. Whoever
// waits until nothing is left to write may write more.
func (s *Session) flush() {
	for {
		for !s.log.busy && len(s.log.queue) > 0 {
			s.commit(s.log.queue[0])
		}
		if len(s.log.queue) > 0 || s.log.busy {
			return
		}
		s.log.queue = nil
		idle := s.log.idle
		if s.log.idle = nil; len(idle) == 0 {
			return
		}
		for _, f := range idle {
			f()
		}
	}
}

// commit hands the head of the queue to the Store.
func (s *Session) commit(b *batch) {
	b.closed = true
	if b.empty() {
		s.kept(b, Result{})
		return
	}
	s.log.busy = true
	b.commit.Fence, b.commit.Epoch = s.fence, s.epoch
	s.m.o.Store.Commit(s.id, &b.commit, func(r Result) { s.tell(func() { s.committed(b, r) }) })
}

// committed is the answer of the Store.
func (s *Session) committed(b *batch, r Result) {
	switch {
	case r.Err == nil:
		s.log.busy, s.log.down, s.log.fails = false, false, 0
		s.kept(b, r)
	case errors.Is(r.Err, ErrFenced):
		s.refuse(r.Err)
		s.letGo()
	case errors.Is(r.Err, ErrLost), errors.Is(r.Err, ErrOrder):
		s.refuse(r.Err)
		s.reopen()
	default:
		s.storeDown(r.Err)
	}
}

// kept shows what a batch that is kept has brought. It is the head of the queue.
func (s *Session) kept(b *batch, r Result) {
	s.log.queue = s.log.queue[1:]
	s.log.events -= len(b.show)
	s.log.bytes -= b.bytes
	s.log.taken -= b.taken
	s.log.cards -= b.cards
	for _, e := range b.show {
		s.m.o.Observer.Event(e.Type)
		s.show(e)
	}
	if b.link != nil && b.link == s.link {
		b.link.conn.Handled(b.seq)
	}
	for _, f := range b.after {
		f(r)
	}
}

// show offers an event to every subscriber. Those that were cut are let go.
func (s *Session) show(e *perch.Event) {
	if !e.Position.IsZero() {
		s.log.shown = e.Position.Offset
	}
	kept := s.subs[:0]
	for _, sub := range s.subs {
		if sub.offer(e) {
			kept = append(kept, sub)
		}
	}
	if len(kept) < len(s.subs) {
		clear(s.subs[len(kept):])
		s.subs = kept
		s.attended()
	}
}

const (
	storeRetryMin = 100 * time.Millisecond
	storeRetryMax = 5 * time.Second
)

// storeDown refuses what somebody waits for, and tries the rest again after a while.
func (s *Session) storeDown(err error) {
	if !s.log.down {
		s.m.log.Warn("the store takes no writes", "session", s.short(), "error", err)
	}
	s.log.down = true
	s.refuse(err)
	d := min(storeRetryMin<<min(s.log.fails, 10), storeRetryMax)
	s.log.fails++
	s.log.pause = s.after(d, func() {
		s.log.busy = false
		if len(s.log.queue) == 0 {
			s.log.down = false // nothing to try with: the next write will tell
		}
	})
}

// refuse takes out of the queue what is decided by a key, and tells those who wait: the
// client tries again itself.
func (s *Session) refuse(err error) {
	var rest []*batch
	for _, b := range s.log.queue {
		if !b.solo {
			rest = append(rest, b)
			continue
		}
		for _, f := range b.after {
			f(Result{Err: storeError(err)})
		}
	}
	s.log.queue = rest
}
