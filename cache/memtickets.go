package cache

import (
	"context"
	"maps"
	"time"

	"github.com/perch-im/perch/sessions"
)

// memTicket is a ticket and its end by the clock of this process.
type memTicket struct {
	sessions.Ticket
	end time.Time
}

// PutTicket implements sessions.Store. What has expired goes when the tickets have doubled.
func (m *Memory) PutTicket(_ context.Context, hash string, t sessions.Ticket, life time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	now := time.Now()
	m.tickets[hash] = memTicket{t, now.Add(life)}
	if len(m.tickets) > 2*m.swept+64 {
		maps.DeleteFunc(m.tickets, func(_ string, t memTicket) bool { return !t.end.After(now) })
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
	if !ok || !t.end.After(time.Now()) {
		return sessions.Ticket{}, errNoTicket
	}
	return t.Ticket, nil
}
