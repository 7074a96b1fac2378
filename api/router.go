package api

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/static"
)

// API serves the sessions of one Manager. Make it with [New]; it is safe for concurrent
// use. It starts no goroutine of its own before the first event stream is opened; Drain
// ends those, and Close closes the idle connections to peers.
type API struct {
	o        Options
	log      *slog.Logger
	mux      *chi.Mux
	current  atomic.Pointer[settings]
	changing sync.Mutex // held by Reconfigure
	accepted *acceptedTokens
	streams  *streamRegistry
	peers    *peerTransport
	runner   runner
	refusals *refusalLines
	uploads  uploadPlaces
	stanzas  *limiter // of POST /v1/stanzas, by session
	mcp      http.Handler
	made     time.Time
	draining atomic.Bool // set by Drain: not ready, no new streams

	adminOfPeers *chi.Mux // see withOperatorHop
}

// New checks the options and builds the routes. It does no I/O.
func New(o Options) (*API, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &API{
		o: o, log: o.Logger, mux: chi.NewRouter(), accepted: newAcceptedTokens(),
		streams: newStreamRegistry(o), peers: newPeerTransport(o), made: time.Now(), refusals: newRefusalLines(), uploads: make(uploadPlaces, uploadsAtOnce),
		stanzas: newLimiter("stanzas", stanzaRate),
	}
	a.current.Store(newSettings(o, nil))
	a.adminOfPeers = a.newAdminOfPeers()
	a.mcp = a.newMCP()
	a.routes()
	return a, nil
}

// Handler is everything that the public listener serves. See [NewServer] for the limits
// of the listener itself.
func (a *API) Handler() http.Handler { return a.mux }

