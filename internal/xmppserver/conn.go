package xmppserver

import (
	"bytes"
	"crypto/tls"
	"encoding/xml"
	"log/slog"
	"net"
	"sync"
	"time"

	"mellium.im/xmpp/jid"
)

// closeWait is how long a client may take to close its side of an ended stream.
const closeWait = 2 * time.Second

// Conn is one connection. One goroutine reads it: first signIn, then serve on a fresh and therefore
// small stack. Writes go through a bounded queue, which a second goroutine empties while there is
// something in it: an idle connection has one goroutine.
//
// Send, End and Cut may be called by anybody; everything else by the Handler alone.
type Conn struct {
	srv     *Server
	handler Handler
	raw     net.Conn // for deadlines and for cutting, which must never wait
	log     *slog.Logger

	// Written by the reader before the client is known to others.
	conn    net.Conn     // what is written to: TLS once it is on
	in      *meter       // what is read from
	xml     *xml.Decoder // of the present stream, over in
	framed  bool         // a WebSocket: one element a message (RFC 7395)
	to      jid.JID      // the host of the last header
	from    jid.JID      // and whom it is from; the zero value: it does not say
	opened  bool         // our stream header has been sent and not been restarted since
	why     string       // the condition of the deadline that is armed
	closing func()       // the closing handshake of a WebSocket, which may wait; nil for a socket
	idle    bool         // the deadline has ended it

	mu      sync.Mutex
	queue   [][]byte
	queued  int  // bytes in queue
	writing bool // flush is running
	closed  bool // nothing is queued any more
	live    bool // bound: everything is written through the queue
	writers sync.WaitGroup
}

func newConn(s *Server, raw net.Conn) *Conn {
	return &Conn{srv: s, raw: raw, conn: raw, log: s.log}
}

// Handler is what the service does with this connection. Anybody may ask.
func (c *Conn) Handler() Handler { return c.handler }

// Addrs are both ends of the socket.
func (c *Conn) Addrs() (remote, local net.Addr) { return c.raw.RemoteAddr(), c.raw.LocalAddr() }

// TLS is the state of the stream's own TLS, for channel bindings; false on a WebSocket, whose TLS is
// not ours.
func (c *Conn) TLS() (tls.ConnectionState, bool) {
	t, ok := c.conn.(*tls.Conn)
	if !ok {
		return tls.ConnectionState{}, false
	}
	return t.ConnectionState(), true
}

// From is the address that the last stream header of the client has named as its own (RFC 6120, 4.7.1), or the
// zero value.
func (c *Conn) From() jid.JID { return c.from }

// Lost reports, in Handler.Leave, whether the connection broke or fell silent: neither side has ended the
// stream by an error or an end tag, so that stream management may continue it on another connection
// (XEP-0198, 5).
func (c *Conn) Lost() bool { return c.idle || c.in != nil && c.in.lost }

// Bound lets Send and End use the queue: from now on others write to this connection, too.
func (c *Conn) Bound() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live = true
}

// Send queues one whole element. It never waits: a client that does not read is cut. The caller must
// not change b afterwards.
func (c *Conn) Send(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if c.queued+len(b) > c.srv.o.QueueBytes {
		c.closed, c.queue = true, nil
		c.srv.stats.slow.Add(1)
		_ = c.raw.Close()
		return
	}
	c.enqueue(b)
}

// enqueue is called with c.mu held.
func (c *Conn) enqueue(b []byte) {
	c.queue = append(c.queue, b)
	c.queued += len(b)
	if !c.writing {
		c.writing = true
		c.writers.Go(c.flush)
	}
}

// End closes the stream from any goroutine and does not wait; a condition of "" is no error. While
// the stream is being negotiated only the reader may write, so the connection is just dropped then.
func (c *Conn) End(condition, content string) {
	c.mu.Lock()
	live := c.live
	c.mu.Unlock()
	if live {
		c.endStream(streamError(condition, content, ""))
	} else {
		c.Cut()
	}
}

// endStream writes a stream error, if there is one, the end tag, and TLS's and
// TCP's own ends. Only the first call has an effect.
func (c *Conn) endStream(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	if c.framed {
		if b != nil {
			c.enqueue(b)
		}
		c.enqueue([]byte("<close xmlns='" + NSFraming + "'/>"))
		return
	}
	c.enqueue(append(b, "</stream:stream>"...))
}

// streamError is nil without a condition; application is the element beside it, as written.
func streamError(condition, content, application string) []byte {
	if condition == "" {
		return nil
	}
	b := append([]byte("<stream:error><"), condition...)
	b = AppendAttr(b, "xmlns", NSStreams)
	if content == "" {
		b = append(b, "/>"...)
	} else {
		b = append(AppendText(append(b, '>'), content), "</"...)
		b = append(append(b, condition...), '>')
	}
	return append(append(b, application...), "</stream:error>"...)
}

// Cut drops the connection as it is. It never waits.
func (c *Conn) Cut() {
	c.mu.Lock()
	c.closed, c.queue = true, nil
	c.mu.Unlock()
	_ = c.raw.Close()
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// flush writes until the queue is empty, all that is queued in one write. A failed write
// ends the connection: half a stanza can never be continued.
func (c *Conn) flush() {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	for {
		c.mu.Lock()
		batch, last := c.queue, c.closed
		if len(batch) == 0 {
			c.writing = false
			c.mu.Unlock()
			return
		}
		c.queue, c.queued = nil, 0
		c.mu.Unlock()
		_ = c.raw.SetWriteDeadline(time.Now().Add(c.srv.o.WriteTimeout))
		if err := c.writeBatch(batch, buf); err != nil {
			c.Cut()
		} else if last {
			c.hangUp()
		}
		if buf.Cap() > 64<<10 { // one big burst must not stay in the pool for ever
			*buf = bytes.Buffer{}
		}
	}
}

// writeBatch writes all in one write, or on a WebSocket a message each.
func (c *Conn) writeBatch(batch [][]byte, buf *bytes.Buffer) error {
	buf.Reset()
	for _, b := range batch {
		if c.framed {
			if _, err := c.conn.Write(frame(b)); err != nil {
				return err
			}
			continue
		}
		buf.Write(b)
	}
	if c.framed {
		return nil
	}
	_, err := c.conn.Write(buf.Bytes())
	return err
}

// hangUp ends our side and gives the client a moment to end its own, so that what we
// wrote last is not lost in a reset.
func (c *Conn) hangUp() {
	if t, ok := c.conn.(*tls.Conn); ok {
		_ = t.CloseWrite()
	}
	if t, ok := c.raw.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(closeWait))
}

// Ending reports whether the stream has been ended from our side.
func (c *Conn) Ending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// finish waits for the writer and releases the connection. The reader calls it last.
func (c *Conn) finish() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.writers.Wait()
	if c.closing != nil {
		c.closing()
	}
	_ = c.raw.Close()
	c.srv.forget(c)
}
