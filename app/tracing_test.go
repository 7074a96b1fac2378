package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// collector takes traces as OTLP over HTTP, as a real one would.
type collector struct {
	url   string
	mu    sync.Mutex
	raw   [][]byte
	spans []*tracepb.Span
	about []string // of the resource
	wrong []string
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	var req coltracepb.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &req)
	}
	if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.wrong = append(c.wrong, fmt.Sprint(r.URL.Path, r.Header, err))
	}
	c.raw = append(c.raw, body)
	for _, rs := range req.GetResourceSpans() {
		for _, a := range rs.GetResource().GetAttributes() {
			c.about = append(c.about, a.GetKey()+"="+a.GetValue().GetStringValue())
		}
		for _, ss := range rs.GetScopeSpans() {
			c.spans = append(c.spans, ss.GetSpans()...)
		}
	}
	w.WriteHeader(http.StatusOK)
}

// stopped ends the app, which sends what it still has, and gives what has come.
func (c *collector) stopped(t *testing.T, a *app.App) []*tracepb.Span {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Fatalf("a.Stop: got error %v, want none", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.wrong {
		t.Errorf("no OTLP: %s, want none", w)
	}
	return c.spans
}

// attribute is one value of a span as text.
func attribute(s *tracepb.Span, key string) string {
	for _, a := range s.GetAttributes() {
		if a.GetKey() == key {
			return strings.Trim(a.GetValue().String()[strings.Index(a.GetValue().String(), ":")+1:], `"`)
		}
	}
	return ""
}

func named(spans []*tracepb.Span, name string) (list []*tracepb.Span) {
	for _, s := range spans {
		if s.GetName() == name {
			list = append(list, s)
		}
	}
	return list
}

const (
	clientTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientParent = "00f067aa0ba902b7"
)

// inTrace asks as a client that traces.
func inTrace(t *testing.T, a *app.App, path, sampled string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+path, nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	req.Header.Set("Authorization", "Bearer demo-alice")
	req.Header.Set("traceparent", "00-"+clientTrace+"-"+clientParent+"-"+sampled)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatalf("transport.RoundTrip: got error %v, want none", err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %s, want no error and %d", path, res.StatusCode, err, body, http.StatusOK)
	}
}

// TestTraceOfARequest: a client's trace has the route, and below it what the route asked the
// XMPP server and Redis for.
func TestTraceOfARequest(t *testing.T) {
	c := newCollector(t)
	a := observed(t, func(o *app.Options) { o.Tracing.Endpoint, o.Node = c.url, "node-1" })
	g := testkit.NewGateway(t, a.URL(), "demo-alice")
	echo := g.Get(t, "/v1/buddies").List("items")[0].Str("jid")
	inTrace(t, a, "/v1/vcards/"+testkit.Escape(echo), "01")
	spans := c.stopped(t, a)

	var mine []*tracepb.Span
	for _, s := range spans {
		if hex.EncodeToString(s.GetTraceId()) == clientTrace {
			mine = append(mine, s)
		}
	}
	route := named(mine, "GET /v1/vcards/{jid}")
	if len(route) != 1 || hex.EncodeToString(route[0].GetParentSpanId()) != clientParent || route[0].GetKind() != tracepb.Span_SPAN_KIND_SERVER {
		t.Fatalf("the route: %v, want 1 and %v and %v", mine, clientParent, tracepb.Span_SPAN_KIND_SERVER)
	}
	for key, want := range map[string]string{"http.request.method": "GET", "http.route": "/v1/vcards/{jid}", "http.response.status_code": "200", "error.type": ""} {
		if got := attribute(route[0], key); got != want {
			t.Errorf("%s of the route is %q, want %q", key, got, want)
		}
	}
	for name, want := range map[string]map[string]string{
		"xmpp vcard":  {"xmpp.iq.kind": "vcard", "perch.upstream": "messenger"},
		"redis vcard": {"db.system.name": "redis", "db.operation.name": "vcard"},
	} {
		got := named(mine, name)
		if len(got) != 1 || !bytes.Equal(got[0].GetParentSpanId(), route[0].GetSpanId()) ||
			got[0].GetStartTimeUnixNano() < route[0].GetStartTimeUnixNano() || got[0].GetEndTimeUnixNano() > route[0].GetEndTimeUnixNano() {
			t.Fatalf("got no %s below the route, want one, in %v", name, mine)
		}
		for key, value := range want {
			if attribute(got[0], key) != value {
				t.Errorf("%s of %s is %q, want %q", key, name, attribute(got[0], key), value)
			}
		}
	}
	// What a session does by itself is there as well.
	if len(named(spans, "xmpp roster")) != 1 || len(named(spans, "redis commit")) == 0 || len(named(spans, "redis open")) == 0 {
		t.Errorf("the login is not there: %v, want 1 and more than 0", spans)
	}
	for _, want := range []string{"service.name=perch", "service.version=v9.8.7", "service.instance.id=node-1", "telemetry.sdk.name=opentelemetry"} {
		if !slices.Contains(c.about, want) {
			t.Errorf("the resource has no %s: %q, want %q in it", want, c.about, want)
		}
	}
}

// TestTracesHaveNoNames: nothing of an account, and no word of a client, is in any span.
func TestTracesHaveNoNames(t *testing.T) {
	c := newCollector(t)
	a := observed(t, func(o *app.Options) { o.Tracing.Endpoint = c.url })
	use(t, a).Close()
	g := testkit.NewGateway(t, a.URL(), "demo-alice")
	echo := g.Get(t, "/v1/buddies").List("items")[0].Str("jid")
	spans := c.stopped(t, a)
	local, domain, _ := strings.Cut(echo, "@")
	for _, raw := range c.raw {
		for _, word := range []string{choice, "demo-alice", "alice", "%40", local, domain, "perch:", "HGET", "EVAL"} {
			if i := bytes.Index(raw, []byte(word)); i >= 0 {
				t.Errorf("%q is in the traces: %q, want less than 0", word, raw[max(0, i-60):min(len(raw), i+60)])
			}
		}
	}
	allowed := []string{"http.request.method", "http.route", "http.response.status_code", "error.type", "perch.upstream", "xmpp.iq.kind", "db.system.name", "db.operation.name", "db.operation.batch.size"}
	problems := ""
	for _, s := range spans {
		for _, k := range s.GetAttributes() {
			if !slices.Contains(allowed, k.GetKey()) {
				t.Errorf("%s has the attribute %s, want one of %q", s.GetName(), k.GetKey(), allowed)
			}
		}
		if len(s.GetEvents()) > 0 || s.GetStatus().GetMessage() != "" {
			t.Errorf("%s has words of its own: %v, want none and %q", s.GetName(), s, "")
		}
		problems += attribute(s, "error.type") + " "
	}
	for _, name := range []string{"POST /v1/messages", "GET /v1/events/ws", "GET /v1/buddies/{jid}", "GET"} {
		if len(named(spans, name)) == 0 {
			t.Errorf("there is no %s, want more than 0", name)
		}
	}
	for _, slug := range []string{"item-not-found", "not-found", "unauthorized"} {
		if !strings.Contains(problems, slug) {
			t.Errorf("no problem %s, but %s, want %q in it", slug, problems, slug)
		}
	}
}

// TestTracesAreOff unless they are asked for, and as many are kept as are asked for.
func TestTracesAreOff(t *testing.T) {
	for name, tt := range map[string]struct {
		sample  float64 // 0: no endpoint
		sampled string
		want    int
	}{
		"by default":                        {0, "01", 0},
		"few, and the client wants this":    {1e-12, "01", 1},
		"all, and the client does not want": {1, "00", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.url)
			a := observed(t, func(o *app.Options) {
				if o.Tracing.Sample = tt.sample; tt.sample > 0 {
					o.Tracing.Endpoint = c.url
				}
			})
			inTrace(t, a, "/v1/session", tt.sampled)
			n := 0
			for _, s := range c.stopped(t, a) {
				if hex.EncodeToString(s.GetTraceId()) == clientTrace && s.GetName() == "GET /v1/session" {
					n++
				} else if tt.sample < 1 && hex.EncodeToString(s.GetTraceId()) != clientTrace {
					t.Errorf("got %v, want %v", s, clientTrace)
				}
			}
			if n != tt.want {
				t.Errorf("%d spans, want %d", n, tt.want)
			}
		})
	}
}

