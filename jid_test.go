package perch_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

func TestPartsOfAJID(t *testing.T) {
	for _, c := range []struct {
		jid                           perch.JID
		bare                          perch.JID
		local, domain, resource, kind string
	}{
		{"bob@b.test/phone", "bob@b.test", "bob", "b.test", "phone", "full"},
		{"bob@b.test", "bob@b.test", "bob", "b.test", "", "bare"},
		{"b.test", "b.test", "", "b.test", "", "bare"},
		{"b.test/x@y/z", "b.test", "", "b.test", "x@y/z", "full"}, // @ and / may stand in a resource
		{"☺@b.test", "☺@b.test", "☺", "b.test", "", "bare"},       // legal or not: it stays as it came
		{"", "", "", "", "", "bare"},
	} {
		if c.jid.Bare() != c.bare || c.jid.Local() != c.local || c.jid.Domain() != c.domain || c.jid.Resource() != c.resource || c.jid.IsBare() != (c.kind == "bare") {
			t.Errorf("%q: %q %q %q %q, want %q and %q and %q and %q and %v", c.jid, c.jid.Bare(), c.jid.Local(), c.jid.Domain(), c.jid.Resource(), c.bare, c.local, c.domain, c.resource, c.kind == "bare")
		}
	}
}

func TestParseJID(t *testing.T) {
	for in, want := range map[string]perch.JID{
		"Bob@B.test/Phone": "bob@b.test/Phone", "b.test": "b.test", "ａ@b.test": "a@b.test",
	} {
		if got, err := perch.ParseJID(in); err != nil || got != want {
			t.Errorf("ParseJID(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "@b.test", "bob@", "bob b@b.test", "☺@b.test", "bob@b.test/", "..", "a@\xff", strings.Repeat("x", 3072)} {
		if got, err := perch.ParseJID(in); perch.KindOf(err) != perch.KindJIDMalformed {
			t.Errorf("ParseJID(%q) = %q, %v, want jid-malformed", in, got, err)
		}
	}
	for _, in := range []string{"b.test", "bob@b.test/phone"} {
		if _, err := perch.ParseBareJID(in); perch.KindOf(err) != perch.KindJIDMalformed {
			t.Errorf("ParseBareJID(%q): %v, want jid-malformed", in, err)
		}
	}
	if got, err := perch.ParseBareJID("Bob@b.test"); err != nil || got != "bob@b.test" {
		t.Errorf("got %q %v, want no error and %q", got, err, "bob@b.test")
	}
}

// FuzzParseJID: what was accepted is accepted again and does not change, so that a JID
// compares equal however often it goes through.
func FuzzParseJID(f *testing.F) {
	for _, s := range []string{"bob@b.test/x", "☺@b.test", "ａ@b.test", "b.test/@/", "a@[::1]", "a@xn--nxasmq6b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := perch.ParseJID(s)
		if err != nil {
			return
		}
		if twice, err := perch.ParseJID(string(once)); err != nil || twice != once {
			t.Errorf("%q becomes %q, and that %q (%v), want no error and %q", s, once, twice, err, once)
		}
	})
}
