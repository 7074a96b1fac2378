package messenger

import (
	"bytes"
	"crypto/tls"
	"encoding/xml"
	"log/slog"
	"net"
	"sync"
	"time"
)

// closeWait is how long a client may take to close its side of an ended stream.
const closeWait = 2 * time.Second

// client is one connection. One goroutine reads it: first signIn, then serve on a fresh
// and therefore small stack. Writes go through a bounded queue, which a second goroutine
// empties while there is something in it: an idle connection has one goroutine.
type client struct {
	s   *Service
	raw net.Conn // for deadlines and for cutting, which must never wait
	log *slog.Logger

	// Written by the reader before the client is known to others.
	conn     net.Conn     // what is written to: TLS once it is on
	in       *meter       // what is read from
	xml      *xml.Decoder // of the present stream, over in
	secured  bool         // TLS is on
	opened   bool         // our stream header has been sent and not been restarted since
	acct     *account     // after SASL
	token    tokenKey     // signed in with; set under Service.connMu
	expires  time.Time    // of the token; zero: never
	resource string       // after bind
	full     string       // after bind: the full JID

	// Guarded by Service.mu.
	bound      bool
	available  bool
	interested bool // has fetched the roster, so it gets pushes (RFC 6121, 2.1.6)
	priority   int8
	presence   []byte // what is inside of its presence

	mu      sync.Mutex
	queue   [][]byte
	queued  int  // bytes in queue
	writing bool // flush is running
	closed  bool // nothing is queued any more
	live    bool // bound: everything is written through the queue
	writers sync.WaitGroup
}

func newClient(s *Service, raw net.Conn) *client {
	return &client{s: s, raw: raw, conn: raw, log: s.log}
}

// send queues whole stanzas. It never waits: a client that does not read is cut. The
// caller must not change b afterwards.
func (c *client) send(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if c.queued+len(b) > c.s.o.QueueBytes {
		c.closed, c.queue = true, nil
		c.s.stats.slow.Add(1)
		_ = c.raw.Close()
		return
	}
	c.enqueue(b)
}

// enqueue is called with c.mu held.
func (c *client) enqueue(b []byte) {
	c.queue = append(c.queue, b)
	c.queued += len(b)
	if !c.writing {
		c.writing = true
		c.writers.Go(c.flush)
	}
}

// end closes the stream from any goroutine and does not wait. While the stream is being
// negotiated only the reader may write, so the connection is just dropped then.
func (c *client) end(condition, content string) {
	c.mu.Lock()
	live := c.live
	c.mu.Unlock()
	if live {
		c.endStream(condition, content)
	} else {
		c.cut()
	}
}

// endStream writes a stream error if condition is not "", the end tag, and TLS's and
// TCP's own ends. Only the first call has an effect.
func (c *client) endStream(condition, content string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	var b []byte
	if condition != "" {
		b = append(b, "<stream:error><"...)
		b = append(b, condition...)
		b = appendAttr(b, "xmlns", nsStreams)
		if content == "" {
			b = append(b, "/>"...)
		} else {
			b = append(appendText(append(b, '>'), content), "</"...)
			b = append(append(b, condition...), '>')
		}
		b = append(b, "</stream:error>"...)
	}
	c.enqueue(append(b, "</stream:stream>"...))
}

// cut drops the connection as it is. It never waits.
func (c *client) cut() {
	c.mu.Lock()
	c.closed, c.queue = true, nil
	c.mu.Unlock()
	_ = c.raw.Close()
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// flush writes until the queue is empty, all that is queued in one write. A failed write
// ends the connection: half a stanza can never be continued.
func (c *client) flush() {
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
		buf.Reset()
		for _, b := range batch {
			buf.Write(b)
		}
		_ = c.raw.SetWriteDeadline(time.Now().Add(c.s.o.WriteTimeout))
		if _, err := c.conn.Write(buf.Bytes()); err != nil {
			c.cut()
		} else if last {
			c.hangUp()
		}
		if buf.Cap() > 64<<10 { // one big burst must not stay in the pool for ever
			*buf = bytes.Buffer{}
		}
	}
}

// hangUp ends our side and gives the client a moment to end its own, so that what we
// wrote last is not lost in a reset.
func (c *client) hangUp() {
	if t, ok := c.conn.(*tls.Conn); ok {
		_ = t.CloseWrite()
	}
	if t, ok := c.raw.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(closeWait))
}

// ending reports whether the stream has been ended from our side.
func (c *client) ending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// finish waits for the writer and releases the connection. The reader calls it last.
func (c *client) finish() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.writers.Wait()
	_ = c.raw.Close()
	c.s.forget(c)
}
