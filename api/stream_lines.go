package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/perch-im/perch"
)

// lineWriter writes the frames of a stream into the body of a response.
type lineWriter struct {
	ctx context.Context // when it has ended nothing more is written
	w   http.ResponseWriter
	rc  *http.ResponseController

	frameTime time.Duration
}

// frame writes one frame, in parts, within its time.
func (l *lineWriter) frame(parts ...[]byte) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	_ = l.rc.SetWriteDeadline(time.Now().Add(l.frameTime))
	for _, p := range parts {
		if _, err := l.w.Write(p); err != nil {
			return err
		}
	}
	return nil
}

func (l *lineWriter) flush() error { return l.rc.Flush() }

// lineStream takes the deadlines of the listener off a response: they would end a stream in the
// middle of a frame. The context of the writer ends with the request, or at the deadline of a
// drain; a write that is stuck then fails. restore must be called at the end, for the next
// request on the connection.
func (a *API) lineStream(w http.ResponseWriter, r *http.Request) (l *lineWriter, restore func()) {
	rc := http.NewResponseController(w)
	// A writer without deadlines, as in a test, is no error.
	_ = rc.SetReadDeadline(time.Time{})
	_ = rc.SetWriteDeadline(time.Time{})
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(a.streams.drainContext(), func() {
		cancel()
		_ = rc.SetWriteDeadline(time.Unix(1, 0))
	})
	return &lineWriter{ctx, w, rc, a.o.FrameTime}, func() {
		cancel()
		if stop() {
			_ = rc.SetWriteDeadline(time.Time{})
		}
	}
}

// streamHeaders sets the type of the body, and forbids proxies to cache it or to buffer small
// frames (nginx does).
func streamHeaders(h http.Header, media string) {
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
}

// lineEncoding is SSE or NDJSON.
type lineEncoding struct {
	media string
	first string // before the first event
	frame framing
	on    func(*lineWriter) encoder // in the body of a response
}

// serveLines runs a stream whose response has no close codes: the reason of its end, and
// the code that a WebSocket would be closed with, are in a last error frame. Over HTTP/1.1 it takes
// the connection over and returns at once.
func (a *API) serveLines(w http.ResponseWriter, r *http.Request, st *stream, enc lineEncoding) {
	streamHeaders(w.Header(), enc.media)
	if r.ProtoMajor == 1 && r.ProtoMinor == 1 && a.detachLines(w, st, enc) {
		return
	}
	defer st.close()
	l, restore := a.lineStream(w, r)
	defer restore()
	st.enc = enc.on(l)
	if enc.first != "" {
		_ = l.frame([]byte(enc.first)) // an error is returned again for the first event
	}
	e := st.run(l.ctx)
	if e.err != nil && st.enc.event(closingError(st.problem(e.err), e)) == nil {
		_ = st.enc.flush() // the stream ends in any case
	}
	st.log(e)
}

// detachLines takes over the connection of a stream, which then has a body in chunks (RFC 9112, 7.1)
// and is closed at its end. False: there is no connection that could be taken over.
func (a *API) detachLines(w http.ResponseWriter, st *stream, enc lineEncoding) bool {
	w.Header().Set("Connection", "close")
	w.WriteHeader(http.StatusOK)
	conn, _, err := a.hijack(w)
	switch {
	case errors.Is(err, http.ErrNotSupported):
		return false
	case err != nil:
		st.close() // the client has left
		return true
	}
	d := a.newDetached(conn, chunked(enc.frame))
	if enc.first != "" {
		d.control(appendChunk(nil, []byte(enc.first)))
	}
	d.last = endLines
	st.detach(d, func() { st.watch(d) })
	return true
}

// watch is the goroutine that reads: it finds out when the client has left. A client that sends
// something, as if there were another request, is not read any further.
func (st *stream) watch(d *detached) {
	defer d.readers.Done()
	var b [1]byte
	if _, err := d.conn.Read(b[:]); err != nil {
		st.end(clientGone)
	}
}

// endLines writes the last frame and the last chunk.
func endLines(st *stream, d *detached) {
	if st.last.code == 0 {
		d.conn.abort()
		return
	}
	if e := st.last; e.err != nil {
		d.add(closingError(st.problem(e.err), e))
	}
	d.control([]byte("0\r\n\r\n"))
	if d.writeOut() != nil {
		d.conn.abort()
	}
	_ = d.conn.SetReadDeadline(time.Unix(1, 0)) // ends the goroutine that reads
}

// chunked puts each event into a chunk of its own.
func chunked(frame framing) framing {
	return func(b []byte, ev *perch.Event) []byte {
		at := len(b)
		b = frame(b, ev)
		var size [18]byte
		b = slices.Insert(b, at, chunkSize(size[:0], len(b)-at)...)
		return append(b, '\r', '\n')
	}
}

func appendChunk(b, data []byte) []byte {
	return append(append(chunkSize(b, len(data)), data...), '\r', '\n')
}

func chunkSize(b []byte, size int) []byte {
	return append(strconv.AppendInt(b, int64(size), 16), '\r', '\n')
}
