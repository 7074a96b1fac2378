package sessions

import "github.com/perch-im/perch"

// Live returns the session that a bearer token leads to on this node, or nil, and waits
// for nothing: it is in whatever state, the first login included. GET /v1/session shows
// it at once, and POST /v1/session reports by it whether it has opened one. A session whose
// first login is not over has no user yet: it may be shown and ended, nothing else.
func (m *Manager) Live(token perch.Secret) *Session {
	key, _, _ := m.keyOfToken(token)
	return m.byKey(key)
}
