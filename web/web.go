// Package web has the files that browsers load: the console at "/", and perch.js, the
// JavaScript client. Both use the public API alone. Everything is embedded, nothing comes
// from another host.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed index.html icon.svg perch.js perch/*.js console/*.js console/*.css
var files embed.FS

// csp is as strict as a page can be that shows strangers' text: no inline script or style,
// nothing from elsewhere, and no way to turn a string into markup (Trusted Types).
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Option changes what the console offers.
type Option func(*settings)

type settings struct {
	Accounts string // demo accounts, with blanks
	SignIn   string // address of the consent page
}

// Demo lets the console offer the accounts of the embedded service by their published
// tokens, demo-<account>.
func Demo(accounts ...string) Option {
	return func(s *settings) { s.Accounts = strings.Join(accounts, " ") }
}

// SignIn lets the console offer an OAuth 2.0 sign-in (RFC 6749, 4.2) at an authorization
// endpoint, whose token comes back in the fragment. A query of the address is not used.
func SignIn(authorize string) Option {
	return func(s *settings) { s.SignIn = authorize }
}

// page is one file, ready to be sent.
type page struct {
	body      []byte
	mediaType string
	etag      string
}

// Handler serves the console and perch.js. It answers GET and HEAD of the paths that
// exist; everything else is 404.
func Handler(options ...Option) http.Handler {
	var s settings
	for _, o := range options {
		o(&s)
	}
	pages := load(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		p.serve(w, r)
	})
}

// load reads every embedded file once. An embedded file that cannot be read, or an index
// that is no template, is a broken build.
func load(s settings) map[string]page {
	pages := map[string]page{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		address := "/" + name
		if name == "index.html" {
			var b bytes.Buffer
			if err := template.Must(template.New(name).Parse(string(body))).Execute(&b, s); err != nil {
				return err
			}
			body, address = b.Bytes(), "/"
		}
		sum := sha256.Sum256(body)
		pages[address] = page{body, mediaType(name), `"` + hex.EncodeToString(sum[:8]) + `"`}
		return nil
	})
	if err != nil {
		panic("web: " + err.Error())
	}
	return pages
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
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // kept, and asked about: a new program is a new page
	h.Set("ETag", p.etag)
	if r.Header.Get("If-None-Match") == p.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", p.mediaType)
	_, _ = w.Write(p.body) // the client is gone: nobody to tell
}
