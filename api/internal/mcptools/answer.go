package mcptools

import (
	"net/http"
	"strings"
	"sync"

	"github.com/perch-im/perch"
)

// answerWriter is the answer to a POST. It turns the refusals of the SDK, which are plain text, into
// problems, and may be written to by a call that waits, too.
type answerWriter struct {
	http.ResponseWriter
	refuse func(error)

	mu      sync.Mutex
	refused int // status of a refusal, which is written at the end
	reason  strings.Builder
	closed  bool
}

// maxReason bounds what is kept of a refusal.
const maxReason = 300

// WriteHeader implements http.ResponseWriter.
func (w *answerWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if status >= 400 && strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		w.refused = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *answerWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refused != 0 {
		w.reason.Write(p[:min(len(p), maxReason-min(w.reason.Len(), maxReason))])
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// FlushError implements what http.ResponseController looks for.
func (w *answerWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refused != 0 {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// comment writes a comment into a stream of events, which clients do not see (SSE).
func (w *answerWriter) comment() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.refused != 0 || w.Header().Get("Content-Type") != "text/event-stream" {
		return
	}
	_, _ = w.ResponseWriter.Write([]byte(": waiting\n\n")) // a client that has left needs none
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// close writes the refusal, if there is one. Nothing is written after it.
func (w *answerWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.refused == 0 {
		return
	}
	kind := perch.KindMalformedJSON
	switch w.refused {
	case http.StatusUnsupportedMediaType:
		kind = perch.KindUnsupportedMedia
	case http.StatusRequestEntityTooLarge:
		kind = perch.KindBodyTooLarge
	case http.StatusForbidden:
		kind = perch.KindForbidden
	}
	w.refuse(perch.Errorf(kind, "%s", strings.ToValidUTF8(strings.TrimSpace(w.reason.String()), "")))
}
