package api_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// faultyObserver panics once, in the goroutine of a stream that writes events.
type faultyObserver struct{ panics atomic.Bool }

func (*faultyObserver) Request(string, string, int, time.Duration) {}
func (*faultyObserver) Forwarded(string)                           {}
func (*faultyObserver) Upload(string, int64)                       {}
func (*faultyObserver) Tool(string, bool)                          {}
func (o *faultyObserver) Queue(int) {
	if o.panics.CompareAndSwap(true, false) {
		panic("a fault of ours")
	}
}

// TestPanicOfASocket: a fault of ours ends one socket, with an error and the code 4100, and neither
// its session nor the process; the client connects again.
func TestPanicOfASocket(t *testing.T) {
	faulty := &faultyObserver{}
	g := newGateway(t, func(o *gatewayOptions) { o.Observer = faulty })
	conn := g.open(token)
	first := g.dial(token)
	faulty.panics.Store(true)
	say(conn, "1")
	if e, err := first.next(); err != nil || e.Type != "error" {
		t.Errorf("next of the socket that panics: got %+v, error %v; want an error frame", e, err)
	}
	if e, err := first.next(); websocket.CloseStatus(err) != 4100 {
		t.Errorf("next after the error frame: got %+v, error %v; want the close code 4100", e, err)
	}
	g.waitForStreams(token, 0)
	second := g.dial(token)
	say(conn, "2")
	for {
		e, err := second.next()
		if err != nil {
			t.Fatalf("next of another socket: got error %v, want the message", err)
		}
		if e.Type == "message.received" {
			break
		}
	}
}
