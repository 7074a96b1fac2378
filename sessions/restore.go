package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// Restore brings back every session whose sealed credential can be opened, unless another
// node that may be alive owns it, and lets every token lead to its session again. Call it
// once, at start and after Join; it waits for the Store, a bounded number of sessions at a
// time, and not for the logins, which take their turn. The other sessions are opened by the next request that brings their token.
// Without SealKeys it does nothing.
func (m *Manager) Restore(ctx context.Context) error {
	if len(m.settings().SealKeys) == 0 {
		return nil
	}
	n, err := m.adoptAll(ctx, func(owner NodeID) bool { return m.nodes == nil || owner == "" || m.nodes.isDead(owner) })
	if err != nil {
		return err
	}
	m.log.Info("restoring sessions", "count", n)
	return nil
}

// sealedCredential is a credential as the Store keeps it, opened.
type sealedCredential struct {
	acc perch.Account
	at  perch.Time
}
