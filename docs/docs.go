// Package docs has the guides, as pages and as text, and the API reference at /docs: Swagger UI on the
// description that the gateway serves itself. The pages work without any other host.
package docs

import (
	"embed"
	"net/http"
	"strings"
	"sync"

	"github.com/perch-im/perch/internal/static"
)

//go:embed *.md pages/*.html ui/*
var files embed.FS

// AdminOpenAPI is the OpenAPI 3.1 description of the operator's API, generated from the comments of
// package api. It must not be modified.
//
//go:embed admin-openapi.yaml
var AdminOpenAPI []byte

// csp lets the pages run their own programs and styles and talk to their own host, and nothing
// else. Swagger UI has its icons in data: addresses.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// pages are made when the first of them is asked for, and once for the process.
var pages = sync.OnceValue(func() *site {
	made, err := load()
	if err != nil {
		panic("docs: " + err.Error()) // of embedded files: a broken build
	}
	return made
})

// Handler serves /docs and what lies below it, by GET and HEAD; everything else is that of NotFound.
// It needs /v1/openapi.yaml on the same host.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages().byAddress[strings.TrimSuffix(r.URL.Path, "/")]
		if !ok {
			NotFound().ServeHTTP(w, r)
			return
		}
		withPolicy(w.Header())
		w.Header().Set("Cache-Control", "no-cache") // stored, and revalidated: a new program is a new page
		page.ServeHTTP(w, r)
	})
}

// NotFound answers 404: with a page that leads on for a browser, and with a line of text for everything
// else.
func NotFound() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		if !static.WantsHTML(r.Header) {
			http.NotFound(w, r)
			return
		}
		withPolicy(w.Header())
		w.Header().Set("Cache-Control", "no-store")
		pages().missing.ServeError(w, r, http.StatusNotFound)
	})
}

func withPolicy(h http.Header) {
	h.Set("Content-Security-Policy", csp)
	h.Set("Referrer-Policy", "no-referrer")
}
