package sessions

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"github.com/perch-im/perch"
)

// delivery is one thing from the reader of a connection.
type delivery struct {
	link *link
	seq  uint64
	in   perch.Inbound

	at    perch.Time // of what is held: when it arrived
	known bool       // and that it is a copy of one that is logged
	entry int        // or 1 + its index among the identities, when it has one already
}

// postbox takes turns that no caller waits for: results of commits, of logins, of timers. It
// has no bound because what posts must not wait; each poster has at most one turn in it.
type postbox struct {
	mu    sync.Mutex
	turns []func()
	wake  chan struct{}
}

func (p *postbox) put(f func()) {
	p.mu.Lock()
	p.turns = append(p.turns, f)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *postbox) take() []func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.turns
	p.turns = nil
	return t
}

// owner is the goroutine that a session belongs to, as its parts know it.
type owner interface {
	now() perch.Time
	// post lets the owner run f, some time, and does not wait. After the end f never runs.
	post(f func())
	// after posts f when d has passed.
	after(d time.Duration, f func()) *time.Timer
	// background runs f in a goroutine of its own, which ends with the session.
	background(f func(context.Context))
}

// post lets the owner run f, some time, and does not wait. After the end f never runs.
func (s *Session) post(f func()) { s.mailbox.put(f) }

// call lets the owner run f and waits until it has run. Only the owner may touch the
// state of a session, so this is how it is read and changed. The error says that f
// did not run: the session has ended, or ctx.
func (s *Session) call(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	select {
	case s.mail <- func() { defer close(ran); f() }:
		<-ran // the owner never waits, so neither does this
		return nil
	case <-s.ctx.Done():
		return s.endedError()
	case <-ctx.Done():
		if s.ctx.Err() != nil {
			return s.endedError()
		}
		return ctx.Err()
	}
}

// query is call for callers without a context; false: the session has ended.
func (s *Session) query(f func()) bool { return s.call(s.ctx, f) == nil }

// after posts f when d has passed. Stop it when it is no longer wanted; a
// turn that was on its way then still runs, so f looks whether it still holds.
func (s *Session) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { s.post(f) })
}

func stop(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

// background runs f in a goroutine of its own, which ends with the session. Only the
// owner, or a goroutine started this way, may call it.
func (s *Session) background(f func(context.Context)) {
	s.wg.Go(func() { f(s.ctx) })
}

// run is the owner goroutine: the loop, and the end.
func (s *Session) run() {
	defer s.m.wg.Done()
	for !s.ended {
		s.step()
	}
	s.finish()
}

// step waits for one thing and does it. While the log is full, nothing is taken from the
// connection: its reader waits, and with it the server.
//
// A mistake of ours ends this session and no other; the next request opens it again from
// what is kept.
func (s *Session) step() {
	defer func() {
		if r := recover(); r != nil {
			s.m.log.Error("session panicked, closing it", "session", s.short(), "panic", r, "stack", string(debug.Stack()))
			s.end(endDropped)
		}
	}()
	s.wait()
	s.log.flush()
	s.updateGauges(s.waiting())
}

func (s *Session) wait() {
	in := s.in
	if s.log.full() || s.closing {
		in = nil
	}
	var lost <-chan struct{}
	if s.link != nil {
		lost = s.link.conn.Done()
	}
	select {
	case d := <-in:
		s.take(d)
	case f := <-s.mail:
		s.drainIn()
		f()
	case <-s.mailbox.wake:
		for _, f := range s.mailbox.take() {
			f()
		}
	case <-lost:
		s.drainIn()
		s.lost(s.link.conn.Err())
	case <-s.ctx.Done():
		s.end(endDropped)
	}
}

// drainIn applies what the reader has queued: a caller that waited for an answer of the
// upstream then sees everything that came before it.
func (s *Session) drainIn() {
	for !s.log.full() && !s.closing {
		select {
		case d := <-s.in:
			s.take(d)
		default:
			return
		}
	}
}
