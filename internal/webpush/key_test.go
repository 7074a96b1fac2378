package webpush_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/internal/webpush"
)

func newKey(t testing.TB) *webpush.Key {
	t.Helper()
	k, err := webpush.NewKey()
	if err != nil {
		t.Fatalf("NewKey: got error %v, want none", err)
	}
	canary.Note(k.Private().Reveal())
	return k
}

func pemOf(t testing.TB, kind string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: got error %v, want none", kind, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// TestParseKey: every form in which tools write a key is read, and what is none is refused without its text.
func TestParseKey(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("GenerateKey: got error %v, want none", err)
	}
	sec1, err := x509.MarshalECPrivateKey(private)
	ec := pemOf(t, "EC PRIVATE KEY", sec1, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	other, oerr := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p384, merr := x509.MarshalECPrivateKey(other)
	if oerr != nil {
		t.Fatalf("GenerateKey: got error %v, want none", oerr)
	}
	first, ferr := webpush.ParseKey(ec)
	if ferr != nil {
		t.Fatalf("ParseKey: got error %v, want none", ferr)
	}
	text := first.Private().Reveal()
	canary.Note(text)
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"EC PRIVATE KEY":         {ec, true},
		"openssl with its curve": {pemOf(t, "EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}, nil) + ec, true},
		"PRIVATE KEY":            {pemOf(t, "PRIVATE KEY", pkcs8, err), true},
		"base64url":              {text, true},
		"with padding":           {text + "=", true},
		"with the line's end":    {text + "\n", true},
		"another curve":          {pemOf(t, "EC PRIVATE KEY", p384, merr), false},
		"a public key":           {first.Public(), false},
		"0":                      {strings.Repeat("A", 43), false},
		"more than the order":    {strings.Repeat("_", 42) + "8", false},
		"too short":              {text[:42], false},
		"nothing":                {"", false},
		"a broken PEM":           {"-----BEGIN PRIVATE KEY-----\n" + text, false},
		"PEM of another thing":   {pemOf(t, "CERTIFICATE", []byte("x"), nil), false},
		"DER that is none":       {pemOf(t, "PRIVATE KEY", []byte("x"), nil), false},
	} {
		got, err := webpush.ParseKey(c.text)
		if (err == nil) != c.ok || err == nil && got.Public() != first.Public() {
			t.Errorf("%s: got %v, error %v, want a key %v", name, got, err, c.ok)
		}
		if err != nil && len(c.text) > 20 && strings.Contains(err.Error(), c.text[:20]) {
			t.Errorf("%s: got the text in the error, want it without", name)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %s", first, first, first, first.LogValue(), first.Private()); strings.Contains(got, text) {
		t.Errorf("a printed key: got %s, want it without the private half", got)
	}
	if got := len(first.Public()); got != 87 || !strings.HasPrefix(first.Public(), "B") {
		t.Errorf("Public: got %q, want a point of 65 bytes", first.Public())
	}
}

// TestCheckContact: push services refuse what is no address of somebody.
func TestCheckContact(t *testing.T) {
	for text, ok := range map[string]bool{
		webpush.DefaultContact: true, "mailto:push@example.org": true, "https://example.org/contact": true, "mailto:a.b+c@mail.example.org": true,
		"": false, "push@example.org": false, "mailto:": false, "mailto:push": false, "mailto:push@localhost": false, "mailto:@example.org": false,
		"mailto:<push@example.org>": false, "mailto:a@b@c.org": false, "http://example.org": false, "https://": false, "https://u:p@example.org": false,
		"mailto:push@example.org\n": false, "mailto: push@example.org": false, "https://" + strings.Repeat("a", 200) + ".org": false, "tel:112": false,
		"mailto:push@.org": false,
	} {
		if err := webpush.CheckContact(text); (err == nil) != ok {
			t.Errorf("%q: got error %v, want one %v", text, err, !ok)
		}
	}
}

// TestVerifierVector: the service of the tests checks signatures as RFC 8292, 2.4 has one; so it can fail.
func TestVerifierVector(t *testing.T) {
	const header = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
	now := time.Unix(1453523768, 0).Add(-time.Hour)
	if contact, _, err := testkit.VerifyVAPID(header, "https://push.example.net", now); err != nil || contact != "mailto:push@example.com" {
		t.Errorf("the example of the RFC: got %q, error %v, want mailto:push@example.com, none", contact, err)
	}
	for name, c := range map[string]struct {
		header, origin string
		now            time.Time
	}{
		"another origin":    {header, "https://push.example.org", now},
		"too late":          {header, "https://push.example.net", now.Add(2 * time.Hour)},
		"for too long":      {header, "https://push.example.net", now.Add(-24 * time.Hour)},
		"another signature": {strings.Replace(header, ".i3CY", ".i3CZ", 1), "https://push.example.net", now},
		"none":              {"", "https://push.example.net", now},
	} {
		if _, _, err := testkit.VerifyVAPID(c.header, c.origin, c.now); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}

// FuzzParseKey: whatever an operator's file has, a key that is read can be written and read again.
func FuzzParseKey(f *testing.F) {
	f.Add("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
	f.Add("-----BEGIN EC PRIVATE KEY-----\nMA==\n-----END EC PRIVATE KEY-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := webpush.ParseKey(text)
		if err != nil {
			return
		}
		if again, err := webpush.ParseKey(k.Private().Reveal()); err != nil || again.Public() != k.Public() {
			t.Errorf("got %v, error %v, want the same key, none", again, err)
		}
	})
}
