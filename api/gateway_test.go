package api_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// gateway is a gateway with everything real but the XMPP side. Its methods are in this file (the
// gateway itself), gateway_rest_test.go (requests and answers) and gateway_feed_test.go (streams).
type gateway struct {
	t        testing.TB
	ctx      context.Context // of requests that have no time of their own; ends with the test
	up       *fakexmpp.Server
	manager  *sessions.Manager
	api      *api.API
	srv      *httptest.Server
	url      string // of the public listener
	admin    string // of the admin listener; "" with pipes
	client   *http.Client
	sockets  *http.Client // of WebSockets, which need HTTP/1.1
	pipes    *pipes
	store    sessions.Store
	attempts *heldStore             // store, unless it is shared with other nodes
	conn     *fakexmpp.Conn         // of the first session; see signIn
	clock    *atomic.Pointer[clock] // of all limits, once a test has stopped it

	receivers *receivers // of webhooks
	pushed    *receivers // push services
}

// gatewayOptions are what a test may want otherwise.
type gatewayOptions struct {
	api.Options
	retention sessions.Retention
	noRoster  bool   // instead of one with bob@example.net
	pipes     *pipes // instead of TCP
	tls       bool   // with HTTP/2
	// bare, when it is set, is served as it is: new(sessions.Manager) is good enough for whatever
	// needs no session.
	bare *sessions.Manager

	// Of one node among several; see newNodes.
	node  string
	at    string         // where the others reach it; "" = where it listens
	store sessions.Store // shared, and closed by its owner
	up    *fakexmpp.Server
}

func newGateway(t testing.TB, edit ...func(*gatewayOptions)) *gateway {
	t.Helper()
	g := &gateway{t: t, ctx: t.Context(), clock: new(atomic.Pointer[clock]), receivers: &receivers{}, pushed: &receivers{}}
	o := gatewayOptions{up: fakexmpp.New()}
	o.Logger, o.Version, o.MCP, o.Webhooks = canary.Logger(), "test", true, true
	o.PushKey = func() string { return pushKey }
	o.IPRate, o.TokenRate = api.Rate{PerSecond: 1e6, Burst: 1e6}, api.Rate{PerSecond: 1e6, Burst: 1e6}
	for _, f := range edit {
		f(&o)
	}
	g.up, g.manager = o.up, o.bare
	if o.bare == nil {
		g.openManager(o)
	}
	o.Sessions = g.manager
	var err error
	if g.api, err = api.New(o.Options); err != nil {
		t.Fatalf("api.New: got error %v, want none", err)
	}
	g.listen(o)
	if o.node != "" {
		g.join(o)
	}
	return g
}

// newBare serves a manager as it is; see gatewayOptions.bare.
func newBare(t testing.TB, m *sessions.Manager, edit ...func(*gatewayOptions)) *gateway {
	t.Helper()
	return newGateway(t, append([]func(*gatewayOptions){func(o *gatewayOptions) { o.bare = m }}, edit...)...)
}

// openManager opens the store and the manager; they are closed after the listeners.
func (g *gateway) openManager(o gatewayOptions) {
	g.t.Helper()
	if !o.noRoster {
		g.up.Edit(func(d *fakexmpp.Data) {
			d.Roster = []perch.Buddy{{JID: "bob@example.net", Name: "Bob", Groups: []string{"Work"}, Subscription: perch.SubscriptionBoth}}
		})
	}
	if g.store = o.store; g.store == nil {
		g.attempts = &heldStore{Store: cache.NewMemory(cache.MemoryOptions{Retention: o.retention, Now: g.now})}
		g.store = g.attempts
	}
	var err error
	g.manager, err = sessions.NewManager(sessions.Options{
		Dial: g.up.Dial, Verify: g.up.Verify, Store: g.store, Secret: []byte(fixtureSecret), DefaultUpstream: "default", Logger: canary.Logger(),
		Upstreams: map[string]sessions.Upstream{
			"default": {Name: "default", TokenBearer: true},
			"other":   {Name: "other", NeedsJID: true},
		},
		OpenTimeout: 10 * time.Second, RawStanzas: o.RawStanzas, Webhooks: g.receivers, Push: g.pushed,
	})
	if err != nil {
		g.t.Fatalf("sessions.NewManager: got error %v, want none", err)
	}
	g.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err := g.manager.Close(ctx)
		if o.store == nil {
			err = errors.Join(err, g.store.Close(ctx))
		}
		if err != nil {
			g.t.Errorf("closing the manager and the store: got error %v, want none", err)
		}
	})
}

// listen opens the listeners and makes the clients.
func (g *gateway) listen(o gatewayOptions) {
	g.t.Helper()
	g.srv = httptest.NewUnstartedServer(nil)
	g.srv.Config = api.NewServer(g.api.Handler(), canary.Logger())
	transport := &http.Transport{}
	if g.pipes = o.pipes; g.pipes != nil {
		_ = g.srv.Listener.Close()
		g.srv.Listener = o.pipes
		transport.DialContext = o.pipes.dial
	}
	g.client = &http.Client{Transport: described(g.t, transport)}
	g.sockets = g.client
	if o.tls {
		g.srv.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
		g.srv.EnableHTTP2 = true
		g.srv.StartTLS()
		g.client = g.srv.Client()
		roots := g.client.Transport.(*http.Transport).TLSClientConfig.RootCAs
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	} else {
		g.srv.Start()
	}
	g.url = g.srv.URL
	cancel, closeAdmin := func() {}, func() {}
	if g.pipes == nil { // a listener of the network would keep a bubble from being idle
		admin := httptest.NewServer(g.api.AdminHandler())
		g.admin, closeAdmin = admin.URL, admin.Close
		g.ctx, cancel = context.WithTimeout(g.t.Context(), time.Minute)
	}
	g.t.Cleanup(func() {
		cancel()
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		g.api.Drain(ctx)
		g.srv.Close()
		closeAdmin()
		g.api.Close()
		g.client.CloseIdleConnections()
		transport.CloseIdleConnections()
	})
}

// join makes the gateway a node among others.
func (g *gateway) join(o gatewayOptions) {
	g.t.Helper()
	self := sessions.Node{ID: sessions.NodeID(o.node + "/1"), URL: cmp.Or(o.at, g.srv.URL)}
	if err := g.manager.Join(context.Background(), self, sessions.DefaultLease); err != nil {
		g.t.Fatalf("Join(%v): got error %v, want none", self, err)
	}
}

func (g *gateway) now() time.Time {
	if c := g.clock.Load(); c != nil {
		return c.now()
	}
	return time.Now()
}

// heldStore is a store that counts no attempts while a test takes it away.
type heldStore struct {
	sessions.Store
	down atomic.Bool
}

func (s *heldStore) Reserve(ctx context.Context, key string, q sessions.Quota) (sessions.Allowance, error) {
	if s.down.Load() {
		return sessions.Allowance{}, perch.Errorf(perch.KindStorageUnavailable, "down")
	}
	return s.Store.Reserve(ctx, key, q)
}

// token is accepted by the scripted upstream as the account alice@example.net.
const token = canary.Mark + "good-token"

const fixtureSecret = canary.Mark + "0123456789abcdef0123"

// The tokens that tests write out; those that begin with "bad" are refused.
func init() {
	canary.Note(token, "tok-alice", "tok-other", "tok-canary", "good-fresh-token", "bad-fresh-token", "bad-canary", "bad-token")
}
