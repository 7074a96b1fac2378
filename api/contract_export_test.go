package api

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// Routes lists the routes of the public listener as "GET /v1/session".
func (a *API) Routes() (routes []string) {
	_ = chi.Walk(a.mux, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes = append(routes, method+" "+route)
		return nil
	})
	return routes
}

// AdminRoutes lists the routes of the operator's API in the same way.
func (a *API) AdminRoutes() (routes []string) {
	_ = chi.Walk(a.adminOfPeers, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes = append(routes, method+" "+route)
		return nil
	})
	return append(routes, "GET /admin/v1/openapi.yaml")
}
