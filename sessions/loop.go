package sessions

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
)

// loop is the way into the owner of a session: everything that is done to the session is a
// function that the owner runs. Its methods are safe for concurrent use.
type loop struct {
	runner runner
	queue  workQueue

	ctx       context.Context // ends with the session
	cancel    context.CancelFunc
	wg        sync.WaitGroup // the goroutines of background
	done      chan struct{}  // closed when nothing of the session is left in this process
	forgotten atomic.Bool    // it was ended for good; else its record is served elsewhere
}

func newLoop(ctx context.Context) *loop {
	lo := &loop{done: make(chan struct{})}
	lo.ctx, lo.cancel = context.WithCancel(ctx)
	return lo
}

// deliver hands the owner what the reader of a link has read, waits until there is room, and
// lends the owner the reader's goroutine.
func (lo *loop) deliver(l *link, seq uint64, in perch.Inbound) {
	for lo.ctx.Err() == nil {
		room := lo.queue.offer(delivery{link: l, seq: seq, in: in})
		if room == nil {
			lo.runner.wakeHere()
			return
		}
		select {
		case <-room:
		case <-lo.ctx.Done():
		}
	}
}

// life ends with the session.
func (lo *loop) life() context.Context { return lo.ctx }

func (lo *loop) now() perch.Time { return perch.At(time.Now()) }

// post implements owner.
func (lo *loop) post(f func()) {
	if lo.queue.add(task{f: f}) {
		lo.runner.wake()
	}
}

// wake lets the owner look at what it does not get by post or deliver: the end of a connection, and
// that of the context.
func (lo *loop) wake() { lo.runner.wake() }

// call lets the owner run f and waits until it has run; mostly it runs on the caller's goroutine.
// Only the owner may touch the state of a session, so this is how it is read and changed. The
// error says that f did not run: the session has ended, or ctx.
func (lo *loop) call(ctx context.Context, f func()) error {
	if err := lo.whyNot(ctx); err != nil {
		return err
	}
	c := &pendingCall{done: make(chan struct{})}
	if !lo.queue.add(task{f, c}) {
		return lo.endedError()
	}
	lo.runner.wakeHere()
	select {
	case <-c.done:
	case <-lo.ctx.Done():
	case <-ctx.Done():
	}
	if lo.queue.withdraw(c) {
		return lo.whyNot(ctx)
	}
	<-c.done // the owner never waits, so neither does this
	return c.err
}

// whyNot is why a call is not made any more; nil: it is.
func (lo *loop) whyNot(ctx context.Context) error {
	if lo.ctx.Err() != nil {
		return lo.endedError()
	}
	return ctx.Err()
}

// callErr lets the owner run f, and returns its error, or why it did not run.
func (lo *loop) callErr(ctx context.Context, f func() error) error {
	var err error
	if terr := lo.call(ctx, func() { err = f() }); terr != nil {
		return terr
	}
	return err
}

// query is call for callers without a context; false: the session has ended.
func (lo *loop) query(f func()) bool { return lo.call(lo.ctx, f) == nil }

// after implements owner. Stop the timer when it is no longer wanted; a function that was on
// its way then still runs, so f looks whether it still holds.
func (lo *loop) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { lo.post(f) })
}

func stop(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

// background implements owner. Only the owner, or a goroutine started this way, may call it.
func (lo *loop) background(f func(context.Context)) {
	lo.wg.Go(func() { f(lo.ctx) })
}

// endedError is why a session does not answer any more.
func (lo *loop) endedError() error {
	if lo.forgotten.Load() {
		return ErrEnded
	}
	return errMovedOn
}

// left waits until a session that has ended is out of the way.
func (lo *loop) left(ctx context.Context) error {
	select {
	case <-lo.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func timeNow() perch.Time { return perch.At(time.Now()) }
