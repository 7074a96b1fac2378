package api

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// TestDefaultsAreDocumented: what an option is that was left out.
func TestDefaultsAreDocumented(t *testing.T) {
	got, err := Options{Sessions: new(sessions.Manager)}.withDefaults()
	if err != nil {
		t.Fatalf("withDefaults: got error %v, want none", err)
	}
	want := Options{
		BodyBytes: 262_144, RequestTime: 30 * time.Second, StreamsPerToken: 20,
		RateLimits: RateLimits{TokenRate: Rate{100, 300}, IPRate: Rate{200, 600}, SignInRate: Rate{10.0 / 60, 10}, AccountRate: Rate{10.0 / 60, 20}},
		StreamLimits: StreamLimits{Heartbeat: 25 * time.Second, PingTimeout: 10 * time.Second, FrameTime: 10 * time.Second,
			QueueFrames: 256, QueueBytes: 1_048_576, FrameBytes: 65_536, CommandsPerMinute: 120, TicketLife: 30 * time.Second},
		Retention: sessions.Retention{Events: 10_000, Bytes: 8_388_608, Age: 24 * time.Hour},
	}
	limits := func(o Options) []any {
		return []any{o.BodyBytes, o.RequestTime, o.StreamsPerToken, o.TokenRate, o.IPRate, o.SignInRate, o.AccountRate, o.Heartbeat,
			o.PingTimeout, o.FrameTime, o.QueueFrames, o.QueueBytes, o.FrameBytes, o.CommandsPerMinute, o.TicketLife, o.Retention}
	}
	if diff := cmp.Diff(limits(want), limits(got)); diff != "" {
		t.Errorf("got other defaults (+), want those of the comments (-):\n%s", diff)
	}
}

// TestCountersEdge: a node keeps 50,000 counters of attempts; one more pushes an idle one out.
func TestCountersEdge(t *testing.T) {
	const most = 50_000
	l := newAttempts("test", Rate{PerSecond: 0.01, Burst: 5}, nil)
	for i := range most {
		l.try(fmt.Sprint(i))
		l.conclude(fmt.Sprint(i), false)
	}
	if n := l.counters.Len(); n != most {
		t.Fatalf("%d counters, want %d", n, most)
	}
	if a, _ := l.try("one more"); !a.OK || l.counters.Len() > most {
		t.Errorf("%d counters with one more, taken %v; want at most %d, and it taken", l.counters.Len(), a.OK, most)
	}
}

// TestRememberedTokensAndHopsEdge: 100,000 tokens that were accepted are remembered, each for an hour since
// it was last shown; of as many requests of other nodes each for the two minutes that it could
// be shown again. The oldest goes.
func TestRememberedTokensAndHopsEdge(t *testing.T) {
	const most = 100_000
	synctest.Test(t, func(t *testing.T) {
		a, o := newAcceptedTokens(), newReplayGuard()
		for i := range most + 1 {
			a.add(perch.NewSecret(fmt.Sprint(i)))
			o.first(fmt.Sprint(i))
		}
		for i, want := range map[int]bool{0: false, 1: true, most: true} {
			if got := a.has(perch.NewSecret(fmt.Sprint(i))); got != want {
				t.Errorf("token %d is remembered: got %v, want %v", i, got, want)
			}
		}
		if o.first("1") || !o.first("0") {
			t.Error("got the second request new, or the first one not, want the first one forgotten")
		}
		time.Sleep(2 * time.Minute)
		if o.first("2") {
			t.Error("got a request new after 2 minutes, want it refused")
		}
		time.Sleep(58*time.Minute - 1)
		if !a.has(perch.NewSecret("2")) {
			t.Error("got a token forgotten within the hour, want it remembered")
		}
		time.Sleep(time.Hour - 1)
		if !a.has(perch.NewSecret("2")) || a.has(perch.NewSecret("3")) {
			t.Error("got the token that was shown forgotten, or another one not, want an hour for each")
		}
	})
}

