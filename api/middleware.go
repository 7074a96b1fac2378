package api

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/perch-im/perch"
)

// requestID returns the id of the request that ctx belongs to, or "".
func requestID(ctx context.Context) string { return noteOf(ctx).id }

// withRequestID gives every request an id. One that the client, or its proxy, has
// chosen is used if it can be written into a log and a header as it is.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !validRequestID(id) {
			id = rand.Text()
		}
		w.Header()["X-Request-Id"] = []string{id}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), noteKey{}, &requestNote{id: id})))
	})
}

func validRequestID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// withEscapedPath makes the router match the path as it is in the request line, so that a
// parameter is always percent-encoded and %2F is never a separator.
func withEscapedPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chi.RouteContext(r.Context()).RoutePath = r.URL.EscapedPath()
		next.ServeHTTP(w, r)
	})
}

// withHeaders sets the headers of every answer. Answers of the API are personal: no cache may
// store one. Handlers of public pages overwrite that.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Cache-Control"] = noStore
		h["X-Content-Type-Options"] = noSniff
		h["Referrer-Policy"] = noReferrer
		next.ServeHTTP(w, r)
	})
}

// knownMethod keeps text of a client's choice out of logs and labels.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// routePattern is the pattern of the route that took the request, or "".
func routePattern(r *http.Request) string {
	if rc := chi.RouteContext(r.Context()); rc != nil {
		return rc.RoutePattern()
	}
	return ""
}

// withRecover turns a panic of a handler into a 500, so that one request cannot end the
// sessions of all others.
func (a *API) withRecover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { //nolint:errorlint // a value that was panicked with, as it is
				panic(v)
			}
			a.log.ErrorContext(r.Context(), "handler panicked", "panic", v, "route", routePattern(r),
				"request_id", requestID(r.Context()), "stack", string(debug.Stack()))
			if ww, ok := w.(middleware.WrapResponseWriter); ok && ww.Status() != 0 {
				panic(http.ErrAbortHandler) // an answer has begun: cut it, so that it is not taken for complete
			}
			a.writeProblem(w, r, perch.Errorf(perch.KindInternal, ""))
		}()
		next.ServeHTTP(w, r)
	})
}

// withClientIP finds the client's address by the rules of Options.TrustedProxies. That of a
// request from a peer was found there, and has replaced the one of the TCP connection.
func (a *API) withClientIP(next http.Handler) http.Handler {
	return a.rebuilt(func(x *settings) http.Handler {
		if len(x.TrustedProxies) == 0 {
			return middleware.ClientIPFromRemoteAddr(next)
		}
		prefixes := make([]string, len(x.TrustedProxies))
		for i, p := range x.TrustedProxies {
			prefixes[i] = p.String()
		}
		return middleware.ClientIPFromXFF(prefixes...)(next)
	})
}

// withBodyLimit bounds how much, and for how long, a request may send.
func (a *API) withBodyLimit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := a.o.BodyBytes
		if r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, uploadPath) {
			limit = max(limit, a.settings().Uploads.Bytes)
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// withoutBody reads and discards the body of a request that needs none, within its limits of
// bytes and time. A stream cannot begin before that: only after the end of the body does the
// server notice that a client has left, and a stream has no deadline for it.
func (a *API) withoutBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				a.writeProblem(w, r, bodyError(err))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// withTime bounds a REST request: how long its body may take to arrive, its work to be
// done, and its answer to be taken. Streams have deadlines of their own.
func (a *API) withTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setDeadlines(w, a.o.RequestTime, 2*a.o.RequestTime)
		ctx, cancel := context.WithTimeout(r.Context(), a.o.RequestTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
