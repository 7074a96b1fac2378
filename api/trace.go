package api

import (
	"context"
	"net/http"
	"strings"
)

// Tracer follows requests, for traces. Requests call it: it must not wait.
type Tracer interface {
	// Begin is called first, when nothing but its id is known of a request; its headers may
	// have a trace of the client (W3C traceparent). The context that it returns is used for the
	// request, in the sessions and from there in the upstream and the store. End is called once,
	// with the result of the request.
	Begin(r *http.Request) (ctx context.Context, end func(Answer))
}

// Answer is what a Tracer gets at the end of a request. Its texts come from small, fixed sets, as
// those of an Observer do: none is a client's. An event stream ends, for the Tracer, when it is
// accepted: when the header of the answer is written.
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
	ctx     context.Context // that the Tracer has made
	r       *http.Request
	end     func(Answer)
	status  int
	problem string
}

// withTrace lets the Tracer follow requests. Without a Tracer it adds nothing.
func (a *API) withTrace(next http.Handler) http.Handler {
	if a.o.Tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := a.o.Tracer.Begin(r)
		t := &traced{ResponseWriter: w, ctx: ctx, end: end}
		t.r = r.WithContext(context.WithValue(ctx, tracedKey{}, t))
		defer t.ended()
		next.ServeHTTP(t, t.r)
	})
}

// traceOf is a context without an end for what a socket does after its handshake. It has the trace of
// the handshake, and nothing else of its request.
func (a *API) traceOf(r *http.Request) context.Context {
	if t, ok := r.Context().Value(tracedKey{}).(*traced); ok {
		return context.WithoutCancel(t.ctx)
	}
	return context.Background()
}

// ended reports the end to the Tracer, once.
func (t *traced) ended() {
	if t.end == nil {
		return
	}
	t.end(Answer{Route: routePattern(t.r), Method: knownMethod(t.r.Method), Status: t.status, Problem: t.problem})
	t.end = nil
}

// WriteHeader implements http.ResponseWriter. With the header an event stream is accepted: what
// follows may take hours, and belongs to no request.
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

// Unwrap lets http.ResponseController reach the writer below.
func (t *traced) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// recordProblem records which problem the answer is, for the Tracer.
func recordProblem(r *http.Request, p Problem) {
	if t, ok := r.Context().Value(tracedKey{}).(*traced); ok {
		t.problem = p.Code
	}
}
