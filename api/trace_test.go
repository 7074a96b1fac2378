package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
)

// follower records the calls of a Tracer.
type follower struct {
	mu  sync.Mutex
	got []string
}

func (f *follower) Begin(r *http.Request) (context.Context, func(api.Answer)) {
	from := r.Header.Get("traceparent")
	return r.Context(), func(a api.Answer) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.got = append(f.got, strings.TrimSpace(fmt.Sprintf("%s %q %d %s %s", a.Method, a.Route, a.Status, a.Problem, from)))
	}
}

func (f *follower) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.got, "\n")
}

func TestTracerFollowsRequests(t *testing.T) {
	l := &follower{}
	f := newGateway(t, func(o *gatewayOptions) { o.Tracer = l })
	f.call("GET", "/v1/buddies", "", "traceparent", "the-trace-of-the-client")
	f.call("HEAD", "/v1/buddies", "")
	f.call("GET", "/v1/buddies/nobody%40example.net", "")
	f.call("BREW", "/v1/buddies", "")
	f.call("GET", "/v1/nothing/canary-path?q=canary-query", "")
	f.do("GET", "/v1/buddies", "", "Authorization", "Bearer bad-canary")
	f.call("GET", "/v1/events?types=canary-type", "")
	f.call("GET", "/v1/events", "")
	want := []string{
		`GET "/v1/buddies" 200  the-trace-of-the-client`, `HEAD "/v1/buddies" 200`, `GET "/v1/buddies/{jid}" 404 item-not-found`,
		`other "" 405 method-not-allowed`, `GET "" 404 not-found`, `GET "/v1/buddies" 401 unauthorized`,
		`GET "/v1/events" 422 validation`, `GET "/v1/events" 200`,
	}
	f.eventually("the requests are followed", func() bool { return l.text() == strings.Join(want, "\n") })
}

// An event stream is followed until it is accepted: a client may stay for hours.
func TestTracerLeavesStreams(t *testing.T) {
	for encoding, want := range map[string]string{
		"ws": `GET "/v1/events/ws" 101`, "sse": `GET "/v1/events" 200`, "ndjson": `GET "/v1/events" 200`,
	} {
		t.Run(encoding, func(t *testing.T) {
			l := &follower{}
			g := newGateway(t, func(o *gatewayOptions) { o.Tracer = l })
			conn := g.open(token)
			s := g.stream(encoding, token, "")
			upTo(t, s, "live")
			if got := l.text(); !strings.HasSuffix(got, want) {
				t.Errorf("while the stream is open: %s, want %s at its end", got, want)
			}
			before := l.text()
			say(conn, "m1")
			upTo(t, s, "message.received")
			s.close()
			g.eventually("the stream is closed", func() bool { return g.api.Streams()[encoding] == 0 })
			if got := l.text(); got != before {
				t.Errorf("followed again at its end: %s, want it followed once", got)
			}
		})
	}
}

// Nothing is spent on requests without a Tracer.
func TestNoTracerCostsNothing(t *testing.T) {
	served := 0
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ })
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/buddies", nil)
	cost := func(tr api.Tracer) float64 {
		a, err := api.New(api.Options{Sessions: new(sessions.Manager), Tracer: tr})
		if err != nil {
			t.Fatalf("api.New: got error %v, want none", err)
		}
		h := a.WithTrace(next)
		return testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) })
	}
	if n := cost(nil); n != 0 || served == 0 {
		t.Errorf("%v allocations without a Tracer, %d requests, want none", n, served)
	}
	if n := cost(&follower{}); n == 0 {
		t.Error("got no allocation with a Tracer, want some: this test does not see any")
	}
}
