package xmlstream_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// TestSkipPlain looks for every byte at every place, behind bytes of any value that it passes.
func TestSkipPlain(t *testing.T) {
	stops := func(c, also byte) bool { return c < ' ' || c >= 0x80 || c == '<' || c == '&' || c == also }
	for _, also := range []byte{']', '\'', '"'} {
		for c := range 256 {
			for at := range 24 {
				text := []byte(strings.Repeat("a\x7f ~;=!%", 4))
				text[at] = byte(c)
				want := 32
				if stops(byte(c), also) {
					want = at
				}
				if got := xmlstream.SkipPlain(string(text), also); got != want {
					t.Errorf("SkipPlain of %q before %q: got %d, want %d", text, also, got, want)
				}
			}
		}
	}
	for _, short := range []string{"", "<", "1234567", "12345678", "123456789<"} {
		if got, want := xmlstream.SkipPlain(short, ']'), len(short)/8*8; got != want {
			t.Errorf("SkipPlain of %q: got %d, want %d: whole steps alone", short, got, want)
		}
	}
}
