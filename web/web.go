// Package web has the files that browsers load: the console at "/", and perch.js, the
// JavaScript client, which use the public API alone; and the page of operators. Everything is embedded, nothing comes
// from another host.
package web

import (
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/perch-im/perch/internal/static"
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

// Handler serves the console and perch.js. It answers GET and HEAD of the paths that
// exist; everything else is 404.
func Handler(options ...Option) http.Handler {
	s := settings{others: func() Others { return Others{} }, services: func() []Service { return nil }, missing: http.NotFoundHandler()}
	for _, o := range options {
		o(&s)
	}
	pages := load("index.html", func(name string) bool { return !strings.HasPrefix(name, "admin/") })
	return serve(s.others, s.missing, pages, (&first{services: s.services}).page)
}

// Admin serves the page of operators at "/", as Handler does the console. It needs the admin API on
// the same host.
func Admin() http.Handler {
	shared := []string{"icon.svg", "console/console.css", "console/dom.js", "console/explain.js"}
	pages := load("admin/index.html", func(name string) bool {
		return strings.HasPrefix(name, "admin/") || slices.Contains(shared, name)
	})
	return serve(func() Others { return Others{} }, http.NotFoundHandler(), pages, func() *static.File { return pages["/"] })
}

// serve answers with the pages by their path; that of "/" may be another one each time.
func serve(others func() Others, missing http.Handler, pages map[string]*static.File, start func() *static.File) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := pages[r.URL.Path]
		if r.URL.Path == "/" {
			file, ok = start(), true
		}
		if !ok {
			missing.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy(others()))
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache") // stored, and revalidated: a new program has new files
		file.ServeHTTP(w, r)
	})
}

// load reads once every embedded file that belongs to a site, whose start is at "/". An embedded file
// that cannot be read is a broken build.
func load(start string, belongs func(name string) bool) map[string]*static.File {
	pages := map[string]*static.File{}
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
		if ext := path.Ext(name); ext == ".js" || ext == ".css" {
			body = withoutComments(body)
		}
		pages[address] = static.New(body, mediaType(name))
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
