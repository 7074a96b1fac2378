package api

import (
	"context"
	"net/http"
	"strings"
)

// Tracer follows requests, for traces. Requests call it: it must not wait.
type Tracer interface {
	// Begin is called before anything but its id is known of a request; the headers tell
	// whether it belongs to a trace of the client's (W3C traceparent). The context that it
	// returns goes along with the request, to the sessions and from there to the upstream and
	// the store. End is called once, with what became of the request.
	Begin(r *http.Request) (ctx context.Context, end func(Answer))
}

// Answer is what a Tracer gets at the end of a request. Its words come from small, fixed
// sets, as those of an Observer do: nothing of a client is among them. Of an event stream the
// end is that of its accept, when the header of the answer is written.
type Answer struct {
	Route   string // pattern; "" when no route took the request
	Method  string // one of those that the log knows, or "other"
	Status  int    // 0 when the connection was cut before the answer
	Problem string // slug of the problem that was the answer, or ""
}

type tracedKey struct{}

// traced is a request that a Tracer follows.
type traced struct {
	http.ResponseWriter
	r       *http.Request
	end     func(Answer)
	status  int
	problem string
}

// withTrace lets the Tracer follow a request. Without one it is not there.
func (a *API) withTrace(next http.Handler) http.Handler {
	if a.o.Tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := a.o.Tracer.Begin(r)
		t := &traced{ResponseWriter: w, end: end}
		t.r = r.WithContext(context.WithValue(ctx, tracedKey{}, t))
		defer t.ended()
		next.ServeHTTP(t, t.r)
	})
}

// ended reports the end to the Tracer, once.
func (t *traced) ended() {
	if t.end == nil {
		return
	}
	t.end(Answer{Route: routePattern(t.r), Method: knownMethod(t.r.Method), Status: t.status, Problem: t.problem})
	t.end = nil
}

// WriteHeader implements http.ResponseWriter. With the header an event stream has been
// accepted: whatever comes after it may take hours, and belongs to no request.
func (t *traced) WriteHeader(status int) {
	if t.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		t.status = status
		if strings.HasPrefix(routePattern(t.r), "/v1/events") && t.r.Method == http.MethodGet {
			t.ended()
		}
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (t *traced) Write(p []byte) (int, error) {
	if t.status == 0 {
		t.WriteHeader(http.StatusOK)
	}
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is below.
func (t *traced) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// noteProblem remembers which problem the answer is, for the Tracer.
func noteProblem(r *http.Request, p Problem) {
	if t, ok := r.Context().Value(tracedKey{}).(*traced); ok {
		t.problem = p.Code
	}
}
