package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// TestAdminGuard: who may use the operator's API, by token, address, host and origin.
func TestAdminGuard(t *testing.T) {
	for _, tt := range []struct {
		name   string
		secret string // of the gateway
		sent   string
		header []string
		want   int
		detail string
	}{
		{name: "loopback without a token", want: 200},
		{name: "by its name", header: []string{"Host", "localhost:9090"}, want: 200},
		{name: "by IPv6", header: []string{"Host", "[::1]:9090"}, want: 200},
		{name: "by another address", header: []string{"Host", "10.0.0.1:9090"}, want: 403, detail: "PERCH_ADMIN_TOKEN"},
		{name: "by a name that resolves here", header: []string{"Host", "rebound.example"}, want: 403, detail: "--admin-host"},
		{name: "through a proxy", header: []string{"X-Forwarded-For", "203.0.113.7"}, want: 403, detail: "proxy"},
		{name: "through another proxy", header: []string{"Via", "1.1 front"}, want: 403, detail: "proxy"},
		{name: "page of another origin", header: []string{"Origin", "https://evil.example"}, want: 403, detail: "origin"},
		{name: "page without an origin", header: []string{"Origin", "null"}, want: 403, detail: "origin"},
		{name: "image of another page", header: []string{"Sec-Fetch-Site", "cross-site"}, want: 403, detail: "origin"},
		{name: "page of a neighbour", header: []string{"Sec-Fetch-Site", "same-site"}, want: 403, detail: "origin"},
		{name: "own page", header: []string{"Sec-Fetch-Site", "same-origin"}, want: 200},
		{name: "token", secret: adminToken, sent: adminToken, want: 200},
		{name: "token, by another address", secret: adminToken, sent: adminToken, header: []string{"Host", "10.0.0.1:9090"}, want: 200},
		{name: "token, page of another origin", secret: adminToken, sent: adminToken, header: []string{"Origin", "https://evil.example"}, want: 403, detail: "origin"},
		{name: "no token", secret: adminToken, want: 401, detail: "PERCH_ADMIN_TOKEN"},
		{name: "another token", secret: adminToken, sent: "bad-" + canary.Secret(), want: 401, detail: "no token of a session"},
		{name: "beginning of the token", secret: adminToken, sent: adminToken[:len(adminToken)-1], want: 401, detail: "not the admin token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newBare(t, new(sessions.Manager), func(o *gatewayOptions) { o.Admin.Token = perch.NewSecret(tt.secret) })
			o := g.operator(t)
			o.token = tt.sent
			status, body := o.do("GET", "upstreams", "", tt.header...)
			if status != tt.want || !strings.Contains(string(body), tt.detail) {
				t.Errorf("got %d %s, want %d with %q", status, body, tt.want, tt.detail)
			}
		})
	}
}

// TestAdminFromElsewhere: without a token neither a client of another address nor a listener of one
// is good enough, whatever the Host says.
func TestAdminFromElsewhere(t *testing.T) {
	g := newBare(t, new(sessions.Manager))
	h := g.api.AdminHandler()
	for _, tt := range []struct {
		name, local, remote string
		want                int
	}{
		{"this machine", "127.0.0.1:9090", "127.0.0.1:40000", 200},
		{"another machine", "10.0.0.1:9090", "10.0.0.2:40000", 403},
		{"listener of all addresses, asked from here", "10.0.0.1:9090", "127.0.0.1:40000", 403},
		{"a client that claims nothing", "127.0.0.1:9090", "", 403},
	} {
		req := httptest.NewRequestWithContext(withLocalAddr(t.Context(), tt.local), "GET", "/admin/v1/upstreams", nil)
		req.Host, req.RemoteAddr = "localhost:9090", tt.remote
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if rec.Code != tt.want || rec.Code != 200 && rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %s, want %d, as a problem when refused", tt.name, rec.Code, rec.Body, tt.want)
		}
	}
}

