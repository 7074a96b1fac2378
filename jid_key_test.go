package perch_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

func TestSpellingsOfOneJID(t *testing.T) {
	long := perch.JID(strings.Repeat("X", 3072) + "@b.test")
	for _, c := range []struct{ key, other perch.JID }{
		{"up.case@example.net", "Up.Case@example.net"},
		{"up.case@example.net", "UP.CASE@EXAMPLE.NET"},
		{"up.case@example.net", "up.case@example.net."},
		{"müller@example.net", "Müller@example.net"},
		{"müller@example.net", "Mu\u0308ller@Example.net"}, // composed and decomposed
		{"a@example.net", "ａ@example.net"},                 // full width
		{"bob@bücher.example", "bob@xn--bcher-kva.example"},
		{"bob@bücher.example", "bob@BÜCHER.example"},
		{"bob@example.net/Phone", "Bob@Example.NET/Phone"},
		{"bob@example.net/Café", "bob@example.net/Cafe\u0301"},
		{"example.net", "Example.NET"},
		{"a@[2001:db8::a]/X", "A@[2001:DB8::A]/X"},
		{"example.net/X", "EXAMPLE.net/X"},
		// No normal form of their own: each part is compared as far as it has one.
		{"user name@icq.example.net", "user name@ICQ.Example.net"},
		{"☺@b.test", "☺@B.test"},
		{"room@conf.b.test/🫩", "Room@conf.B.test/🫩"},
		{"a_b@under_score.b.test", "A_B@UNDER_SCORE.b.test"},
		{long, long},
		{"", ""},
		{"@b.test", "@B.test"},
		{"bob@", "Bob@"},
	} {
		if got := c.other.Key(); got != c.key {
			t.Errorf("key of %q: got %q, want %q", c.other, got, c.key)
		}
		if got := c.key.Key(); got != c.key {
			t.Errorf("key of the key %q: got %q, want them equal", c.key, got)
		}
		if !c.key.Equal(c.other) || !c.other.Equal(c.key) {
			t.Errorf("%q and %q are not equal, want them equal", c.key, c.other)
		}
	}
	for _, c := range []struct{ a, b perch.JID }{
		{"bob@example.net/phone", "bob@example.net/Phone"}, // resources have a case
		{"bob@example.net", "bob@example.net/"},
		{"bob@example.net", "bob@example.org"},
		{"bob@example.net", "example.net"},
		{"user name@icq.example.net", "username@icq.example.net"},
		{"a@b@c", "a@b/c"},
		{"i@b.test", "ı@b.test"},
	} {
		if c.a.Equal(c.b) {
			t.Errorf("%q and %q are equal, want different", c.a, c.b)
		}
	}
}

func TestPlain(t *testing.T) {
	for jid, want := range map[perch.JID]bool{
		"bob@example.net": true, "bob@example.net/Phone 12": true, "example.net": true, "a+b@a-b.example.net": true,
		"Bob@example.net": false, "bob@example.net.": false, "bob@a..b": false, "bob@-a.b": false, "bob@a-.b": false, "bob@a--b": false, "bob@a-b.c-d": true, "-": false, ".": false, "@example.net": false,
		"bob@example.net/": false, "müller@example.net": false, "a b@example.net": false, "": false,
		"bob@xn--bcher-kva.example": false, "bob@example.net/é": false,
	} {
		if got := jid.Plain(); got != want {
			t.Errorf("%q: got %v, want %v", jid, got, want)
		}
	}
}

func TestKeyOfAnOrdinaryJIDCostsNoMemory(t *testing.T) {
	jid := perch.JID("some.body+tag@chat.example.net/Phone 12")
	if n := testing.AllocsPerRun(100, func() { _ = jid.Key(); _ = jid.Plain() }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// FuzzJIDKey: a key is its own key; parts do not move; and what has a normal form has that
// as its key.
func FuzzJIDKey(f *testing.F) {
	for _, s := range []string{"Bob@B.test/x", "☺@b.test", "ａ@b.test", "b.test/@/", "a@[::1]", "[::0A]", "a@XN--nxasmq6b", "a@b..", "a1-b@c-d.e2/f", "user name@icq/🫩", "a@\xff", "x@xn--", "ß@ß"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key := perch.JID(s).Key()
		if again := key.Key(); again != key {
			t.Fatalf("%q has the key %q, and that %q, want them equal", s, key, again)
		}
		if normal, err := perch.ParseJID(s); perch.JID(s).Plain() && (err != nil || string(normal) != s) {
			t.Fatalf("%q is plain, and its normal form is %q, %v, want itself", s, normal, err)
		}
		if bare := perch.JID(s).Bare().Key(); len(s) <= 3071 && bare != key.Bare() {
			t.Fatalf("%q: the bare JID of the key %q is not the key of the bare JID, %q, want %q", s, key, bare, key.Bare())
		}
		if normal, err := perch.ParseJID(s); err == nil && normal != key {
			t.Fatalf("%q has the key %q and the normal form %q, want them equal", s, key, normal)
		}
	})
}

func BenchmarkJIDKey(b *testing.B) {
	for name, jid := range map[string]perch.JID{
		"plain": "some.body@chat.example.net/Phone", "upper": "Some.Body@chat.example.net/Phone", "unicode": "müller@example.net/Phone",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = jid.Key()
			}
		})
	}
}
