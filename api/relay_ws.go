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

// relaySocket passes a WebSocket on. The bytes go both ways as they are.
func (a *API) relaySocket(w http.ResponseWriter, r *http.Request, f *forward, to sessions.Node) *lostForward {
	ctx, rl, err := a.newRelay(r.Context(), f.transport)
	if err != nil {
		return &lostForward{err: err, node: to.ID}
	}
	defer rl.close(a)
	u := &relayUpgrader{ResponseWriter: w, api: a, relay: rl, r: r}
	rl.splice = newSplicer(&frameScanner{}, u.write)
	rl.frame = func(ev *perch.Event) []byte { return textFrame(ev.Wire) }
	rl.bye = func(e ending) []byte { return goodbyeFrame(e.code, e.reason()) }
	rl.wg.Go(rl.watch)
	return a.proxy(u, r.WithContext(ctx), f, to, nil)
}

// relayUpgrader hands the client's connection over to the reverse proxy.
type relayUpgrader struct {
	http.ResponseWriter
	api   *API
	relay *relay
	r     *http.Request
	conn  *frameConn
	told  bool // that it is too slow
}

// Hijack implements http.Hijacker. The answer of the handshake does not pass the splicer:
// it is no frame.
func (u *relayUpgrader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.conn = newFrameConn(c, u.api.o.FrameTime)
	rw.Writer.Reset(u.conn)
	stop := context.AfterFunc(u.api.stream.hard, func() { _ = u.conn.Conn.Close() })
	return &relayConn{frameConn: u.conn, relay: u.relay, early: rw.Reader, stop: stop}, rw, nil
}

// write writes to the client. One that does not take what it is sent gets 4103 after the
// frame in which it is stuck, as from the owner, which may not have noticed yet: there are
// buffers in between.
func (u *relayUpgrader) write(p []byte) error {
	if _, err := u.conn.Write(p); err != nil {
		return err
	}
	if u.conn.stuck.Load() && !u.told {
		u.told = true
		e := endingOf(sessions.ErrSlow)
		u.relay.splice.queue(append(u.relay.frame(farewell(problemOf(u.r, e.err), e)), u.relay.bye(e)...), true)
	}
	return nil
}

// relayConn is the client's connection as the reverse proxy sees it.
type relayConn struct {
	*frameConn
	relay *relay
	early *bufio.Reader // what was read before the connection was handed over
	stop  func() bool
}

// relayBuffer is what one direction of a socket holds all the time.
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

// Close comes when either side has ended. No close frame was sent yet when the owner is lost,
// or the client, which then does not get it.
func (c *relayConn) Close() error {
	_ = c.relay.splice.pass(nil) // the handshake is over, even if no frame has passed
	c.relay.splice.add(c.relay.bye(endingOf(sessions.ErrMoved)), true)
	c.stop()
	return c.frameConn.Close()
}
