package api

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// wsConn is one WebSocket as a stream uses it.
type wsConn struct {
	ws      *websocket.Conn
	net     *frameConn
	writing atomic.Bool // an event is being written, bounded by Options.FrameTime
}

// event writes one event as one text frame.
//
// The context has no deadline on purpose: an ended one would drop the connection without
// a close code. frameConn bounds the write.
func (c *wsConn) event(ev *perch.Event) error {
	c.writing.Store(true)
	defer c.writing.Store(false)
	if err := c.ws.Write(context.Background(), websocket.MessageText, ev.Wire); err != nil {
		return err
	}
	if c.net.stuck.Load() {
		return cutError{sessions.ErrSlow}
	}
	return nil
}

func (c *wsConn) flush() error { return nil } // every frame is sent when it is whole

// closeWith writes a last frame, closes with the code of e, and waits a few seconds for the
// client's close frame. The reader must still be reading, or never have begun.
func (c *wsConn) closeWith(last *perch.Event, e ending) {
	if last != nil && c.ws.Write(context.Background(), websocket.MessageText, last.Wire) != nil {
		c.abort()
		return
	}
	if e.code < closeProtocol || c.net.stuck.Load() {
		// RFC 6455, 7.1.7: a connection that has failed is not read any further. And a stuck
		// client answers no close frame soon: what was written waits in the kernel.
		_ = c.net.SetReadDeadline(time.Unix(1, 0))
	}
	_ = c.ws.Close(e.code, e.reason()) // the client may have left: nothing more to do
}

// abort closes the TCP connection. A read or write that is under way fails.
func (c *wsConn) abort() {
	_ = c.net.Conn.Close()
	_ = c.ws.CloseNow()
}

// upgrader gives websocket.Accept a connection with a deadline on every write.
type upgrader struct {
	http.ResponseWriter
	frameTime time.Duration
	conn      *frameConn
}

// Hijack implements http.Hijacker for websocket.Accept.
func (u *upgrader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.conn = newFrameConn(c, u.frameTime)
	rw.Writer.Reset(u.conn)
	return u.conn, rw, nil
}

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
	growTimer *time.Timer
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
	raw := c
	if t, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		raw = t.NetConn()
	}
	if f.tcp, _ = raw.(writeBuffer); f.tcp == nil || f.tcp.SetWriteBuffer(socketBuffer) != nil {
		f.tcp = nil
		return f
	}
	f.growTimer = time.AfterFunc(time.Hour, func() {
		f.stuck.Store(true)
		_ = f.tcp.SetWriteBuffer(stuckBuffer) // fails when the connection is closed: nothing to do
	})
	f.growTimer.Stop()
	return f
}

func (c *frameConn) Write(p []byte) (int, error) {
	limit := c.limit
	if c.growTimer != nil && !c.stuck.Load() {
		c.growTimer.Reset(limit)
		defer c.growTimer.Stop()
		limit += stuckTime
	}
	_ = c.Conn.SetWriteDeadline(time.Now().Add(limit)) // fails with the write itself
	return c.Conn.Write(p)
}

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
		_ = c.Conn.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
