package sessions

import "github.com/perch-im/perch"

// Live returns the session that a bearer token leads to on this node, or nil, and waits
// for nothing: it is in whatever state, the first login included. GET /v1/session shows
// it at once, and POST /v1/session reports by it whether it has opened one. A session whose
// first login is not over has no user yet: it may be shown and ended, nothing else.
func (m *Manager) Live(token perch.Secret) *Session {
	of, _, _ := m.keyOfToken(token)
	for _, h := range m.ring() {
		if s := m.byKey(of(h)); s != nil {
			return s
		}
	}
	return nil
}
