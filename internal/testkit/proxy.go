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

// stuckProxy are the goroutines of toxiproxy that cannot be ended: when a link is cut while
// its source keeps sending (limit_data, or a client that hangs up), nothing reads the channel
// between its stages any more, and the link is not in the proxy's list by then. They hold
// nothing but a chunk of bytes; both connections are closed.
var stuckProxy = []goleak.Option{
	goleak.IgnoreTopFunction("github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe"),
	goleak.IgnoreTopFunction("github.com/Shopify/toxiproxy/v2/stream.(*ChanWriter).Write"),
	goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicCollection).RemoveToxic"), // see Proxy.remove
}

// Proxy is a TCP proxy that can fail on demand.
type Proxy struct {
	Addr string // host:port to connect to

	name, upstream string
	proxy          *toxiproxy.Proxy
}

// NewProxy starts a proxy to the address. It ends with the test.
func NewProxy(t TB, upstream string) *Proxy {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some of its toxics talk past the logger below
	p := &Proxy{Addr: "127.0.0.1:0", name: t.Name(), upstream: upstream}
	if err := p.start(); err != nil {
		t.Fatalf("testkit: proxy: %v", err)
	}
	t.Cleanup(func() { p.proxy.Stop() })
	return p
}

// start makes the proxy that is used from now on.
func (p *Proxy) start() error {
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p.proxy = toxiproxy.NewProxy(api, p.name, p.Addr, p.upstream)
	err := p.proxy.Start()
	p.Addr = p.proxy.Listen
	return err
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
	of := p.proxy
	if _, err := of.Toxics.AddToxicJson(bytes.NewReader(text)); err != nil {
		t.Fatalf("testkit: toxic %s: %v", name, err)
	}
	return func() {
		t.Helper()
		if of == p.proxy { // else it went with the proxy that was given up
			p.remove(t, name)
		}
	}
}

// remove takes a toxic out. Now and then toxiproxy waits for ever for one of the links that
// stuckProxy is about, and takes no connection meanwhile: then another proxy takes its place
// at the same address, and the connections that were there are cut.
func (p *Proxy) remove(t TB, toxic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	old, removed := p.proxy, make(chan error, 1)
	go func() { removed <- old.Toxics.RemoveToxic(ctx, toxic) }()
	select {
	case err := <-removed:
		if err != nil {
			t.Fatalf("testkit: toxic %s: %v", toxic, err)
		}
		return
	case <-ctx.Done():
	}
	stopped := make(chan struct{})
	go func() {
		old.Stop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(time.Second):
	}
	Eventually(t, 20*time.Second, p.start)
}
