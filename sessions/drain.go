package sessions

import (
	"context"
	"time"
)

// Drain refuses new sessions from now on. The open ones continue.
func (m *Manager) Drain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.draining = true; m.nodes != nil {
		m.nodes.away()
	}
}

// Resume ends what Drain began: new sessions are taken again. A Manager that is closed, or that
// another process has replaced, stays as it is.
func (m *Manager) Resume() {
	select {
	case <-m.replaced:
		return
	case <-m.ctx.Done():
		return
	default:
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.draining = false; m.nodes != nil {
		m.nodes.back()
	}
}

// Draining reports whether new sessions are refused.
func (m *Manager) Draining() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.draining
}

// HandOver lets another node take the session over: what is accepted is written, the state of
// the stream is stored, the lease is given up and the connection is dropped as it is. Every
// subscription is cut with ErrMoved when that is done. It does not wait. False: there is no
// node to hand anything over to, and the session continues.
func (s *Session) HandOver() bool {
	if s.m.nodes == nil || !s.m.o.Store.Durable() {
		return false
	}
	s.post(func() { s.shutdown(true) })
	return true
}

// HandOverQuiet hands over, spread over a time, the sessions that no event stream is
// attached to: no client waits for them. It returns when it has begun with all of them, or
// when ctx ends.
func (m *Manager) HandOverQuiet(ctx context.Context, over time.Duration) {
	list := m.all()
	for i, s := range list {
		attached := false
		if !s.query(func() { attached = s.subs.watched() }) || attached || !s.HandOver() {
			continue
		}
		pause := over / time.Duration(len(list)-i+1)
		select {
		case <-time.After(pause):
			over -= pause
		case <-ctx.Done():
			return
		}
	}
}

// Close ends all sessions, in parallel, without forgetting anything, and waits for them.
// A stream that a durable Store can resume is dropped as it is; every other one is signed
// out. When ctx ends first, what is left is dropped at once and the error is that of ctx.
// Among other nodes the sessions are released, and the lease ends last.
func (m *Manager) Close(ctx context.Context) error {
	m.Drain()
	for _, s := range m.all() {
		s.post(func() { s.shutdown(true) })
	}
	ended := make(chan struct{})
	go func() { m.wg.Wait(); close(ended) }()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	m.made.uses.close(ctx)
	m.cancel()
	for _, s := range m.all() {
		s.wake()
	}
	<-ended
	m.dispatcher.close()
	if m.nodes != nil {
		m.nodes.leave()
	}
	return err
}

// Ready is nil while this node takes new sessions: it is not draining, and its Store takes
// writes. It never depends on one session's upstream.
func (m *Manager) Ready(ctx context.Context) error {
	if m.Draining() {
		return errDraining
	}
	return m.o.Store.Healthy(ctx)
}
