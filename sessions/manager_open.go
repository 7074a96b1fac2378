package sessions

import (
	"time"

	"github.com/perch-im/perch"
)

// open returns the session with this id, and makes and starts it when there is none. Many
// callers at once get the same one: that is what makes opening happen once. By is
// bound to it from then on. Bound says that the Store has bound it to this id; if it
// has not, and the session is live, then it was replaced by a newer one.
func (m *Manager) open(id ID, acc perch.Account, by boundToken, bound bool, address string) (s *Session, created bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = m.sessions[id]
	switch {
	case s != nil && !bound && m.tokens[by.key] != s:
		return nil, false, errReplaced
	case s != nil:
		m.tokens.bind(by, s)
		return s, false, nil
	case m.draining:
		return nil, false, errDraining
	case m.o.MaxSessions > 0 && len(m.sessions) >= m.o.MaxSessions:
		return nil, false, &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: 30 * time.Second,
			Detail: "session limit of this node reached; try again later"}
	}
	if !bound {
		if err := m.room(acc, address); err != nil {
			return nil, false, err
		}
	}
	s = newSession(m, id, acc)
	m.countAddress(s, address)
	m.sessions[id] = s
	m.states[s.entry.state]++
	m.tokens.bind(by, s)
	m.wg.Add(1)
	go s.open()
	return s, true, nil
}

// remove drops a session that has ended.
func (m *Manager) remove(s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions[s.id] == s {
		delete(m.sessions, s.id)
		m.uncount(s)
		m.states[s.entry.state]--
	}
	m.tokens.unbindAll(s)
}
