package cache

import (
	"context"
	"maps"
	"time"

	"github.com/perch-im/perch/sessions"
)

// PutTicket implements sessions.Store. What has expired goes when the tickets have doubled.
func (m *Memory) PutTicket(_ context.Context, hash string, t sessions.Ticket) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	m.tickets[hash] = t
	if len(m.tickets) > 2*m.swept+64 {
		now := time.Now()
		maps.DeleteFunc(m.tickets, func(_ string, t sessions.Ticket) bool { return !t.Expires.Time().After(now) })
		m.swept = len(m.tickets)
	}
	return nil
}

// TakeTicket implements sessions.Store.
func (m *Memory) TakeTicket(_ context.Context, hash string) (sessions.Ticket, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tickets[hash]
	delete(m.tickets, hash)
	if !ok || !t.Expires.Time().After(time.Now()) {
		return sessions.Ticket{}, errNoTicket
	}
	return t, nil
}
