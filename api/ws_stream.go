package api

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/wsframe"
)

// socket is a WebSocket stream: what its reader has. Whatever the reader wants written it posts to the
// stream.
type socket struct {
	*stream
	conn  *frameConn
	dec   wsframe.Decoder
	early []byte          // what the client has sent with its handshake
	base  context.Context // of commands: it may have the trace of the handshake

	pings     pings
	budget    budget
	badFrames int
}

// serveSocket turns a connection into a stream. It does not wait.
func (a *API) serveSocket(r *http.Request, st *stream, conn *frameConn, early []byte) {
	s := &socket{
		stream: st, conn: conn, early: early, base: a.traceOf(r),
		dec: wsframe.Decoder{Limit: int(a.o.FrameBytes)}, budget: budget{perMinute: a.o.CommandsPerMinute},
	}
	d := a.newDetached(conn, textFrame)
	d.pings, d.last = &s.pings, s.finish
	st.pingAt = a.now() + a.o.Heartbeat
	st.detach(d, s.read)
}

// textFrame is one event as one text frame.
func textFrame(b []byte, ev *perch.Event) []byte {
	return wsframe.Append(b, wsframe.Text, ev.Wire)
}

// finish writes the end of the stream: the reason, if there is one, and a close frame. Then the client
// has some seconds to close as well, while the reader discards what it sends.
func (s *socket) finish(st *stream, d *detached) {
	e, echo := st.last, st.mail.answer()
	switch {
	case e.code == 0 && echo == nil:
		d.conn.abort()
		return
	case e.code == 0:
		d.control(echo)
	default:
		if e.err != nil {
			d.add(closingError(st.problem(e.err), e))
		}
		d.control(wsframe.AppendClose(nil, wsframe.Code(e.code), e.reason()))
	}
	if d.writeOut() != nil {
		d.conn.abort()
	}
	s.conn.awaitClose(e)
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

// read is the goroutine that reads. While it waits its stack is as small as can be: it has nothing
// on it but this function and the read. What needs more goes on in a fresh goroutine afterwards.
func (s *socket) read() {
	for {
		var n int
		var err error
		if p := s.dec.Space(); len(s.early) > 0 {
			n = copy(p, s.early)
			s.early = s.early[n:]
		} else {
			n, err = s.conn.Conn.Read(p)
		}
		s.dec.Fed(n)
		switch s.received(err) {
		case readOn:
		case readAfresh:
			go s.read()
			return
		case readEnded:
			s.detached.readers.Done()
			return
		}
	}
}

// How the reader goes on.
type verdict int

const (
	readOn     verdict = iota
	readAfresh         // the stack has grown
	readEnded
)

// received handles what has come. After the stream has ended messages are discarded: otherwise the
// client's close frame would not be read.
func (s *socket) received(readErr error) (v verdict) {
	defer func() {
		if p := recover(); p != nil {
			s.api.log.Error("socket command panicked", "panic", p, "connection_id", s.id, "stack", string(debug.Stack()))
			s.end(ending{closeInternal, perch.Errorf(perch.KindInternal, "")})
			v = readAfresh
		}
	}()
	for {
		m, ok, err := s.dec.Next()
		switch {
		case err != nil:
			s.end(readEnding(err))
			return readEnded
		case ok && m.Op == wsframe.Close:
			s.closed(m.Payload)
			return readEnded
		case ok:
			if s.message(m) {
				v = readAfresh
			}
		case readErr != nil:
			s.end(readEnding(readErr))
			return readEnded
		default:
			return v
		}
	}
}

// message handles one message that is not a close frame. Deep reports whether that took more than a
// few calls.
func (s *socket) message(m wsframe.Message) (deep bool) {
	switch m.Op {
	case wsframe.Ping:
		s.beginTurn(s.mail.postFrames(wsframe.Append(nil, wsframe.Pong, m.Payload)))
		return false
	case wsframe.Pong:
		s.pings.answered(m.Payload, s.api.now())
		return false
	}
	s.pings.heard()
	switch {
	case s.mail.isClosed():
	case m.Op != wsframe.Text:
		s.end(ending{wsframe.UnsupportedData, nil})
	case !utf8.Valid(m.Payload):
		s.end(ending{wsframe.InvalidPayload, nil})
	default:
		s.command(m.Payload)
	}
	return true
}

// closed answers the close frame of the client (RFC 6455, 5.5.1).
func (s *socket) closed(payload []byte) {
	code, reason, ok := wsframe.ParseClose(payload)
	if !ok {
		s.end(ending{wsframe.ProtocolError, nil})
		return
	}
	s.beginTurn(s.mail.postClose(wsframe.AppendClose(nil, code, reason)))
}

// readEnding turns an error of reading into an ending.
func readEnding(err error) ending {
	switch {
	case errors.Is(err, wsframe.ErrTooBig):
		return ending{wsframe.MessageTooBig, nil}
	case errors.Is(err, wsframe.ErrProtocol):
		return ending{wsframe.ProtocolError, nil}
	}
	return clientGone
}

// postFrame hands a frame to the stream. It waits while the stream is busy, so that a client which
// sends commands without reading the replies is not read any further.
func (s *socket) postFrame(n outFrame) { s.beginTurn(s.mail.postFrames(nil, n)) }
