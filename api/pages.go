package api

import (
	"net/http"
	"path"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
)

// handlePage serves what no route of the API matches: the pages beside it. It is no route
// itself, since one that matches everything would hide that an address of the API lacks a
// method. Nothing below /v1 is ever a page, however its path is written: a program that
// mistypes an address must get a problem, not HTML, and not a redirect.
func (a *API) handlePage(w http.ResponseWriter, r *http.Request) {
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case a.o.Pages == nil || pathFault(r.URL.Path) != "" || isAPIPath(r.URL.Path):
		a.handleNotFound(w, r)
	case get:
		w.Header().Del("Cache-Control")
		page := &pageWriter{ResponseWriter: w}
		if a.o.Pages.ServeHTTP(page, r); page.missing {
			a.handleNotFound(w, r)
		}
	case a.hasPage(r):
		w.Header().Set("Allow", "GET, HEAD")
		a.writeProblem(w, r, perch.Errorf(slugMethodNotAllowed, "a page supports GET and HEAD"))
	default:
		a.handleNotFound(w, r)
	}
}

// isAPIPath reports whether a path belongs to the API, whether there is a route or not.
func isAPIPath(path string) bool {
	for _, root := range []string{"/v1", "/problems"} {
		if path == root || strings.HasPrefix(path, root+"/") {
			return true
		}
	}
	return path == mcpPath
}

// pathFault returns why a path is not in the form of the paths of this gateway, or "". Such a
// path is not found. It is not cleaned in silence: two spellings of an address are two keys to
// every cache, limit and rule of the proxies before it.
func pathFault(path string) string {
	if strings.Contains(path, "//") {
		return `it has an empty segment ("//")`
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return `it has a segment "` + segment + `"`
		}
	}
	return ""
}

// handleNotFound answers 404, and names the address that the client may have meant.
func (a *API) handleNotFound(w http.ResponseWriter, r *http.Request) {
	fault := pathFault(r.URL.Path)
	if fault == "" && len(r.URL.Path) > 1 && strings.HasSuffix(r.URL.Path, "/") {
		fault = "it ends with a slash"
	}
	detail := "nothing has this address"
	switch meant := path.Clean("/" + r.URL.EscapedPath()); {
	case fault != "" && len(methodsOf(a.mux, meant)) > 0:
		detail = "nothing has this path: " + fault + "; did you mean " + meant + "?"
	case fault != "":
		detail = "nothing has this path: " + fault
	case !strings.HasPrefix(r.URL.Path, "/v1/"):
		detail += "; the API is below /v1/"
	}
	a.writeProblem(w, r, perch.Errorf(perch.KindNotFound, "%s", detail))
}

// methodsOf lists the methods of a path.
func methodsOf(routes chi.Routes, escapedPath string) (methods []string) {
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		if routes.Match(chi.NewRouteContext(), m, escapedPath) {
			methods = append(methods, m)
		}
	}
	return methods
}

// hasPage reports whether there is a page at the address of r.
func (a *API) hasPage(r *http.Request) bool {
	get := r.Clone(r.Context())
	get.Method, get.Header, get.Body = http.MethodGet, http.Header{}, http.NoBody
	probe := &pageWriter{ResponseWriter: discardWriter{}}
	a.o.Pages.ServeHTTP(probe, get)
	return !probe.missing
}

// discardWriter is an answer that no client gets.
type discardWriter struct{}

// Header implements http.ResponseWriter.
func (discardWriter) Header() http.Header { return http.Header{} }

// Write implements http.ResponseWriter.
func (discardWriter) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (discardWriter) WriteHeader(int) {}

// pageWriter suppresses the 404 of the pages: a client that has left /v1 out of an address
// gets a problem, as for any other mistake. A 404 in HTML is for a browser that has asked for it, and
// passes.
type pageWriter struct {
	http.ResponseWriter
	missing bool
}

// WriteHeader implements http.ResponseWriter.
func (w *pageWriter) WriteHeader(status int) {
	html := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html")
	if w.missing = status == http.StatusNotFound && !html; !w.missing {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (w *pageWriter) Write(p []byte) (int, error) {
	if w.missing {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is below.
func (w *pageWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
