package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// newSeveral is a gateway with two more upstreams that take access tokens; those of one begin with a prefix.
func newSeveral(t *testing.T) *gateway {
	t.Helper()
	f := newGateway(t)
	if err := f.manager.Reconfigure(func(o *sessions.Options) {
		o.Upstreams = map[string]sessions.Upstream{
			"default": o.Upstreams["default"],
			"other":   o.Upstreams["other"],
			"partner": {Name: "partner", TokenBearer: true},
			"today":   {Name: "today", TokenBearer: true, TokenPrefix: canary.Mark + "today-"},
		}
	}); err != nil {
		t.Fatalf("Reconfigure: got error %v, want none", err)
	}
	return f
}

// asToken sends a request with another bearer token than that of alice.
func (g *gateway) asToken(with, method, path, body string, header ...string) answer {
	g.t.Helper()
	header = append(header, "Authorization", "Bearer "+with)
	if body != "" {
		header = append(header, "Content-Type", "application/json")
	}
	return g.do(method, path, body, header...)
}

// TestUpstreamOfAToken: a prefix, the query or the body say of which upstream an access token is that has no
// session yet, and only a prefix that says something else is refused.
func TestUpstreamOfAToken(t *testing.T) {
	for name, tt := range map[string]struct {
		token, method, path, body string
		want                      string // the upstream, or the pointer of the problem
	}{
		"nothing":                        {"opaque", "GET", "/v1/session", "", "default"},
		"a prefix":                       {"today-ada", "GET", "/v1/session", "", "today"},
		"a prefix, to open":              {"today-ada", "POST", "/v1/session", "", "today"},
		"the query":                      {"opaque", "GET", "/v1/session?upstream=partner", "", "partner"},
		"the query, to open":             {"opaque", "POST", "/v1/session?upstream=partner", "", "partner"},
		"the body":                       {"opaque", "POST", "/v1/session", `{"upstream":"partner"}`, "partner"},
		"query and body":                 {"opaque", "POST", "/v1/session?upstream=partner", `{"upstream":"partner"}`, "partner"},
		"the body, with rooms":           {"opaque", "POST", "/v1/session", `{"upstream":"partner","rooms":null}`, "partner"},
		"query and body of two minds":    {"opaque", "POST", "/v1/session?upstream=default", `{"upstream":"partner"}`, "/upstream"},
		"a query against the prefix":     {"today-ada", "GET", "/v1/buddies?upstream=partner", "", "?upstream"},
		"a body against the prefix":      {"today-ada", "POST", "/v1/session", `{"upstream":"partner"}`, "/upstream"},
		"a query that is not configured": {"opaque", "GET", "/v1/session?upstream=nowhere", "", "?upstream"},
		"a query of nothing":             {"opaque", "GET", "/v1/session?upstream=", "", "?upstream"},
		"a query of nothing, to open":    {"opaque", "POST", "/v1/session?upstream=", "", "?upstream"},
		"a query of nothing, and a body": {"opaque", "POST", "/v1/session?upstream=", `{"upstream":"partner"}`, "?upstream"},
		"a body that is not configured":  {"opaque", "POST", "/v1/session", `{"upstream":"nowhere"}`, "/upstream"},
		"a query twice":                  {"opaque", "GET", "/v1/session?upstream=partner&upstream=partner", "", "?upstream"},
		"a body with an odd name":        {"opaque", "POST", "/v1/session", `{"upstream":"a\nb"}`, "/upstream"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newSeveral(t)
			a := f.asToken(canary.Mark+tt.token, tt.method, tt.path, tt.body)
			if tt.want[0] == '/' || tt.want[0] == '?' {
				if p := a.problem(t); a.status != 422 || len(p.Errors) == 0 || p.Errors[0].Pointer != tt.want || len(f.up.Dials()) != 0 {
					t.Errorf("got %d %s after %d logins, want 422 at %s, and none", a.status, a.body, len(f.up.Dials()), tt.want)
				}
				return
			}
			if a.status > 201 {
				t.Fatalf("got %d %s, want 200 or 201", a.status, a.body)
			}
			if d := f.up.Dials(); len(d) != 1 || d[0].Account.Upstream != tt.want || d[0].Account.Token.Reveal() != canary.Mark+tt.token {
				t.Errorf("got %d logins, the first at %q; want one at %q with the whole token", len(d), d[0].Account.Upstream, tt.want)
			}
		})
	}
}

