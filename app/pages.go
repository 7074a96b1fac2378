package app

import (
	"net/http"

	"github.com/perch-im/perch/docs"
	"github.com/perch-im/perch/web"
)

// pages are what browsers load: the API reference below /docs, the console everywhere
// else. With the embedded service the console offers its accounts.
func (a *App) pages() http.Handler {
	var options []web.Option
	if a.messenger != nil {
		options = append(options, web.Demo("alice", "bob", "carol"))
	}
	mux, reference := http.NewServeMux(), docs.Handler()
	mux.Handle("/docs", reference)
	mux.Handle("/docs/", reference)
	mux.Handle("/", web.Handler(options...))
	return mux
}
