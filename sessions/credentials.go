package sessions

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// ReplaceCredentials lets a fresh token or password take over the live session: no presence
// flap, and no new login of a session that is online.
//
// The upstream verifies the fresh credential first, and that it opens the same account, on a
// connection of its own. Only then the fresh one leads to the session and the one that it
// replaces is refused; tokens that we minted stay valid. A suspended session signs in with
// the fresh credential, and the call waits for it. On any error nothing was changed:
// KindUnauthorized and KindForbidden (it was refused, or opens another account),
// KindConflict (it leads to another session, here or on another node), KindValidation (it
// could never lead here), KindSessionOffline (the upstream cannot be asked).
func (m *Manager) ReplaceCredentials(ctx context.Context, s *Session, secret perch.Account) error {
	select {
	case s.replacing <- struct{}{}: // one at a time: each builds on what the last one left
		defer func() { <-s.replacing }()
	case <-s.done:
		return s.endedError()
	case <-ctx.Done():
		return ctx.Err()
	}
	r, err := m.newReplacement(ctx, s, secret)
	if err != nil {
		return err
	}
	if r.oldKey == r.key.digest && r.online {
		return nil // the upstream has accepted it: the session is signed in with it
	}
	if err := m.rejected.get(r.key.digest); err != nil {
		return err
	}
	if err := m.vacant(ctx, r); err != nil {
		return err
	}
	conn, err := m.verify(ctx, r)
	if err != nil {
		return err
	}
	if err := m.take(ctx, r); err != nil {
		if conn != nil {
			s.login.giveUp(conn)
		}
		return err
	}
	m.rejected.drop(r.key.digest)
	if conn != nil {
		err = m.finishLogin(ctx, s, conn)
	}
	m.bindAll(ctx, s)
	return err
}

// finishLogin takes the session online on a connection that the verification has signed in.
func (m *Manager) finishLogin(ctx context.Context, s *Session, conn Conn) error {
	ctx, cancel := context.WithTimeout(ctx, m.settings().OpenTimeout)
	defer cancel()
	return s.login.finish(ctx, conn)
}

// newReplacement completes the fresh credential with what the old one has, and refuses one
// that could never lead to the session.
func (m *Manager) newReplacement(ctx context.Context, s *Session, secret perch.Account) (*replacement, error) {
	r := &replacement{s: s}
	var proved string
	if err := s.call(ctx, func() {
		proved = s.state.Mechanism
		r.old, r.jid, r.online = s.cred.acc, s.state.JID.Bare(), s.supervisor.state.state == perch.StateOnline
	}); err != nil {
		return nil, err
	}
	r.fresh = r.old
	r.fresh.Password, r.fresh.Token = secret.Password, secret.Token
	r.fresh.Proved = proved
	if secret.Mechanism != "" || r.fresh.Password.IsZero() != r.old.Password.IsZero() {
		r.fresh.Mechanism = secret.Mechanism
	}
	if r.fresh.JID == "" && !r.fresh.Password.IsZero() {
		r.fresh.JID = r.jid
	}
	if err := m.settings().tokenFits("/token", r.fresh.Upstream, r.fresh.Token); err != nil {
		return nil, err
	}
	if !m.isBearer(r.old) || !m.isBearer(r.fresh) { // an access token that is the bearer needs no JID
		var err error
		if r.fresh, err = m.check(ctx, r.fresh); err != nil {
			return nil, err
		}
	}
	r.oldKey = m.keyFor(ctx, func(h *hasher) digest { return h.accountKey(r.old) }).digest
	r.key = m.keyFor(ctx, func(h *hasher) digest { return h.accountKey(r.fresh) })
	return r, m.presentable(r)
}

// presentable refuses a replacement after which no bearer token would lead to the session: a
// session that is led to by its access token needs one that clients can send in its place.
func (m *Manager) presentable(r *replacement) error {
	switch {
	case strings.HasPrefix(r.fresh.Token.Reveal(), TokenPrefix):
		return errMintedToken
	case !m.isBearer(r.old) || m.isBearer(r.fresh):
		return nil
	case r.fresh.Token.IsZero():
		return perch.Invalid("/password", "the bearer of this session is its access token, which only another access token can replace; sign in with POST /v1/session to use a password")
	}
	return perch.Invalid("/token", "cannot be sent as the bearer of this session, which its access token is")
}

var errMintedToken error = perch.Invalid("/token", "is a token of this gateway, not one of the upstream: send it in the Authorization header")

// isBearer reports whether the credential of an account leads to its session by itself, sent
// as a bearer token.
func (m *Manager) isBearer(a perch.Account) bool {
	if a.Token.IsZero() || a.JID != "" || a.Resource != "" {
		return false
	}
	for b := range m.bearers(context.Background(), a.Token) {
		if !b.minted && b.acc.Upstream == a.Upstream {
			return true
		}
	}
	return false
}

// vacant refuses a credential that leads to another session, wherever that one lives. It
// spares the upstream a login; the verdict is that of Store.Bind.
func (m *Manager) vacant(ctx context.Context, r *replacement) error {
	if other := m.byKey(r.key.digest); other != nil && other != r.s {
		return ErrTaken
	}
	b, err := m.o.Store.Lookup(ctx, r.key.String())
	switch {
	case err == nil && b.ID != r.s.id:
		return ErrTaken
	case err == nil, perch.KindOf(err) == perch.KindNotFound:
		return nil
	}
	return storeError(err)
}

// take makes the fresh credential the one of the session. The Store decides who gets it, and
// has all of it before anything changes here; a write that fails is taken back.
func (m *Manager) take(ctx context.Context, r *replacement) error {
	s, at := r.s, perch.At(time.Now())
	b := Binding{ID: s.id, Upstream: r.fresh.Upstream, JID: r.fresh.JID, Sealed: m.settings().sealer.seal(s.id, r.fresh, at), Mark: r.key.mark}
	if _, err := m.o.Store.Bind(ctx, r.key.String(), b); err != nil {
		return storeError(err)
	}
	if r.oldKey != r.key.digest {
		if err := m.retire(ctx, s, r.oldKey); err != nil {
			_ = m.o.Store.Unbind(context.WithoutCancel(ctx), r.key.String()) // it ends there by itself as well
			return err
		}
	}
	m.bindLocal(boundToken{key: r.key.digest, mark: b.Mark}, s)
	// Not the caller's context: from here on the session has to follow what the Store has.
	return s.call(context.WithoutCancel(ctx), func() { useCredential(s, r.fresh, at) })
}

// useCredential has a session sign in with another credential from now on. The token of the one before is ended.
func useCredential(s *Session, acc perch.Account, at perch.Time) {
	last := s.conn.dialRequest(s.cred.acc, false).Account
	s.cred.acc, s.cred.at = acc, at
	s.conn.fast.drop()
	s.supervisor.credentialReplaced()
	s.background(func(ctx context.Context) { s.m.endToken(ctx, last) })
}

// retire refuses a credential from now on.
func (m *Manager) retire(ctx context.Context, s *Session, key digest) error {
	b := Binding{ID: s.id, Upstream: s.cred.upstream.Name, Replaced: true}
	if _, err := m.o.Store.Bind(ctx, key.String(), b); err != nil && !errors.Is(err, ErrTaken) {
		return storeError(err)
	}
	m.mu.Lock()
	expired := m.tokens.retire(key, s)
	m.mu.Unlock()
	for _, k := range expired {
		_ = m.o.Store.Unbind(ctx, k.String()) // it expires there by itself as well
	}
	return nil
}
