package api_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
)

func pngOf(t testing.TB, w, h int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatalf("png.Encode: got error %v, want none", err)
	}
	return b.Bytes()
}

// webp1x1 is a lossless picture of one pixel.
var webp1x1, _ = base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")

func TestSniffPhoto(t *testing.T) {
	small := image.NewPaletted(image.Rect(0, 0, 2, 2), nil)
	small.Palette = append(small.Palette, image.Black.C)
	var j, g bytes.Buffer
	if err := jpeg.Encode(&j, image.NewGray(image.Rect(0, 0, 2, 2)), nil); err != nil {
		t.Fatalf("jpeg.Encode: got error %v, want none", err)
	}
	if err := gif.Encode(&g, small, nil); err != nil {
		t.Fatalf("gif.Encode: got error %v, want none", err)
	}
	bomb := pngOf(t, 1, 1)
	copy(bomb[16:], []byte{0, 0, 0xC3, 0x50, 0, 0, 0xC3, 0x50}) // claims 50,000 by 50,000; the checksum no longer fits either
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"png", pngOf(t, 3, 3), "image/png"},
		{"png of the largest side", pngOf(t, 4096, 1), "image/png"},
		{"png too wide", pngOf(t, 4097, 1), ""},
		{"jpeg", j.Bytes(), "image/jpeg"},
		{"gif", g.Bytes(), "image/gif"},
		{"webp", webp1x1, "image/webp"},
		{"webp too wide", []byte("RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00"), ""},
		{"webp cut off", webp1x1[:20], ""},
		{"svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`), ""},
		{"svg with a declaration", []byte(`<?xml version="1.0"?><svg/>`), ""},
		{"html", []byte(`<html><script>1</script>`), ""},
		{"png that is only a signature", []byte("\x89PNG\r\n\x1a\n<script>"), ""},
		{"gif that is only a signature", []byte("GIF89a"), ""},
		{"enormous png", bomb, ""},
		{"pdf", []byte("%PDF-1.4"), ""},
		{"empty", nil, ""},
	} {
		got, err := api.SniffPhoto(tt.data)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func FuzzSniffPhoto(f *testing.F) {
	f.Add(webp1x1)
	f.Add(pngOf(f, 1, 1))
	f.Add([]byte("GIF89a\x01\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if typ, err := api.SniffPhoto(data); err == nil && !strings.HasPrefix(typ, "image/") {
			t.Fatalf("got %q, want an image type", typ)
		}
	})
}

func TestVCardText(t *testing.T) {
	text := api.VCardText(perch.VCard{
		JID: "bob@example.net", FullName: "Bob, the\r\nEND:VCARD; \\o/", FamilyName: "B", GivenName: "ob",
		Emails: []string{"bob@example.net"}, URL: "https://example.net/\r\nEND:VCARD",
		Description: "x" + strings.Repeat("ü", 100), Photo: &perch.Photo{Data: pngOf(t, 1, 1), Type: "text/html"},
	})
	lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
	if lines[0] != "BEGIN:VCARD" || lines[1] != "VERSION:4.0" || lines[len(lines)-1] != "END:VCARD" {
		t.Errorf("frame of %q, want the lines of version 4.0", text)
	}
	if strings.Count(text, "\r\nEND:VCARD") != 1 || strings.Count(strings.ReplaceAll(text, "\r\n", ""), "\n") != 0 {
		t.Errorf("a value got out of its line: %q, want it escaped", text)
	}
	for _, l := range lines {
		if len(l) > 75 {
			t.Errorf("a line of %d octets, want at most 75", len(l))
		}
		if strings.ToValidUTF8(l, "?") != l {
			t.Errorf("a character was cut in two: %q, want whole characters", l)
		}
	}
	unfolded := strings.ReplaceAll(text, "\r\n ", "")
	for _, want := range []string{
		`FN:Bob\, the\nEND:VCARD\; \\o/`, "N:B;ob;;;", "EMAIL:bob@example.net", "IMPP:xmpp:bob@example.net",
		"NOTE:x" + strings.Repeat("ü", 100), "PHOTO:data:image/png;base64,", "URL:https://example.net/END:VCARD",
	} {
		if !strings.Contains(unfolded, want) {
			t.Errorf("no %q in %q, want it there", want, unfolded)
		}
	}
	if bare := api.VCardText(perch.VCard{JID: "bob@example.net"}); !strings.Contains(bare, "\r\nFN:bob@example.net\r\n") {
		t.Errorf("a card without a name: %q, want the JID as its name", bare)
	}
}
