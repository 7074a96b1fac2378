package api_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// hopTo sends a request to b with a hop that is made by vouch; "" leaves it out.
func (n *nodes) hopTo(t *testing.T, method, path, token string, vouch func(r *http.Request) string) (int, http.Header, string) {
	t.Helper()
	r := n.b.request(t.Context(), method, path, token, http.Header{"X-Request-Id": {"request-1"}})
	if h := vouch(r); h != "" {
		r.Header.Set(api.HopHeader, h)
	}
	res, err := http.DefaultTransport.RoundTrip(r) // 421 is in no description
	if err != nil {
		t.Fatalf("http.DefaultTransport.RoundTrip: got error %v, want none", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("io.ReadAll: got error %v, want none", err)
	}
	return res.StatusCode, res.Header, string(body)
}

// sign is what a would send to b now, changed.
func (n *nodes) sign(change func(h *api.Hop)) func(r *http.Request) string {
	return func(r *http.Request) string {
		h := api.NewHop("a/1")
		change(&h)
		return n.a.api.SealHop(h, "b/1", r, "request-1")
	}
}

func as(*api.Hop) {}

// TestInvalidHops: only a node with the same secret can make a hop, for now, for this node and
// for this request.
func TestInvalidHops(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	other := func(method, path string) func(r *http.Request) string {
		return func(*http.Request) string {
			return n.sign(as)(n.b.request(t.Context(), method, path, "", nil))
		}
	}
	edited := func(f func(string) string) func(r *http.Request) string {
		return func(r *http.Request) string { return f(n.sign(as)(r)) }
	}
	for name, tt := range map[string]struct {
		vouch  func(r *http.Request) string
		status int
	}{
		"none":               {func(*http.Request) string { return "" }, 200},
		"good":               {n.sign(as), 200},
		"a clock apart":      {n.sign(func(h *api.Hop) { h.At -= 50 }), 200},
		"made up":            {func(*http.Request) string { return "e30.AAAA" }, 403},
		"empty":              {func(*http.Request) string { return "." }, 403},
		"two minutes old":    {n.sign(func(h *api.Hop) { h.At -= 120 }), 403},
		"from the future":    {n.sign(func(h *api.Hop) { h.At += 120 }), 403},
		"for another node":   {func(r *http.Request) string { return n.a.api.SealHop(api.NewHop("a/1"), "c/1", r, "request-1") }, 403},
		"the process before": {func(r *http.Request) string { return n.a.api.SealHop(api.NewHop("a/1"), "b/0", r, "request-1") }, 403},
		"of another request": {func(r *http.Request) string { return n.a.api.SealHop(api.NewHop("a/1"), "b/1", r, "request-2") }, 403},
		"another path":       {other("GET", "/v1/session"), 403},
		"another query":      {other("GET", "/v1/buddies?limit=1"), 403},
		"another method":     {other("DELETE", "/v1/buddies"), 403},
		"another secret": {func(r *http.Request) string {
			stranger := newBare(t, strangeManager(t))
			return stranger.api.SealHop(api.NewHop("a/1"), "b/1", r, "request-1")
		}, 403},
		"without a MAC": {edited(func(h string) string { before, _, _ := strings.Cut(h, "."); return before }), 403},
		"half a MAC":    {edited(func(h string) string { return h[:len(h)-20] }), 403},
		"one bit":       {edited(func(h string) string { return flip(h, 3) }), 403},
		"ticket twice":  {n.sign(func(h *api.Hop) { h.Session = "x" }), 403}, // and without a word that is used once
	} {
		status, header, body := n.hopTo(t, "GET", "/v1/buddies", "tok-alice", tt.vouch)
		if status != tt.status || status == 403 && (header.Get(api.HopHeader) != "refused" || !strings.Contains(body, `"forbidden"`)) {
			t.Errorf("%s: %d %v %s, want %d, and with 403 a refused hop", name, status, header, body, tt.status)
		}
	}
	if got := n.lb.results(); len(got) != 15 || slices.ContainsFunc(got, func(s string) bool { return s != api.ForwardRefused }) {
		t.Errorf("forwards: got %v, want 15 that are refused", got)
	}
	if len(n.b.up.Dials()) != 1 {
		t.Error("got a login by a refused request, want none")
	}
}

// strangeManager has another secret.
func strangeManager(t *testing.T) *sessions.Manager {
	t.Helper()
	up := newGateway(t).up
	m, err := sessions.NewManager(sessions.Options{
		Dial: up.Dial, Verify: up.Verify, Store: durableStore{}, Secret: []byte("another-secret-of-thirty-two-byte"), DefaultUpstream: "x",
		Upstreams: map[string]sessions.Upstream{"x": {Name: "x"}},
	})
	if err != nil {
		t.Fatalf("sessions.NewManager: got error %v, want none", err)
	}
	return m
}

func flip(s string, i int) string {
	b := []byte(s)
	b[i] ^= 1
	return string(b)
}

// TestHopsAreRefusedBySingleNode: a process without peers accepts no hop.
func TestHopsAreRefusedBySingleNode(t *testing.T) {
	f := newBare(t, new(sessions.Manager))
	a := f.do("GET", "/v1/session", "", api.HopHeader, "e30.AAAA")
	if p := a.problem(t); a.status != 403 || p.Code != "forbidden" {
		t.Errorf("got %d %s, want 403 forbidden", a.status, a.body)
	}
}

// TestRequestIsForwardedOnce: what came from another node is never passed on.
func TestRequestIsForwardedOnce(t *testing.T) {
	n := newNodes(t)
	n.a.open("tok-alice")
	for _, path := range []string{"/v1/session", "/v1/buddies", "/v1/events"} {
		status, _, body := n.hopTo(t, "GET", path, "tok-alice", n.sign(as))
		if status != 421 || !strings.Contains(body, `"session-offline"`) {
			t.Errorf("%s: %d %s, want 421 session-offline", path, status, body)
		}
		if res, _ := n.b.get(path, "tok-alice", nil); res.StatusCode != 200 {
			t.Errorf("%s of a client: %s, want 200", path, res.Status)
		}
	}
	r := n.b.request(t.Context(), "GET", "/v1/events/ws", "tok-alice", header("Origin", n.b.srv.URL, "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "X-Request-Id", "request-1"))
	r.Header.Set(api.HopHeader, n.sign(as)(r))
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || res.StatusCode != 421 {
		t.Fatalf("socket: %v %v, want 421", res, err)
	}
	_ = res.Body.Close()
}

// TestClientBehindAHop: the owner limits the client as the first node knows it, and neither
// the first node nor the address of any proxy; and it takes no limit twice.
func TestClientBehindAHop(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	n := newNodes(t, func(o *gatewayOptions) {
		o.TrustedProxies = loopback
		o.SignInRate = api.Rate{PerSecond: 0.001, Burst: 2}
		if o.node == "b" {
			o.IPRate = api.Rate{PerSecond: 0.001, Burst: 3}
		}
	})
	n.openAtB("tok-alice")
	n.b.get("/v1/session", "tok-alice", nil)
	for i := range 10 {
		res, _ := n.a.get("/v1/buddies", "tok-alice", header("X-Forwarded-For", "192.0.2.1"))
		if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("RateLimit"), `"token"`) {
			t.Fatalf("request %d: %d %v, want 200 and the RateLimit of the token", i, res.StatusCode, res.Header)
		}
	}
	guess := func(addr string) int {
		status, _, _ := n.hopTo(t, "GET", "/v1/buddies", "bad-"+fmt.Sprint(time.Now().UnixNano()), n.sign(func(h *api.Hop) { h.Addr = addr }))
		return status
	}
	got := []int{guess("192.0.2.7"), guess("192.0.2.7"), guess("192.0.2.7"), guess("192.0.2.8"), guess("2001:db8::1"), guess("nonsense")}
	if want := []int{401, 401, 429, 401, 401, 401}; !slices.Equal(got, want) {
		t.Errorf("guesses: %v, want %v", got, want)
	}
}

// TestRequestIDOfAHop is in the log of both nodes, whose lines have the address of the client and
// none of a node.
func TestRequestIDOfAHop(t *testing.T) {
	var log lockedBuffer
	n := newNodes(t, func(o *gatewayOptions) {
		o.Logger = canary.Logger(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	})
	n.openAtB("tok-alice")
	res, _ := n.a.get("/v1/buddies", "tok-alice", header("X-Request-Id", "my-own-request"))
	n.toB.cut()
	n.a.get("/v1/buddies", "tok-alice", nil)
	if res.Header.Get("X-Request-Id") != "my-own-request" || len(res.Header.Values("X-Request-Id")) != 1 {
		t.Errorf("X-Request-Id: got %v, want the client's, once", res.Header)
	}
	text := log.String()
	if got := strings.Count(text, "my-own-request"); got != 2 {
		t.Errorf("the request is in %d lines, want one:\n%s", got, text)
	}
	for _, addr := range []string{n.toB.addr(), n.b.srv.Listener.Addr().String()} {
		if bytes.Contains([]byte(text), []byte(addr)) {
			t.Errorf("%s is in the log, want no address:\n%s", addr, text)
		}
	}
}
