package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// durableStore is memory that outlives the nodes which share it.
type durableStore struct{ sessions.Store }

func (durableStore) Durable() bool { return true }

// nodes are two gateways over one store. They reach each other by wires, which a test can
// cut.
type nodes struct {
	a, b   *gateway
	toA    *wire
	toB    *wire
	la, lb *ledger
}

func newNodes(t testing.TB, edit ...func(*gatewayOptions)) *nodes {
	t.Helper()
	store := durableStore{cache.NewMemory(cache.MemoryOptions{})}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := store.Close(ctx); err != nil {
			t.Errorf("store.Close: got error %v, want none", err)
		}
	})
	up := fakexmpp.New()
	n := &nodes{toA: newWire(t), toB: newWire(t), la: &ledger{}, lb: &ledger{}}
	n.a = newGateway(t, append([]func(*gatewayOptions){node("a", store, up, n.toA, n.la)}, edit...)...)
	n.b = newGateway(t, append([]func(*gatewayOptions){node("b", store, up, n.toB, n.lb)}, edit...)...)
	n.toA.leadTo(n.a.srv.Listener.Addr().String())
	n.toB.leadTo(n.b.srv.Listener.Addr().String())
	return n
}

func node(name string, store sessions.Store, up *fakexmpp.Server, w *wire, l *ledger) func(*gatewayOptions) {
	return func(o *gatewayOptions) {
		o.node, o.store, o.up, o.Observer = name, store, up, l
		if _, bench := w.t.(*testing.B); !bench {
			o.at = "http://" + w.addr() // a benchmark measures no wire
		}
	}
}

// openAtB signs a token in at b.
func (n *nodes) openAtB(token string) *fakexmpp.Conn {
	c := n.b.open(token)
	n.b.get("/v1/session", token, nil)
	return c
}

// handOver lets b give up the session of a token, as when it drains.
func (n *nodes) handOver(t testing.TB, token string) {
	t.Helper()
	n.b.manager.Drain()
	s := n.b.manager.Live(t.Context(), perch.NewSecret(token))
	if s == nil || !s.HandOver() {
		t.Fatal("HandOver: got false, want the session handed off")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for n.b.manager.Live(t.Context(), perch.NewSecret(token)) != nil {
		if ctx.Err() != nil {
			t.Fatal("HandOver: got the session still here, want it handed off in 10 s")
		}
		runtime.Gosched()
	}
}

// expireLease ends the lease of b at once, and waits until a has noticed and may take the
// sessions of b over.
func (n *nodes) expireLease(t testing.TB) {
	t.Helper()
	if err := n.b.store.Leave(t.Context(), n.b.manager.Self().ID); err != nil {
		t.Fatalf("n.b.store.Leave: got error %v, want none", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for alive := 2; alive > 1; alive, _ = n.a.manager.Nodes() {
		if ctx.Err() != nil {
			t.Fatal("a does not hear that b is dead, want it in 10 s")
		}
		runtime.Gosched()
	}
}

// wire is a TCP relay between two nodes.
type wire struct {
	t testing.TB
	l net.Listener

	mu     sync.Mutex
	to     string
	cutAll bool
	conns  map[net.Conn]bool // both ends
	most   int               // bytes that pass towards the client before all is held; -1: no such limit
	held   chan struct{}     // closed when most is reached
	free   chan struct{}     // closed by cut
	wg     sync.WaitGroup
}

func newWire(t testing.TB) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	w := &wire{t: t, l: l, conns: map[net.Conn]bool{}, most: -1, held: make(chan struct{}), free: make(chan struct{})}
	w.wg.Go(w.accept)
	t.Cleanup(func() {
		w.cut()
		w.wg.Wait()
	})
	return w
}

func (w *wire) addr() string { return w.l.Addr().String() }

func (w *wire) leadTo(addr string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = addr
}

// cut is what kill -9 looks like from outside: every connection is gone, and the
// listener too.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cutAll {
		return
	}
	w.cutAll = true
	close(w.free)
	_ = w.l.Close()
	for c := range w.conns {
		_ = c.Close()
	}
}

// holdAfter lets so many more bytes pass towards the client, and then nothing.
func (w *wire) holdAfter(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most = n
	if n == 0 {
		close(w.held)
	}
}

func (w *wire) accept() {
	for {
		c, err := w.l.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		to := w.to
		w.mu.Unlock()
		d, err := net.Dial("tcp", to)
		if err != nil || !w.add(c, d) {
			_ = c.Close()
			continue
		}
		w.wg.Go(func() {
			var there sync.WaitGroup
			there.Go(func() { w.copy(d, c, false) })
			w.copy(c, d, true)
			there.Wait()
			w.forget(c, d)
		})
	}
}

func (w *wire) add(c, d net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cutAll {
		return errors.Is(d.Close(), net.ErrClosed)
	}
	w.conns[c], w.conns[d] = true, true
	return true
}

func (w *wire) forget(ends ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range ends {
		_ = c.Close()
		delete(w.conns, c)
	}
}

func (w *wire) copy(dst, src net.Conn, back bool) {
	buf := make([]byte, 32<<10)
	for {
		k, err := src.Read(buf)
		last := false
		if back {
			k, last = w.allowed(k)
		}
		_, werr := dst.Write(buf[:k])
		if last {
			close(w.held) // not before they are written: a test may cut the wire then
		}
		switch {
		case errors.Is(err, io.EOF) && werr == nil:
			_ = dst.(*net.TCPConn).CloseWrite() // the other direction goes on, as it does without a wire
			return
		case err != nil || werr != nil:
			_ = src.Close()
			_ = dst.Close()
			return
		}
	}
}

// allowed returns how many of k bytes pass, and whether they are the last. It waits when none do.
func (w *wire) allowed(k int) (n int, last bool) {
	w.mu.Lock()
	if w.most < 0 {
		w.mu.Unlock()
		return k, false
	}
	if k = min(k, w.most); k > 0 {
		w.most -= k
		last = w.most == 0
		w.mu.Unlock()
		return k, last
	}
	w.mu.Unlock()
	<-w.free
	return 0, false
}

// status makes a request with a body in chunks.
func (g *gateway) status(method, path, token, body string) (int, http.Header) {
	g.t.Helper()
	r := g.request(g.t.Context(), method, path, token, http.Header{"Content-Type": {"application/json"}})
	setBody(r, body)
	r.ContentLength = -1
	res, err := g.client.Do(r)
	if err != nil {
		g.t.Fatalf("g.client.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		g.t.Fatalf("io.Copy: got error %v, want none", err)
	}
	return res.StatusCode, res.Header
}

// setBody gives a request a body of known length.
func setBody(r *http.Request, body string) {
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	r.Body, _ = r.GetBody()
	r.ContentLength = int64(len(body))
}

// idOf is the id of the session of a token.
func (g *gateway) idOf(t testing.TB, token string) sessions.ID {
	t.Helper()
	s := g.manager.Live(t.Context(), perch.NewSecret(token))
	if s == nil {
		t.Fatal("Live: got no session, want one on this node")
	}
	return s.ID()
}
