package api

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzOrigin: only the very host, or the very origin that is listed, is ever allowed.
func FuzzOrigin(f *testing.F) {
	for _, s := range []string{
		"https://chat.example", "HTTPS://CHAT.EXAMPLE:443", "http://gate.example:8080", "https://chat.example.evil", "null", "",
		"https://user@chat.example", "https://[::1]:443", "http://[::1]", "https://chat.example\x00", "https://chat.example#", "https://ch\u0430t.example",
	} {
		f.Add(s)
	}
	a := &API{}
	a.current.Store(&settings{Options: Options{Origins: []string{"https://chat.example"}}})
	f.Fuzz(func(t *testing.T, origin string) {
		r := httptest.NewRequest("GET", "/v1/events/ws", nil)
		r.Host = "gate.example:8080"
		r.Header.Set("Origin", origin)
		if !a.originAllowed(r) || origin == "" {
			return
		}
		switch strings.ToLower(origin) {
		case "https://chat.example", "https://chat.example:443", "http://gate.example:8080", "https://gate.example:8080":
		default:
			t.Errorf("%q is allowed, want it refused", origin)
		}
	})
}

// FuzzSocketToken: whatever the header holds, a token is visible ASCII.
func FuzzSocketToken(f *testing.F) {
	f.Add("perch.v1, perch.bearer.dG9r")
	f.Add("perch.bearer.")
	f.Add("perch.bearer.AAAA")
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest("GET", "/v1/events/ws", nil)
		r.Header.Set("Sec-WebSocket-Protocol", value)
		token, err := socketToken(r)
		if err == nil && (token.IsZero() || !visible(token.Reveal())) {
			t.Errorf("%q gives a token of %d bytes, want a visible one", value, len(token.Reveal()))
		}
	})
}
