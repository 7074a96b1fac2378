package sessions

import (
	"regexp"
	"testing"
)

// TestAgent: a session is the same client for its whole life, and no other session is.
func TestAgent(t *testing.T) {
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	a, b := ID("0123456789abcdef"), ID("0123456789abcdee")
	first, second := a.agent(), a.agent()
	if !uuid.MatchString(first) || first != second {
		t.Errorf("agent() = %q, then %q; want one UUID of version 4", first, second)
	}
	if a.agent() == b.agent() {
		t.Errorf("agent() of two sessions = %q, want two", a.agent())
	}
}