// TestBucketsEdge: 100,000 buckets are kept, each until it was unused for a minute.
func TestBucketsEdge(t *testing.T) {
	const most = 100_000
	l := newLimiter("test", Rate{PerSecond: 1, Burst: 1})
	now := time.Now()
	first := l.bucket("first", now)
	for i := range most - 1 {
		l.bucket(fmt.Sprint(i), now)
	}
	now = now.Add(time.Minute - 1)
	if l.bucket("first", now) != first {
		t.Fatal("got a new bucket with as many as may be, want the same")
	}
	if l.bucket("one more", now); l.bucket("first", now) != first || l.buckets.Len() != most {
		t.Errorf("got %d buckets and the one that is used lost, want %d with it", l.buckets.Len(), most)
	}
	if l.bucket("first", now.Add(time.Minute)) == first {
		t.Error("got the bucket that was unused for a minute, want a new one")
	}
}

// TestTicketsEdge: a node has 10,000 tickets out, 20 of one session.
func TestTicketsEdge(t *testing.T) {
	k := newTickets(time.Minute)
	for i := range 10_000 {
		if _, err := k.reserve(sessions.ID(fmt.Sprint(i/20)), fmt.Sprint(i)); err != nil {
			t.Fatalf("ticket %d: %v, want none", i, err)
		}
	}
	if _, err := k.reserve("another", "x"); perch.KindOf(err) != perch.KindQuotaExceeded {
		t.Errorf("one more: %v, want %s", err, perch.KindQuotaExceeded)
	}
}

// TestTicketsExpire: expired tickets count no more, neither for their session nor for the node,
// and none is counted twice.
func TestTicketsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTickets(30 * time.Second)
		reserve := func(id sessions.ID, hash int) bool {
			_, err := k.reserve(id, fmt.Sprint(hash))
			return err == nil
		}
		for round := range 3 {
			for i := range 20 {
				if !reserve("s", 100*round+i) {
					t.Fatalf("round %d: got ticket %d refused, want 20", round, i+1)
				}
			}
			if reserve("s", 100*round+20) {
				t.Fatalf("round %d: got one more, want 20", round)
			}
			time.Sleep(30*time.Second - time.Nanosecond)
			if reserve("s", 100*round+21) {
				t.Fatalf("round %d: got one more before any has expired, want 20", round)
			}
			time.Sleep(time.Nanosecond)
			k.release(fmt.Sprint(100*round + round))
		}
		for i := range 10_000 {
			if !reserve(sessions.ID(fmt.Sprint(i)), 1000+i) {
				t.Fatalf("got ticket %d refused, want 10,000", i+1)
			}
		}
		if got := k.count["s"]; got != 0 {
			t.Errorf("got %d counted for the session whose tickets have expired, want none", got)
		}
	})
}

// TestRefusalSocketsEdge: 256 sockets may be open only to be refused.
func TestRefusalSocketsEdge(t *testing.T) {
	s := newStreamRegistry(Options{})
	defer s.endDrain()
	for i := range 256 {
		if !s.acquireRefusal() {
			t.Fatalf("socket %d is not let in, want 256", i+1)
		}
	}
	if s.acquireRefusal() {
		t.Error("got one more socket, want it refused")
	}
	if s.releaseRefusal(); !s.acquireRefusal() {
		t.Error("got no socket after one was released, want one")
	}
}

// TestDrainEdge: a drain without a deadline cuts what is still there after 20 seconds.
func TestDrainEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &API{o: Options{Sessions: new(sessions.Manager)}, streams: newStreamRegistry(Options{StreamsPerToken: 1})}
		e, err := a.streams.openRelay("ws")
		if err != nil {
			t.Fatalf("a.streams.open: got error %v, want none", err)
		}
		go func() { <-a.streams.drainOver.Done(); a.streams.close(e) }()
		began := time.Now()
		if a.Drain(context.Background()); time.Since(began) != 20*time.Second {
			t.Errorf("took %v, want 20 s", time.Since(began))
		}
	})
}

