package api

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// relaySocket relays a WebSocket. The bytes pass both ways as they are.
func (a *API) relaySocket(w http.ResponseWriter, r *http.Request, f *forward, to sessions.Node) *forwardFailure {
	ctx, rl, err := a.newRelay(r.Context(), f.transport)
	if err != nil {
		return &forwardFailure{err: err, node: to.ID}
	}
	defer rl.close(a)
	u := &relayUpgrader{ResponseWriter: w, api: a, relay: rl, r: r}
	rl.splice = newSplicer(&frameScanner{}, u.write)
	rl.frame = func(b []byte, ev *perch.Event) []byte { return append(wsFrameHead(b, 0x81, len(ev.Wire)), ev.Wire...) }
	rl.closeFrame = func(e ending) []byte { return wsCloseFrame(e.code, e.reason()) }
	rl.wg.Go(rl.watch)
	return a.proxy(u, r.WithContext(ctx), f, to, nil)
}

// relayUpgrader gives the client's connection to the reverse proxy.
type relayUpgrader struct {
	http.ResponseWriter
	api      *API
	relay    *relay
	r        *http.Request
	conn     *frameConn
	slowSent bool // closeSlow was sent
}

// Hijack implements http.Hijacker. The answer to the handshake does not pass the splicer: it is
// no frame.
func (u *relayUpgrader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.conn = newFrameConn(c, u.api.o.FrameTime)
	rw.Writer.Reset(u.conn)
	stop := context.AfterFunc(u.api.streams.drainContext(), func() { _ = u.conn.Conn.Close() })
	return &relayConn{frameConn: u.conn, relay: u.relay, early: rw.Reader, stop: stop}, rw, nil
}

// write writes to the client. One that does not read what it is sent gets 4103 after the frame
// in which it is stuck, as from the owner, which may not have noticed yet: there are buffers in
// between.
func (u *relayUpgrader) write(p []byte) error {
	if _, err := u.conn.Write(p); err != nil {
		return err
	}
	if u.conn.stuck.Load() && !u.slowSent {
		u.slowSent = true
		e := endingOf(sessions.ErrSlow)
		u.relay.splice.queue(append(u.relay.frame(nil, closingError(problemOf(u.r, e.err), e)), u.relay.closeFrame(e)...), true)
	}
	return nil
}

// relayConn is the client's connection as the reverse proxy gets it.
type relayConn struct {
	*frameConn
	relay *relay
	early *bufio.Reader // what was read before the connection was hijacked
	stop  func() bool
}

// relayBuffer is the memory, in bytes, that one direction of a socket has all the time.
const relayBuffer = 4 << 10

// Read implements net.Conn.
func (c *relayConn) Read(p []byte) (int, error) {
	if n := c.early.Buffered(); n > 0 {
		return c.early.Read(p[:min(n, len(p))])
	}
	return c.frameConn.Read(p)
}

// Write implements net.Conn.
func (c *relayConn) Write(p []byte) (int, error) {
	if err := c.relay.pass(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// ReadFrom implements io.ReaderFrom, with a smaller buffer than io.Copy would take.
func (c *relayConn) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{r}, make([]byte, relayBuffer))
}

// WriteTo implements io.WriterTo.
func (c *relayConn) WriteTo(w io.Writer) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{c}, make([]byte, relayBuffer))
}

// Close is called when either side has ended. When the connection to the owner is lost, no close
// frame was sent yet; a client that has left does not get it.
func (c *relayConn) Close() error {
	_ = c.relay.splice.pass(nil) // the handshake is over, even if there was no frame
	c.relay.splice.insert(c.relay.closeFrame(endingOf(sessions.ErrMoved)), true)
	c.stop()
	return c.frameConn.Close()
}
