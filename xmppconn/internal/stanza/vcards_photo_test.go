package stanza_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// TestSniffPhoto changes every byte that makes a picture of a type: it is none then, and
// neither is what ends before them.
func TestSniffPhoto(t *testing.T) {
	const anyByte = '?' // in a pattern: a byte that does not count
	for _, tt := range []struct{ typ, pattern string }{
		{"image/png", "\x89PNG\r\n\x1a\n"},
		{"image/jpeg", "\xff\xd8\xff"},
		{"image/gif", "GIF87a"},
		{"image/gif", "GIF89a"},
		{"image/webp", "RIFF????WEBP"},
	} {
		for _, rest := range []string{"", "rest of the picture"} {
			if got := stanza.SniffPhoto([]byte(tt.pattern + rest)); got != tt.typ {
				t.Errorf("%q: got %q, want %q", tt.pattern+rest, got, tt.typ)
			}
			for i := range len(tt.pattern) {
				want := ""
				if tt.pattern[i] == anyByte {
					want = tt.typ
				}
				for _, flip := range []byte{0x01, 0x20, 0x80, 0xff} {
					data := []byte(tt.pattern + rest)
					if data[i] ^= flip; stanza.SniffPhoto(data) != want {
						t.Errorf("byte %d of %s is %#x: got %q, want %q", i, tt.typ, data[i], stanza.SniffPhoto(data), want)
					}
				}
			}
		}
		for n := range len(tt.pattern) {
			if got := stanza.SniffPhoto([]byte(tt.pattern[:n])); got != "" {
				t.Errorf("%q: got %q, want none", tt.pattern[:n], got)
			}
		}
		if got := stanza.SniffPhoto([]byte(" " + tt.pattern)); got != "" {
			t.Errorf("%s after a blank: got %q, want none", tt.typ, got)
		}
	}
	for _, data := range []string{
		"BM", "<svg xmlns='http://www.w3.org/2000/svg'/>", "<?xml version='1.0'?><svg/>", "<!DOCTYPE html>", "%PDF-1.7", "RIFF????WAVE", "RIFF????AVI ",
		"GIF88a", "\x00\x00\x00\x20ftypavif", "II*\x00", "\x00\x00\x01\x00", strings.Repeat(" ", 16) + "GIF89a",
	} {
		if got := stanza.SniffPhoto([]byte(data)); got != "" {
			t.Errorf("%q: got %q, want none", data, got)
		}
	}
}
