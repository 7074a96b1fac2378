package cache

import (
	"context"
	"time"

	"github.com/perch-im/perch/sessions"
)

// PutTicket implements sessions.Store.
func (m *Memory) PutTicket(_ context.Context, hash string, t sessions.Ticket, life time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	m.tickets.Put(hash, t, time.Now(), life)
	return nil
}

// TakeTicket implements sessions.Store.
func (m *Memory) TakeTicket(_ context.Context, hash string) (sessions.Ticket, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tickets.Delete(hash, time.Now())
	if !ok {
		return sessions.Ticket{}, errNoTicket
	}
	return t, nil
}
