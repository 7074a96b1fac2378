package api

import (
	"context"
	"net/http"

	"github.com/perch-im/perch"
)

// The stream's handlers come with stream.go, ws.go, ticket.go and drain.go; whoever adds
// one of those files takes its method out of this one.

func (a *API) handleEvents(w http.ResponseWriter, r *http.Request) {
	a.writeProblem(w, r, perch.Errorf(perch.KindFeatureUnsupported, ""))
}

func (a *API) handleEventsWS(w http.ResponseWriter, r *http.Request) {
	a.writeProblem(w, r, perch.Errorf(perch.KindFeatureUnsupported, ""))
}

func (a *API) handleTicketCreate(w http.ResponseWriter, r *http.Request) {
	a.writeProblem(w, r, perch.Errorf(perch.KindFeatureUnsupported, ""))
}

// Drain refuses new streams and ends the open ones.
func (a *API) Drain(context.Context) { a.draining.Store(true) }
