package api_test

import (
	"sync/atomic"
	"testing"
	"time"
)

// faultyObserver panics in the goroutine of a stream that writes events, when it is told to.
type faultyObserver struct{ panics atomic.Bool }

func (*faultyObserver) Request(string, string, int, time.Duration) {}
func (*faultyObserver) Forwarded(string)                           {}
func (o *faultyObserver) Queue(int) {
	if o.panics.CompareAndSwap(true, false) {
		panic("a fault of ours")
	}
}

// TestPanicOfASocket: a fault of ours ends one socket, without a word, and neither its session nor
// the process; the client connects again.
func TestPanicOfASocket(t *testing.T) {
	faulty := &faultyObserver{}
	g := newGateway(t, func(o *gatewayOptions) { o.Observer = faulty })
	conn := g.open(token)
	first := g.dial(token)
	faulty.panics.Store(true)
	say(conn, "1")
	if e, err := first.next(); err == nil {
		t.Errorf("next of the socket that panics: got %+v, want it cut", e)
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
