package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

// stuckProxy are the goroutines of toxiproxy that nobody can end: when a link is cut while
// its source goes on (limit_data, or a client that hangs up), nothing reads the channel
// between its stages any more, and the link is not in the proxy's list by then. They hold
// nothing but a chunk of bytes; both connections are closed.
var stuckProxy = []goleak.Option{
	goleak.IgnoreTopFunction("github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe"),
	goleak.IgnoreTopFunction("github.com/Shopify/toxiproxy/v2/stream.(*ChanWriter).Write"),
}

// Proxy is a TCP proxy that can fail on demand.
type Proxy struct {
	Addr string // host:port to connect to

	proxy *toxiproxy.Proxy
}

// NewProxy starts a proxy to the address. It ends with the test.
func NewProxy(t TB, upstream string) *Proxy {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some of its toxics talk past the logger below
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p := toxiproxy.NewProxy(api, t.Name(), "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		t.Fatalf("testkit: proxy: %v", err)
	}
	t.Cleanup(p.Stop)
	return &Proxy{Addr: p.Listen, proxy: p}
}

// Down cuts every connection and takes no new ones until Up.
func (p *Proxy) Down() { p.proxy.Stop() }

// Up takes connections again, on the same address.
func (p *Proxy) Up(t TB) {
	t.Helper()
	if err := p.proxy.Start(); err != nil {
		t.Fatalf("testkit: proxy: %v", err)
	}
}

// Cut cuts every connection; new ones are taken at once.
func (p *Proxy) Cut(t TB) {
	t.Helper()
	p.Down()
	p.Up(t)
}

// Toxic adds a fault by its name in toxiproxy's documentation, such as "timeout" (a
// half-open link), "latency", "bandwidth", "reset_peer", "slicer" or "limit_data", in the
// direction "upstream" (from the client) or "downstream". The result takes it out again.
func (p *Proxy) Toxic(t TB, kind, direction string, attributes map[string]any) (remove func()) {
	t.Helper()
	name := kind + "-" + direction
	text, err := json.Marshal(map[string]any{
		"name": name, "type": kind, "stream": direction, "toxicity": 1.0, "attributes": attributes,
	})
	if err != nil {
		t.Fatalf("testkit: toxic: %v", err)
	}
	if _, err := p.proxy.Toxics.AddToxicJson(bytes.NewReader(text)); err != nil {
		t.Fatalf("testkit: toxic %s: %v", name, err)
	}
	return func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.proxy.Toxics.RemoveToxic(ctx, name); err != nil {
			t.Fatalf("testkit: toxic %s: %v", name, err)
		}
	}
}
