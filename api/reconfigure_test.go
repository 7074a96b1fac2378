package api_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
)

// TestReconfigure: each setting holds from the next request on, back and forth, and a mistake changes none.
func TestReconfigure(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	change := func(edit func(*api.Options)) {
		t.Helper()
		if err := f.api.Reconfigure(edit); err != nil {
			t.Fatalf("Reconfigure: got error %v, want none", err)
		}
	}
	const origin = "https://chat.example"
	allowed := func() string {
		return f.do(http.MethodGet, "/v1/nowhere", "", "Origin", origin).header.Get("Access-Control-Allow-Origin")
	}
	for _, want := range []string{"", origin, ""} {
		change(func(o *api.Options) {
			if o.Origins = nil; want != "" {
				o.Origins = []string{want}
			}
		})
		if got := allowed(); got != want {
			t.Errorf("Origins: got Access-Control-Allow-Origin %q, want %q", got, want)
		}
	}

	change(func(o *api.Options) { o.IPRate = api.Rate{PerSecond: 0.001, Burst: 1} })
	if got := f.do(http.MethodGet, "/v1/nowhere", "").status; got != http.StatusNotFound {
		t.Errorf("IPRate: got status %d of the first request, want %d", got, http.StatusNotFound)
	}
	if got := f.do(http.MethodGet, "/v1/nowhere", "", "X-Forwarded-For", "192.0.2.1").status; got != http.StatusTooManyRequests {
		t.Errorf("IPRate: got status %d of the second request, want %d", got, http.StatusTooManyRequests)
	}
	change(func(o *api.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	if got := f.do(http.MethodGet, "/v1/nowhere", "", "X-Forwarded-For", "192.0.2.1").status; got != http.StatusNotFound {
		t.Errorf("TrustedProxies: got status %d of another client, want %d", got, http.StatusNotFound)
	}
	change(func(o *api.Options) { o.AdminHosts = []string{"perch.internal"} })
	if got := f.do(http.MethodGet, "/v1/nowhere", "", "X-Forwarded-For", "192.0.2.1").status; got != http.StatusTooManyRequests {
		t.Errorf("a change of another setting: got status %d, want the rate to go on counting: %d", got, http.StatusTooManyRequests)
	}

	err := f.api.Reconfigure(func(o *api.Options) { o.Origins, o.IPRate = []string{"*"}, api.Rate{PerSecond: 1e6, Burst: 1e6} })
	if err == nil {
		t.Errorf("Reconfigure with a pattern: got no error, want one")
	}
	if got := f.do(http.MethodGet, "/v1/nowhere", "", "X-Forwarded-For", "192.0.2.1").status; got != http.StatusTooManyRequests {
		t.Errorf("after a mistake: got status %d, want the settings of before: %d", got, http.StatusTooManyRequests)
	}
}

// TestReconfigureStreams: streams that are open stay, though they be more than there may be by now.
func TestReconfigureStreams(t *testing.T) {
	const token = "token-of-alice"
	g := newGateway(t)
	conn := g.open(token)
	open := []feed{g.stream("ndjson", token, ""), g.stream("ndjson", token, "")}
	for _, f := range open {
		defer f.close()
		upTo(t, f, "live")
	}
	if err := g.api.Reconfigure(func(o *api.Options) { o.StreamsPerToken = 1 }); err != nil {
		t.Fatalf("Reconfigure: got error %v, want none", err)
	}
	if res, _ := g.get("/v1/events", token, http.Header{"Accept": {"application/x-ndjson"}}); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one more stream: got status %d, want %d", res.StatusCode, http.StatusTooManyRequests)
	}
	conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: "1", From: "bob@example.net/x", To: "alice@example.net", Kind: perch.ChatMessage, Body: "still there"}})
	for _, f := range open {
		upTo(t, f, "message.received")
	}
}

// TestReconfigureAccountRates: what counts guesses at the accounts of one upstream goes on while the rates of
// others change.
func TestReconfigureAccountRates(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.SignInRate = api.Rate{PerSecond: 1e3, Burst: 1e3} })
	for i, want := range []int{http.StatusUnauthorized, http.StatusTooManyRequests} {
		rates := map[string]api.Rate{"other": {PerSecond: 0.001, Burst: 1}, "default": {PerSecond: 1, Burst: i + 1}}
		if err := f.api.Reconfigure(func(o *api.Options) { o.AccountRates = rates }); err != nil {
			t.Fatalf("Reconfigure: got error %v, want none", err)
		}
		if a := f.password("carol@example.net", fmt.Sprint("bad-", i)); a.status != want {
			t.Errorf("guess %d: got %d %s, want %d", i+1, a.status, a.body, want)
		}
	}
}
