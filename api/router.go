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
// ends those.
type API struct {
	o        Options
	log      *slog.Logger
	mux      *chi.Mux
	limits   limits
	accepted *accepted
	draining atomic.Bool // set by Drain: not ready, no new streams
}

// New checks the options and builds the routes. It does no I/O.
func New(o Options) (*API, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &API{o: o, log: o.Logger, mux: chi.NewRouter(), limits: newLimits(o), accepted: newAccepted()}
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
	r.Use(withRequestID, a.withLog, a.withRecover, withHeaders, withEscapedPath, a.withClientIP(), a.withCORS(), a.withIPLimit)
	r.NotFound(a.handleNotFound)
	r.MethodNotAllowed(a.handleMethodNotAllowed)
	r.Use(a.withHead, a.withBodyLimit)

	r.Get("/problems/{slug}", a.handleProblem)

	r.Group(func(r chi.Router) { // streams: no clock of REST; see withSessionOrTicket
		r.Use(a.withSessionOrTicket)
		r.Get("/v1/events", a.handleEvents)
		r.Get("/v1/events/ws", a.handleEventsWS)
	})
	r.Group(func(r chi.Router) {
		r.Use(a.withTime, a.withSession)
		r.Post("/v1/events/tickets", a.handleTicketCreate)
	})
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

func (a *API) handleNotFound(w http.ResponseWriter, r *http.Request) {
	a.writeProblem(w, r, perch.Errorf(perch.KindNotFound, "there is nothing at this address"))
}

// handleMethodNotAllowed names the methods that the address does have (RFC 9110, 15.5.6).
func (a *API) handleMethodNotAllowed(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		if a.mux.Match(chi.NewRouteContext(), m, r.URL.EscapedPath()) {
			allow = append(allow, m)
		}
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	a.writeProblem(w, r, perch.Errorf(slugMethodNotAllowed, "this address has %s", strings.Join(allow, ", ")))
}
