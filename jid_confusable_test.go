package perch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

// TestConfusableJIDs: an address that looks like another is either normalised to it once,
// here, or refused, or stays another account; it is never half of each (RFC 7622).
func TestConfusableJIDs(t *testing.T) {
	const admin = "admin@a.test"
	for _, tt := range []struct{ name, in, want string }{ // want "" is refused
		{"capitals", "ADMIN@A.TEST", admin},
		{"full width", "\uff41dmin@a.test", admin},
		{"trailing dot", "admin@a.test.", admin},
		{"ligature", "\ufb01n@a.test", ""},
		{"small capital", "\u1d00dmin@a.test", "\u1d00dmin@a.test"},
		{"Cyrillic", "\u0430dmin@a.test", "\u0430dmin@a.test"},
		{"right-to-left override", "\u202enimda@a.test", ""},
		{"override in the domain", "admin@a\u202e.test", ""},
		{"zero width joiner", "ad\u200dmin@a.test", ""},
		{"zero width space", "ad\u200bmin@a.test", ""},
		{"soft hyphen", "ad\u00admin@a.test", ""},
		{"byte order mark", "\ufeffadmin@a.test", ""},
		{"NUL", "ad\x00min@a.test", ""},
		{"line break", "ad\nmin@a.test", ""},
		{"two ats", "admin@a.test@evil.test", ""},
		{"overlong local part", strings.Repeat("a", 1024) + "@a.test", ""},
		{"overlong domain", "admin@" + strings.Repeat("a.", 512) + "test", ""},
		{"overlong resource", admin + "/" + strings.Repeat("r", 1024), ""},
		{"overlong as a whole", strings.Repeat("\u00e9", 1536) + "@a.test", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if same := perch.JID(tt.in).Equal(admin); same != (tt.want == admin) {
				t.Errorf("%q is equal to %s: got %v, want %v", tt.in, admin, same, !same)
			}
			got, err := perch.ParseJID(tt.in)
			if string(got) != tt.want || (err != nil) != (tt.want == "") {
				t.Fatalf("got %q, %v; want %q", got, err, tt.want)
			}
			if err != nil {
				if perch.KindOf(err) != perch.KindJIDMalformed {
					t.Errorf("got %v, want %s", err, perch.KindJIDMalformed)
				}
				return
			}
			if again, err := perch.ParseJID(string(got)); err != nil || again != got {
				t.Errorf("normalised twice: got %q, %v; want %q", again, err, got)
			}
		})
	}
}

// TestHostileJIDsEndSoon: normalising ends, whatever it is given. The limit is generous: what
// counts is that there is an end.
func TestHostileJIDsEndSoon(t *testing.T) {
	inputs := []string{""}
	for _, piece := range []string{
		"\u0300", "a\u0300", "\u0f71\u0f72", "\u1161", "\u1100\u1161", "\u200d", "\u0645\u200d", "\u05d0a", "\U0001f468\u200d", "\u3099", "\u0345",
		".", "@", "/", "xn--", "xn--a.", "\uff0e", "\u3002", "\ufdfa", "\u1d00", "\xff", "\xf0\x9f", "\u00df", "\u0130", "\u212a",
	} {
		for _, n := range []int{1, 100, 3100/len(piece) + 1} {
			s := strings.Repeat(piece, n)
			inputs = append(inputs, s, s+"@a.test", "a@"+s, "a@a.test/"+s)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, s := range inputs {
			_, _ = perch.ParseJID(s)
			_ = perch.JID(s).Key()
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("normalising does not end, want it in time")
	}
}