// TestCollectorInTrouble: requests do not notice it, Stop does not wait for it, and the log
// has one line.
func TestCollectorInTrouble(t *testing.T) {
	hold := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-hold
	}))
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("go away ", 10_000), http.StatusBadRequest)
	}))
	defer refuses.Close()
	defer hangs.Close()
	defer close(hold)
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, url := range map[string]string{"hangs": hangs.URL, "refuses": refuses.URL, "is away": closed.URL} {
		t.Run(name, func(t *testing.T) {
			var log lockedBuffer
			a := observed(t, func(o *app.Options) {
				o.Tracing.Endpoint, o.Logger = url, canary.Logger(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
			})
			g := testkit.NewGateway(t, a.URL(), "demo-alice")
			g.Get(t, "/v1/buddies")
			began := time.Now()
			for range 100 {
				g.Get(t, "/v1/session")
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("100 requests took %v, want at most %v", took, 5*time.Second)
			}
			began = time.Now()
			(&collector{}).stopped(t, a)
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("stop took %v, want at most %v", took, 8*time.Second)
			}
			if lines := strings.Split(strings.TrimSpace(log.String()), "\n"); len(lines) != 1 || len(lines[0]) > 1000 || !strings.Contains(lines[0], "collector rejects traces") {
				t.Errorf("%d lines in the log: %.2000s, want 1 and at most 1000 and %q in it", len(lines), log.String(), "collector rejects traces")
			}
		})
	}
}

