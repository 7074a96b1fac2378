package api_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
)

// pipes is a listener of connections in memory, for tests with a clock of their own.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, errors.New("the listener is closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inBubble runs a test with a gateway whose time passes at once.
func inBubble(t *testing.T, f func(t *testing.T, g *gateway), edit ...func(*gatewayOptions)) {
	synctest.Test(t, func(t *testing.T) {
		f(t, newGateway(t, append(edit, func(o *gatewayOptions) { o.pipes = newPipes() })...))
	})
}

// timed reads frames and when they came, in seconds after the stream was live.
func timed(t *testing.T, f feed, n int) string {
	t.Helper()
	began := time.Now()
	var got []string
	for range n {
		e, err := f.next()
		if err != nil {
			t.Fatalf("after %v: %v, want another frame", got, err)
		}
		got = append(got, fmt.Sprintf("%s@%v", e.Type, time.Since(began)))
	}
	return strings.Join(got, " ")
}

func TestHeartbeats(t *testing.T) {
	for _, encoding := range encodings {
		t.Run(encoding, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *gateway) {
				conn := g.open("tok-alice")
				f := g.stream(encoding, "tok-alice", "")
				defer f.close()
				upTo(t, f, "live")
				go func() {
					time.Sleep(60 * time.Second) // of the bubble: no time passes
					say(conn, "m1")
				}()
				want := "heartbeat@25s heartbeat@50s message.received@1m0s heartbeat@1m25s"
				if got := timed(t, f, 4); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			})
		})
	}
}

// TestHeartbeatTip is a cursor that moves with what was sent, and with what was filtered.
func TestHeartbeatTip(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		conn := g.open("tok-alice")
		f := g.stream("ndjson", "tok-alice", "types=roster.*")
		defer f.close()
		upTo(t, f, "live")
		for i := range 3 {
			say(conn, fmt.Sprint("m", i)) // not for this stream
		}
		e, err := f.next()
		if err != nil {
			t.Fatalf("f.next: got error %v, want none", err)
		}
		tip := g.poll("tok-alice", "").Next
		if e.Type != "heartbeat" || string(e.Data) != `{"tip":"`+tip+`"}` {
			t.Errorf("%s %s, want tip %s", e.Type, e.Data, tip)
		}
	})
}

func TestLongPollDuration(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		conn := g.open("tok-alice")
		tip := g.poll("tok-alice", "").Next
		began := time.Now()
		if p := g.poll("tok-alice", since(tip)+"&wait=60"); len(p.Events) != 0 || p.Next != tip || time.Since(began) != 60*time.Second {
			t.Errorf("poll: got %+v after %v, want no event, the same cursor, after a minute", p, time.Since(began))
		}
		go func() {
			time.Sleep(42 * time.Second)
			say(conn, "m1")
		}()
		began = time.Now()
		if p := g.poll("tok-alice", since(tip)+"&wait=60"); len(p.Events) != 1 || time.Since(began) != 42*time.Second {
			t.Errorf("poll: got %+v after %v, want one event after 42 s", p, time.Since(began))
		}
	})
}

// TestPingIsAnswered: a client that only answers pings stays for hours.
func TestPingIsAnswered(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		g.open("tok-alice")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		f := g.socket(ctx, cancel, "tok-alice", "", nil)
		defer f.close()
		upTo(t, f, "live")
		for range 140 {
			if e, err := f.next(); err != nil || e.Type != "heartbeat" {
				t.Fatalf("got %s, %v, want heartbeat", e.Type, err)
			}
		}
	})
}

// TestPingIsNotAnswered: error, then 4102, ten seconds after the ping.
func TestPingIsNotAnswered(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		g.open("tok-alice")
		r := g.raw("tok-alice")
		began := time.Now()
		var seen []string
		for {
			op, payload, err := r.read()
			if err != nil {
				t.Fatalf("after %v: %v, want all of them", seen, err)
			}
			at := time.Since(began)
			switch {
			case op == opPing:
				seen = append(seen, fmt.Sprint("ping@", at))
			case op == opText && strings.Contains(string(payload), `"code":4102`):
				seen = append(seen, fmt.Sprint("error@", at))
			case op == opClose:
				seen = append(seen, fmt.Sprintf("close %d@%v", int(payload[0])<<8|int(payload[1]), at))
				if got, want := strings.Join(seen, " "), "ping@25s error@35s close 4102@35s"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				return
			}
		}
	})
}

// TestStuckReader stops reading for a while: its queue overflows, and when it reads again it
// finds 4103, resumes, and nothing is lost.
func TestStuckReader(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		conn := g.open("tok-alice")
		f := g.stream("ws", "tok-alice", "").(*socketFeed)
		cursor := durableTip(t, upTo(t, f, "live"))
		for i := range 1000 {
			say(conn, fmt.Sprint("m", i))
		}
		synctest.Wait()
		all, code := closeCode(t, f)
		if code != 4103 || len(all) == 0 || len(all) > 300 || all[len(all)-1].Error == nil {
			t.Fatalf("got %d frames, closed with %d, want fewer than 300, an error at the end, and 4103", len(all), code)
		}
		ids := durable(all)
		if len(ids) > 0 {
			cursor = ids[len(ids)-1]
		}
		again := g.stream("ws", "tok-alice", since(cursor))
		defer again.close()
		for len(ids) < 1000 {
			e, err := again.next()
			if err != nil {
				t.Fatalf("again.next: got error %v, want none", err)
			}
			if e.Type == "message.received" {
				ids = append(ids, e.ID)
			}
		}
		wantConsecutive(t, ids)
	})
}

