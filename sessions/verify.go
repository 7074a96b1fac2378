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
	ctx, cancel := context.WithTimeout(ctx, m.settings().OpenTimeout)
	defer cancel()
	req, ok, err := r.s.login.reserve(ctx, r.fresh, r.s.cred.upstream.TokenBearer)
	if err != nil {
		return nil, err
	}
	var conn Conn
	var jid perch.JID
	if ok {
		if conn, err = m.dial(ctx, req, func() {}); err == nil {
			jid = conn.Login().JID.Bare()
		}
	} else {
		jid, err = m.verifyApart(ctx, r.fresh)
	}
	if err == nil && !r.sameAccount(jid) {
		err = perch.Errorf(perch.KindForbidden, "the credential belongs to another account")
	} else if k := perch.KindOf(err); err != nil && (k == perch.KindUnauthorized || k == perch.KindForbidden) {
		m.rejected.add(r.key.digest, errRefused)
	}
	if err == nil {
		return conn, nil
	}
	if ok {
		r.s.login.giveUp(conn)
	}
	return nil, verifyError(err)
}

// sameAccount reports whether jid, which the upstream has given for the fresh credential, is
// the account of the session.
func (r *replacement) sameAccount(jid perch.JID) bool {
	if jid == "" || r.jid == "" {
		return false
	}
	return jid == r.jid || jid == r.old.JID.Bare() || normalized(jid) == normalized(r.jid)
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

// replacement is one credential that is to take the place of another.
type replacement struct {
	s          *Session
	old, fresh perch.Account
	oldKey     digest
	key        markedKey
	jid        perch.JID // bare, of the session
	online     bool
}
