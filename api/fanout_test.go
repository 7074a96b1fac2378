package api_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// fanOut is a gateway with sockets that only count frames. each delivers one message and
// waits until every socket has it; end closes them.
func fanOut(tb testing.TB, sockets int) (each, end func()) {
	g := newGateway(tb, func(o *gatewayOptions) { o.StreamsPerToken = sockets })
	conn := g.open("tok-alice")
	var got atomic.Int64
	arrived := make(chan struct{}, 1)
	var wg sync.WaitGroup
	var clients []*rawConn
	for range sockets {
		r := g.raw("tok-alice")
		clients = append(clients, r)
		wg.Go(func() {
			for r.skipText() == nil {
				if got.Add(1)%int64(sockets) == 0 {
					arrived <- struct{}{}
				}
			}
		})
	}
	n := 0
	each = func() {
		n++
		say(conn, fmt.Sprint("m", n))
		<-arrived
	}
	each() // whatever is made once is made now
	return each, func() {
		for _, r := range clients {
			_ = r.conn.Close()
		}
		wg.Wait()
	}
}

// allocated is what the whole process has allocated.
func allocated() (count, bytes float64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Mallocs), float64(m.TotalAlloc)
}

// BenchmarkFanOut delivers one message to 1,000 sockets. The event is encoded once:
// allocs/socket counts everything that the process allocates for one event on one socket;
// the client's side, which is in it, allocates nothing.
func BenchmarkFanOut(b *testing.B) {
	const sockets = 1000
	each, end := fanOut(b, sockets)
	defer end()
	count, bytes := allocated()
	n := 0.0
	for b.Loop() {
		each()
		n++
	}
	countAfter, bytesAfter := allocated()
	b.ReportMetric((countAfter-count)/n/sockets, "allocs/socket")
	b.ReportMetric((bytesAfter-bytes)/n/sockets, "B/socket")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n/sockets, "ns/socket")
}

// TestOneEncodingForAllSockets: what an event costs on one more socket is far less than
// its envelope.
func TestOneEncodingForAllSockets(t *testing.T) {
	const sockets, events = 200, 50
	each, end := fanOut(t, sockets)
	defer end()
	count, bytes := allocated()
	for range events {
		each()
	}
	countAfter, bytesAfter := allocated()
	perSocket, size := (countAfter-count)/events/sockets, (bytesAfter-bytes)/events/sockets
	if perSocket > 4 || size > 200 { // the race detector lets a pool lose one buffer of four
		t.Errorf("%.1f allocations and %.0f bytes for one event on one socket, want at most 4 and 200", perSocket, size)
	}
}

// skipText reads up to and including one text frame without looking into it.
func (r *rawConn) skipText() error {
	for {
		op, err := skipFrame(r.r)
		if err != nil || op == opText {
			return err
		}
		if op == opClose {
			return io.EOF
		}
	}
}

func skipFrame(r *bufio.Reader) (op byte, err error) {
	h, err := r.Peek(2)
	if err != nil {
		return 0, err
	}
	op = h[0] & 0xF
	n, skip := int(h[1]), 2
	if n == 126 {
		if h, err = r.Peek(4); err != nil {
			return 0, err
		}
		n, skip = int(binary.BigEndian.Uint16(h[2:])), 4
	}
	_, err = r.Discard(skip + n)
	return op, err
}
