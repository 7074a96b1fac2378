package sessions

import "github.com/perch-im/perch"

// openRequest says which session to open.
type openRequest struct {
	id      ID
	acc     perch.Account
	by      boundToken // is bound to the session from then on
	bound   bool       // the Store has bound it to this id
	address string     // of the client, "" for none
	loaded  func()     // see opening.loaded
}

// open returns the session with this id, and makes and starts it when there is none. Many
// callers at once get the same one: that is what makes opening happen once. A token that the
// Store has not bound to a live session was replaced by a newer one.
func (m *Manager) open(o openRequest) (s *Session, created bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = m.sessions[o.id]
	x := m.settings()
	switch {
	case s != nil && !o.bound && m.tokens[o.by.key] != s:
		return nil, false, errReplaced
	case s != nil:
		m.tokens.bind(o.by, s)
		return s, false, nil
	case m.draining:
		return nil, false, errDraining
	case x.upstreams[o.acc.Upstream] == nil:
		return nil, false, errUpstreamGone
	case x.MaxSessions > 0 && len(m.sessions) >= x.MaxSessions:
		return nil, false, errNodeFull(o.acc.Upstream)
	}
	if !o.bound {
		if err := m.room(x, o.acc, o.address); err != nil {
			return nil, false, err
		}
	}
	s = newSession(m, o.id, o.acc, x)
	s.opening.loaded = o.loaded
	m.countAddress(s, o.address)
	m.sessions[o.id] = s
	m.states.add(s, 1)
	m.tokens.bind(o.by, s)
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
		m.states.add(s, -1)
	}
	m.tokens.unbindAll(s)
}
