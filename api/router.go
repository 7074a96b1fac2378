package api

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
)

// API serves the sessions of one Manager. Make it with [New]; it is safe for concurrent
// use. It starts no goroutine of its own before the first event stream is opened; Drain
// ends those, and Close what is left of connections to other nodes.
type API struct {
	o        Options
	log      *slog.Logger
	mux      *chi.Mux
	limits   limits
	accepted *accepted
	stream   *streamState
	hops     *hops
	draining atomic.Bool // set by Drain: not ready, no new streams
}

// New checks the options and builds the routes. It does no I/O.
func New(o Options) (*API, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &API{
		o: o, log: o.Logger, mux: chi.NewRouter(), limits: newLimits(o), accepted: newAccepted(),
		stream: newStreamState(o), hops: newHops(o),
	}
	a.routes()
	return a, nil
}

// Handler is everything that the public listener serves. See [NewServer] for the limits
// of the listener itself.
func (a *API) Handler() http.Handler { return a.mux }

// routes is the table of the API. The order of the middlewares matters: whatever refuses
// a request does so with a request id, in the log, as a problem.
func (a *API) routes() {
	r := a.mux
	r.Use(withRequestID, a.withTrace, a.withLog, a.withRecover, withHeaders, withEscapedPath, a.withHop, a.withClientIP(), a.withCORS(), a.withIPLimit, a.refuseHops)
	r.NotFound(a.handlePage)
	r.MethodNotAllowed(a.handleMethodNotAllowed)
	r.Use(a.withHead, a.withBodyLimit)

	r.Get("/problems/{slug}", a.handleProblem)
	r.Get("/v1/openapi.yaml", a.wrap(describe(a.o.OpenAPI)))
	r.Get("/v1/asyncapi.yaml", a.wrap(describe(a.o.AsyncAPI)))

	// Streams have no clock of REST, so that what they need of a request must be there before
	// they begin. The socket authenticates by itself: it must look at the
	// Origin before it causes a login, and a plain GET is 426, not 401.
	r.With(a.withoutBody, a.withSession).Get("/v1/events", a.handleEvents)
	r.With(a.withoutBody).Get("/v1/events/ws", a.handleEventsWS)
	r.Group(func(r chi.Router) {
		r.Use(a.withTime)
		r.Post("/v1/session", a.wrap(a.handleSessionOpen)) // authenticates by itself
		r.With(a.withLiveSession).Get("/v1/session", a.wrap(a.handleSessionShow))
		r.With(a.withLiveSession).Delete("/v1/session", a.wrap(a.handleSessionDelete))
		r.Group(func(r chi.Router) {
			r.Use(a.withSession)
			r.Post("/v1/events/tickets", a.handleTicketCreate)
			a.routesOfCaches(r)
			r.Group(func(r chi.Router) {
				r.Use(a.needsCredential)
				a.routesOfUpstream(r)
			})
		})
	})
}

// routesOfCaches work in every state of a session.
func (a *API) routesOfCaches(r chi.Router) {
	r.Put("/v1/session/credentials", a.wrap(a.handleCredentials))
	r.Get("/v1/buddies", a.wrap(a.handleBuddies))
	r.Get("/v1/buddies/{jid}", a.wrap(a.handleBuddyShow))
	r.Get("/v1/invitations", a.wrap(a.handleInvitations))
	r.Get("/v1/presence", a.wrap(a.handlePresence))
	r.Get("/v1/presence/me", a.wrap(a.handleOwnPresence))
	r.Get("/v1/presence/{jid}", a.wrap(a.handlePresenceShow))
	r.Get("/v1/vcards/me", a.wrap(a.handleOwnVCard))
	r.Get("/v1/vcards/{jid}", a.wrap(a.handleVCard))
	r.Get("/v1/vcards/{jid}/photo", a.wrap(a.handlePhoto))
	r.Get("/v1/messages/{id}", a.wrap(a.handleMessageShow))
}

// routesOfUpstream are of no use on a session whose credential ran out.
func (a *API) routesOfUpstream(r chi.Router) {
	r.Post("/v1/buddies", a.wrap(a.handleBuddyAdd))
	r.Patch("/v1/buddies/{jid}", a.wrap(a.handleBuddyPatch))
	r.Delete("/v1/buddies/{jid}", a.wrap(a.handleBuddyRemove))
	r.Post("/v1/invitations/{jid}/accept", a.wrap(a.handleInvitationAccept))
	r.Post("/v1/invitations/{jid}/decline", a.wrap(a.handleInvitationDecline))
	r.Put("/v1/presence/me", a.wrap(a.handleOwnPresencePut))
	r.Put("/v1/vcards/me", a.wrap(a.handleOwnVCardPut))
	r.Get("/v1/archive", a.wrap(a.handleArchive))
	r.Get("/v1/jids", a.wrap(a.handleJIDLookup))
	r.Post("/v1/messages", a.wrap(a.handleMessageSend))
	r.Put("/v1/chat-states/{jid}", a.wrap(a.handleChatState))
}

// describe serves a description of the API as it was built in.
func describe(text []byte) handler {
	return func(w http.ResponseWriter, _ *http.Request) error {
		if len(text) == 0 {
			return perch.Errorf(perch.KindNotFound, "this build has no such description")
		}
		w.Header().Set("Content-Type", "application/yaml")
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(text)
		return nil
	}
}

// withHead answers HEAD like GET, without the body; net/http leaves it out. A stream has
// no HEAD.
func (a *API) withHead(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && !strings.HasPrefix(r.URL.Path, "/v1/events") {
			chi.RouteContext(r.Context()).RouteMethod = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

// handleMethodNotAllowed names the methods that the address does have (RFC 9110, 15.5.6).
// The router also sends requests with a method that it does not know, whatever their path.
func (a *API) handleMethodNotAllowed(w http.ResponseWriter, r *http.Request) {
	allow := a.methodsOf(r.URL.EscapedPath())
	if len(allow) == 0 {
		a.handlePage(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	a.writeProblem(w, r, perch.Errorf(slugMethodNotAllowed, "this address has %s", strings.Join(allow, ", ")))
}