// TestUpstreamByEveryOperation: a token that has a session needs no name any more, the right one is accepted by
// whatever has the token, and another one is a problem that names the parameter.
func TestUpstreamByEveryOperation(t *testing.T) {
	f := newSeveral(t)
	f.want(201, "POST", "/v1/session?upstream=partner", "", nil)
	f.conn = f.up.Accepted(f.ctx)
	f.eventually("online", func() bool { return f.state().State == perch.StateOnline })
	for _, tt := range []struct {
		method, path, body string
		header             []string
	}{
		{"GET", "/v1/session", "", nil},
		{"POST", "/v1/session", "", nil},
		{"GET", "/v1/buddies", "", nil},
		{"GET", "/v1/buddies?limit=1", "", nil},
		{"GET", "/v1/events?wait=0", "", nil},
		{"GET", "/v1/archive?with=bob@example.net", "", nil},
		{"POST", "/v1/messages", `{"to":"bob@example.net","body":"Hello"}`, nil},
		{"PUT", "/v1/presence/me", `{"show":"away"}`, nil},
		{"POST", "/v1/events/tickets", "", nil},
		{"POST", "/mcp", ping, []string{"Accept", "application/json, text/event-stream"}},
	} {
		for query, want := range map[string]bool{"": true, "upstream=partner": true, "upstream=default": false, "upstream=nowhere": false} {
			path := tt.path
			if query != "" {
				path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + query
			}
			a := f.call(tt.method, path, tt.body, tt.header...)
			if want && a.status >= 400 {
				t.Errorf("%s %s: got %d %s, want success", tt.method, path, a.status, a.body)
			}
			if want {
				continue
			}
			if p := a.problem(t); a.status != 422 || len(p.Errors) == 0 || p.Errors[0].Pointer != "?upstream" {
				t.Errorf("%s %s: got %d %s, want 422 at ?upstream", tt.method, path, a.status, a.body)
			}
		}
	}
	if n := len(f.up.Dials()); n != 1 {
		t.Errorf("got %d logins, want 1", n)
	}
}

// TestUpstreamOfASocket: by a subprotocol and by a ticket, for programs and for pages.
func TestUpstreamOfASocket(t *testing.T) {
	f := newSeveral(t)
	page := http.Header{"Origin": {f.url}}
	f.want(201, "POST", "/v1/session?upstream=partner", "", nil)
	for _, tt := range []struct {
		query  string
		header http.Header
		status int
		code   websocket.StatusCode
	}{
		{"", nil, 101, 0},
		{"upstream=partner", nil, 101, 0},
		{"upstream=default", nil, 422, 0},
		{"upstream=default&upstream=default", nil, 422, 0},
		{"upstream=partner", page, 101, 0},
		{"upstream=default", page, 101, 4000},
	} {
		for _, ticket := range []bool{false, true} {
			query, protocols := tt.query, []string{"perch.v1", bearer(token)}
			if ticket {
				k, _ := f.ticket(token, tt.header.Get("Origin"))
				query, protocols = query+"&ticket="+k.Ticket, protocols[:1]
			}
			r := f.try(query, tt.header, protocols...)
			if r.status != tt.status || r.code != tt.code || r.code != 0 && r.problem != "validation" {
				t.Errorf("%q of a page: %v, with a ticket: %v: got %+v, want %d and code %d", tt.query, tt.header != nil, ticket, r, tt.status, tt.code)
			}
		}
	}
}

// TestUpstreamOfAPerchToken: the name must be that of its session.
func TestUpstreamOfAPerchToken(t *testing.T) {
	f := newSeveral(t)
	a := f.do("POST", "/v1/session?upstream=other", `{"jid":"carol@example.net","password":"secret-canary"}`, "Content-Type", "application/json")
	if a.status != 201 {
		t.Fatalf("got %d %s, want 201", a.status, a.body)
	}
	minted := field(t, a.body, "token")
	for query, want := range map[string]int{"": 200, "?upstream=other": 200, "?upstream=partner": 422, "?upstream=nowhere": 422} {
		for _, path := range []string{"/v1/session", "/v1/buddies"} {
			if a := f.asToken(minted, "GET", path+query, ""); a.status != want {
				t.Errorf("%s%s: got %d %s, want %d", path, query, a.status, a.body, want)
			}
		}
	}
	if a := f.do("POST", "/v1/session", `{"upstream":"partner"}`, "Content-Type", "application/json"); a.status != 422 {
		t.Errorf("a name without a credential: got %d %s, want 422", a.status, a.body)
	}
}
