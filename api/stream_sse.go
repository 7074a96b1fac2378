package api

import (
	"github.com/perch-im/perch"
)

// sseEncoding writes a stream as Server-Sent Events (WHATWG HTML, 9.2): data is the whole
// envelope, only durable events have an id, so that a browser's Last-Event-ID is always a
// cursor. There is no event field: one onmessage handler gets everything.
var sseEncoding = lineEncoding{
	media: mediaSSE,
	first: sseRetry,
	frame: sseFrame,
	on:    func(l *lineWriter) encoder { return &sseEncoder{lineWriter: l} },
}

// sseRetry is how long an EventSource waits before it connects again.
const sseRetry = "retry: 2000\n\n"

var sseEnd = []byte("\n\n")

func sseFrame(b []byte, ev *perch.Event) []byte {
	return append(append(ssePrefix(b, ev), ev.Wire...), sseEnd...)
}

func ssePrefix(b []byte, ev *perch.Event) []byte {
	if !ev.Position.IsZero() {
		b = append(append(append(b, "id: "...), ev.Position.String()...), '\n')
	}
	return append(b, "data: "...)
}

// sseEncoder writes into the body of a response.
type sseEncoder struct {
	*lineWriter
	prefix []byte // before the envelope; reused for every event
}

func (e *sseEncoder) event(ev *perch.Event) error {
	e.prefix = ssePrefix(e.prefix[:0], ev)
	return e.frame(e.prefix, ev.Wire, sseEnd)
}
