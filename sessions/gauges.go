package sessions

import (
	"sync/atomic"

	"github.com/perch-im/perch/internal/occupants"
)

// Backlog is what waits in all sessions of this node.
type Backlog struct {
	Outbox   int // accepted messages that are not yet known to be with the upstream
	HeldBack int // sessions that the Store takes no writes of
}

// Occupants are the figures of who is in the rooms of this node.
func (m *Manager) Occupants() occupants.Stats { return m.occupants.Stats() }

// backlog is the sum over all sessions. Each owner adds what it has changed.
type backlog struct{ outbox, held atomic.Int64 }

// Backlog says how much waits, as of the last thing that each session did.
func (m *Manager) Backlog() Backlog {
	return Backlog{Outbox: int(m.backlog.outbox.Load()), HeldBack: int(m.backlog.held.Load())}
}

// pendingCounts is the part of one session.
type pendingCounts struct{ outbox, held int64 }

// update brings the sum up to date after the counts of a session have changed. The owner calls
// it after everything that it does, and at its end with nothing.
func (b *backlog) update(was *pendingCounts, now pendingCounts) {
	if now == *was {
		return
	}
	b.outbox.Add(now.outbox - was.outbox)
	b.held.Add(now.held - was.held)
	*was = now
}

// MaxSessions is how many sessions this node may have; 0: no bound.
func (m *Manager) MaxSessions() int { return m.settings().MaxSessions }
