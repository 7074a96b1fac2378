package packed_test

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/packed"
)

// TestReadsWhatWasWritten in the order in which it was.
func TestReadsWhatWasWritten(t *testing.T) {
	b := packed.AppendText([]byte{7}, "é")
	b = binary.AppendUvarint(b, math.MaxUint64)
	b = binary.AppendVarint(b, math.MinInt64)
	b = packed.AppendText(packed.AppendText(binary.AppendUvarint(b, 2), ""), strings.Repeat("x", 300))
	r := packed.Read(string(b) + "rest")
	if got := r.Octet(); got != 7 {
		t.Errorf("Octet() = %d, want 7", got)
	}
	if got := r.Text(); got != "é" {
		t.Errorf("Text() = %q, want é", got)
	}
	if got := r.Number(); got != math.MaxUint64 {
		t.Errorf("Number() = %d, want %d", got, uint64(math.MaxUint64))
	}
	if got := r.Signed(); got != math.MinInt64 {
		t.Errorf("Signed() = %d, want %d", got, math.MinInt64)
	}
	if got := r.Count(1); got != 2 {
		t.Errorf("Count(1) = %d, want 2", got)
	}
	if a, b := r.Text(), r.Text(); a != "" || b != strings.Repeat("x", 300) {
		t.Errorf("Text() = %q and %q, want none and 300 times x", a, b)
	}
	if r.Rest() != "rest" || r.Bad() {
		t.Errorf("got the rest %q, bad %v; want rest, false", r.Rest(), r.Bad())
	}
}

// TestReadsNothingBeyond the bytes that there are.
func TestReadsNothingBeyond(t *testing.T) {
	for _, tt := range []struct {
		name, s string
		read    func(r *packed.Reader) bool // whether it gave nothing
	}{
		{"an octet of none", "", func(r *packed.Reader) bool { return r.Octet() == 0 }},
		{"a number of none", "", func(r *packed.Reader) bool { return r.Number() == 0 }},
		{"a number without its end", "\x80\x80", func(r *packed.Reader) bool { return r.Number() == 0 }},
		{"a number of 65 bits", strings.Repeat("\xff", 9) + "\x02", func(r *packed.Reader) bool { return r.Number() == 0 }},
		{"a number of 11 bytes", strings.Repeat("\x80", 10) + "\x01", func(r *packed.Reader) bool { return r.Number() == 0 }},
		{"a text that is too short", "\x03ab", func(r *packed.Reader) bool { return r.Text() == "" }},
		{"a text of a very long length", strings.Repeat("\xff", 9) + "\x01ab", func(r *packed.Reader) bool { return r.Text() == "" }},
		{"more things than there is room for", "\x03abcde", func(r *packed.Reader) bool { return r.Count(2) == 0 }},
		{"more bytes than there are", "abc", func(r *packed.Reader) bool { return r.Take(4) == "" }},
		{"after it makes no sense", "abc", func(r *packed.Reader) bool { r.Fail(); return r.Octet() == 0 }},
	} {
		r := packed.Read(tt.s)
		if none := tt.read(&r); !none || !r.Bad() || r.Rest() != "" {
			t.Errorf("%s: got nothing %v, bad %v, rest %q; want true, true and none", tt.name, none, r.Bad(), r.Rest())
		}
	}
}

// FuzzReader reads anything as anything: what it gives lies in the bytes, in their order.
func FuzzReader(f *testing.F) {
	f.Add("\x01a\x02bc", "ttonsc")
	f.Add("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "nts")
	f.Fuzz(func(t *testing.T, s, how string) {
		r := packed.Read(s)
		for _, h := range how {
			before, text := r.Rest(), ""
			switch h {
			case 'o':
				r.Octet()
			case 'n':
				r.Number()
			case 's':
				r.Signed()
			case 'c':
				if n := r.Count(3); 3*n > len(r.Rest()) {
					t.Fatalf("Count(3) = %d, want none that %d bytes have no room for", n, len(r.Rest()))
				}
			default:
				text = r.Text()
			}
			if !strings.HasSuffix(before, text+r.Rest()) || r.Bad() && r.Rest() != "" {
				t.Fatalf("%c of %q: got %q, the rest %q, bad %v; want parts of it, and no rest when it is bad", h, before, text, r.Rest(), r.Bad())
			}
		}
	})
}

// TestHex takes what encoding/hex gives back as it was, and nothing else.
func TestHex(t *testing.T) {
	for s, want := range map[string]bool{"": true, "da39a3ee5e6b4b0d": true, "00ff": true, "00fF": false, "abc": false, "0g": false, "0\xff": false, "é0": false} {
		if got := packed.IsHex(s); got != want {
			t.Errorf("IsHex(%q) = %v, want %v", s, got, want)
		}
		if want {
			if got := packed.AppendHex([]byte("x"), s); got[0] != 'x' || hex.EncodeToString(got[1:]) != s {
				t.Errorf("AppendHex(%q) = %x, want the bytes of it behind the x", s, got)
			}
		}
	}
}
