package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"runtime"
	"syscall"
	"testing"
)

// idleCost is what a process spends on open streams in which nothing happens.
type idleCost struct {
	heap, stack float64 // bytes
	goroutines  float64
}

// costNow collects garbage first, and often enough for stacks to have shrunk to what is used.
func costNow() idleCost {
	for range 4 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return idleCost{float64(m.HeapAlloc), float64(m.StackInuse), float64(runtime.NumGoroutine())}
}

// idleRequests are handshakes of each kind of stream, and the text that ends its preamble.
var idleRequests = map[string]string{
	"ws":     rawHandshake,
	"sse":    "GET /v1/events HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n%s\r\n",
	"ndjson": "GET /v1/events HTTP/1.1\r\nHost: %s\r\nAccept: application/x-ndjson\r\n%s\r\n",
}

// openIdle opens a stream and leaves nothing of it on the heap of the client: what remains is a
// descriptor.
func (g *gateway) openIdle(encoding string) (fd int) {
	g.t.Helper()
	c, err := net.Dial("tcp", g.srv.Listener.Addr().String())
	if err != nil {
		g.t.Fatalf("net.Dial: got error %v, want none", err)
	}
	defer c.Close()
	fmt.Fprintf(c, idleRequests[encoding], g.srv.Listener.Addr(), "Authorization: Bearer tok-alice\r\n")
	r := bufio.NewReader(c)
	for line := []byte{}; !bytes.Contains(line, []byte(`"type":"live"`)); {
		if line, err = r.ReadBytes('}'); err != nil {
			g.t.Fatalf("%s: got error %v, want live", encoding, err)
		}
	}
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		g.t.Fatalf("SyscallConn: got error %v, want none", err)
	}
	var dupErr error
	if err := raw.Control(func(p uintptr) { fd, dupErr = syscall.Dup(int(p)) }); err != nil || dupErr != nil {
		g.t.Fatalf("Dup: got errors %v and %v, want none", err, dupErr)
	}
	return fd
}

// idleStreams opens n streams of one session and returns what each of them costs the server.
func idleStreams(tb testing.TB, encoding string, n int) idleCost {
	g := newGateway(tb, func(o *gatewayOptions) { o.StreamsPerToken = n + 10 })
	g.open("tok-alice")
	fds := make([]int, 0, n+10)
	tb.Cleanup(func() {
		for _, fd := range fds {
			_ = syscall.Close(fd)
		}
	})
	for range 10 { // whatever is made once is made now
		fds = append(fds, g.openIdle(encoding))
	}
	before := costNow()
	for range n {
		fds = append(fds, g.openIdle(encoding))
	}
	after := costNow()
	k := float64(n)
	return idleCost{(after.heap - before.heap) / k, (after.stack - before.stack) / k, (after.goroutines - before.goroutines) / k}
}

// BenchmarkIdleStreams reports what an idle stream costs the server beyond its session: bytes of
// heap and stack, and goroutines.
func BenchmarkIdleStreams(b *testing.B) {
	for _, encoding := range []string{"ws", "sse", "ndjson"} {
		b.Run(encoding, func(b *testing.B) {
			var c idleCost
			for b.Loop() {
				c = idleStreams(b, encoding, 1000)
			}
			b.ReportMetric(c.heap, "heap-B/stream")
			b.ReportMetric(c.stack, "stack-B/stream")
			b.ReportMetric(c.goroutines, "goroutines/stream")
			b.ReportMetric(0, "ns/op")
		})
	}
}
