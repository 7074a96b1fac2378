// Package docs has the guides, and the API reference at /docs: Swagger UI on the
// description that the gateway serves itself. The page works without any other host.
package docs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed *.md index.html ui/*
var files embed.FS

// AdminOpenAPI is the OpenAPI 3.1 description of the operator's API, generated from the comments of
// package api. It must not be modified.
//
//go:embed admin-openapi.yaml
var AdminOpenAPI []byte

// csp lets the page run its own programs and styles and talk to its own host, and nothing
// else. Swagger UI has its icons in data: addresses.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".md": "text/plain; charset=utf-8", "": "text/plain; charset=utf-8",
}

// page is one file, ready to be sent.
type page struct {
	body      []byte
	packed    bool // body is gzip
	mediaType string
	etag      string
}

// Handler serves /docs and what lies below it, by GET and HEAD; everything else is 404.
// It needs /v1/openapi.yaml on the same host.
func Handler() http.Handler {
	pages, err := load()
	if err != nil {
		panic("docs: " + err.Error()) // of embedded files: a broken build
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[strings.TrimSuffix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		p.serve(w, r)
	})
}

func load() (map[string]page, error) {
	pages := map[string]page{}
	var guides []string
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "index.html" {
			return err
		}
		body, err := files.ReadFile(name)
		if path.Dir(name) == "." {
			guides = append(guides, name)
		}
		plain, packed := strings.CutSuffix(name, ".gz")
		pages["/docs/"+plain] = newPage(plain, body, packed)
		return err
	})
	if err != nil {
		return nil, err
	}
	index, err := template.ParseFS(files, "index.html")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := index.Execute(&b, guides); err != nil {
		return nil, err
	}
	pages["/docs"] = newPage("index.html", b.Bytes(), false)
	return pages, nil
}

func newPage(name string, body []byte, packed bool) page {
	sum := sha256.Sum256(body)
	return page{body, packed, mediaTypes[path.Ext(name)], `"` + hex.EncodeToString(sum[:8]) + `"`}
}

func (p page) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache") // kept, and asked about: a new program is a new page
	h.Set("ETag", p.etag)
	if p.packed {
		h.Set("Vary", "Accept-Encoding")
	}
	if r.Header.Get("If-None-Match") == p.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", p.mediaType)
	if !p.packed {
		_, _ = w.Write(p.body) // a client that is gone needs no answer
		return
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		_, _ = w.Write(p.body)
		return
	}
	plain, err := gzip.NewReader(bytes.NewReader(p.body))
	if err == nil {
		_, _ = io.Copy(w, plain) //nolint:gosec // our own file
	}
}
