package api

import (
	"net/http"

	"github.com/perch-im/perch"
)

// sseEncoder writes a stream as Server-Sent Events (WHATWG HTML, 9.2): data is the whole
// envelope, only durable events have an id, so that a browser's Last-Event-ID is always a
// cursor. There is no event field: one onmessage handler gets everything.
type sseEncoder struct {
	*lineWriter
	prefix []byte // before the envelope; reused for every event
}

// sseRetry is how long an EventSource waits before it connects again.
const sseRetry = "retry: 2000\n\n"

func (a *API) serveSSE(w http.ResponseWriter, r *http.Request, st *stream) {
	l, restore := a.lineStream(w, r)
	defer restore()
	streamHeaders(w.Header(), mediaSSE)
	_ = l.frame([]byte(sseRetry)) // an error is returned again for the first event
	st.serveLines(r, l, &sseEncoder{lineWriter: l}, "sse")
}

var sseEnd = []byte("\n\n")

func (e *sseEncoder) event(ev *perch.Event) error {
	e.prefix = e.prefix[:0]
	if !ev.Position.IsZero() {
		e.prefix = append(append(append(e.prefix, "id: "...), ev.Position.String()...), '\n')
	}
	e.prefix = append(e.prefix, "data: "...)
	return e.frame(e.prefix, ev.Wire, sseEnd)
}
