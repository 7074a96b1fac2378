package callout

import (
	"testing"
	"time"
)

// TestRetryAfter: seconds and dates of every form are read, within bounds; what cannot be read asks for nothing.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"0": 0, "120": 2 * time.Minute, "86400": longestWait, "86401": longestWait, "18446744073709551615": longestWait, "99999999999999999999": 0,
		"Sun, 29 Nov 2026 12:01:00 GMT": time.Minute, "Sunday, 29-Nov-26 12:01:00 GMT": time.Minute, "Sun Nov 29 12:01:00 2026": time.Minute,
		"Sun, 29 Nov 2026 11:59:00 GMT": 0, "Sun, 29 Nov 2037 12:00:00 GMT": longestWait, "-1": 0, "+1": 0, "1.5": 0, "": 0, "soon": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("retryAfter(%q): got %v, want %v", text, got, want)
		}
	}
}

// FuzzRetryAfter: whatever a receiver asks for, it is a wait within bounds.
func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"1", "86401", "Sun, 29 Nov 2026 12:01:00 GMT", "-5"} {
		f.Add(text)
	}
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if got := retryAfter(text, now); got < 0 || got > longestWait {
			t.Errorf("retryAfter(%q): got %v, want 0 to %v", text, got, longestWait)
		}
	})
}
