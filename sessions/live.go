package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// Live returns the session that a bearer token leads to on this node, or nil, and waits
// for nothing: it is in whatever state, the first login included. GET /v1/session shows
// it at once, and POST /v1/session reports by it whether it has opened one. A session whose
// first login is not over has no user yet: it may be shown and ended, nothing else.
func (m *Manager) Live(ctx context.Context, token perch.Secret) *Session {
	for b := range m.bearers(ctx, token) {
		for _, h := range m.ring() {
			if s := m.byKey(b.of(h)); s != nil {
				return s
			}
		}
	}
	return nil
}
