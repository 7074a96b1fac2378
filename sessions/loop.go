package sessions

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
)

// loop is the way into the goroutine that owns a session: everything that is done to the
// session is a function which that goroutine runs. Its methods are safe for concurrent use.
type loop struct {
	in      chan delivery // from the reader
	mail    chan func()   // what a caller waits for
	mailbox mailbox       // what no caller waits for

	ctx       context.Context // ends with the session
	cancel    context.CancelFunc
	wg        sync.WaitGroup // the goroutines of background
	done      chan struct{}  // closed when nothing of the session is left in this process
	forgotten atomic.Bool    // it was ended for good; else its record is served elsewhere
}

func newLoop(ctx context.Context) *loop {
	lo := &loop{in: make(chan delivery, 8), mail: make(chan func()), done: make(chan struct{})}
	lo.mailbox.wake = make(chan struct{}, 1)
	lo.ctx, lo.cancel = context.WithCancel(ctx)
	return lo
}

// deliver hands the owner what the reader of a link has read, and waits until there is room.
func (lo *loop) deliver(l *link, seq uint64, in perch.Inbound) {
	select {
	case lo.in <- delivery{link: l, seq: seq, in: in}:
	case <-lo.ctx.Done():
	}
}

// mailbox takes functions that no caller waits for: results of commits, of logins, of timers.
// It has no bound because what posts must not wait; each poster has at most one in it.
type mailbox struct {
	mu    sync.Mutex
	posts []func()
	wake  chan struct{}
}

func (b *mailbox) put(f func()) {
	b.mu.Lock()
	b.posts = append(b.posts, f)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *mailbox) take() []func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	posts := b.posts
	b.posts = nil
	return posts
}

func (lo *loop) now() perch.Time { return perch.At(time.Now()) }

// post implements owner.
func (lo *loop) post(f func()) { lo.mailbox.put(f) }

// call lets the owner run f and waits until it has run. Only the owner may touch the
// state of a session, so this is how it is read and changed. The error says that f
// did not run: the session has ended, or ctx.
func (lo *loop) call(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	select {
	case lo.mail <- func() { defer close(ran); f() }:
		<-ran // the owner never waits, so neither does this
		return nil
	case <-lo.ctx.Done():
		return lo.endedError()
	case <-ctx.Done():
		if lo.ctx.Err() != nil {
			return lo.endedError()
		}
		return ctx.Err()
	}
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
