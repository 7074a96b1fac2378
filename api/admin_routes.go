package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/perch-im/perch"
)

// newAdminOfPeers makes what nodes ask each other for operators: withOperatorHop has let them in.
func (a *API) newAdminOfPeers() *chi.Mux {
	r := chi.NewRouter()
	r.Use(a.withRecover, withHeaders, withEscapedPath, a.withHead, middleware.ClientIPFromRemoteAddr, noteClient)
	r.NotFound(a.handleAdminNotFound)
	r.MethodNotAllowed(a.handleAdminMethod)
	a.routesOfAdmin(r)
	return r
}

// routesOfAdmin is the table of routes of the operator's API.
func (a *API) routesOfAdmin(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(a.withBodyLimit, a.withAdminTime, withAdminMark)
		r.Get("/admin/v1/sessions", a.wrap(a.handleAdminSessions))
		r.Get("/admin/v1/sessions/{id}", a.wrap(a.handleAdminSession))
		r.Post("/admin/v1/sessions/{id}/reconnect", a.wrap(a.handleAdminReconnect))
		r.Post("/admin/v1/sessions/{id}/evict", a.wrap(a.handleAdminEvict))
		r.Post("/admin/v1/sessions/{id}/sign-out", a.wrap(a.handleAdminSignOut))
		r.Get("/admin/v1/nodes", a.wrap(a.handleAdminNodes))
		r.Post("/admin/v1/nodes/{id}/drain", a.wrap(a.handleAdminDrain))
		r.Delete("/admin/v1/nodes/{id}/drain", a.wrap(a.handleAdminResume))
		r.Get("/admin/v1/upstreams", a.wrap(a.handleAdminUpstreams))
		r.Get("/admin/v1/log-level", a.wrap(a.handleAdminLogLevel))
		r.Put("/admin/v1/log-level", a.wrap(a.handleAdminLogLevelPut))
	})
}

// withAdminMark marks the answers, see adminHeader.
func withAdminMark(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()[adminHeader] = []string{"1"}
		next.ServeHTTP(w, r)
	})
}

// withAdminTime bounds a request of an operator: it may have to wait for a node that waits.
func (a *API) withAdminTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), askTime+actTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// handleAdminNotFound serves the operator's page, and refuses what is not there.
func (a *API) handleAdminNotFound(w http.ResponseWriter, r *http.Request) {
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	if get && a.o.Admin.Pages != nil && !trusted(r.Context()) && !strings.HasPrefix(r.URL.Path, adminRoot) && pathFault(r.URL.Path) == "" {
		w.Header().Del("Cache-Control")
		page := &pageWriter{ResponseWriter: w}
		if a.o.Admin.Pages.ServeHTTP(page, r); !page.missing {
			return
		}
	}
	a.writeProblem(w, r, perch.Errorf(perch.KindNotFound, "nothing has this address; the admin API is below %s, and /admin/v1/openapi.yaml describes it", adminRoot))
}

// handleAdminMethod names the methods that the address supports, as handleMethodNotAllowed does.
func (a *API) handleAdminMethod(w http.ResponseWriter, r *http.Request) {
	allow := methodsOf(chi.RouteContext(r.Context()).Routes, r.URL.EscapedPath())
	if len(allow) == 0 {
		a.handleAdminNotFound(w, r)
		return
	}
	a.refuseMethod(w, r, allow)
}
