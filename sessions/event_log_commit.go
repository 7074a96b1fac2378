package sessions

import (
	"errors"
	"time"
)

// flush hands the next batch to the Store. The loop calls it after everything that it does. What runs when
// nothing is left to commit may make more.
func (l *eventLog) flush() {
	for {
		for !l.busy && len(l.queue) > 0 {
			l.commit(l.queue[0])
		}
		if len(l.queue) > 0 || l.busy {
			return
		}
		l.queue = nil
		drained := l.drained
		if l.drained = nil; len(drained) == 0 {
			return
		}
		for _, f := range drained {
			f()
		}
	}
}

// commit hands the head of the queue to the Store.
func (l *eventLog) commit(b *batch) {
	b.closed = true
	if b.empty() {
		l.onCommitted(b, Result{})
		b.release()
		return
	}
	l.busy = true
	b.commit.Fence, b.commit.Epoch = l.fence, l.epoch
	if s, ok := l.store.(PromptCommitter); ok {
		r := s.CommitNow(l.id, &b.commit)
		l.answered(b, r)
		if r.Err == nil {
			b.release()
		}
		return
	}
	l.store.Commit(l.id, &b.commit, func(r Result) { l.host.post(func() { l.answered(b, r) }) })
}

// answered is the answer of the Store about a batch.
func (l *eventLog) answered(b *batch, r Result) {
	switch {
	case r.Err == nil:
		l.busy, l.down, l.fails = false, false, 0
		l.onCommitted(b, r)
	case errors.Is(r.Err, ErrFenced):
		l.refuse(r.Err)
		l.host.fenced()
	case errors.Is(r.Err, ErrLost), errors.Is(r.Err, ErrOrder):
		l.refuse(r.Err)
		l.busy, l.down = true, true // until reset
		l.host.recordLost()
	default:
		l.backOff(r.Err)
	}
}

// onCommitted publishes what a batch has brought. It is the head of the queue.
func (l *eventLog) onCommitted(b *batch, r Result) {
	l.queue = l.queue[1:]
	l.events -= len(b.publish)
	l.bytes -= b.bytes
	l.taken -= b.taken
	l.cards -= b.cards
	for _, e := range b.publish {
		if !e.Position.IsZero() {
			l.published = e.Position.Offset
		}
		l.host.publish(e)
		if e.Position.IsZero() {
			continue
		}
		for _, f := range l.read {
			f(e)
		}
	}
	if b.link != nil {
		l.host.acknowledge(b.link, b.seq)
	}
	for _, f := range b.after {
		f(r)
	}
}

const (
	storeRetryMin = 100 * time.Millisecond
	storeRetryMax = 5 * time.Second
)

// backOff refuses what a client waits for, and tries the rest again after a while.
func (l *eventLog) backOff(err error) {
	if !l.down {
		l.host.storeRejects(err)
	}
	l.down = true
	l.refuse(err)
	d := min(storeRetryMin<<min(l.fails, 10), storeRetryMax)
	l.fails++
	l.retry = l.host.after(d, func() {
		l.busy = false
		if len(l.queue) == 0 {
			l.down = false // nothing to try with: the next write will show
		}
	})
}

// refuse takes the exclusive batches out of the queue, and answers those who wait for them:
// the client tries again itself.
func (l *eventLog) refuse(err error) {
	var rest []*batch
	for _, b := range l.queue {
		if !b.exclusive {
			rest = append(rest, b)
			continue
		}
		for _, f := range b.after {
			f(Result{Err: storeError(err)})
		}
	}
	l.queue = rest
}

// stop ends the wait for another try.
func (l *eventLog) stop() { stop(l.retry) }
