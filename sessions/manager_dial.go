package sessions

import (
	"context"
	"errors"

	"github.com/perch-im/perch"
)

// registrar is the loginManager of one session.
type registrar struct {
	m *Manager
	s *Session
}

func (r registrar) admit(jid perch.JID) bool { return r.m.admit(r.s, jid, false) }

func (r registrar) full() error {
	err := errAccountFull(r.s.cred.upstream.Name)
	r.m.refused(err)
	return err
}

func (r registrar) claim(ctx context.Context) bool { return r.m.claim(ctx, r.s) }

func (r registrar) bindTokens(ctx context.Context) { r.m.bindAll(ctx, r.s) }

func (r registrar) dial(ctx context.Context, req DialRequest) (Conn, error) {
	r.s.opening.queued.Store(true)
	return r.m.dial(ctx, req, func() { r.s.opening.queued.Store(false) })
}

// dial waits for its turn among the logins of the upstream, calls begun, and signs in.
func (m *Manager) dial(ctx context.Context, req DialRequest, begun func()) (Conn, error) {
	free, err := m.loginSlot(ctx, req.Account.Upstream)
	if err != nil {
		return nil, err
	}
	defer free()
	begun()
	ctx, cancel := context.WithTimeout(ctx, defaultDialing)
	defer cancel()
	conn, err := m.o.Dial(ctx, req)
	if err != nil && errors.Is(err, context.DeadlineExceeded) && perch.KindOf(err) == perch.KindInternal {
		err = perch.Wrap(perch.KindUpstreamTimeout, err, "upstream login timed out")
	}
	return conn, err
}

// verifyApart verifies a credential beside a connection that may be in use. It waits for its
// turn among the logins of the upstream.
func (m *Manager) verifyApart(ctx context.Context, acc perch.Account) (perch.JID, error) {
	free, err := m.loginSlot(ctx, acc.Upstream)
	if err != nil {
		return "", err
	}
	defer free()
	acc.Resource = ""
	return m.o.Verify(ctx, acc)
}
