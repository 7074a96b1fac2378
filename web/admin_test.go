package web_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/web"
)

// TestAdminPage plays the page of operators in a real browser, by the admin token of two nodes over
// one Redis.
func TestAdminPage(t *testing.T) {
	token := canary.Secret()
	redis := testkit.Redis(t, testkit.RedisOptions{})
	t.Setenv("PERCH_ADMIN_TOKEN", token)
	t.Setenv("PERCH_REDIS_URL", redis.URL())
	t.Setenv("PERCH_SECRET", canary.Secret()+canary.Secret())
	admin := testkit.Loopback(testkit.FreePort(t))
	a := newGateway(t, "--node", "left", "--admin-listen", admin, "--label", "region=eu", "--label", "rack=7")
	b := newGateway(t, "--node", "right")
	node(t, "admin.mjs", "PERCH_URL=http://"+a.addr, "PERCH_OTHER=http://"+b.addr, "PERCH_ADMIN=http://"+admin, "PERCH_ADMIN_TOKEN="+token, chromium(t), pictures(t))
}

// TestAdminPageIsSafe: its files have the policy of the console, nothing of them is served to clients,
// and nothing of the console beyond what it needs to operators.
func TestAdminPageIsSafe(t *testing.T) {
	page := web.Admin()
	files := loads(t, page)
	for _, name := range []string{"/", "/admin/main.js", "/admin/api.js", "/admin/admin.css", "/console/dom.js"} {
		if _, ok := files[name]; !ok {
			t.Errorf("the page loads %v, want %s among them", files, name)
		}
		if csp := get(t, page, name).Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: got the policy %q, want that of the console", name, csp)
		}
	}
	for _, name := range []string{"/admin/main.js", "/admin/index.html"} {
		if w := get(t, web.Handler(), name); w.Code != 404 {
			t.Errorf("GET %s of the gateway: got %d, want 404", name, w.Code)
		}
	}
	if w := get(t, page, "/perch.js"); w.Code != 404 {
		t.Errorf("GET /perch.js of the admin listener: got %d, want 404", w.Code)
	}
}
