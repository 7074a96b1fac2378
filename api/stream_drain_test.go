package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

func refuseLogin(context.Context, sessions.DialRequest) (perch.Login, error) {
	return perch.Login{}, &perch.Error{Kind: perch.KindUpstreamTLS, Detail: "the certificate is not valid", Err: errors.New("test")}
}

// TestDrain ends 1,000 sockets: each hears reconnect, then 4200, never 1006, and all are
// gone in time.
func TestDrain(t *testing.T) {
	const sockets = 1000
	g := newGateway(t, func(o *gatewayOptions) { o.StreamsPerToken = sockets + 10 })
	g.open("tok-alice")
	var opened, closed sync.WaitGroup
	var good atomic.Int32
	var mu sync.Mutex
	after := map[int]bool{}
	opened.Add(sockets)
	// Handshakes that wait for each other on a busy machine run into the listener's time limit.
	slots := make(chan struct{}, 32)
	for range sockets {
		closed.Go(func() {
			slots <- struct{}{}
			f := g.dialQuietly()
			<-slots
			opened.Done()
			if f == nil {
				return
			}
			defer f.cancel()
			e, err := f.next()
			if err != nil || e.Type != "reconnect" {
				t.Errorf("%s, %v; want reconnect", e.Type, err)
				return
			}
			var data struct {
				AfterMS int    `json:"after_ms"`
				Reason  string `json:"reason"`
			}
			e.into(t, &data)
			mu.Lock()
			after[data.AfterMS/100] = true
			mu.Unlock()
			_, err = f.next()
			if code := websocket.CloseStatus(err); code != 4200 || data.Reason != "draining" {
				t.Errorf("closed with %v, reason %q, want 4200 draining", err, data.Reason)
				return
			}
			good.Add(1)
		})
	}
	opened.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	began := time.Now()
	g.api.Drain(ctx)
	if ctx.Err() != nil {
		t.Errorf("the drain needed %v, want 20 s at most", time.Since(began))
	}
	closed.Wait()
	if good.Load() != sockets || len(after) < 20 {
		t.Errorf("%d of %d sockets ended well; moments in %d tenths of a second, want all, spread over at least 20", good.Load(), sockets, len(after))
	}
}

func (g *gateway) dialQuietly() *socketFeed {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	ws, _, err := websocket.Dial(ctx, g.wsURL(""), &websocket.DialOptions{HTTPClient: g.client, HTTPHeader: header("Authorization", "Bearer tok-alice")})
	if err != nil {
		cancel()
		g.t.Errorf("websocket.Dial: got error %v, want none", err)
		return nil
	}
	f := &socketFeed{g.t, ctx, ws, cancel, sentCommands{}}
	for {
		e, err := f.next()
		if err != nil {
			cancel()
			g.t.Errorf("f.next: got error %v, want none", err)
			return nil
		}
		if e.Type == "live" {
			return f
		}
	}
}

// TestDrainOfEveryEncoding: line streams end after reconnect, polls answer at once, and
// nothing new begins.
func TestDrainOfEveryEncoding(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	tip := g.waitLogged("tok-alice", conn)
	var wg sync.WaitGroup
	for _, encoding := range encodings {
		f := g.stream(encoding, "tok-alice", "")
		upTo(t, f, "live")
		wg.Go(func() {
			defer f.close()
			upTo(t, f, "reconnect")
			if e, err := f.next(); err == nil {
				t.Errorf("%s: %s after reconnect, want the end", encoding, e.Type)
			}
		})
	}
	polling := make(chan struct{})
	wg.Go(func() {
		close(polling)
		began := time.Now()
		p := g.poll("tok-alice", since(tip)+"&wait=60")
		if len(p.Events) != 0 || p.Next != tip || p.Reset != nil || time.Since(began) > 20*time.Second {
			t.Errorf("poll: got %+v after %v, want no event and the same cursor, at once", p, time.Since(began))
		}
	})
	<-polling
	g.waitForStreams("tok-alice", 4)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	g.api.Drain(ctx)
	g.api.Drain(ctx) // a second time does nothing, and returns
	wg.Wait()
	for _, accept := range []string{"application/json", "text/event-stream"} {
		res, _ := g.get("/v1/events", "tok-alice", http.Header{"Accept": {accept}})
		if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s while draining: %d, want 503 with Retry-After", accept, res.StatusCode)
		}
	}
	if r := g.try("", header("Authorization", "Bearer tok-alice")); r.status != 503 {
		t.Errorf("socket while draining: %+v, want 503", r)
	}
}

// waitForStreams waits until the session shows n open streams.
func (g *gateway) waitForStreams(token string, n int) {
	g.t.Helper()
	s, err := g.manager.Authenticate(context.Background(), perch.NewSecret(token))
	if err != nil {
		g.t.Fatalf("g.manager.Authenticate: got error %v, want none", err)
	}
	for range 10_000 {
		if s.Info().Streams == n {
			return
		}
		g.get("/v1/session", token, nil) // gives the others time without a clock
	}
	g.t.Fatalf("%d streams, want %d", s.Info().Streams, n)
}

// TestDrainClosesStuckStreams: a client that answers nothing does not hold the drain up.
func TestDrainClosesStuckStreams(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	r := g.raw("tok-alice") // reads no further
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	g.api.Drain(ctx)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the drain took %v, want at most 3 s", took)
	}
	seen := ""
	for {
		op, payload, err := r.read()
		if err != nil {
			break
		}
		seen += fmt.Sprintf("%x:%d ", op, len(payload))
	}
	if seen == "" {
		t.Error("got no frame, want reconnect")
	}
}
