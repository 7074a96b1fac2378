package perch_test

import (
	"testing"

	"github.com/perch-im/perch"
)

func TestPositionRoundTrip(t *testing.T) {
	for _, p := range []perch.Position{{Epoch: "a", Offset: 0}, {Epoch: "k3jd", Offset: 184}, {Epoch: "0", Offset: 1<<64 - 1}} {
		if got, err := perch.ParsePosition(p.String()); err != nil || got != p {
			t.Errorf("%v became %v (%v), want no error and %v", p, got, err, p)
		}
	}
	if s := (perch.Position{}).String(); s != "" {
		t.Errorf("no place is written as %q, want %q", s, "")
	}
}

func TestParsePositionRefuses(t *testing.T) {
	for _, s := range []string{"", "-", "a", "a-", "-1", "a-01", "a-+1", "a--1", "a-1 ", "A-1", "a-18446744073709551616", "a-1-2", "ü-1",
		"abcdefghijklmnopqrstuvwxyz0123456789-1"} {
		if p, err := perch.ParsePosition(s); perch.KindOf(err) != perch.KindValidation {
			t.Errorf("%q was read as %v (%v), want an error of the kind %v", s, p, err, perch.KindValidation)
		}
	}
}

// FuzzParsePosition: a cursor that is accepted is the one that we would write.
func FuzzParsePosition(f *testing.F) {
	for _, s := range []string{"a-1", "a-01", "k3jd-184", "a-18446744073709551615", "-", "a-\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := perch.ParsePosition(s); err == nil && p.String() != s {
			t.Errorf("%q was read as %q, want %q", s, p, s)
		}
	})
}
