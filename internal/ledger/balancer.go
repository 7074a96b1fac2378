package ledger

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// balancer is a load balancer without any stickiness: each connection goes to a random node
// of those that were ready a moment ago, or to any when none was.
type balancer struct {
	addr  string
	nodes []*node
	ready []atomic.Bool
	wg    sync.WaitGroup
}

// probeEvery is how often the balancer asks the nodes.
const probeEvery = 300 * time.Millisecond

// newBalancer starts a balancer that ends with the test.
func newBalancer(t testkit.TB, nodes []*node) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	b := &balancer{addr: l.Addr().String(), nodes: nodes, ready: make([]atomic.Bool, len(nodes))}
	ctx, cancel := context.WithCancel(context.Background())
	for i := range nodes {
		b.wg.Go(func() { b.probe(ctx, i) })
	}
	b.wg.Go(func() { b.accept(ctx, l) })
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		b.wg.Wait()
	})
	return b
}

func (b *balancer) probe(ctx context.Context, i int) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		b.ready[i].Store(b.nodes[i].ready(ctx) == nil)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (b *balancer) accept(ctx context.Context, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		b.wg.Go(func() { b.serve(ctx, c) })
	}
}

func (b *balancer) serve(ctx context.Context, c net.Conn) {
	defer c.Close()
	up := b.dial(ctx)
	if up == nil {
		return
	}
	defer up.Close()
	defer context.AfterFunc(ctx, func() { _, _ = c.Close(), up.Close() })()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(up, c)
		_ = up.Close() // a client that goes takes its connection with it
	}()
	_, _ = io.Copy(c, up)
	_ = c.Close()
	<-done
}

// dial tries the nodes in a random order, those that are ready first.
func (b *balancer) dial(ctx context.Context) net.Conn {
	order := rand.Perm(len(b.nodes))
	for _, wanted := range []bool{true, false} {
		for _, i := range order {
			if b.ready[i].Load() != wanted {
				continue
			}
			d := net.Dialer{Timeout: 2 * time.Second}
			if c, err := d.DialContext(ctx, "tcp", b.nodes[i].front.Addr); err == nil {
				return c
			}
		}
	}
	return nil
}
