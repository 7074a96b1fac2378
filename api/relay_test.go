package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// shown is what a client sees of frames, without what is of one connection.
func shown(all []envelope) (list []string) {
	for _, e := range all {
		data := changing.ReplaceAllString(string(e.Data), "*")
		if e.Type == "hello" {
			data = ""
		}
		list = append(list, fmt.Sprint(e.ID, " ", e.Type, " ", data))
	}
	return list
}

// TestSameEventsThroughAHop, and a cursor of one node is good at the other.
func TestSameEventsThroughAHop(t *testing.T) {
	for _, encoding := range encodings {
		t.Run(encoding, func(t *testing.T) {
			n := newNodes(t)
			conn := n.openAtB("tok-alice")
			n.b.waitLogged("tok-alice", conn)
			near, far := n.b.stream(encoding, "tok-alice", ""), n.a.stream(encoding, "tok-alice", "")
			defer near.close()
			defer far.close()
			want, got := upTo(t, near, "live"), upTo(t, far, "live")
			for i := range 20 {
				say(conn, fmt.Sprint("m", i))
			}
			want, got = append(want, until(t, near, "m19")...), append(got, until(t, far, "m19")...)
			if diff := cmp.Diff(shown(want), shown(got)); diff != "" {
				t.Errorf("events, -want (direct) +got (forwarded), were:\n%s", diff)
			}
			n.b.waitForStreams("tok-alice", 2) // that of waitLogged may still be ending
			if s := n.a.api.Streams()[encoding]; s != 1 {
				t.Errorf("a counts %d streams, want 1", s)
			}
			ids := durable(got)
			for i, g := range []*gateway{n.a, n.b, n.a} {
				from := len(ids) - 5*(i+1)
				f := g.stream(encoding, "tok-alice", since(ids[from]))
				if diff := cmp.Diff(ids[from+1:], durable(upTo(t, f, "live"))); diff != "" {
					t.Errorf("resumed from %s: %s, want what follows", ids[from], diff)
				}
				f.close()
			}
			if n.a.manager.Len() != 0 {
				t.Error("got a has the session, want it at b")
			}
		})
	}
}

// until reads up to the message with this id.
func until(t testing.TB, f feed, id string) (all []envelope) {
	t.Helper()
	for {
		e, err := f.next()
		if err != nil {
			t.Fatalf("waiting for %s: %v, want it", id, err)
		}
		if all = append(all, e); e.Type == "message.received" && strings.Contains(string(e.Data), `"id":"`+id+`"`) {
			return all
		}
	}
}

// TestPollThroughAHop waits, answers, and resets.
func TestPollThroughAHop(t *testing.T) {
	n := newNodes(t)
	conn := n.openAtB("tok-alice")
	tip := n.b.waitLogged("tok-alice", conn)
	if p := n.a.poll("tok-alice", ""); p.Reset == nil || p.Next != tip {
		t.Errorf("poll: got %+v, want a reset, and the tip", p)
	}
	got := make(chan pollAnswer, 1)
	go func() { got <- n.a.poll("tok-alice", since(tip)+"&wait=60") }()
	n.b.waitForStreams("tok-alice", 1)
	say(conn, "m1")
	if p := <-got; len(p.Events) != 1 || p.Reset != nil {
		t.Errorf("poll: got %+v, want one event and no reset", p)
	}
	for i := 0; n.a.api.Streams()["poll"] != 0; i++ { // the answer is there before the handler has ended
		if i == 10_000 {
			t.Fatalf("%d polls are still open, want none", n.a.api.Streams()["poll"])
		}
		n.a.get("/v1/session", "tok-alice", nil) // gives the others time without a clock
	}
}

// TestCommandsThroughAHop: a socket is as good as at the owner, in both directions.
func TestCommandsThroughAHop(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	f := n.a.dial("tok-alice")
	for i := range 50 {
		id := fmt.Sprint("c", i)
		body := strings.Repeat("ä", 50*i)
		e := f.answerTo(`{"id":"` + id + `","type":"message.send","data":{"to":"bob@example.net","body":"x` + body + `"}}`)
		if e.Type != "reply" || e.Ref != id || e.Status != 202 {
			t.Fatalf("got %+v, want a reply with 202", e)
		}
	}
	if e := f.answerTo(`{"id":"x","type":"subscribe","data":{"types":["presence"]}}`); e.Status != 200 {
		t.Errorf("got %+v, want a reply with 200", e)
	}
	f.close()
	n.b.waitForStreams("tok-alice", 0)
	if r := n.a.try("types=nonsense", header("Origin", n.a.srv.URL), "perch.v1", bearer("tok-alice")); r.code != 4000 || r.problem != "validation" {
		t.Errorf("a refusal that only a page sees: %+v, want 4000 validation", r)
	}
	if r := n.a.try("", header("Origin", "https://evil.example"), "perch.v1", bearer("tok-alice")); r.code != 4003 {
		t.Errorf("a foreign page: %+v, want 4003", r)
	}
}

