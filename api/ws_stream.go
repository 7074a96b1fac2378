package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/perch-im/perch"
)

// socket is a WebSocket stream: what its reader has. Whatever the reader wants written it posts to the
// stream.
type socket struct {
	*stream
	conn *wsTransport
	base context.Context // of commands: it may have the trace of the handshake

	closed    atomic.Bool // by the client, with a close frame
	pings     pings
	budget    budget
	badFrames int
}

// serveSocket turns a connection into a stream. It does not wait.
func (a *API) serveSocket(r *http.Request, st *stream, conn *wsTransport) {
	s := &socket{stream: st, conn: conn, base: a.traceOf(r), budget: budget{perMinute: a.o.CommandsPerMinute}}
	conn.set(func(t *wsTransport) { t.post = func(p []byte) { st.beginTurn(st.mail.postControl(p)) } })
	d := a.newDetached(conn.frameConn, conn.text)
	s.pings.ws = conn.ws
	d.pings, d.last = &s.pings, s.finish
	st.pingAt = a.now() + a.o.Heartbeat
	st.detach(d, s.read)
}

// finish writes the end of the stream: the reason, if there is one, and a close frame. Then the client
// has some seconds to close as well, while the reader discards what it sends. To a close frame of the
// client, and to most violations of the protocol, the library has written the answer already.
func (s *socket) finish(st *stream, d *detached) {
	if answer, _ := st.mail.takeControl(); answer != nil {
		d.control(answer)
	}
	e := st.last
	if e.code == 0 && !s.closed.Load() {
		d.conn.abort()
	}
	if e.err != nil {
		d.add(closingError(st.problem(e.err), e))
	}
	if d.writeOut() != nil {
		d.conn.abort()
	}
	if e.code != 0 {
		s.conn.close(e)
	} else {
		_ = s.conn.ws.CloseNow() // ends the reader, and a ping that waits
	}
}

// awaitClose bounds how long the client is read until it closes.
func (c *frameConn) awaitClose(e ending) {
	at := time.Now().Add(closeTime)
	if e.code < closeProtocol || c.stuck.Load() {
		// RFC 6455, 7.1.7: a connection that has failed is not read any further, nor is one that the
		// client has closed. And a stuck client answers no close frame soon: what was written waits in
		// the kernel.
		at = time.Unix(1, 0)
	}
	_ = c.SetReadDeadline(at)
}

// read is the goroutine that reads. A command grows its stack: what follows goes on in a fresh one, so
// that while it waits the stack is small.
func (s *socket) read() {
	typ, data, err := s.conn.ws.Read(context.Background()) // ends when the stream closes the connection
	if err != nil {
		s.closed.Store(websocket.CloseStatus(err) != -1)
		s.end(readEnding(err))
		s.detached.readers.Done()
		return
	}
	s.message(typ, data)
	go s.read()
}

// message handles one message. After the stream has ended messages are discarded: otherwise the
// client's close frame would not be read.
func (s *socket) message(typ websocket.MessageType, data []byte) {
	defer func() {
		if p := recover(); p != nil {
			s.api.log.Error("socket command panicked", "panic", p, "connection_id", s.id, "stack", string(debug.Stack()))
			s.end(ending{closeInternal, perch.Errorf(perch.KindInternal, "")})
		}
	}()
	s.pings.heard()
	switch {
	case s.mail.isClosed():
	case typ != websocket.MessageText:
		s.end(ending{websocket.StatusUnsupportedData, nil})
	case !utf8.Valid(data):
		s.end(ending{websocket.StatusInvalidFramePayloadData, nil})
	default:
		s.command(data)
	}
}

// readEnding turns an error of reading into an ending. The library has already answered a
// close frame and most violations of the protocol; a second close frame is not written.
func readEnding(err error) ending {
	if websocket.CloseStatus(err) != -1 || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return clientGone
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return clientGone
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return ending{websocket.StatusMessageTooBig, nil}
	}
	return ending{websocket.StatusProtocolError, nil}
}

// postFrame hands a frame to the stream. It waits while the stream is busy, so that a client which
// sends commands without reading the replies is not read any further.
func (s *socket) postFrame(n outFrame) { s.beginTurn(s.mail.postFrames(n)) }
