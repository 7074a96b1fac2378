package app

import (
	"net/http"
	"sync"

	"github.com/perch-im/perch/docs"
	"github.com/perch-im/perch/web"
)

// pages are what browsers load: the API reference below /docs, the console everywhere
// else. With the embedded service the console offers its accounts and its consent page,
// whose port is known only after Start; so the console is made for the first request.
func (a *App) pages() http.Handler {
	console := sync.OnceValue(func() http.Handler {
		if a.messenger == nil {
			return web.Handler(web.Elsewhere(func() web.Others { return a.options().pageHosts() }))
		}
		return web.Handler(web.Demo("alice", "bob", "carol"), web.SignIn(a.ConsentURL()))
	})
	mux, reference := http.NewServeMux(), docs.Handler()
	mux.Handle("/docs", reference)
	mux.Handle("/docs/", reference)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { console().ServeHTTP(w, r) })
	return mux
}