// TestQuotaThroughAHop counts a stream once, at the owner.
func TestQuotaThroughAHop(t *testing.T) {
	n := newNodes(t, func(o *gatewayOptions) { o.StreamsPerToken = map[string]int{"a": 1, "b": 3}[o.node] })
	n.openAtB("tok-alice")
	for _, g := range []*gateway{n.a, n.a, n.b} {
		f := g.stream("ndjson", "tok-alice", "")
		defer f.close()
		upTo(t, f, "live")
	}
	for _, g := range []*gateway{n.a, n.b} {
		if r := g.try("", header("Authorization", "Bearer tok-alice")); r.status != 429 {
			t.Errorf("one more: %+v, want 429", r)
		}
	}
}

// toTheEnd reads a stream to its end: all frames, and the close code of a socket (-1: none)
// or whether lines ended well.
func toTheEnd(f feed) (all []envelope, code websocket.StatusCode, clean bool) {
	for {
		e, err := f.next()
		if err != nil {
			return all, websocket.CloseStatus(err), errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
		}
		all = append(all, e)
	}
}

// endOf is toTheEnd for the last frame.
func endOf(f feed) (last envelope, code websocket.StatusCode, clean bool) {
	all, code, clean := toTheEnd(f)
	if len(all) > 0 {
		last = all[len(all)-1]
	}
	return last, code, clean
}

// TestOwnerIsKilled: a client learns that the session has moved, and resumes where it is
// then.
func TestOwnerIsKilled(t *testing.T) {
	for _, encoding := range encodings {
		t.Run(encoding, func(t *testing.T) {
			n := newNodes(t)
			conn := n.openAtB("tok-alice")
			f := n.a.stream(encoding, "tok-alice", "")
			defer f.close()
			upTo(t, f, "live")
			say(conn, "m1")
			until(t, f, "m1")
			n.toB.cut()
			_, code, clean := endOf(f)
			if encoding == "ws" && code != 4201 || encoding != "ws" && !clean {
				t.Errorf("closed with %d, clean %v, want 4201, or a clean end of lines", code, clean)
			}
		})
	}
}

// TestOwnerIsKilledInAFrame: then no frame of this node fits in, and none is made up.
func TestOwnerIsKilledInAFrame(t *testing.T) {
	for _, encoding := range encodings {
		t.Run(encoding, func(t *testing.T) {
			n := newNodes(t)
			conn := n.openAtB("tok-alice")
			f := n.a.stream(encoding, "tok-alice", "")
			defer f.close()
			upTo(t, f, "live")
			n.toB.holdAfter(100)
			say(conn, "m1")
			<-n.toB.held
			n.toB.cut()
			if e, code, clean := endOf(f); code != -1 || clean || e.Type != "" {
				t.Errorf("got %+v, closed with %d, clean %v, want an end in the middle of a frame", e, code, clean)
			}
		})
	}
}

// TestOwnerIsSilent: one that is stopped, or whose machine has lost its power, is given up;
// one whose session has no events is not.
func TestOwnerIsSilent(t *testing.T) {
	n := newNodes(t, func(o *gatewayOptions) { o.Heartbeat, o.PingTimeout = 300*time.Millisecond, time.Second })
	n.openAtB("tok-alice")
	var wg, quiet sync.WaitGroup
	for _, encoding := range encodings {
		f := n.a.stream(encoding, "tok-alice", "")
		upTo(t, f, "live")
		quiet.Add(1)
		wg.Go(func() {
			defer f.close()
			for range 7 { // longer than the silence that is allowed
				if e, err := f.next(); err != nil || e.Type != "heartbeat" {
					t.Errorf("got %s: %+v, %v, want heartbeat", encoding, e, err)
				}
			}
			quiet.Done()
			if _, code, clean := endOf(f); encoding == "ws" && code != 4201 || encoding != "ws" && !clean {
				t.Errorf("%s: closed with %d, clean %v, want 4201, or a clean end of lines", encoding, code, clean)
			}
		})
	}
	quiet.Wait()
	n.toB.holdAfter(0)
	wg.Wait()
}

