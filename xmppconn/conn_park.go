package xmppconn

import (
	"net"
	"time"

	"github.com/perch-im/perch/xmppconn/internal/readiness"
	"github.com/perch-im/perch/xmppconn/internal/tlsbuffer"
)

// A connection on which nothing has arrived for a while has no reader goroutine: its reader is
// parked, and a new one is started by what arrives. Package readiness says why nothing is missed.

// poller is what watches the sockets of parked readers: a readiness.Poller.
type poller interface {
	Register(conn net.Conn, r readiness.Reader) readiness.Ticket
	Arm(t readiness.Ticket, conn net.Conn) error
	Cancel(t readiness.Ticket) bool
}

// defaultParkAfter is longer than what comes in bursts, and than most answers take.
const defaultParkAfter = 5 * time.Second

// parkAfter is Options.ParkAfter with its default; 0: readers are never parked.
func parkAfter(d time.Duration) time.Duration {
	switch {
	case !readiness.Supported || d < 0:
		return 0
	case d == 0:
		return defaultParkAfter
	}
	return d
}

// awaitSilence lets the read that follows fail when the connection is silent for parkAfter, of which
// some may have passed. Only the reader calls it.
func (c *Conn) awaitSilence(passed time.Duration) {
	if after := c.d.parkAfter; after > 0 && !c.unparkable {
		_ = c.raw.SetReadDeadline(time.Now().Add(after - passed))
	}
}

// mayBeSilent reports whether a read that was cut short may mean that nothing is wrong. Else the
// connection ends: the deadline is that of finish or writeFailed.
func (c *Conn) mayBeSilent() bool {
	c.mu.Lock()
	defer c.unlock()
	return c.d.parkAfter > 0 && c.err == nil && c.writeErr == nil
}

// onSilence parks the reader, and reports whether the caller, which is the reader, is to end. The read
// before has returned nothing but its deadline: no buffer below holds anything that can be read.
func (c *Conn) onSilence() bool {
	silent := c.d.now() - time.Duration(c.lastRead.Load())
	switch {
	case !c.fr.Idle():
		c.awaitSilence(0)
		return false
	case silent < c.d.parkAfter:
		c.awaitSilence(silent)
		return false
	}
	tlsbuffer.Trim(c.nc, 0)
	_ = c.raw.SetReadDeadline(time.Time{})
	return c.park()
}

// park gives the reader to the poller. False: it goes on.
func (c *Conn) park() bool {
	t := c.registerParked()
	if t == 0 {
		c.unparkable = true
		return false
	}
	c.d.counters.Parks.Add(1)
	if c.d.poller.Arm(t, c.raw) == nil || !c.d.poller.Cancel(t) {
		return true // the reader belongs to the poller, or to who has ended the connection
	}
	c.unparkable = true
	c.wg.Done() // for the next reader, which is this one
	return false
}

// registerParked makes c the poller's, unless the connection ends: then who ends it would not know of the ticket.
func (c *Conn) registerParked() readiness.Ticket {
	c.mu.Lock()
	defer c.unlock()
	if c.err != nil || c.writeErr != nil {
		return 0
	}
	t := c.d.poller.Register(c.raw, (*parkedReader)(c))
	if t != 0 {
		c.parked = t
		c.wg.Add(1) // for the next reader
	}
	return t
}

// parkedReader is what the poller calls.
type parkedReader Conn

// Readable implements readiness.Reader.
func (r *parkedReader) Readable() { go (*Conn)(r).resumeReading() }

// resumeReading is the goroutine of a reader that was parked.
func (c *Conn) resumeReading() {
	defer c.wg.Done()
	defer c.recoverPanic("reader")
	c.readFrames()
}

// unpark takes a parked reader from the poller, and reports whether there was one: the caller then
// starts it or does without it.
func (c *Conn) unpark() bool {
	c.mu.Lock()
	t := c.parked
	c.mu.Unlock()
	return c.d.poller.Cancel(t)
}
