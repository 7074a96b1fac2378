package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

// shown expects lines of /metrics.
func (w *reloadWorld) shown(when string, lines ...string) {
	w.t.Helper()
	text := scrape(w.t, w.a)
	for _, line := range lines {
		if !strings.Contains(text, line) {
			w.t.Errorf("%s: got no %s in the metrics, want it", when, line)
		}
	}
}

// changeLimits gives the upstream limits, labels and an idle policy of its own: they hold at once, for the
// sessions that are there as well, and end with another reload.
func (w *reloadWorld) changeLimits() {
	w.t.Helper()
	dave, erin := w.server.NewUser(w.t, "dave"), w.server.NewUser(w.t, "erin")
	status, token := w.signIn("first", dave)
	if status != http.StatusCreated {
		w.t.Fatalf("signing in: got status %d, want %d", status, http.StatusCreated)
	}
	done := w.mustReload(func(o *app.Options) {
		o.Labels = app.Labels{"region": "eu"}
		o.Upstreams[0].Labels = app.Labels{"tier": "gold"}
		o.Upstreams[0].UpstreamLimits = app.UpstreamLimits{MaxSessions: 1, LoginRate: 100, Logins: 5}
	})
	if !slices.Contains(done.Changed, "label") || !slices.Contains(done.Changed, "upstream first") || len(done.Fixed) > 0 {
		w.t.Errorf("got changed %q, fixed %q, want label and upstream first", done.Changed, done.Fixed)
	}
	if status, _ := w.signIn("first", erin); status != http.StatusServiceUnavailable {
		w.t.Errorf("signing in beyond max-sessions: got status %d, want %d", status, http.StatusServiceUnavailable)
	}
	w.shown("with limits and labels", `perch_node_info{label_region="eu",node="`, `perch_upstream_sessions_limit{upstream="first"} 1`,
		fmt.Sprintf("perch_upstream_info{domain=%q,label_tier=\"gold\",profile=\"standard\",upstream=\"first\"} 1", w.server.Domain),
		`perch_sessions_refused_total{limit="upstream-max-sessions",upstream="first"} 1`)
	o := newOperator(w.t, w.a, "")
	var ups, nodes struct {
		Items []struct {
			Labels map[string]string
			Limits struct {
				Max  int `json:"max_sessions"`
				Idle string
			}
		}
	}
	o.ask(http.StatusOK, "GET", "admin/v1/upstreams", &ups)
	o.ask(http.StatusOK, "GET", "admin/v1/nodes", &nodes)
	if u := ups.Items[0]; u.Labels["tier"] != "gold" || u.Limits.Max != 1 || u.Limits.Idle != "keep" {
		w.t.Errorf("got the upstream %+v, want its label and its limit", u)
	}
	if n := nodes.Items[0]; n.Labels["region"] != "eu" {
		w.t.Errorf("got the node %+v, want its label", n)
	}

	w.mustReload(func(o *app.Options) {
		o.Upstreams[0].UpstreamLimits = app.UpstreamLimits{Idle: sessions.IdleSignOut, IdleAfter: time.Second}
	})
	testkit.Eventually(w.t, 20*time.Second, func() error {
		status, _, err := w.call(w.t.Context(), http.MethodGet, "/v1/session", token, nil)
		if err == nil && status != http.StatusUnauthorized {
			err = fmt.Errorf("the session without a stream: got status %d, want it signed out: %d", status, http.StatusUnauthorized)
		}
		return err
	})
	done = w.mustReload(func(o *app.Options) {
		o.Labels, o.Upstreams[0].Labels, o.Upstreams[0].UpstreamLimits = nil, nil, app.UpstreamLimits{}
	})
	if status, _ := w.signIn("first", erin); status != http.StatusCreated || !slices.Contains(done.Changed, "upstream first") {
		w.t.Errorf("without limits: got status %d, changed %q, want %d and upstream first", status, done.Changed, http.StatusCreated)
	}
	w.shown("without labels", `perch_node_info{node="`, `perch_upstream_sessions_limit{upstream="first"} 0`,
		fmt.Sprintf("perch_upstream_info{domain=%q,profile=\"standard\",upstream=\"first\"} 1", w.server.Domain))
}