// TestDrainOfARelay: the client of a node that stops gets reconnect, though another node has
// the session, which does not notice.
func TestDrainOfARelay(t *testing.T) {
	n := newNodes(t)
	conn := n.openAtB("tok-alice")
	tip := n.b.waitLogged("tok-alice", conn)
	var wg sync.WaitGroup
	for _, encoding := range encodings {
		f := n.a.stream(encoding, "tok-alice", "")
		upTo(t, f, "live")
		wg.Go(func() {
			defer f.close()
			last, code, clean := endOf(f)
			var data struct{ Reason string }
			if last.Type != "reconnect" || json.Unmarshal(last.Data, &data) != nil || data.Reason != "draining" {
				t.Errorf("got %s: %+v, want reconnect, draining", encoding, last)
			}
			if encoding == "ws" && code != 4200 || encoding != "ws" && !clean {
				t.Errorf("%s: closed with %d, clean %v, want 4200, or a clean end of lines", encoding, code, clean)
			}
		})
	}
	wg.Go(func() {
		if p := n.a.poll("tok-alice", since(tip)+"&wait=60"); len(p.Events) != 0 || p.Next != tip || p.Reset != nil {
			t.Errorf("poll: got %+v, want no event and the same cursor", p)
		}
	})
	n.b.waitForStreams("tok-alice", 4)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n.a.api.Drain(ctx)
	if ctx.Err() != nil {
		t.Error("drain: got the drain took too long, want its end in 10 s")
	}
	wg.Wait()
	for name, streams := range n.a.api.Streams() {
		if streams != 0 {
			t.Errorf("%d %s streams are left, want none", streams, name)
		}
	}
	for _, accept := range []string{"application/json", "text/event-stream"} {
		res, _ := n.a.get("/v1/events", "tok-alice", http.Header{"Accept": {accept}})
		if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s while draining: %d, want 503 with Retry-After", accept, res.StatusCode)
		}
	}
	if r := n.a.try("", header("Authorization", "Bearer tok-alice")); r.status != 503 {
		t.Errorf("socket while draining: %+v, want 503", r)
	}
	if res, _ := n.a.get("/v1/buddies", "tok-alice", nil); res.StatusCode != 200 {
		t.Errorf("a request while draining: %s, want 200", res.Status)
	}
	n.b.waitForStreams("tok-alice", 0)
}

// TestDrainOfAStuckRelay: neither a client that answers nothing nor an owner that says
// nothing holds the drain up.
func TestDrainOfAStuckRelay(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	r := n.a.raw("tok-alice") // reads no further
	f := n.a.stream("sse", "tok-alice", "")
	defer f.close()
	upTo(t, f, "live")
	n.toB.holdAfter(0)
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	n.a.api.Drain(ctx)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the drain took %v, want at most 3 s", took)
	}
	if _, code := r.rest(); code != 4200 {
		t.Errorf("closed with %d, want 4200", code)
	}
}

// TestDrainOfTheOwner: its clients are closed when their session is ready for the next
// node, those of other nodes among them, and find it there.
func TestDrainOfTheOwner(t *testing.T) {
	n := newNodes(t)
	conn := n.openAtB("tok-alice")
	n.b.waitLogged("tok-alice", conn)
	type client struct {
		f        feed
		encoding string
	}
	var clients []client
	for _, g := range []*gateway{n.a, n.b, n.b} {
		for _, encoding := range encodings {
			f := g.stream(encoding, "tok-alice", "")
			upTo(t, f, "live")
			clients = append(clients, client{f, encoding})
		}
	}
	say(conn, "m1")
	var wg sync.WaitGroup
	var mu sync.Mutex
	var cursors []string
	moments := map[string]bool{}
	for _, c := range clients {
		wg.Go(func() {
			defer c.f.close()
			all, code, clean := toTheEnd(c.f)
			if c.encoding == "ws" && code != 4200 || c.encoding != "ws" && !clean {
				t.Errorf("%s: closed with %d, clean %v, want 4200, or a clean end of lines", c.encoding, code, clean)
			}
			at := slices.IndexFunc(all, func(e envelope) bool { return e.Type == "reconnect" })
			ids := durable(all)
			if at < 0 || len(ids) == 0 {
				t.Errorf("%s: %v, want a reconnect and durable events", c.encoding, typesIn(all))
				return
			}
			mu.Lock()
			defer mu.Unlock()
			cursors = append(cursors, ids[len(ids)-1])
			moments[string(all[at].Data)] = true
		})
	}
	n.b.manager.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n.b.api.Drain(ctx)
	if ctx.Err() != nil {
		t.Error("drain: got the drain took too long, want its end in 10 s")
	}
	wg.Wait()
	if len(moments) != 1 || len(cursors) != len(clients) {
		t.Fatalf("the streams of one session have several moments: %v, or no cursor: %v, want one moment, and a cursor of each", moments, cursors)
	}
	if n.b.manager.Len() != 0 {
		t.Errorf("b has %d sessions when its streams have ended, want none", n.b.manager.Len())
	}
	f := n.a.stream("ws", "tok-alice", since(cursors[0]))
	defer f.close()
	all := upTo(t, f, "live")
	var hello helloFrame
	if all[0].into(t, &hello); !hello.Resumed || n.a.manager.Len() != 1 {
		t.Errorf("got %+v; a has %d sessions, want it resumed, with one session", all[0], n.a.manager.Len())
	}
	slices.Sort(cursors)
	if len(slices.Compact(cursors)) != 1 {
		t.Errorf("the clients have come to different places: %v, want one place", cursors)
	}
}

// TestSessionMoves while no node stops: 4201, at the owner and through a hop.
func TestSessionMoves(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	var feeds []feed
	for _, g := range []*gateway{n.a, n.b} {
		f := g.stream("ws", "tok-alice", "")
		defer f.close()
		upTo(t, f, "live")
		feeds = append(feeds, f)
	}
	n.handOver(t, "tok-alice")
	for _, f := range feeds {
		if last, code, _ := endOf(f); code != 4201 {
			t.Errorf("got %+v, closed with %d, want 4201", last, code)
		}
	}
}
