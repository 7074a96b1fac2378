package todaytest_test

import (
	"os"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/internal/todaytest"
)

func TestMain(m *testing.M) { os.Exit(testkit.Run(m)) }

// TestTwoPeersTalk: foreign clients sign in with accounts that a test makes, and are counted.
func TestTwoPeersTalk(t *testing.T) {
	s := todaytest.Server(t)
	alice, bob := s.NewUser(t, "alice"), s.NewUser(t, "bob")
	a, b := s.SlixmppFor(t, alice), s.SlixmppFor(t, bob)
	a.Presence(t, "", "")
	b.Presence(t, "", "")
	testkit.Befriend(t, a, b)
	a.Message(t, bob.JID, "hello")
	b.ExpectMessage(t, alice.JID, "hello")
	if n := s.CountLogins(t, alice.JID); n != 1 {
		t.Errorf("logins of alice: got %d, want 1", n)
	}
}
