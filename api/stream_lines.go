package api

import (
	"context"
	"net/http"
	"time"
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
	stop := context.AfterFunc(a.streams.drainOver, func() {
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

// serveLines runs a stream whose response has no close codes: the reason of its end, and
// the code that a WebSocket would be closed with, are in a last error frame.
func (st *stream) serveLines(r *http.Request, l *lineWriter, enc encoder, name string) {
	st.enc = enc
	e := st.run(l.ctx)
	if e.err != nil && enc.event(closingError(problemOf(r, e.err), e)) == nil {
		_ = enc.flush() // the stream ends in any case
	}
	st.log(r, name, e)
}
