package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/perch-im/perch"
)

// socket is a WebSocket stream. The goroutine of the stream writes, a second one reads, and a
// third one lives only while a ping waits for its pong.
type socket struct {
	*stream
	conn *wsConn
	r    *http.Request // of the handshake; for problems and logs only, its context is over
	ctx  context.Context

	closing    chan struct{} // closed by the writer: from now on the reader discards
	done       chan struct{} // closed by the reader, as its last act
	framesRead atomic.Int64  // frames that were read
	inCommand  atomic.Bool   // a command runs: pongs are read after it

	pinger    pinger
	budget    budget // reader's
	badFrames int    // reader's
}

// serveSocket is the goroutine of a socket: it runs a stream on a WebSocket until it ends, and
// everything that belongs to it. The context is the socket's own: the request's is over after the
// upgrade.
func (a *API) serveSocket(r *http.Request, st *stream, conn *wsConn) {
	defer st.close()
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	defer context.AfterFunc(a.streams.drainOver, func() { cancel(); conn.abort() })()
	conn.ws.SetReadLimit(a.o.FrameBytes)
	s := &socket{
		stream: st, conn: conn, r: r, ctx: ctx,
		closing: make(chan struct{}), done: make(chan struct{}),
		budget: budget{perMinute: a.o.CommandsPerMinute},
	}
	st.enc, st.inbox, st.ended = conn, make(chan outFrame, 4), make(chan ending, 1)
	go s.read()
	s.armPing()
	e := s.runGuarded(ctx)
	close(s.closing)
	cancel()
	s.finish(e)
	s.stopPings()
	<-s.done
	st.log(r, "ws", e)
}

// runGuarded is run. A fault of ours is an ending of this socket, so that its reader and its pings
// end with it.
func (s *socket) runGuarded(ctx context.Context) (e ending) {
	defer func() {
		if v := recover(); v != nil {
			s.api.log.Error("socket panicked", "panic", v, "connection_id", s.id, "stack", string(debug.Stack()))
			e = ending{closeInternal, perch.Errorf(perch.KindInternal, "")}
		}
	}()
	return s.run(ctx)
}

// finish closes the connection with the ending, if the client is still connected.
func (s *socket) finish(e ending) {
	switch {
	case e.code == 0:
		s.conn.abort()
	case e.err == nil:
		s.conn.closeWith(nil, e)
	default:
		s.conn.closeWith(closingError(problemOf(s.r, e.err), e), e)
	}
}

// end tells the writer to end the stream. The first ending counts.
func (s *socket) end(e ending) {
	select {
	case s.ended <- e:
	default:
	}
}

// read is the reader goroutine. After the writer has begun to close, it reads on and discards:
// otherwise the client's close frame would not be read.
func (s *socket) read() {
	defer close(s.done)
	defer func() {
		if v := recover(); v != nil {
			s.api.log.Error("socket command panicked", "panic", v, "connection_id", s.id, "stack", string(debug.Stack()))
			s.end(ending{closeInternal, perch.Errorf(perch.KindInternal, "")})
		}
	}()
	for {
		typ, data, err := s.conn.ws.Read(context.Background()) // ends when the writer closes the connection
		if err != nil {
			s.end(readEnding(err))
			return
		}
		s.framesRead.Add(1)
		select {
		case <-s.closing:
			continue
		default:
		}
		switch {
		case typ != websocket.MessageText:
			s.end(ending{websocket.StatusUnsupportedData, nil})
		case !utf8.Valid(data):
			s.end(ending{websocket.StatusInvalidFramePayloadData, nil})
		default:
			s.inCommand.Store(true)
			s.command(data)
			s.inCommand.Store(false)
		}
	}
}

// readEnding turns an error of reading into an ending. The library has already answered a
// close frame and most violations of the protocol; a second close does nothing.
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

// post hands a frame to the writer. It waits while the writer is busy, so that a client which
// sends commands without reading the replies is not read any further.
func (s *socket) post(n outFrame) {
	select {
	case s.inbox <- n:
	case <-s.closing:
	}
}

// pinger sends a ping every heartbeat and ends the stream when one is not answered in
// time. No goroutine waits in between.
type pinger struct {
	mu      sync.Mutex
	stopped bool
	timer   *time.Timer
	pending sync.WaitGroup // the timer, or the ping that it began
}

func (s *socket) armPing() {
	p := &s.pinger
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	p.pending.Add(1)
	p.timer = time.AfterFunc(s.api.o.Heartbeat, func() {
		defer p.pending.Done()
		if s.pingOnce() {
			s.armPing()
		}
	})
}

// stopPings stops the timer and waits for a ping that is under way, which ends with the
// connection.
func (s *socket) stopPings() {
	p := &s.pinger
	p.mu.Lock()
	p.stopped = true
	if p.timer.Stop() {
		p.pending.Done()
	}
	p.mu.Unlock()
	p.pending.Wait()
}

// pingOnce reports whether the client answers. It counts as an answer when frames arrive, since
// a pong can be queued behind a slow command; and a client that is slow to take a frame has a
// time limit of its own.
func (s *socket) pingOnce() bool {
	heard := s.framesRead.Load()
	// Not the socket's context: one that ends in the middle of a write would drop the
	// connection before its close code is sent.
	ctx, cancel := context.WithTimeout(context.Background(), s.api.o.PingTimeout)
	defer cancel()
	err := s.conn.ws.Ping(ctx)
	if err == nil || s.inCommand.Load() || s.conn.writing.Load() || s.framesRead.Load() != heard {
		return true
	}
	s.end(ending{closeHeartbeat, perch.Errorf(perch.KindUpstreamTimeout, "no pong within %d seconds", seconds(s.api.o.PingTimeout))})
	return false
}
