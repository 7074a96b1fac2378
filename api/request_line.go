package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/perch-im/perch/sessions"
)

// requestNote is what is known of a request, for its lines in the log: its id from the start, the rest
// as the inner parts learn it. The goroutine of the request alone writes it.
type requestNote struct {
	id      string
	client  netip.Addr
	session sessions.ID
	owner   sessions.NodeID        // the peer that has answered; "" is this node
	tool    atomic.Pointer[string] // the last one that a request to /mcp has called
}

type noteKey struct{}

// noteOf returns the note of the request that ctx belongs to; outside of withRequestID an empty one.
func noteOf(ctx context.Context) *requestNote {
	if n, ok := ctx.Value(noteKey{}).(*requestNote); ok {
		return n
	}
	return &requestNote{}
}

func noteSession(r *http.Request, id sessions.ID)      { noteOf(r.Context()).session = id }
func noteTool(ctx context.Context, tool string)        { noteOf(ctx).tool.Store(&tool) }
func noteOwner(r *http.Request, owner sessions.NodeID) { noteOf(r.Context()).owner = owner }

// noteClient notes the client's address, which withClientIP has found.
func noteClient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noteOf(r.Context()).client = middleware.GetClientIPAddr(r.Context())
		next.ServeHTTP(w, r)
	})
}

// withLog writes one line a request: the route's pattern, never the path, which has JIDs
// in it, nor the query, nor any header.
func (a *API) withLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		start := time.Now()
		defer func() {
			route, took := routePattern(r), time.Since(start)
			a.observe(r.Method, route, ww.Status(), took)
			if a.settings().NoRequestLines || !a.log.Enabled(r.Context(), slog.LevelInfo) {
				return
			}
			attrs := make([]slog.Attr, 0, 11)
			attrs = append(attrs,
				slog.String("method", knownMethod(r.Method)), slog.String("route", route),
				slog.Int("status", ww.Status()), slog.Int("bytes", ww.BytesWritten()), slog.Duration("took", took))
			a.log.LogAttrs(r.Context(), slog.LevelInfo, "request", a.appendWho(attrs, noteOf(r.Context()))...)
		}()
		next.ServeHTTP(ww, r)
	})
}

// appendWho adds who has asked whom, as far as it is known: client, session, node, the peer that
// owns the session, and the id of the request.
func (a *API) appendWho(attrs []slog.Attr, note *requestNote) []slog.Attr {
	if note.client.IsValid() {
		// A zone is text of the client's choice where a proxy hands it on.
		attrs = append(attrs, slog.String("client", note.client.Unmap().WithZone("").String()))
	}
	if note.session != "" {
		attrs = append(attrs, slog.String("session", note.session.Short()))
	}
	if tool := note.tool.Load(); tool != nil {
		attrs = append(attrs, slog.String("tool", *tool))
	}
	if self := a.o.Sessions.Self().ID; self != "" {
		attrs = append(attrs, slog.String("node", string(self)))
	}
	if note.owner != "" {
		attrs = append(attrs, slog.String("owner", string(note.owner)))
	}
	return append(attrs, slog.String("request_id", note.id))
}
