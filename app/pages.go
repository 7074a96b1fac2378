package app

import (
	"maps"
	"net/http"
	"slices"

	"github.com/perch-im/perch/docs"
	"github.com/perch-im/perch/web"
)

// pages are what browsers load: the API reference and the guides below /docs, the console everywhere
// else, and one page for the addresses that there are not.
func (a *App) pages() http.Handler {
	console := web.Handler(web.Services(a.services), web.Missing(docs.NotFound()), web.Elsewhere(func() web.Others {
		if o := a.options(); o.runsDemo(DemoMessenger) && !o.runsDemo(DemoToday) {
			return web.Others{} // it has no files
		}
		return a.options().uploads().pageHosts()
	}))
	mux, reference := http.NewServeMux(), docs.Handler()
	mux.Handle("/docs", reference)
	mux.Handle("/docs/", reference)
	mux.Handle("/", console)
	return mux
}

// services are those that the console offers: the upstreams as they are now, the one that access tokens are
// passed to first. An embedded one comes with its accounts.
func (a *App) services() []web.Service {
	o, table := a.options(), *a.live.upstreams.Load()
	names := slices.Sorted(maps.Keys(table))
	slices.SortStableFunc(names, func(x, y string) int {
		if (x == o.DefaultUpstream) == (y == o.DefaultUpstream) {
			return 0
		}
		if x == o.DefaultUpstream {
			return -1
		}
		return 1
	})
	list := make([]web.Service, 0, len(names))
	for _, name := range names {
		if i := slices.IndexFunc(a.embedded, func(e *embedded) bool { return e.upstream.Name == name }); i >= 0 {
			list = append(list, a.embedded[i].service())
			continue
		}
		list = append(list, web.Service{Upstream: name, Label: name, Password: table[name].info.NeedsJID})
	}
	return list
}