// TestAdminIsNotPublic: the listener of the gateway has nothing of it for clients, with or without
// the admin token.
func TestAdminIsNotPublic(t *testing.T) {
	g := newGateway(t, withAdmin)
	g.signIn()
	for _, path := range []string{"/admin/v1/sessions", "/admin/v1/nodes", "/admin/v1/openapi.yaml"} {
		for _, header := range [][]string{nil, {"Authorization", "Bearer " + adminToken}, {"Authorization", "Bearer " + token}} {
			if a := g.do("GET", path, "", header...); a.status != http.StatusNotFound {
				t.Errorf("GET %s %v on the gateway: got %d %s, want 404", path, len(header), a.status, a.body)
			}
		}
		if a := g.do("GET", path, "", "Perch-Hop", "e30.AAAA"); a.status != http.StatusForbidden {
			t.Errorf("GET %s with a hop that no node has made: got %d %s, want 403", path, a.status, a.body)
		}
	}
}

// TestAdminRefusalsAreAudited: within a bound, with the address and never the token.
func TestAdminRefusalsAreAudited(t *testing.T) {
	var log lockedBuffer
	g := newBare(t, new(sessions.Manager), logged(&log, withAdmin))
	o := g.operator(t)
	o.token = "bad-" + canary.Secret()
	for range 50 {
		o.do("GET", "nodes", "")
	}
	lines := linesOf(t, &log, "credential refused")
	if len(lines) == 0 || len(lines) > 20 {
		t.Fatalf("got %d lines, want some, and fewer than requests", len(lines))
	}
	if l := lines[0]; l["credential"] != "admin" || l["client"] != "127.0.0.1" || l["audit"] != true {
		t.Errorf("got %v, want an audit line about the admin credential with its client", l)
	}
	if strings.Contains(log.String(), o.token) {
		t.Error("got the token in the log, want it nowhere")
	}
}

// TestAdminTokenChanges while the listener serves: the old one is refused from then on, and without any
// this machine alone is let in.
func TestAdminTokenChanges(t *testing.T) {
	g := newBare(t, new(sessions.Manager), withAdmin)
	o, next := g.operator(t), canary.Secret()
	for _, step := range []struct {
		right, sent string
		want        int
	}{{adminToken, adminToken, 200}, {next, adminToken, 401}, {next, next, 200}, {"", "", 200}} {
		if err := g.api.Reconfigure(func(x *api.Options) { x.Admin.Token = perch.NewSecret(step.right) }); err != nil {
			t.Fatalf("Reconfigure: got error %v, want none", err)
		}
		o.token = step.sent
		if status, body := o.do("GET", "upstreams", ""); status != step.want {
			t.Errorf("right %v, sent %v: got %d %s, want %d", step.right != "", step.sent == step.right, status, body, step.want)
		}
	}
}

// TestAdminMethods: HEAD is answered like GET, without the body, and what an address does not support is
// refused with what it does.
func TestAdminMethods(t *testing.T) {
	g := newBare(t, new(sessions.Manager), withAdmin)
	for _, tt := range []struct {
		method, path string
		want         int
		allow        string
	}{
		{"HEAD", "/admin/v1/log-level", 200, ""},
		{"HEAD", "/admin/v1/openapi.yaml", 200, ""},
		{"HEAD", "/livez", 200, ""},
		{"PATCH", "/admin/v1/log-level", 405, "GET, PUT"},
		{"POST", "/admin/v1/openapi.yaml", 405, "GET"},
		{"PUT", "/debug/pprof/symbol", 405, "GET, POST"},
		{"PROPFIND", "/livez", 405, "GET"},
		{"PROPFIND", "/admin/v1/nothing", 404, ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, g.admin+tt.path, nil)
		if err != nil {
			t.Fatalf("NewRequest: got error %v, want none", err)
		}
		req.Header.Set("Authorization", "Bearer "+adminToken)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("%s %s: got error %v, want none", tt.method, tt.path, err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != tt.want || res.Header.Get("Allow") != tt.allow || tt.method == "HEAD" && len(body) > 0 {
			t.Errorf("%s %s: got %d %s, Allow %q, error %v, want %d and %q", tt.method, tt.path, res.StatusCode, body, res.Header.Get("Allow"), err, tt.want, tt.allow)
		}
	}
}
