package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// verify asks the upstream about a credential that is to replace another. A session that is
// suspended has no connection to disturb: the verification is its next login, and the
// connection is returned; else it is nil. Errors are for the client, and change nothing.
func (m *Manager) verify(ctx context.Context, r *replacement) (Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, m.o.OpenTimeout)
	defer cancel()
	req, ok, err := r.s.reserveLogin(ctx, r.fresh)
	if err != nil {
		return nil, err
	}
	var conn Conn
	var jid perch.JID
	if ok {
		if conn, err = r.s.dial(ctx, req); err == nil {
			jid = conn.Login().JID.Bare()
		}
	} else {
		jid, err = m.verifyApart(ctx, r.fresh)
	}
	if err == nil && !r.sameAccount(jid) {
		err = perch.Errorf(perch.KindForbidden, "the credential belongs to another account")
	} else if k := perch.KindOf(err); err != nil && (k == perch.KindUnauthorized || k == perch.KindForbidden) {
		m.rejected.add(r.key, errRefused)
	}
	if err == nil {
		return conn, nil
	}
	if ok {
		r.s.giveUpLogin(conn)
	}
	return nil, verifyError(err)
}

// verifyApart verifies beside a connection that may be in use. It waits for its turn among
// the logins of the upstream.
func (m *Manager) verifyApart(ctx context.Context, acc perch.Account) (perch.JID, error) {
	slots := m.logins[acc.Upstream]
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	acc.Resource = ""
	return m.o.Verify(ctx, acc)
}

// sameAccount reports whether jid, which the upstream has given for the fresh credential, is
// the account of the session.
func (r *replacement) sameAccount(jid perch.JID) bool {
	if jid == "" || r.jid == "" {
		return false
	}
	return jid == r.jid || jid == r.old.JID.Bare() || normalized(jid) == normalized(r.jid)
}

// normalized is a JID in the form of RFC 7622, or as it is when it has none.
func normalized(j perch.JID) perch.JID {
	if n, err := perch.ParseJID(string(j)); err == nil {
		return n
	}
	return j
}

// verifyError is what is reported to a client about a credential that could not be verified.
// Only a verdict of the upstream is passed on as it is.
func verifyError(err error) error {
	switch perch.KindOf(err) {
	case perch.KindUnauthorized, perch.KindForbidden, perch.KindValidation, perch.KindJIDMalformed, perch.KindUpstreamTLS:
		return err
	case perch.KindUpstreamConfig, perch.KindRedirectRefused:
		return signInError(err)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: 5 * time.Second, Err: err,
		Detail: "the upstream cannot be asked about the credential just now; nothing was changed"}
}

// reserveLogin makes the caller the one who signs a suspended session in, with another
// credential; ok is false when the session is not suspended, or cannot sign in right now.
// giveUpLogin or goOnline follows.
func (s *Session) reserveLogin(ctx context.Context, fresh perch.Account) (req DialRequest, ok bool, err error) {
	err = s.call(ctx, func() {
		// What waits to be written has to be written first: to resume is to acknowledge.
		ok = s.supervisor.state.state == perch.StateSuspended && s.link == nil && !s.supervisor.dialling && !s.closing && s.log.empty()
		if ok {
			s.supervisor.dialling = true
			req = s.dialRequest(fresh)
		}
	})
	return req, ok, err
}

// giveUpLogin ends what reserveLogin began; conn is nil when the upstream refused the login.
func (s *Session) giveUpLogin(conn Conn) {
	s.post(func() { s.supervisor.dialling = false })
	if conn != nil {
		conn.Abort()
	}
}

// goOnline goes through the login sequence on a connection that was signed in with the
// credential which the session has by now, and waits for the end of it. A connection that is
// lost meanwhile is no error: the session tries again by itself.
func (s *Session) goOnline(ctx context.Context, conn Conn) error {
	verdict := make(chan error, 1)
	if err := s.call(context.WithoutCancel(ctx), func() {
		s.supervisor.attempt, s.supervisor.waiting = 0, append(s.supervisor.waiting, verdict)
		s.supervisor.setState(perch.StateReconnecting, s.supervisor.state.reason, 0, false)
		s.background(func(ctx context.Context) { s.enter(ctx, conn) })
	}); err != nil {
		conn.Abort()
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.m.o.OpenTimeout)
	defer cancel()
	select {
	case err := <-verdict:
		if k := perch.KindOf(err); err != nil && (k == perch.KindUnauthorized || k == perch.KindForbidden) {
			return err
		}
		return nil
	case <-ctx.Done():
		return nil
	case <-s.gone:
		return s.endedError()
	}
}
