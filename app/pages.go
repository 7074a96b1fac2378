package app

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/perch-im/perch/docs"
	"github.com/perch-im/perch/web"
)

// pages are what browsers load: the API reference and the guides below /docs, the console everywhere
// else, and one page for the addresses that there are not.
func (a *App) pages() http.Handler {
	console := web.Handler(web.Services(a.services), web.Missing(docs.NotFound()), web.Elsewhere(func() web.Others {
		if a.messenger != nil {
			return web.Others{} // it has no files
		}
		return a.options().pageHosts()
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
		if a.messenger != nil && name == embeddedName {
			list = append(list, a.embeddedService())
			continue
		}
		list = append(list, web.Service{Upstream: name, Label: name, Password: table[name].info.NeedsJID})
	}
	return list
}

// embeddedService is the Messenger-compatible service of the demo, whose consent page is known after Start.
func (a *App) embeddedService() web.Service {
	s := web.Service{
		Upstream: embeddedName, Label: "Demo accounts", About: "A service like the Messenger of 2011, in this program: buddies, presence and messages.",
		SignIn: a.ConsentURL(), Scope: "wl.messenger", Hint: "Echo answers whatever you say.", Cutter: "scissors@contoso.com",
	}
	for _, name := range []string{"Alice", "Bob", "Carol"} {
		s.Accounts = append(s.Accounts, web.Account{Name: name, Token: "demo-" + strings.ToLower(name)})
	}
	return s
}
