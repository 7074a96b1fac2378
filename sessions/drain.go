package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

var errDraining error = perch.Errorf(perch.KindDraining, "this node is stopping; another one, or this one in a moment, will serve you")

// Drain refuses new sessions from now on. The open ones go on.
func (m *Manager) Drain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.draining = true
}

// Close ends all sessions, in parallel, without forgetting anything, and waits for them.
// A stream that a durable Store can resume is dropped as it is; every other one is signed
// out. When ctx ends first, what is left is dropped at once and the error is that of ctx.
func (m *Manager) Close(ctx context.Context) error {
	m.Drain()
	for _, s := range m.all() {
		s.tell(s.shutdown)
	}
	ended := make(chan struct{})
	go func() { m.wg.Wait(); close(ended) }()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	m.cancel()
	<-ended
	return err
}

// Ready is nil while this node takes new sessions: it is not draining, and its Store takes
// writes. It never depends on one session's upstream.
func (m *Manager) Ready(ctx context.Context) error {
	m.mu.Lock()
	draining := m.draining
	m.mu.Unlock()
	if draining {
		return errDraining
	}
	return m.o.Store.Healthy(ctx)
}