// TestTraceAcrossNodes: a request that another node answers is one trace, from the client's
// through both nodes to the XMPP server. A stream has its accepts in it and no more.
func TestTraceAcrossNodes(t *testing.T) {
	c := newCollector(t)
	secret := strings.Repeat("between-nodes-", 3) + t.Name()
	node := func(name string) *app.App {
		return observed(t, func(o *app.Options) { o.Tracing.Endpoint, o.Node, o.Secret = c.url, name, secret })
	}
	owner, other := node("trace-owner"), node("trace-other")
	g := testkit.NewGateway(t, owner.URL(), "demo-alice")
	echo := g.Get(t, "/v1/buddies").List("items")[0].Str("jid")
	inTrace(t, other, "/v1/vcards/"+testkit.Escape(echo), "01")
	stream := testkit.NewGateway(t, other.URL(), "demo-alice").Stream(t, "")
	stream.ExpectType(t, "live")
	stream.Close()
	firstLine(t, other, "/v1/events", "text/event-stream")
	c.stopped(t, other)
	spans := c.stopped(t, owner)

	byID := map[string]*tracepb.Span{}
	for _, s := range spans {
		byID[string(s.GetSpanId())] = s
	}
	// path is the way from a span up to the client.
	path := func(s *tracepb.Span) string {
		names := s.GetName()
		for s = byID[string(s.GetParentSpanId())]; s != nil; s = byID[string(s.GetParentSpanId())] {
			names = s.GetName() + " > " + names
		}
		return names
	}
	var paths []string
	for _, s := range spans {
		if p := path(s); strings.Contains(p, " > ") && !strings.Contains(p, "redis") {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	want := []string{
		"GET /v1/events > forward", "GET /v1/events > forward > GET /v1/events",
		"GET /v1/events/ws > forward", "GET /v1/events/ws > forward > GET /v1/events/ws",
		"GET /v1/vcards/{jid} > forward", "GET /v1/vcards/{jid} > forward > GET /v1/vcards/{jid}",
		"GET /v1/vcards/{jid} > forward > GET /v1/vcards/{jid} > xmpp vcard",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("traces\n%s\nwant\n%s", strings.Join(paths, "\n"), strings.Join(want, "\n"))
	}
	for _, s := range named(spans, "xmpp vcard") {
		if hex.EncodeToString(s.GetTraceId()) != clientTrace {
			t.Errorf("not the client's trace, want %v", clientTrace)
		}
	}
}

// firstLine reads the beginning of a stream in the body of an answer.
func firstLine(t *testing.T, a *app.App, path, media string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL()+path, nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	req.Header.Set("Authorization", "Bearer demo-alice")
	req.Header.Set("Accept", media)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatalf("transport.RoundTrip: got error %v, want none", err)
	}
	defer res.Body.Close()
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %q %v, want no error and %d", path, res.StatusCode, line, err, http.StatusOK)
	}
}
