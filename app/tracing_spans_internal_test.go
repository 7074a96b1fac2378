package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/canary"
)

// recorded is tracing whose spans stay in this process.
func recorded(share float64) (*tracing, *tracetest.SpanRecorder) {
	r := tracetest.NewSpanRecorder()
	p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r), sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(share))))
	return &tracing{tracer: p.Tracer("test")}, r
}

func request(t *testing.T) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/vcards/bob%40example.net", nil)
}

// roundTrip is a way to another node that ends in the test.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTraceContinuesAtTheNextNode: the header that a node sends names its own span, and that of
// the request which came stays as it was.
func TestTraceContinuesAtTheNextNode(t *testing.T) {
	first, here := recorded(1)
	second, there := recorded(1)
	ctx, end := first.Begin(request(t))
	out := request(t).WithContext(ctx)
	out.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") // as the proxy copies it
	way := first.nodes(roundTrip(func(r *http.Request) (*http.Response, error) {
		_, end := second.Begin(r)
		end(api.Answer{Route: "/v1/vcards/{jid}", Method: "GET", Status: 200})
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}))
	res, err := way.RoundTrip(out)
	if err != nil {
		t.Fatalf("way.RoundTrip: got error %v, want none", err)
	}
	_ = res.Body.Close()
	end(api.Answer{Route: "/v1/vcards/{jid}", Method: "GET", Status: 200})
	forward, route, far := here.Ended()[0], here.Ended()[1], there.Ended()[0]
	if forward.Name() != "forward" || forward.Parent().SpanID() != route.SpanContext().SpanID() || far.Parent().SpanID() != forward.SpanContext().SpanID() ||
		far.SpanContext().TraceID() != route.SpanContext().TraceID() || !far.Parent().IsRemote() {
		t.Errorf("got %v\n%v\n%v\nwant one trace: the route, what it forwards, and the route of the other node", route, forward, far)
	}
	if got := out.Header.Get("Traceparent"); !strings.Contains(got, "0af7651916cd43dd8448eb211c80319c") {
		t.Errorf("the request was changed: %s, want %q in it", got, "0af7651916cd43dd8448eb211c80319c")
	}
	// A node that does not answer.
	res, err = first.nodes(roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("bob@example.net is away") })).RoundTrip(request(t))
	if err == nil {
		_ = res.Body.Close()
		t.Error("no error, want an error")
	}
	if s := fmt.Sprintf("%+v", tracetest.SpanStubFromReadOnlySpan(here.Ended()[2])); !strings.Contains(s, "link-lost") || strings.Contains(s, "bob@") {
		t.Errorf("got %v, want %q in it and no %q in it", s, "link-lost", "bob@")
	}
}

// TestNoChildSpans of a request that is not kept, or that has ended: a stream lasts for hours.
func TestNoChildSpans(t *testing.T) {
	for name, tt := range map[string]struct {
		share float64
		end   bool
		want  int
	}{"kept": {1, false, 3}, "not kept": {0, false, 0}, "accepted": {1, true, 1}} {
		t.Run(name, func(t *testing.T) {
			tr, r := recorded(tt.share)
			ctx, end := tr.Begin(request(t))
			if tt.end {
				end(api.Answer{Route: "/v1/events", Method: "GET", Status: 200})
			}
			for _, begin := range []func() func(error){
				func() func(error) { return tr.iqs("net")(ctx, "ping") }, func() func(error) { return tr.redis()(ctx, "log", 1) },
			} {
				if f := begin(); f != nil {
					f(nil)
				}
			}
			if !tt.end {
				end(api.Answer{})
			}
			if n := len(r.Ended()); n != tt.want {
				t.Errorf("%d spans, want %d: %v", n, tt.want, r.Ended())
			}
		})
	}
}

// TestSpansOfFailures say the kind of an error and never its text.
func TestSpansOfFailures(t *testing.T) {
	tr, r := recorded(1)
	tr.iqs("net")(t.Context(), "vcard")(perch.Wrap(perch.KindUpstreamTimeout, errors.New("bob@example.net"), "bob@example.net"))
	tr.redis()(t.Context(), "commit", 7)(errors.New("OOM perch:{bob@example.net}"))
	text := fmt.Sprintf("%+v", tracetest.SpanStubsFromReadOnlySpans(r.Ended()))
	for _, want := range []string{"upstream-timeout", "storage-unavailable", "db.operation.batch.size"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s, want %q in it", want, text, want)
		}
	}
	if strings.Contains(text, "bob@") || strings.Contains(text, "OOM") {
		t.Errorf("got %v, want no %q in it and no %q in it", text, "bob@", "OOM")
	}
}

// TestWithoutTracing no hook is there, so nothing is spent.
func TestWithoutTracing(t *testing.T) {
	var off *tracing
	if off.iqs("net") != nil || off.redis() != nil {
		t.Error("hooks without tracing, want nil")
	}
	a, err := New(Options{AdminListen: "off"})
	if err != nil {
		t.Fatalf("New: got error %v, want none", err)
	}
	if a.tracing != nil {
		t.Errorf("traces without an endpoint: got %v, want nil", a.tracing)
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Errorf("a.Stop: got error %v, want none", err)
	}
}

// deaf is a collector that takes nothing.
type deaf struct{ why string }

func (d deaf) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return errors.New(d.why) }
func (deaf) Shutdown(context.Context) error                               { return nil }

// TestOneWarningAMinute however many batches are lost, with their number.
func TestOneWarningAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := newExporter(deaf{strings.Repeat("no ", 1000)}, canary.Logger(slog.NewTextHandler(&log, nil)))
		for range 181 { // three minutes and a second
			if err := e.ExportSpans(t.Context(), make([]sdktrace.ReadOnlySpan, 2)); err != nil {
				t.Errorf("e.ExportSpans: got error %v, want none", err) // the SDK would write it to standard error
			}
			time.Sleep(time.Second)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 4 || !strings.Contains(lines[0], "lost=2 ") || !strings.Contains(lines[1], "lost=120 ") || len(log.String()) > 4*600 {
			t.Errorf("%d lines: %.1000s, want 4 and %q in it and %q in it and at most %v", len(lines), log.String(), "lost=2 ", "lost=120 ", 4*600)
		}
	})
}

func TestTracingSettings(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4318": "http://127.0.0.1:4318/v1/traces", "https://c.test/otlp/": "https://c.test/otlp/v1/traces",
		"http://c.test/v1/traces": "http://c.test/v1/traces", "127.0.0.1:4318": "", "grpc://c.test": "", "http://": "",
		"http://user:canary@c.test": "", "http://c.test?key=canary": "", "http://c.test#x": "", "::": "",
	} {
		err := Options{Listen: "127.0.0.1:0", Tracing: Tracing{Endpoint: endpoint, Sample: 1}}.validate()
		if (err == nil) != (want != "") || err == nil && tracesURL(endpoint) != want || err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %s, error %v; want %q, or an error that does not quote it", endpoint, tracesURL(endpoint), err, want)
		}
	}
	for _, share := range []float64{-0.1, 1.1} {
		if err := (Options{Listen: "127.0.0.1:0", Tracing: Tracing{Sample: share}}.validate()); err == nil {
			t.Errorf("a share of %v, want an error", share)
		}
	}
}
