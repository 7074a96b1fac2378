package sessions

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// PasswordChanger is what a Conn may have besides: the change of the account's password on its server
// (XEP-0077, 3.3). The error is of perch.KindFeatureUnsupported where the server cannot do that,
// perch.KindForbidden where it does not let the account, perch.KindValidation for /new when it does not take
// the password; of any other it is not known whether the password was changed.
type PasswordChanger interface {
	ChangePassword(ctx context.Context, fresh perch.Secret) error
}

// ChangePassword gives the account of a session another password, on the XMPP server and here. Current is
// what the session signs in with: who does not know it changes nothing (KindForbidden).
//
// The session stays online, and the tokens that were minted for it stay valid; the password before leads
// to it no more. Other sessions of the account keep their streams, and are suspended with the next login
// until their credential is replaced too. Errors are those of PasswordChanger, KindFeatureUnsupported of a
// session that signs in with an access token, KindSessionOffline without a stream, and KindConflict when the
// fresh password leads to another session. After KindStorageUnavailable the password is changed, and only
// not stored yet: the session goes on with it. It is changed, too, when that other session was signed in to meanwhile.
func (m *Manager) ChangePassword(ctx context.Context, s *Session, current, fresh perch.Secret) error {
	select {
	case s.replacing <- struct{}{}: // one at a time, as in ReplaceCredentials
		defer func() { <-s.replacing }()
	case <-s.done:
		return s.endedError()
	case <-ctx.Done():
		return ctx.Err()
	}
	conn, err := passwordChanger(ctx, s, current)
	if err != nil {
		return err
	}
	r, err := m.newReplacement(ctx, s, perch.Account{Password: fresh})
	if err != nil {
		return err
	}
	if r.key.digest == r.oldKey {
		return perch.Invalid("/new", "is the password already")
	}
	if err := m.vacant(ctx, r); err != nil {
		return err
	}
	// From here on the caller may go: the server changes the password all the same, and nobody else hears of it.
	ctx = context.WithoutCancel(ctx)
	if err := conn.ChangePassword(ctx, fresh); err != nil && !m.changedAllTheSame(ctx, r, err) {
		return err
	}
	m.rejected.drop(r.key.digest)
	return m.adoptPassword(ctx, r)
}

// passwordChanger is the connection to ask, for who knows the password that the session signs in with.
func passwordChanger(ctx context.Context, s *Session, current perch.Secret) (conn PasswordChanger, err error) {
	err = s.callErr(ctx, func() error {
		held := s.cred.acc.Password
		if held.IsZero() {
			return perch.Errorf(perch.KindFeatureUnsupported, "this session signs in with an access token, which has no password to change")
		}
		link, err := s.conn.requestConn("change passwords", func(c perch.Capabilities) bool { return !c.ChatOnly })
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(held.Reveal()), []byte(current.Reveal())) != 1 {
			return perch.Errorf(perch.KindForbidden, "current is not the password of this session; nothing was changed")
		}
		var ok bool
		if conn, ok = link.(PasswordChanger); !ok {
			return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot change passwords")
		}
		return nil
	})
	return conn, err
}

// changedAllTheSame finds out whether a password was changed although no answer said so: the connection was
// lost meanwhile, or the server was too slow.
func (m *Manager) changedAllTheSame(ctx context.Context, r *replacement, err error) bool {
	switch perch.KindOf(err) {
	case perch.KindUpstreamTimeout, perch.KindSessionOffline, perch.KindLinkLost:
	default:
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, m.settings().OpenTimeout)
	defer cancel()
	jid, err := m.verifyApart(ctx, r.fresh)
	return err == nil && r.sameAccount(jid)
}

// storeAgain is how long a password that the Store did not take waits for the next attempt.
const storeAgain = 5 * time.Second

// adoptPassword has the session sign in with a password that its server has by now. When the Store does not
// take it, the session has it all the same, and the Store is asked again.
func (m *Manager) adoptPassword(ctx context.Context, r *replacement) error {
	err := m.take(ctx, r)
	if err == nil {
		m.bindAll(ctx, r.s)
		return nil
	}
	m.bindLocal(boundToken{key: r.key.digest, mark: r.key.mark}, r.s)
	if e := r.s.call(ctx, func() {
		useCredential(r.s, r.fresh, timeNow())
		r.s.background(func(ctx context.Context) { m.takeLater(ctx, r) })
	}); e != nil {
		return e
	}
	return err
}

// takeLater is take for as long as it fails, and the session has no other credential.
func (m *Manager) takeLater(ctx context.Context, r *replacement) {
	for again := true; again; {
		select {
		case <-time.After(storeAgain):
		case <-ctx.Done():
			return
		}
		select {
		case r.s.replacing <- struct{}{}: // as in ChangePassword
		case <-ctx.Done():
			return
		}
		again = m.takeAgain(ctx, r)
		<-r.s.replacing
	}
}

// takeAgain is one attempt, and reports whether there is to be another one.
func (m *Manager) takeAgain(ctx context.Context, r *replacement) (again bool) {
	still := false
	if r.s.call(ctx, func() { still = r.s.cred.acc == r.fresh }) != nil || !still {
		return false
	}
	err := m.take(ctx, r)
	if errors.Is(err, ErrTaken) {
		// Another session was signed in to with the fresh password, and keeps it. Tokens still lead to this one.
		err = m.retire(ctx, r.s, r.oldKey)
	}
	if err != nil {
		return true
	}
	m.bindAll(ctx, r.s)
	return false
}
