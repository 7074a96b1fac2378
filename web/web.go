// Package web has the files that browsers load: the console at "/", and perch.js, the
// JavaScript client, which use the public API alone; and the page of operators. Everything is embedded, nothing comes
// from another host.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed index.html icon.svg perch.js perch-sw.js slices.js perch/*.js console/*.js console/*.css admin/index.html admin/*.js admin/*.css
var files embed.FS

// policy is as strict as a page can be that shows foreign text: no inline script or style, nothing of
// another host but what Elsewhere names, and no way to turn a string into markup (Trusted Types). The one
// policy that there is, that of perch/push.js, lets a service worker of this host be registered.
func policy(o Others) string {
	list := func(own string, others []string) string { return strings.Join(append([]string{own}, others...), " ") }
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src " + list("'self' blob:", o.Pictures) + "; connect-src " + list("'self'", o.Uploads) + "; " +
		"form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types perch-worker"
}

// page is one file, ready to be sent, plain or compressed.
type page struct {
	body      []byte
	packed    []byte // gzip of body
	mediaType string
	etag      string // of body, without its closing quote
}

// Handler serves the console and perch.js. It answers GET and HEAD of the paths that
// exist; everything else is 404.
func Handler(options ...Option) http.Handler {
	s := settings{others: func() Others { return Others{} }, services: func() []Service { return nil }}
	for _, o := range options {
		o(&s)
	}
	pages := load("index.html", func(name string) bool { return !strings.HasPrefix(name, "admin/") })
	return serve(s.others, pages, (&first{services: s.services}).page)
}

// Admin serves the page of operators at "/", as Handler does the console. It needs the admin API on
// the same host.
func Admin() http.Handler {
	shared := []string{"icon.svg", "console/console.css", "console/dom.js", "console/explain.js"}
	pages := load("admin/index.html", func(name string) bool {
		return strings.HasPrefix(name, "admin/") || slices.Contains(shared, name)
	})
	return serve(func() Others { return Others{} }, pages, func() page { return pages["/"] })
}

// serve answers with the pages by their path; that of "/" may be another one each time.
func serve(others func() Others, pages map[string]page, start func() page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[r.URL.Path]
		if r.URL.Path == "/" {
			p, ok = start(), true
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", policy(others()))
		p.serve(w, r)
	})
}

// load reads once every embedded file that belongs to a site, whose start is at "/". An embedded file
// that cannot be read is a broken build.
func load(start string, belongs func(name string) bool) map[string]page {
	pages := map[string]page{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !belongs(name) {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		address := "/" + name
		if name == start {
			address = "/"
		}
		if path.Ext(name) == ".js" {
			body = withoutComments(body)
		}
		pages[address], err = newPage(body, mediaType(name))
		return err
	})
	if err != nil {
		panic("web: " + err.Error())
	}
	return pages
}

func newPage(body []byte, mediaType string) (page, error) {
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return page{}, err
	}
	if _, err := zip.Write(body); err != nil {
		return page{}, err
	}
	if err := zip.Close(); err != nil {
		return page{}, err
	}
	sum := sha256.Sum256(body)
	return page{body, packed.Bytes(), mediaType, `"` + hex.EncodeToString(sum[:8])}, nil
}

// mediaType does not ask the system, whose table may lack JavaScript.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func (p page) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // stored, and revalidated: a new program has new files
	h.Set("Vary", "Accept-Encoding")
	body, etag := p.body, p.etag+`"`
	if acceptsGzip(r) {
		body, etag = p.packed, p.etag+`-gzip"` // another representation has another tag (RFC 9110, 8.8.3.3)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", p.mediaType)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// acceptsGzip reports whether the client takes gzip without a weight (RFC 9110, 12.5.3), as
// browsers do. Every other client gets the plain file.
func acceptsGzip(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				return true
			}
		}
	}
	return false
}
