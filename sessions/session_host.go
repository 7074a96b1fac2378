package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// What the session does for its supervisor and its logins.

// dialSoon implements lifeCycle: it begins a login, with the credential of now.
func (s *Session) dialSoon() {
	req := s.conn.dialRequest(s.cred.acc, s.cred.upstream.TokenBearer)
	s.background(func(ctx context.Context) { s.login.connect(ctx, req) })
}

// suspended implements lifeCycle.
func (s *Session) suspended(reason string) {
	if reason == perch.ReasonCredentials {
		s.m.rejected.add(s.m.accountKey(s.cred.acc), errRefused)
	}
	s.idle.releaseLater()
	s.openingOver()
}

// stateChanged implements lifeCycle: the session is counted under its new state.
func (s *Session) stateChanged() { s.m.count(s, s.supervisor.state.state) }

// signingOut implements loginHost.
func (s *Session) signingOut() bool { return s.ending.signOut }

// refuse implements loginHost.
func (s *Session) refuse(err error) {
	s.end(endSignedOut)
	s.openingDone(err)
}

// accepts implements acceptance: why no message can be accepted now.
func (s *Session) accepts() error {
	switch {
	case s.closing:
		return errDraining
	case s.supervisor.state.state == perch.StateSuspended:
		return s.supervisor.errOffline()
	case s.log.down:
		return &perch.Error{Kind: perch.KindStorageUnavailable, RetryAfter: time.Second,
			Detail: "the store rejects writes just now; the message was not accepted"}
	}
	return nil
}

// Reconnect tries again at once, also when the session is suspended. It does not wait.
func (s *Session) Reconnect() {
	s.post(func() {
		if s.conn.link == nil {
			s.supervisor.reconnect()
		}
	})
}

// Renew drops the connection of a session, which then reconnects and resumes its stream where the
// server can; without one it is Reconnect. It does not wait.
func (m *Manager) Renew(s *Session) {
	s.post(func() {
		if l := s.conn.link; l != nil {
			l.conn.Abort()
			return
		}
		s.supervisor.reconnect()
	})
}
