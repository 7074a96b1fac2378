package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch/sessions"
)

// Hop is what one node vouches for to another.
type Hop = hop

// HopHeader is its header.
const HopHeader = hopHeader

// SealHop signs a hop, as a node with the secret of this one would.
func (a *API) SealHop(h Hop, to sessions.NodeID, r *http.Request, requestID string) string {
	return a.seal(h, to, r.Method, r.URL.RequestURI(), requestID)
}

// NewHop is a hop of this moment.
func NewHop(from sessions.NodeID) Hop { return Hop{From: from, At: time.Now().Unix()} }

// RouteOf is the pattern of the route that takes a request.
func (a *API) RouteOf(method, target string) string {
	path, _, _ := strings.Cut(target, "?")
	rc := chi.NewRouteContext()
	a.mux.Match(rc, method, path)
	return rc.RoutePattern()
}