// TestRelayCloseEdge: a peer has five seconds to close a stream that this node has ended.
func TestRelayCloseEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		rl := &relay{
			entry: &entry{closeAfter: make(chan time.Duration, 1)}, splice: newSplicer(&frameScanner{}, func([]byte) error { return nil }),
			frame: func([]byte, *perch.Event) []byte { return nil }, closeFrame: func(ending) []byte { return nil },
			cancel: cancel, maxSilence: time.Hour, stop: make(chan struct{}),
		}
		rl.wg.Go(rl.watch)
		rl.entry.closeAfter <- time.Second
		began := time.Now()
		if <-ctx.Done(); time.Since(began) != 6*time.Second {
			t.Errorf("ended after %v, want 5 s after its moment", time.Since(began))
		}
		close(rl.stop)
		rl.wg.Wait()
	})
}

// stuckConn is a connection whose peer neither takes nor closes anything, but sends.
type stuckConn struct {
	net.Conn
	mu      sync.Mutex
	buffers []int
	sends   int // bytes for each read; 0: none
	read    int
}

func (c *stuckConn) CloseWrite() error { return nil }
func (c *stuckConn) SetWriteBuffer(n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buffers = append(c.buffers, n)
	return nil
}
func (c *stuckConn) Read(p []byte) (int, error) {
	if c.sends == 0 {
		return c.Conn.Read(p)
	}
	n := min(c.sends, len(p))
	c.read += n
	return n, nil
}

// TestFrameConnEdges: a write that is stuck has its time, and then two seconds in a larger
// buffer. A polite end waits a second for the peer, and for a mebibyte of what it sends.
func TestFrameConnEdges(t *testing.T) {
	stuck := func(t *testing.T, sends int) (*stuckConn, *frameConn) {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { _ = theirs.Close() })
		c := &stuckConn{Conn: ours, sends: sends}
		return c, newFrameConn(c, 10*time.Second)
	}
	synctest.Test(t, func(t *testing.T) {
		c, f := stuck(t, 0)
		began := time.Now()
		if _, err := f.Write([]byte("x")); err == nil || time.Since(began) != 12*time.Second {
			t.Errorf("a stuck write: %v after %v, want an error after 12 s", err, time.Since(began))
		}
		c.mu.Lock()
		if want := []int{64 << 10, 1 << 20}; !slices.Equal(c.buffers, want) {
			t.Errorf("buffers of %v bytes, want %v", c.buffers, want)
		}
		c.mu.Unlock()
		began = time.Now()
		if _ = f.Close(); time.Since(began) != time.Second {
			t.Errorf("closing took %v, want 1 s", time.Since(began))
		}
		c, f = stuck(t, 1000)
		if _ = f.Close(); c.read < 1<<20 || c.read > 1<<20+32<<10 {
			t.Errorf("%d bytes were read before the end, want 1 MiB", c.read)
		}
	})
}

// TestHopEdges: another node has two seconds to take a connection, and five for TLS.
func TestHopEdges(t *testing.T) {
	o, err := Options{Sessions: new(sessions.Manager), Logger: canary.Logger()}.withDefaults()
	if err != nil {
		t.Fatalf("withDefaults: got error %v, want none", err)
	}
	h := newPeerTransport(o)
	defer h.transport.CloseIdleConnections()
	if got := h.transport.TLSHandshakeTimeout; got != 5*time.Second {
		t.Errorf("a TLS handshake has %v, want 5 s", got)
	}
	var left time.Duration
	h.dialer.ControlContext = func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		at, _ := ctx.Deadline()
		left = time.Until(at)
		return io.EOF
	}
	_, _ = h.transport.DialContext(context.Background(), "tcp", "127.0.0.1:1")
	if left <= time.Second || left > 2*time.Second {
		t.Errorf("a connection has %v, want 2 s", left)
	}
}
