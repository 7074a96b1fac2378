package api_test

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// BenchmarkHop is what it costs that another node has the session, beside the same thing
// asked of that node itself: one call of each in turn. ratio is hop over direct.
func BenchmarkHop(b *testing.B) {
	b.Run("presence", func(b *testing.B) {
		n := newNodes(b)
		n.b.up.Edit(func(d *fakexmpp.Data) {
			d.Roster = nil
			for i := range 50 {
				d.Roster = append(d.Roster, perch.Buddy{JID: perch.JID(fmt.Sprintf("buddy%d@example.net", i)), Subscription: perch.SubscriptionBoth})
			}
		})
		conn := n.openAtB("tok-alice")
		for i := range 50 {
			conn.Deliver(&perch.PresenceIn{From: perch.JID(fmt.Sprintf("buddy%d@example.net/phone", i)), Available: true, Status: "here"})
		}
		call := func(g *gateway) func() {
			r := g.request(b.Context(), "GET", "/v1/presence", "tok-alice", nil)
			return func() {
				res, err := g.client.Do(r)
				if err != nil {
					b.Fatalf("g.client.Do: got error %v, want none", err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode != 200 {
					b.Fatalf("got %s, want 200", res.Status)
				}
			}
		}
		compare(b, call(n.b), call(n.a))
	})
	b.Run("event", func(b *testing.B) {
		n := newNodes(b)
		count := 0
		each := func(g *gateway, token string) func() {
			conn := n.openAtB(token)
			n.b.waitLogged(token, conn)
			r := g.raw(token)
			return func() {
				count++
				say(conn, fmt.Sprint("m", count))
				if err := r.skipText(); err != nil {
					b.Fatalf("r.skipText: got error %v, want none", err)
				}
			}
		}
		compare(b, each(n.b, "tok-near"), each(n.a, "tok-far"))
	})
}

// BenchmarkRelayedSocket is the memory of an idle WebSocket at the node of its session, and of
// one that another node relays to it: heap and stacks of both nodes and the client together, so
// that the difference (B/relay) is what the relaying node holds.
func BenchmarkRelayedSocket(b *testing.B) {
	const sockets = 500
	n := newNodes(b, func(o *gatewayOptions) { o.StreamsPerToken = 2*sockets + 1 })
	conn := n.openAtB("tok-alice")
	n.b.waitLogged("tok-alice", conn)
	each := func(g *gateway) float64 {
		before := inUse()
		for range sockets {
			g.raw("tok-alice")
		}
		return (inUse() - before) / sockets
	}
	direct, hop := each(n.b), each(n.a)
	b.ReportMetric(direct, "B/direct")
	b.ReportMetric(hop, "B/hop")
	b.ReportMetric(hop-direct, "B/relay")
}

// inUse is the memory of the process after a collection: heap and stacks.
func inUse() float64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// compare times two things in turn.
func compare(b *testing.B, direct, hop func()) {
	direct()
	hop()
	var near, far time.Duration
	for b.Loop() {
		began := time.Now()
		direct()
		between := time.Now()
		hop()
		near, far = near+between.Sub(began), far+time.Since(between)
	}
	b.ReportMetric(float64(near.Nanoseconds())/float64(b.N), "ns/direct")
	b.ReportMetric(float64(far.Nanoseconds())/float64(b.N), "ns/hop")
	b.ReportMetric(float64(far)/float64(near), "ratio")
}
