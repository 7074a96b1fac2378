package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/messenger"
)

// embeddedUpstream runs a service of its own, and is its configuration.
func embeddedUpstream(t *testing.T, name string) app.Upstream {
	t.Helper()
	o := messenger.Demo()
	o.Domain = name + ".test"
	s, err := messenger.New(o)
	if err != nil {
		t.Fatalf("messenger.New: got error %v, want none", err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatalf("s.Start: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("s.Stop: got error %v, want none", err)
		}
	})
	ca := filepath.Join(t.TempDir(), name+".pem")
	if err := os.WriteFile(ca, s.CAPEM(), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	return app.Upstream{Name: name, Domain: s.Domain(), Address: s.Addr().String(), CAFile: ca, Profile: app.ProfileMessenger}
}

// upstreamOf asks where the session of a token is; the status is that of a refusal.
func upstreamOf(t *testing.T, a *app.App, token, query string) (name string, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+"/v1/session"+query, nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("http.DefaultClient.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	var info struct {
		Upstream string `json:"upstream"`
	}
	if err := json.NewDecoder(res.Body).Decode(&info); err != nil {
		t.Fatalf("the answer: got error %v, want JSON", err)
	}
	return info.Upstream, res.StatusCode
}

// TestTokensOfSeveralUpstreams: the settings and the clients say where tokens go, also after a reload, and a token
// that has a session stays where it is.
func TestTokensOfSeveralUpstreams(t *testing.T) {
	one, two := embeddedUpstream(t, "one"), embeddedUpstream(t, "two")
	two.TokenPrefix = "demo-b"
	o := app.Options{Listen: "127.0.0.1:0", AdminListen: "off", Secret: appSecret}
	a := start(t, one, func(x *app.Options) { x.Upstreams = append(x.Upstreams, two); o.Upstreams = x.Upstreams })
	check := func(when, token, query, want string) {
		t.Helper()
		if got, status := upstreamOf(t, a, token, query); got != want || want != "" && status != 200 || want == "" && status != 422 {
			t.Errorf("%s: %s%s is at %q with %d, want %q", when, token, query, got, status, want)
		}
	}
	check("at first", "demo-alice", "", "one")
	check("at first", "demo-bob", "", "two")
	check("at first", "demo-bob", "?upstream=one", "")
	check("at first", "demo-carol", "?upstream=two", "two")
	check("at first", "demo-carol", "", "two")
	check("at first", "demo-carol", "?upstream=one", "")

	o.Upstreams = []app.Upstream{one, two}
	o.Upstreams[0].TokenPrefix, o.Upstreams[1].TokenPrefix = "demo-b", ""
	done, err := a.Reload(o)
	if err != nil || len(done.Changed) != 2 {
		t.Fatalf("Reload: got %+v, error %v, want both upstreams changed", done, err)
	}
	check("after the reload", "demo-bob", "", "two")
	check("after the reload", "demo-carol", "", "two")
	check("after the reload", "demo-bob", "?upstream=two", "two")
	check("after the reload", "demo-bob", "?upstream=one", "")
}
