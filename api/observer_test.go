package api_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger records the calls of an Observer.
type ledger struct {
	mu       sync.Mutex
	requests []string
	frames   int

	forwarded []string
	uploads   []string
	tools     []string
}

func (l *ledger) Request(route, method string, status int, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := fmt.Sprintf("%s %q %d", method, route, status)
	if took < 0 || took > time.Minute {
		line += " took " + took.String()
	}
	l.requests = append(l.requests, line)
}

func (l *ledger) Queue(frames int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames += frames
}

func (l *ledger) Forwarded(result string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forwarded = append(l.forwarded, result)
}

func (l *ledger) Upload(result string, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.uploads = append(l.uploads, fmt.Sprintf("%s %d", result, bytes))
}

func (l *ledger) Tool(name string, failed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tools = append(l.tools, fmt.Sprintf("%s %v", name, failed))
}

func (l *ledger) text() (requests string, frames int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.requests, "\n"), l.frames
}

func TestObserverSeesRequests(t *testing.T) {
	l := &ledger{}
	f := newGateway(t, func(o *gatewayOptions) { o.Observer = l })
	f.call("GET", "/v1/buddies", "")
	f.call("GET", "/v1/buddies/nobody%40example.net", "")
	f.call("BREW", "/v1/buddies", "")
	f.call("GET", "/v1/nothing/canary-path?q=canary-query", "")
	f.do("GET", "/v1/events/ws", "")
	f.call("GET", "/v1/events?types=canary-type", "")
	f.call("GET", "/v1/events", "") // a poll is a stream, and is not timed
	want := []string{
		`GET "/v1/buddies" 200`, `GET "/v1/buddies/{jid}" 404`, `other "" 405`, `GET "" 404`,
		`GET "/v1/events/ws" 426`, `GET "/v1/events" 422`,
	}
	f.eventually("the requests are counted", func() bool {
		got, _ := l.text()
		return got == strings.Join(want, "\n")
	})
	if got, _ := l.text(); strings.Contains(got, "canary") {
		t.Errorf("a client's own words: %s, want none of them", got)
	}
}

func TestStreamsAreCountedByTransport(t *testing.T) {
	l := &ledger{}
	g := newGateway(t, func(o *gatewayOptions) { o.Observer = l })
	conn := g.open(token)
	open := func() string {
		n := g.api.Streams()
		return fmt.Sprint(n["ws"], n["sse"], n["ndjson"], n["poll"], len(n))
	}
	if got := open(); got != "0 0 0 0 4" {
		t.Errorf("open streams: got %s, want 0 0 0 0 4", got)
	}
	feeds := []feed{}
	for _, encoding := range []string{"ws", "sse", "ndjson"} {
		s := g.stream(encoding, token, "")
		upTo(t, s, "live")
		feeds = append(feeds, s)
	}
	if got := open(); got != "1 1 1 0 4" {
		t.Errorf("open streams: got %s, want 1 1 1 0 4", got)
	}
	say(conn, "m1")
	for _, s := range feeds {
		upTo(t, s, "message.received")
	}
	if _, frames := l.text(); frames < 3 {
		t.Errorf("%d frames were queued, want at least 3", frames)
	}
	for _, s := range feeds {
		s.close()
	}
	g.eventually("no stream is counted any more", func() bool { return open() == "0 0 0 0 4" })
}

func (l *ledger) results() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.forwarded)
}