func durableTip(t *testing.T, all []envelope) string {
	t.Helper()
	var live struct{ Tip string }
	all[len(all)-1].into(t, &live)
	return live.Tip
}

func wantConsecutive(t *testing.T, ids []string) {
	t.Helper()
	for i := 1; i < len(ids); i++ {
		a, err1 := perch.ParsePosition(ids[i-1])
		b, err2 := perch.ParsePosition(ids[i])
		if err1 != nil || err2 != nil || a.Epoch != b.Epoch || b.Offset != a.Offset+1 {
			t.Fatalf("got %s after %s, want consecutive ids", ids[i], ids[i-1])
		}
	}
}

// TestStuckReaderIsDropped: a client that takes no frame for ten seconds is cut.
func TestStuckReaderIsDropped(t *testing.T) {
	for _, encoding := range encodings {
		t.Run(encoding, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *gateway) {
				conn := g.open("tok-alice")
				f := g.stream(encoding, "tok-alice", "")
				defer f.close()
				upTo(t, f, "live")
				for i := range 300 {
					say(conn, fmt.Sprint("m", i, strings.Repeat("x", 4000)))
				}
				time.Sleep(11 * time.Second)
				synctest.Wait()
				if n := g.streams("tok-alice"); n != 0 {
					t.Errorf("%d streams are open, want none", n)
				}
			})
		})
	}
}

// streams is how many streams the session has.
func (g *gateway) streams(token string) int {
	g.t.Helper()
	s, err := g.manager.Authenticate(context.Background(), perch.NewSecret(token))
	if err != nil {
		g.t.Fatalf("g.manager.Authenticate: got error %v, want none", err)
	}
	return s.Info().Streams
}

// TestDrainSpreadsCloses looks at the moments of a hundred streams.
func TestDrainSpreadsCloses(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		g.open("tok-alice")
		began := time.Now()
		var mu sync.Mutex
		var ends []time.Duration
		var wg sync.WaitGroup
		for range 100 {
			f := g.stream("ws", "tok-alice", "").(*socketFeed)
			upTo(t, f, "live")
			wg.Go(func() {
				_, code := closeCode(t, f)
				if code != 4200 {
					t.Errorf("closed with %d, want 4200", code)
				}
				f.cancel()
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, time.Since(began))
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		g.api.Drain(ctx)
		took := time.Since(began)
		wg.Wait()
		tenths := map[time.Duration]int{}
		for _, at := range ends {
			tenths[at/(50*time.Millisecond)]++
		}
		if took > time.Second || len(tenths) < 9 {
			t.Errorf("drain took %v, ended in %v, want a second at most, and all tenths of it", took, tenths)
		}
	}, func(o *gatewayOptions) { o.StreamsPerToken = 200 })
}

// TestTicketLife: thirty seconds.
func TestTicketLife(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		g.open("tok-alice")
		in, _ := g.ticket("tok-alice", "")
		late, _ := g.ticket("tok-alice", "")
		for range 18 {
			g.ticket("tok-alice", "")
		}
		time.Sleep(29 * time.Second)
		if r := g.try("ticket="+in.Ticket, nil); r.status != 101 {
			t.Errorf("after 29 s: %+v, want 101", r)
		}
		time.Sleep(time.Second)
		if r := g.try("ticket="+late.Ticket, nil); r.status != 401 {
			t.Errorf("after 30 s: %+v, want 401", r)
		}
		if _, status := g.ticket("tok-alice", ""); status != 201 {
			t.Errorf("expired tickets are in the way of new ones: %d, want 201", status)
		}
	})
}

// TestCommandBudgetIsRestored after a minute.
func TestCommandBudgetIsRestored(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		g.open("tok-alice")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		f := g.socket(ctx, cancel, "tok-alice", "", nil)
		defer f.close()
		for i := range 120 {
			if e := f.answerTo(`{"id":"p","type":"ping"}`); e.Type != "reply" {
				t.Fatalf("command %d: %+v, want a reply", i, e.Error)
			}
		}
		if e := f.answerTo(`{"id":"p","type":"ping"}`); e.Error == nil || e.Error.Code != "quota-exceeded" {
			t.Fatalf("command 121: %+v, want quota-exceeded", e)
		}
		for range 3 {
			upTo(t, f, "heartbeat") // 75 seconds
		}
		if e := f.answerTo(`{"id":"p","type":"ping"}`); e.Type != "reply" {
			t.Errorf("a minute later: %+v, want a reply", e.Error)
		}
	})
}
