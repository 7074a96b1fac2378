package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/perch-im/perch/sessions"
)

// TestUpstreamLimits: what an upstream has no room for is refused with when to try again and the name of the
// limit, and nobody is refused by a limit of another upstream.
func TestUpstreamLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits sessions.UpstreamLimits
		room   int // for sessions
		status int
		code   string
		detail string
	}{
		"sessions":               {sessions.UpstreamLimits{MaxSessions: 2}, 2, http.StatusServiceUnavailable, "session-offline", "max-sessions"},
		"sessions of an account": {sessions.UpstreamLimits{SessionsPerAccount: 1}, 1, http.StatusTooManyRequests, "quota-exceeded", "this account"},
		"logins in a second":     {sessions.UpstreamLimits{LoginRate: 0.05}, 1, http.StatusServiceUnavailable, "session-offline", "login-rate"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newGateway(t)
			if err := f.manager.Reconfigure(func(o *sessions.Options) {
				o.Upstreams = maps.Clone(o.Upstreams)
				u := o.Upstreams["other"]
				u.UpstreamLimits = c.limits
				o.Upstreams["other"] = u
			}); err != nil {
				t.Fatalf("Reconfigure: got error %v, want none", err)
			}
			signIn := func(upstream string, i int) answer {
				body := fmt.Sprintf(`{"jid":"carol@example.net","password":"good","upstream":%q,"resource":"r%d"}`, upstream, i)
				return f.do("POST", "/v1/session", body, "Content-Type", "application/json")
			}
			for i := range c.room {
				if a := signIn("other", i); a.status != http.StatusCreated {
					t.Errorf("session %d: got %d %s, want %d", i+1, a.status, a.body, http.StatusCreated)
				}
			}
			a := signIn("other", c.room)
			wait, err := strconv.Atoi(a.header.Get("Retry-After"))
			if p := a.problem(t); p.Status != c.status || p.Code != c.code || err != nil || wait < 1 || !strings.Contains(p.Detail, c.detail) {
				t.Errorf("one more: got %s, Retry-After %q, want %d %s that names %s, and when to try again", a.body, a.header.Get("Retry-After"), c.status, c.code, c.detail)
			}
			if a := signIn("default", 0); a.status != http.StatusCreated {
				t.Errorf("at the other upstream: got %d %s, want %d", a.status, a.body, http.StatusCreated)
			}
		})
	}
}
