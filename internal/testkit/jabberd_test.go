package testkit_test

import (
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// TestJabberd lets the foreign client sign in, over a restart too.
func TestJabberd(t *testing.T) {
	s := testkit.Jabberd(t)
	u := s.NewUser(t, "alice")
	s.SlixmppFor(t, u).Close()
	if got := s.CountLogins(t, u.JID); got != 1 {
		t.Errorf("got %d logins in the log, want 1:\n%s", got, s.Log(t))
	}
	s.Restart(t)
	s.SlixmppFor(t, u).Close()
	s.Kill(t)
	s.Start(t)
	s.SlixmppFor(t, u)
}
