package today

import "testing"

// TestRefusedPassword: the one of before stays. Without a password nobody signs in by one.
func TestRefusedPassword(t *testing.T) {
	s, err := New(Options{Accounts: []Account{{Local: "ann", Password: "old"}}})
	if err != nil {
		t.Fatalf("New: got error %v, want none", err)
	}
	if err := s.SetPassword("ann", "\x07"); err == nil {
		t.Error("a control character: got no error, want one")
	}
	if got := s.accounts["ann"].password; got != "old" {
		t.Errorf("got the password %q, want the old one", got)
	}
}
