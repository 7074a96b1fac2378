package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api/internal/mcptools"
)

const mcpPath = "/mcp"

// newMCP makes the server of the tools. What they do are the operations of this API, by the same handlers
// and the same rules of scopes: only the way in is another one.
func (a *API) newMCP() *mcptools.Server {
	return mcptools.New(mcptools.Options{
		Version: a.o.Version, Heartbeat: a.o.Heartbeat, API: a.operations(),
		Allows: func(ctx context.Context, operation string) bool { return allows(accessFrom(ctx).Grant, operation) },
		Token:  func(ctx context.Context) any { return grantViewOf(accessFrom(ctx).Grant) },
		Caller: func(ctx context.Context) string {
			by := accessFrom(ctx)
			return string(by.Session.ID()) + "\x00" + by.ID
		},
		Count: func(ctx context.Context) error {
			_, err := a.settings().limits.token.count(string(sessionFrom(ctx).ID()))
			return err
		},
		Problem: a.problemOfTool,
		Refuse:  a.writeProblem,
		Called:  noteTool,
		Ended:   a.o.Observer.Tool,
	})
}

// problemOfTool is writeProblem for a call of a tool that has come to no operation.
func (a *API) problemOfTool(ctx context.Context, err error) []byte {
	p := problemAt(mcpPath, requestID(ctx), err)
	if p.Status >= http.StatusInternalServerError {
		a.logProblem(ctx, mcpPath, p, err)
	}
	text, _ := json.Marshal(p) // of plain fields: cannot fail
	return text
}

// operations are the handlers of what the tools do, for requests that are authenticated already.
func (a *API) operations() http.Handler {
	r := chi.NewRouter()
	r.Use(a.withRecover, withEscapedPath)
	r.NotFound(a.handleNotFound)
	r.Group(func(r chi.Router) {
		r.Use(a.withScope)
		r.Get("/v1/events", a.handleEvents)
		r.Group(func(r chi.Router) {
			r.Use(a.withTime)
			r.Get("/v1/session", a.wrap(a.handleSessionShow))
			a.routesOfCaches(r)
			r.Group(func(r chi.Router) {
				r.Use(a.needsCredential)
				a.routesOfUpstream(r)
			})
		})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		// The router would take the route of the POST for its own.
		r.ServeHTTP(w, req.WithContext(context.WithValue(req.Context(), chi.RouteCtxKey, (*chi.Context)(nil))))
	})
}

// withScope refuses an operation that the token of the request may not do.
func (a *API) withScope(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := authorize(r, accessFrom(r.Context())); err != nil {
			a.writeProblem(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// grantView is what a token may do.
type grantView struct {
	Scopes        []perch.Scope `json:"scopes"`
	Conversations []perch.JID   `json:"conversations"` // null: all
	ExpiresAt     perch.Time    `json:"expires_at"`    // null: with the session
}

func grantViewOf(g perch.Grant) grantView {
	v := grantView{g.Scopes, g.Conversations, g.Expires}
	if v.Scopes == nil {
		v.Scopes = perch.Scopes()
	}
	return v
}

// withMCP lets requests to the tools pass: where the operator has turned them on, and of a page only when
// its origin is listed. That the page is of the same host is not enough: by DNS rebinding a page anywhere
// can make itself one. The token, which such a page has not, is asked for as well.
func (a *API) withMCP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !a.settings().MCP:
			a.handlePage(w, r)
			return
		case !trusted(r.Context()) && !a.originListed(r):
			a.writeProblem(w, r, perch.Errorf(perch.KindForbidden, "this origin may not use the tools"))
			return
		}
		longest := maxWait*time.Second + a.o.RequestTime
		setDeadlines(w, a.o.RequestTime, longest+a.o.RequestTime)
		ctx, cancel := context.WithTimeout(r.Context(), longest)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// handleMCP serves the tools of agents.
//
//	@ID				callTools
//	@Summary		Tools for agents (MCP)
//	@Description	The Model Context Protocol, Streamable HTTP, without sessions: each POST is a message of JSON-RPC, and its answer an event stream with the answers, or 202 for a notification. tools/list has the tools that the token may use; docs/mcp.md describes them. 404 unless the operator has turned it on (--mcp).
//	@Tags			agents
//	@Accept			json
//	@Produce		plain
//	@Param			body	body		object	true	"a message of JSON-RPC"
//	@Success		200		{string}	string	"an event stream"
//	@Success		202
//	@Failure		400	{object}	Problem	"the body is no message, or one of a version of the protocol that is not spoken"
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem	"the page is of an origin that is not listed"
//	@Failure		404	{object}	Problem	"the operator has not turned it on"
//	@Failure		413	{object}	Problem
//	@Failure		415	{object}	Problem
//	@Failure		429	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/mcp [post]
//	@Security		BearerAuth
func (a *API) handleMCP(w http.ResponseWriter, r *http.Request) {
	err := checkMediaType(r)
	if err == nil {
		err = bufferBody(r)
	}
	if err != nil {
		a.writeProblem(w, r, err)
		return
	}
	w.Header().Set("X-Accel-Buffering", "no") // see streamHeaders
	a.mcp.ServeHTTP(w, r)
}

// isMCP reports whether a request is to the tools, though they have only POST.
func isMCP(r *http.Request) bool { return strings.TrimSuffix(r.URL.Path, "/") == mcpPath }
