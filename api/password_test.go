package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// TestPassword is PUT /v1/session/password: what is refused before anything is asked, what the server says,
// and what becomes of the token.
func TestPassword(t *testing.T) {
	f := newGateway(t)
	before, fresh := canary.Secret(), canary.Secret()
	bearer := f.passwordBearer(before)
	put := func(body string) answer {
		return f.do("PUT", "/v1/session/password", body, "Content-Type", "application/json", "Authorization", bearer)
	}
	body := func(current, next string) string { return fmt.Sprintf(`{"current":%q,"new":%q}`, current, next) }
	for _, tt := range []struct {
		name, body string
		refuse     error
		status     int
		pointer    string
	}{
		{"nothing", `{}`, nil, 422, "/current"},
		{"no new one", body(before, ""), nil, 422, "/new"},
		{"too long", body(before, strings.Repeat("x", 12<<10+1)), nil, 422, "/new"},
		{"a control", `{"current":"a","new":"a\u0000"}`, nil, 422, "/new"},
		{"a field that there is not", `{"current":"a","new":"b","old":"c"}`, nil, 422, "/old"},
		{"the same", body(before, before), nil, 422, "/new"},
		{"by who does not know it", body(canary.Secret(), fresh), nil, 403, ""},
		{"refused", body(before, fresh), perch.Errorf(perch.KindForbidden, "the XMPP server does not let this account change its password"), 403, ""},
		{"weak", body(before, fresh), perch.Invalid("/new", "the XMPP server does not take this password"), 422, "/new"},
		{"no such thing", body(before, fresh), perch.Errorf(perch.KindFeatureUnsupported, "the XMPP server has no change of passwords"), 501, ""},
		{"changed", body(before, fresh), nil, 204, ""},
		{"changed back", body(fresh, before), nil, 204, ""},
	} {
		f.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(method string) error {
				if method == "ChangePassword" {
					return tt.refuse
				}
				return nil
			}
		})
		a := put(tt.body)
		if a.status != tt.status {
			t.Errorf("%s: got %d %s, want %d", tt.name, a.status, a.body, tt.status)
			continue
		}
		if tt.pointer != "" {
			if p := a.problem(t); len(p.Errors) == 0 || p.Errors[0].Pointer != tt.pointer {
				t.Errorf("%s: got %s, want it at %s", tt.name, a.body, tt.pointer)
			}
		}
	}
	if a := f.do("GET", "/v1/session", "", "Authorization", bearer); a.status != 200 {
		t.Errorf("the token afterwards: got %d, want 200", a.status)
	}
	// A session of an access token has no password.
	if a := f.do("PUT", "/v1/session/password", body("a", "b"), "Content-Type", "application/json", "Authorization", "Bearer "+token); a.status != 501 {
		t.Errorf("a session of an access token: got %d %s, want 501", a.status, a.body)
	}
}

// passwordBearer signs in with a password, and returns the header of the token.
func (g *gateway) passwordBearer(secret string) string {
	g.t.Helper()
	a := g.do("POST", "/v1/session", fmt.Sprintf(`{"jid":"carol@example.net","upstream":"other","password":%q}`, secret), "Content-Type", "application/json")
	if a.status != 201 {
		g.t.Fatalf("POST /v1/session: got %d %s, want 201", a.status, a.body)
	}
	var minted struct{ Token string }
	if err := json.Unmarshal(a.body, &minted); err != nil {
		g.t.Fatalf("Unmarshal(%q): got error %v, want none", a.body, err)
	}
	return "Bearer " + minted.Token
}

// TestPasswordGuesses are limited as sign-ins are.
func TestPasswordGuesses(t *testing.T) {
	f := newGateway(t)
	before := canary.Secret()
	bearer := f.passwordBearer(before)
	limited := 0
	for i := range 12 {
		a := f.do("PUT", "/v1/session/password", fmt.Sprintf(`{"current":"guess-%d","new":"x"}`, i), "Content-Type", "application/json", "Authorization", bearer)
		if a.status == 429 {
			limited++
		} else if a.status != 403 {
			t.Errorf("guess %d: got %d %s, want 403", i, a.status, a.body)
		}
	}
	if limited == 0 {
		t.Error("twelve guesses were all judged, want the last ones limited")
	}
}
