//go:build linux && !perch_blocking_reads

package readiness_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch/xmppconn/internal/readiness"
)

// parkedConn is a reader as connections have them: it reads until it is quiet, then parks.
type parkedConn struct {
	p    *readiness.Poller
	conn *net.TCPConn
	wg   sync.WaitGroup
	read atomic.Int64
	busy atomic.Int32 // readers that are in run

	mu     sync.Mutex
	ticket readiness.Ticket
	closed bool
	twice  bool
}

func (c *parkedConn) Readable() { go c.run() }

func (c *parkedConn) run() {
	defer c.wg.Done()
	if c.busy.Add(1) != 1 {
		c.mu.Lock()
		c.twice = true
		c.mu.Unlock()
	}
	for {
		_ = c.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		n, err := c.conn.Read(make([]byte, 1+rand.IntN(3)))
		c.read.Add(int64(n))
		if err == nil {
			continue
		}
		c.busy.Add(-1)
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.park() {
			return
		}
		c.busy.Add(1)
	}
}

// park reports whether the goroutine is to end.
func (c *parkedConn) park() bool {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return true
	}
	c.wg.Add(1)
	t := c.p.Register(c.conn, c)
	c.ticket = t
	c.mu.Unlock()
	if c.p.Arm(t, c.conn) == nil || !c.p.Cancel(t) {
		return true
	}
	c.wg.Done()
	return false
}

// close ends the connection from another goroutine.
func (c *parkedConn) close() {
	c.mu.Lock()
	c.closed = true
	t := c.ticket
	c.mu.Unlock()
	c.conn.Close()
	if c.p.Cancel(t) {
		c.wg.Done()
	}
}

// TestManyConnections: with traffic, parking and closing at random, every byte is read by one reader,
// and none is left.
func TestManyConnections(t *testing.T) {
	const conns, rounds = 60, 25
	var p readiness.Poller
	var all sync.WaitGroup
	for i := range conns {
		ours, theirs := pair(t)
		c := &parkedConn{p: &p, conn: ours}
		c.wg.Add(1)
		go c.run()
		all.Go(func() {
			sent := int64(0)
			for range rounds {
				n, _ := theirs.Write(make([]byte, 1+rand.IntN(8)))
				sent += int64(n)
				<-time.After(time.Duration(rand.IntN(3000)) * time.Microsecond)
			}
			if i%2 == 0 { // the others are closed with bytes under way
				for end := time.Now().Add(10 * time.Second); c.read.Load() < sent && time.Now().Before(end); {
					<-time.After(time.Millisecond)
				}
				if got := c.read.Load(); got != sent {
					t.Errorf("connection %d: read %d bytes, want %d", i, got, sent)
				}
			}
			c.close()
			c.wg.Wait()
			if c.twice {
				t.Errorf("connection %d: got two readers at once, want one", i)
			}
		})
	}
	all.Wait()
	if n := p.Parked(); n != 0 {
		t.Errorf("got %d parked at the end, want 0", n)
	}
}
