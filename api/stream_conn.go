package api

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// frameConn bounds every write, and closes without a reset.
//
// A client that has stopped reading can only get 4103 after the frame that is partly written. So
// the send buffer of the kernel is kept small at first, which also bounds what a thousand stuck
// clients cost; when the time of a write is over it is enlarged, once. Then the frame, the error
// and the close frame fit in, and wait there until the client reads again, instead of an end in
// the middle of a frame (1006).
type frameConn struct {
	net.Conn
	limit     time.Duration
	tcp       writeBuffer // nil where there is none
	growTimer *time.Timer // of TLS: a write of it that has failed cannot go on
	stuck     atomic.Bool // the buffer had to be enlarged
}

// Buffer sizes in bytes, as asked for: the kernel may give more, or less. And the time that a
// stuck write has to finish in the enlarged buffer.
const (
	socketBuffer = 64 << 10
	stuckBuffer  = 1 << 20
	stuckTime    = 2 * time.Second
)

// writeBuffer is a TCP connection, as it is or counted by a [Listener].
type writeBuffer interface{ SetWriteBuffer(bytes int) error }

func newFrameConn(c net.Conn, limit time.Duration) *frameConn {
	f := &frameConn{Conn: c, limit: limit}
	if f.tcp, _ = plain(c).(writeBuffer); f.tcp != nil && f.tcp.SetWriteBuffer(socketBuffer) != nil {
		f.tcp = nil
	}
	return f
}

// plain is the connection below TLS, or c itself.
func plain(c net.Conn) net.Conn {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return c
}

// Write implements net.Conn.
func (c *frameConn) Write(p []byte) (int, error) {
	switch {
	case c.tcp == nil || c.stuck.Load():
		return c.writeWithin(p, c.limit)
	case c.tls():
		if c.growTimer == nil {
			c.growTimer = time.AfterFunc(c.limit, c.enlarge)
		} else {
			c.growTimer.Reset(c.limit)
		}
		defer c.growTimer.Stop()
		return c.writeWithin(p, c.limit+stuckTime)
	}
	n, err := c.writeWithin(p, c.limit)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	c.enlarge()
	more, err := c.writeWithin(p[n:], stuckTime)
	return n + more, err
}

func (c *frameConn) tls() bool {
	_, ok := c.Conn.(interface{ NetConn() net.Conn })
	return ok
}

func (c *frameConn) enlarge() {
	c.stuck.Store(true)
	_ = c.tcp.SetWriteBuffer(stuckBuffer) // fails when the connection is closed: nothing to do
}

func (c *frameConn) writeWithin(p []byte, limit time.Duration) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(limit)) // fails with the write itself
	return c.Conn.Write(p)
}

// abort closes the TCP connection. A read or write that is under way fails.
func (c *frameConn) abort() { _ = plain(c.Conn).Close() }

// How long, and for how many bytes, Close waits for the peer to close first.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// Close sends everything and waits up to a second for the peer to close: closing a socket that
// has unread bytes makes the kernel reset it, and a reset can overtake the close frame, so that
// the peer would see 1006.
func (c *frameConn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
