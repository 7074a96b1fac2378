package api

import (
	"errors"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// detached is the connection of a stream that no request belongs to any more: a WebSocket, or SSE and
// NDJSON over HTTP/1.1. It was taken over from the server (http.Hijacker), and with it went what the
// server has for a request: a goroutine with a large stack, two buffers, the header. What is left for
// an idle stream is one goroutine that reads, and nothing to write with.
type detached struct {
	conn  *frameConn
	raw   syscall.RawConn // to write without waiting; nil: that is not possible
	frame framing
	now   func() time.Duration
	out   *outBuffer               // nil: nothing is to be written
	wait  bool                     // this turn may wait
	slow  time.Duration            // when it has last waited for the client
	pings *pings                   // of a WebSocket, else nil
	last  func(*stream, *detached) // writes the end of the stream; see finish

	readers sync.WaitGroup // the goroutine that reads
}

// framing puts an event into bytes of an encoding.
type framing func(b []byte, ev *perch.Event) []byte

// outBatch is how many bytes are written at once, or a little more: while a client is slow, each has
// Options.FrameTime.
const outBatch = 4 << 10

// hijack takes over the connection of a request, whose header was written. What the client has sent
// already is in early.
func (a *API) hijack(w http.ResponseWriter) (conn *frameConn, early []byte, err error) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if n := rw.Reader.Buffered(); n > 0 {
		p, _ := rw.Reader.Peek(n)
		early = append(early, p...)
	}
	return newFrameConn(c, a.o.FrameTime), early, nil
}

func (a *API) newDetached(conn *frameConn, frame framing) *detached {
	d := &detached{conn: conn, frame: frame, now: a.now}
	if s, ok := conn.Conn.(syscall.Conn); ok {
		d.raw, _ = s.SyscallConn() // an error: the connection is closed, and a write says so
	}
	return d
}

// detach runs the turns of a stream without a request, from here on and to its end. Read is the
// goroutine that reads; it calls d.readers.Done in the end.
func (st *stream) detach(d *detached, read func()) {
	st.detached, st.enc, st.ctx = d, d, st.api.streams.drainContext()
	st.mail.attach(d.conn)
	d.readers.Add(1)
	go read()
	st.mail.post(dueBegin)
	st.api.runner.add(st)
}

// goOn continues where a turn of the runner could not.
func (st *stream) goOn(o outcome) {
	if o == turnWaits {
		o = st.turnGuarded(true)
	}
	if o == turnEnded {
		st.finish()
	}
}

// finish ends the connection, and everything that belongs to the stream.
func (st *stream) finish() {
	d := st.detached
	defer st.api.streams.close(st.entry)
	st.unwatch()
	st.sub.Close()
	st.mail.close()
	st.disarm()
	d.wait = true
	d.last(st, d)
	d.readers.Wait()
	_ = d.conn.Close()
	st.log(st.last)
}

// event implements encoder.
func (d *detached) event(ev *perch.Event) error {
	if d.out != nil && len(d.out.rest()) >= outBatch {
		if err := d.flush(); err != nil {
			return err
		}
	}
	d.add(ev)
	return nil
}

// add is event, whatever waits already.
func (d *detached) add(ev *perch.Event) {
	o := d.buffer()
	o.b = d.frame(o.b, ev)
}

// control adds bytes that are no event: whole frames.
func (d *detached) control(p []byte) {
	o := d.buffer()
	o.b = append(o.b, p...)
}

func (d *detached) buffer() *outBuffer {
	if d.out == nil {
		d.out = outBuffers.Get().(*outBuffer)
	}
	return d.out
}

// flush implements encoder.
func (d *detached) flush() error {
	if d.out == nil {
		return nil
	}
	if !d.wait {
		return d.tryOut()
	}
	err := d.writeOut()
	d.slow = d.now()
	if err != nil {
		return err
	}
	if d.conn.stuck.Load() {
		return cutError{sessions.ErrSlow}
	}
	return nil
}

func (d *detached) tryOut() error {
	if d.raw == nil {
		return errWouldWait
	}
	done, err := d.out.try(d.raw)
	switch {
	case err != nil:
		return err
	case !done:
		return errWouldWait
	}
	d.out.release()
	d.out = nil
	return nil
}

// writeOut writes what there is, within the time of a frame.
func (d *detached) writeOut() error {
	if d.out == nil {
		return nil
	}
	_, err := d.conn.Write(d.out.rest())
	_ = d.conn.SetWriteDeadline(time.Time{}) // the next write may be one that does not wait, and sets none
	d.out.release()
	d.out = nil
	return err
}

// errEnding stops a preamble when the reader has found an ending.
var errEnding = errors.New("api: the reader has found an ending")

// between is called between the events of a preamble, which can be long: control frames are not late
// for it, and it ends with its client.
func (d *detached) between(m *mailbox) error {
	control, ended := m.takeControl()
	if control != nil {
		d.control(control) // the answer to a close frame is one
	}
	if ended {
		return errEnding
	}
	return nil
}
