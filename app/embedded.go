package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/messenger"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/today"
	"github.com/perch-im/perch/web"
	"github.com/perch-im/perch/xmppconn"
)

// What runs when no upstream is configured: one of the embedded services, both, or none. The names of the
// services are those of their upstreams.
const (
	DemoMessenger = "messenger"
	DemoToday     = "today"
	DemoBoth      = "both"
	DemoOff       = "off"
)

// embedded is a service that runs in this process, and what the rest of the app needs of it.
type embedded struct {
	upstream       xmppconn.Upstream
	tokenMechanism string
	tokenPrefix    string
	rooms          string // Upstream.Rooms
	accounts       []demoAccount
	about          string    // what it is for, in a sentence
	friend         perch.JID // who answers, for the lines of the banner
	paths          []string  // of the API, for the lines of the banner
	page           func() web.Service
}

// What the embedded services are for, as the banner and the console say it.
const (
	aboutMessenger = "a service like that of 2011, with buddies, presence and messages"
	aboutToday     = "a service of today, with rooms, edits, reactions, files and read positions; the password is the name"
)

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// demoAccount is one to try a service with.
type demoAccount struct {
	name, token string
	jid         perch.JID
}

// embeddedServices are those that there are, by the name that Options.Demo has for each; of several the first
// is the default upstream.
var embeddedServices = []struct {
	name  string
	start func(*App) (*embedded, error)
}{
	{DemoMessenger, (*App).startMessenger},
	{DemoToday, (*App).startToday},
}

// runsDemo reports whether an embedded service runs with these options.
func (o *Options) runsDemo(name string) bool {
	return len(o.Upstreams) == 0 && (o.Demo == name || o.Demo == DemoBoth)
}

// checkDemo names the setting that is wrong.
func (o *Options) checkDemo() error {
	switch o.Demo {
	case "", DemoMessenger, DemoToday, DemoBoth: // "": the default
		return nil
	case DemoOff:
		if len(o.Upstreams) == 0 {
			return fmt.Errorf("--upstream is missing: with --demo=off no embedded service takes its place")
		}
		return nil
	}
	return fmt.Errorf("--demo %q is none of messenger, today, both, off", o.Demo)
}

// startDemo runs the embedded services in place of upstreams, on loopback.
func (a *App) startDemo() error {
	table := upstreamTable{}
	for _, x := range embeddedServices {
		if !a.o.runsDemo(x.name) {
			continue
		}
		e, err := x.start(a)
		if err != nil {
			return fmt.Errorf("embedded service %s: %w", x.name, err)
		}
		u, err := a.newUpstream(e.upstream, e.tokenMechanism)
		if err != nil {
			return err
		}
		u.config.TokenPrefix, u.config.Rooms = e.tokenPrefix, e.rooms
		a.embedded, table[x.name] = append(a.embedded, e), u
	}
	a.o.DefaultUpstream = a.embedded[0].upstream.Name
	a.countUpstreams(table)
	a.live.upstreams.Store(&table)
	return nil
}

// startMessenger runs the Messenger-compatible service.
func (a *App) startMessenger() (*embedded, error) {
	s, err := messenger.New(messenger.Demo())
	if err != nil {
		return nil, err
	}
	if err := s.Start(context.Background()); err != nil {
		return nil, err
	}
	a.messenger = s
	a.onStop("embedded service "+DemoMessenger, s.Stop)
	return &embedded{
		upstream: xmppconn.Upstream{
			Name: DemoMessenger, Domain: s.Domain(), Address: s.Addr().String(), TLS: xmppconn.TLSStartTLS,
			RootCAs: s.CA(), Profile: xmppconn.ProfileMessenger,
		},
		tokenMechanism: messenger.Mechanism, accounts: demoAccounts("demo-", s.JID, "alice", "bob", "carol"), page: a.messengerPage,
		about: aboutMessenger, friend: s.JID("echo"), paths: []string{"/v1/buddies", "/v1/presence"},
	}, nil
}

// startToday runs the service of today. Its tokens are told by their prefix.
func (a *App) startToday() (*embedded, error) {
	o := today.Demo()
	o.Logger = a.log
	s, err := today.New(o)
	if err != nil {
		return nil, err
	}
	if err := s.Start(context.Background()); err != nil {
		return nil, err
	}
	a.onStop("embedded service "+DemoToday, s.Stop)
	e := &embedded{
		upstream: xmppconn.Upstream{
			Name: DemoToday, Domain: s.Domain(), Address: s.Addr().String(), TLS: xmppconn.TLSStartTLS,
			RootCAs: s.CA(), Profile: xmppconn.ProfileStandard,
		},
		tokenMechanism: "OAUTHBEARER", tokenPrefix: today.DemoTokenPrefix, rooms: sessions.RoomsAutoJoin, accounts: demoAccounts(today.DemoTokenPrefix, s.JID, today.DemoPeople()...),
		about: aboutToday, friend: s.JID("buddy"), paths: []string{"/v1/conversations", "/v1/rooms"},
	}
	e.page = e.todayPage
	return e, nil
}

// demoAccounts are those of a service, whose tokens are a prefix and the name.
func demoAccounts(prefix string, jid func(string) perch.JID, names ...string) (list []demoAccount) {
	for _, name := range names {
		list = append(list, demoAccount{name, prefix + name, jid(name)})
	}
	return list
}

// messengerPage is what the console offers of the Messenger-compatible service, whose consent page is known after
// Start.
func (a *App) messengerPage() web.Service {
	return web.Service{
		Upstream: DemoMessenger, Label: "Messenger (demo)", About: sentence(aboutMessenger),
		SignIn: a.ConsentURL(), Scope: "wl.messenger", Hint: "Echo answers whatever you say.", LinkCutter: "scissors@contoso.com",
	}
}

// todayPage is what the console offers of the service of today.
func (e *embedded) todayPage() web.Service {
	return web.Service{
		Upstream: DemoToday, Label: "Today (demo)", About: sentence(aboutToday),
		Password: true, Hint: "Buddy answers, corrects itself and reacts; people talk in the lounge.",
	}
}

// service is what the console offers of e, with its accounts.
func (e *embedded) service() web.Service {
	s := e.page()
	for _, x := range e.accounts {
		s.Accounts = append(s.Accounts, web.Account{Name: strings.ToUpper(x.name[:1]) + x.name[1:], Token: x.token})
	}
	return s
}