// routes is the table of routes. The order of the middleware matters: every refusal has a
// request id, is logged, and is a problem.
func (a *API) routes() {
	r := a.mux
	r.Use(withRequestID, a.withOperatorHop, a.withTrace, a.withLog, a.withRecover, withHeaders, withEscapedPath, a.withHop, a.withClientIP, noteClient, a.withCORS, a.withIPLimit, a.refuseInvalidHops)
	r.NotFound(a.handlePage)
	r.MethodNotAllowed(a.handleMethodNotAllowed)
	r.Use(a.withHead, a.withBodyLimit)

	r.Get("/problems/{slug}", a.handleProblem)
	r.Get("/v1/openapi.yaml", a.wrap(describe(a.o.OpenAPI)))
	r.Get("/v1/asyncapi.yaml", a.wrap(describe(a.o.AsyncAPI)))

	// Streams are without the deadlines of REST, so a request must be read before they begin. The
	// socket authenticates by itself: it must check the Origin before it causes a login, and a
	// plain GET is 426, not 401.
	r.With(a.withoutBody, a.withUpstream, a.withSession).Get("/v1/events", a.handleEvents)
	r.With(a.withoutBody).Get("/v1/events/ws", a.handleEventsWS)
	// A call may wait as long as a poll.
	r.With(a.withMCP, a.withUpstream, a.withSession).Post(mcpPath, a.handleMCP)
	// A file takes as long as it makes progress.
	r.With(a.withUpstream, a.withSession, a.needsCredential).Put(uploadPattern, a.wrap(a.handleUploadPut))
	r.Group(func(r chi.Router) {
		r.Use(a.withTime, a.withUpstream)
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

// routesOfCaches are the routes that work in every state of a session.
func (a *API) routesOfCaches(r chi.Router) {
	r.Get("/v1/tokens", a.wrap(a.handleTokens))
	r.Post("/v1/tokens", a.wrap(a.handleTokenCreate))
	r.Delete("/v1/tokens/{id}", a.wrap(a.handleTokenRevoke))
	r.Get("/v1/webhooks", a.withWebhooks(a.handleWebhooks))
	r.Get("/v1/webhooks/{id}", a.withWebhooks(a.handleWebhookShow))
	r.Put("/v1/webhooks/{id}", a.withWebhooks(a.handleWebhookPut))
	r.Delete("/v1/webhooks/{id}", a.withWebhooks(a.handleWebhookDelete))
	r.Post("/v1/webhooks/{id}/test", a.withWebhooks(a.handleWebhookTest))
	r.Post("/v1/webhooks/{id}/replay", a.withWebhooks(a.handleWebhookReplay))
	r.Get("/v1/push", a.withPush(a.handlePush))
	r.Put("/v1/push/{id}", a.withPush(a.handlePushPut))
	r.Delete("/v1/push/{id}", a.withPush(a.handlePushDelete))
	r.Post("/v1/push/{id}/test", a.withPush(a.handlePushTest))
	r.Put("/v1/session/credentials", a.wrap(a.handleCredentials))
	r.Get("/v1/buddies", a.wrap(a.handleBuddies))
	r.Get("/v1/buddies/{jid}", a.wrap(a.handleBuddyShow))
	r.Get("/v1/invitations", a.wrap(a.handleInvitations))
	r.Get("/v1/presence", a.wrap(a.handlePresence))
	r.Get("/v1/presence/me", a.wrap(a.handleOwnPresence))
	r.Get("/v1/presence/{jid}", a.wrap(a.handlePresenceShow))
	r.Get("/v1/vcards/me", a.wrap(a.handleOwnVCard))
	r.Get("/v1/vcards/me/photo", a.wrap(a.handleOwnPhoto))
	r.Get("/v1/vcards/{jid}", a.wrap(a.handleVCard))
	r.Get("/v1/vcards/{jid}/photo", a.wrap(a.handlePhoto))
	r.Get("/v1/messages/{id}", a.wrap(a.handleMessageShow))
	r.Get("/v1/conversations", a.wrap(a.handleConversations))
	r.Get("/v1/conversations/{jid}", a.wrap(a.handleConversationShow))
	r.Patch("/v1/conversations/{jid}", a.wrap(a.handleConversationPatch))
	r.Get("/v1/conversations/{jid}/messages/{ref}", a.wrap(a.handleConversationMessage))
	r.Get("/v1/blocked", a.wrap(a.handleBlocked))
	r.Get("/v1/blocked/{jid}", a.wrap(a.handleBlockedShow))
	r.Get("/v1/rooms", a.wrap(a.handleRooms))
	r.Get("/v1/rooms/{jid}", a.wrap(a.handleRoomShow))
}

// routesOfUpstream are the routes that need the upstream: they are refused on a session whose
// credential has expired.
func (a *API) routesOfUpstream(r chi.Router) {
	r.Post("/v1/buddies", a.wrap(a.handleBuddyAdd))
	r.Patch("/v1/buddies/{jid}", a.wrap(a.handleBuddyPatch))
	r.Delete("/v1/buddies/{jid}", a.wrap(a.handleBuddyRemove))
	r.Post("/v1/invitations/{jid}/accept", a.wrap(a.handleInvitationAccept))
	r.Post("/v1/invitations/{jid}/decline", a.wrap(a.handleInvitationDecline))
	r.Put("/v1/session/password", a.wrap(a.handlePassword))
	r.Put("/v1/presence/me", a.wrap(a.handleOwnPresencePut))
	r.Put("/v1/vcards/me", a.wrap(a.handleOwnVCardPut))
	r.Put("/v1/vcards/me/nick", a.wrap(a.handleOwnNickPut))
	r.Delete("/v1/vcards/me/nick", a.wrap(a.handleOwnNickRemove))
	r.Put("/v1/vcards/me/photo", a.wrap(a.handleOwnPhotoPut))
	r.Delete("/v1/vcards/me/photo", a.wrap(a.handleOwnPhotoRemove))
	r.Get("/v1/archive", a.wrap(a.handleArchive))
	r.Get("/v1/jids", a.wrap(a.handleJIDLookup))
	r.Post("/v1/messages", a.wrap(a.handleMessageSend))
	r.Post("/v1/uploads", a.wrap(a.handleUploadCreate))
	r.Put("/v1/chat-states/{jid}", a.wrap(a.handleChatState))
	r.Post("/v1/stanzas", a.wrap(a.handleStanza))
	r.Put("/v1/conversations/{jid}/read", a.wrap(a.handleConversationRead))
	r.Get("/v1/conversations/{jid}/messages", a.wrap(a.handleConversationMessages))
	r.Patch("/v1/conversations/{jid}/messages/{ref}", a.wrap(a.handleMessageEdit))
	r.Delete("/v1/conversations/{jid}/messages/{ref}", a.wrap(a.handleMessageRetract))
	r.Put("/v1/conversations/{jid}/messages/{ref}/reactions", a.wrap(a.handleMessageReact))
	r.Put("/v1/blocked/{jid}", a.wrap(a.handleBlock))
	r.Delete("/v1/blocked/{jid}", a.wrap(a.handleUnblock))
	r.Delete("/v1/blocked", a.wrap(a.handleUnblockAll))
	a.routesOfRooms(r)
}

// routesOfRooms are the routes of rooms that need the upstream.
func (a *API) routesOfRooms(r chi.Router) {
	r.Put("/v1/rooms/{jid}", a.wrap(a.handleRoomJoin))
	r.Patch("/v1/rooms/{jid}", a.wrap(a.handleRoomPatch))
	r.Delete("/v1/rooms/{jid}", a.wrap(a.handleRoomLeave))
	r.Post("/v1/rooms/{jid}/destroy", a.wrap(a.handleRoomDestroy))
	r.Put("/v1/rooms/{jid}/subject", a.wrap(a.handleRoomSubject))
	r.Get("/v1/rooms/{jid}/occupants", a.wrap(a.handleRoomOccupants))
	r.Patch("/v1/rooms/{jid}/occupants/{nick}", a.wrap(a.handleOccupantRole))
	r.Delete("/v1/rooms/{jid}/occupants/{nick}", a.wrap(a.handleOccupantKick))
	r.Get("/v1/rooms/{jid}/members", a.wrap(a.handleRoomMembers))
	r.Put("/v1/rooms/{jid}/members/{member}", a.wrap(a.handleRoomMemberPut))
	r.Delete("/v1/rooms/{jid}/members/{member}", a.wrap(a.handleRoomMemberRemove))
	r.Post("/v1/rooms/{jid}/invitations", a.wrap(a.handleRoomInvite))
	r.Get("/v1/rooms/{jid}/config", a.wrap(a.handleRoomConfig))
	r.Patch("/v1/rooms/{jid}/config", a.wrap(a.handleRoomConfigPatch))
	r.Get("/v1/rooms/{jid}/photo", a.wrap(a.handleRoomPhoto))
	r.Put("/v1/rooms/{jid}/photo", a.wrap(a.handleRoomPhotoPut))
	r.Delete("/v1/rooms/{jid}/photo", a.wrap(a.handleRoomPhotoRemove))
	r.Get("/v1/directory", a.wrap(a.handleDirectory))
}

// describe serves a description of the API that was built in. It may be compressed: unlike the answers
// of the API (see body.write) it is the same for everybody.
func describe(text []byte) handler {
	file := static.New(text, "application/yaml")
	return func(w http.ResponseWriter, r *http.Request) error {
		if len(text) == 0 {
			return perch.Errorf(perch.KindNotFound, "this build does not contain that description")
		}
		w.Header().Set("Cache-Control", "public, max-age=300")
		file.ServeHTTP(w, r)
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

// handleMethodNotAllowed names the methods that the address supports (RFC 9110, 15.5.6). The
// router also sends requests here whose method it does not know, whatever their path.
func (a *API) handleMethodNotAllowed(w http.ResponseWriter, r *http.Request) {
	allow := methodsOf(a.mux, r.URL.EscapedPath())
	if len(allow) == 0 || isMCP(r) && !a.settings().MCP {
		a.handlePage(w, r)
		return
	}
	a.refuseMethod(w, r, allow)
}

func (a *API) refuseMethod(w http.ResponseWriter, r *http.Request, allow []string) {
	w.Header().Set("Allow", strings.Join(allow, ", "))
	a.writeProblem(w, r, perch.Errorf(slugMethodNotAllowed, "this address supports %s", strings.Join(allow, ", ")))
}
