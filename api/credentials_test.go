package api_test

import (
	"strings"
	"testing"
)

// A credential that could not be sent as a bearer later is refused by name, in each body that
// takes one, and nothing is changed.
func TestUnusableCredentials(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	for name, tt := range map[string]struct{ body, pointer string }{
		"minted":      {`{"token":"perch_tok-other"}`, "/token"},
		"short":       {`{"token":"a"}`, "/token"},
		"blank":       {`{"token":"tok other"}`, "/token"},
		"not ASCII":   {`{"token":"tök-other"}`, "/token"},
		"control":     {`{"token":"tok-\u0007other"}`, "/token"},
		"long":        {`{"token":"` + strings.Repeat("x", 12<<10+1) + `"}`, "/token"},
		"password":    {`{"password":"good"}`, "/password"}, // the bearer is the access token
		"NUL":         {`{"password":"tok-\u0000other"}`, "/password"},
		"both":        {`{"password":"tok-other","token":"tok-other"}`, "/password"},
		"none of two": {`{}`, "/password"},
	} {
		a := f.do("PUT", "/v1/session/credentials", tt.body, "Content-Type", "application/json", "Authorization", "Bearer "+token)
		if p := a.problem(t); p.Code != "validation" || len(p.Errors) == 0 || p.Errors[0].Pointer != tt.pointer {
			t.Errorf("%s: %s, want 422 at %s", name, a.body, tt.pointer)
		}
	}
	for _, body := range []string{`{"jid":"carol@example.net","upstream":"other","token":"perch_tok-other"}`, `{"jid":"carol@example.net","upstream":"other","token":"a"}`} {
		a := f.do("POST", "/v1/session", body, "Content-Type", "application/json")
		if p := a.problem(t); p.Code != "validation" || p.Errors[0].Pointer != "/token" {
			t.Errorf("sign-in with %s: %s, want validation at /token", body, a.body)
		}
	}
	if n := len(f.up.Verified()); n != 0 || len(f.up.Dials()) != 1 {
		t.Errorf("the upstream was asked: %d verifications, %d logins, want 0 and 1", n, len(f.up.Dials()))
	}
	f.want(200, "GET", "/v1/session", "", nil)
}

// A token that the upstream never saw is not said to be refused by it, also the second time.
func TestRefusalTexts(t *testing.T) {
	f := newGateway(t)
	for range 2 {
		a := f.do("GET", "/v1/session", "", "Authorization", "Bearer perch_tok-other")
		if p := a.problem(t); p.Code != "unauthorized" || strings.Contains(p.Detail, "upstream") || !strings.Contains(p.Detail, "unknown or expired token") {
			t.Errorf("an unknown Perch token: %s, want unauthorized, with the gateway as the one that refuses", a.body)
		}
	}
	if n := len(f.up.Dials()); n != 0 {
		t.Errorf("%d logins, want none", n)
	}
}
