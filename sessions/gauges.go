package sessions

import "sync/atomic"

// Backlog is what waits in all sessions of this node.
type Backlog struct {
	Outbox   int // accepted messages that are not yet known to be with the upstream
	HeldBack int // sessions that the Store takes no writes of
}

// backlog is the sum over all sessions. Each owner adds what its last turn has changed.
type backlog struct{ outbox, held atomic.Int64 }

// Backlog says how much waits, as of the last turn of each session.
func (m *Manager) Backlog() Backlog {
	return Backlog{Outbox: int(m.backlog.outbox.Load()), HeldBack: int(m.backlog.held.Load())}
}

// pendingCounts is the part of one session.
type pendingCounts struct{ outbox, held int64 }

// updateGauges brings the sum up to date. The owner calls it after every turn, and at its end
// with nothing.
func (s *Session) updateGauges(now pendingCounts) {
	if now == s.waits {
		return
	}
	s.m.backlog.outbox.Add(now.outbox - s.waits.outbox)
	s.m.backlog.held.Add(now.held - s.waits.held)
	s.waits = now
}

// waiting is what waits in this session now.
func (s *Session) waiting() pendingCounts {
	w := pendingCounts{outbox: int64(len(s.out.entries))}
	if s.log.down {
		w.held = 1
	}
	return w
}
