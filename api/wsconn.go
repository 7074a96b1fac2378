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
)

// wsConn is one WebSocket as a stream uses it.
type wsConn struct {
	ws      *websocket.Conn
	net     net.Conn
	writing atomic.Bool // an event is on its way, bounded by frameTime
}

// event writes one event as one text frame.
//
// The context has no deadline on purpose: an ended one would drop the connection without
// a close code. frameConn bounds the write.
func (c *wsConn) event(ev *perch.Event) error {
	c.writing.Store(true)
	defer c.writing.Store(false)
	return c.ws.Write(context.Background(), websocket.MessageText, ev.Wire)
}

func (c *wsConn) flush() error { return nil } // every frame is sent when it is whole

// bye writes a last frame, closes with the code of e, and waits a few seconds for the
// answer of the client. The reader must still be reading, or never have begun.
func (c *wsConn) bye(last *perch.Event, e ending) {
	if last != nil && c.event(last) != nil {
		c.abort()
		return
	}
	_ = c.ws.Close(e.code, e.reason()) // the peer may be gone: there is nothing more to do for it
}

// abort drops the TCP connection. What is being read or written fails.
func (c *wsConn) abort() {
	_ = c.net.Close()
	_ = c.ws.CloseNow()
}

// upgrader hands a connection over with a deadline on every write.
type upgrader struct {
	http.ResponseWriter
	conn *frameConn
}

// Hijack implements http.Hijacker for websocket.Accept.
func (u *upgrader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.conn = &frameConn{c}
	rw.Writer.Reset(u.conn)
	return u.conn, rw, nil
}

// frameConn bounds every write by frameTime, and ends politely.
type frameConn struct{ net.Conn }

func (c *frameConn) Write(p []byte) (int, error) {
	_ = c.Conn.SetWriteDeadline(time.Now().Add(frameTime)) // fails with the write itself
	return c.Conn.Write(p)
}

// How long, and for how many bytes, a polite end waits for the peer to close first.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// Close sends everything and waits a moment for the peer's end before it closes: closing a socket that has unread bytes makes the kernel reset it, and a
// reset can overtake the close frame, so that the peer would see 1006.
func (c *frameConn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.Conn.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
