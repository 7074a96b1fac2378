package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/internal/todaytest"
)

// login is one way into one real server.
type login struct {
	name      string
	server    func(testkit.TB) *testkit.Server
	domain    string // "" is the server's first
	mechanism string
	token     bool // an access token instead of a password
	pass      bool // the access token is the bearer token: no sign-in call
	direct    bool // TLS from the first byte
}

var logins = []login{
	{name: "prosody PLAIN", server: testkit.SharedProsody, mechanism: "PLAIN"},
	{name: "prosody SCRAM-SHA-1", server: testkit.SharedProsody, domain: testkit.ProsodySCRAM, mechanism: "SCRAM-SHA-1"},
	{name: "prosody SCRAM-SHA-256", server: testkit.SharedProsody, domain: testkit.ProsodySCRAM256, mechanism: "SCRAM-SHA-256"},
	{name: "prosody X-MESSENGER-OAUTH2", server: testkit.SharedProsody, mechanism: "X-MESSENGER-OAUTH2", token: true, pass: true},
	{name: "prosody X-OAUTH2", server: testkit.SharedProsody, mechanism: "X-OAUTH2", token: true},
	{name: "prosody OAUTHBEARER", server: testkit.SharedProsody, mechanism: "OAUTHBEARER", token: true},
	{name: "prosody direct TLS", server: testkit.SharedProsody, mechanism: "PLAIN", direct: true},
	{name: "ejabberd SCRAM-SHA-1", server: testkit.SharedEjabberd, mechanism: "SCRAM-SHA-1"},
	{name: "ejabberd SCRAM-SHA-512", server: testkit.SharedEjabberd, domain: testkit.EjabberdSCRAM512, mechanism: "SCRAM-SHA-512"},
	{name: "ejabberd X-OAUTH2", server: testkit.SharedEjabberd, mechanism: "X-OAUTH2", token: true},
	{name: "ejabberd direct TLS", server: testkit.SharedEjabberd, mechanism: "SCRAM-SHA-1", direct: true},
	{name: "today PLAIN", server: todaytest.Server, mechanism: "PLAIN"},
	{name: "today SCRAM-SHA-256", server: todaytest.Server, mechanism: "SCRAM-SHA-256"},
	{name: "today SCRAM-SHA-512", server: todaytest.Server, mechanism: "SCRAM-SHA-512"},
	{name: "today OAUTHBEARER", server: todaytest.Server, mechanism: "OAUTHBEARER", token: true, pass: true},
	jabberd,
	{name: "jabberd2 direct TLS", server: testkit.SharedJabberd, mechanism: "PLAIN", direct: true},
}

// jabberd is the server without stream management, carbons, archive and pre-approval.
var jabberd = login{name: "jabberd2 PLAIN", server: testkit.SharedJabberd, mechanism: "PLAIN"}

// conversations are the logins that the long scenarios run on: one of each server.
func conversations() []login {
	var some []login
	for _, l := range logins {
		switch l.name {
		case "prosody SCRAM-SHA-1", "prosody X-MESSENGER-OAUTH2", "ejabberd SCRAM-SHA-1", "ejabberd X-OAUTH2", "today SCRAM-SHA-512", "today OAUTHBEARER":
			some = append(some, l)
		}
	}
	return some
}

// upstream is the configuration of the login's server; proxy replaces its address.
func (l login) upstream(s *testkit.Server, address string) app.Upstream {
	u := app.Upstream{Name: "real", Domain: l.domainOn(s), Address: address, TLS: "starttls", CAFile: s.CAFile}
	if l.direct {
		u.TLS = "direct"
	}
	if l.pass {
		u.TokenMechanism = l.mechanism
	}
	return u
}

func (l login) domainOn(s *testkit.Server) string {
	if l.domain != "" {
		return l.domain
	}
	return s.Domain
}

func (l login) address(s *testkit.Server) string {
	if l.direct {
		return s.DirectAddr
	}
	return s.Addr
}

const appSecret = canary.Mark + "0123456789abcdef0123"

// The credentials that tests write out.
func init() { canary.Note(appSecret, aliceToken, "bm90IGEgdG9rZW4gb2YgYW55Ym9keQ==") }

// start runs a whole gateway in this process, in front of one upstream.
func start(t *testing.T, u app.Upstream, edit ...func(*app.Options)) *app.App {
	t.Helper()
	o := app.Options{
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", Upstreams: []app.Upstream{u},
		Secret: appSecret, ParkAfter: 20 * time.Millisecond, // nearly every wait here is one of a parked reader
		Logger: canary.Logger(slog.NewTextHandler(&testLog{t: t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range edit {
		f(&o)
	}
	a, err := app.New(o)
	if err != nil {
		t.Fatalf("app.New: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("stop: got error %v, want none", err)
		}
	})
	if err := a.Start(); err != nil {
		t.Fatalf("a.Start: got error %v, want none", err)
	}
	return a
}

// signIn gives a client whose token leads to the user's session.
func (l login) signIn(t *testing.T, a *app.App, s *testkit.Server, u testkit.User) *testkit.Gateway {
	t.Helper()
	g := testkit.NewGateway(t, a.URL(), "")
	if l.pass {
		g.Token = s.IssueToken(t, u.JID)
		return g
	}
	body := map[string]string{"jid": u.JID, "mechanism": l.mechanism}
	if l.token {
		body["token"] = s.IssueToken(t, u.JID)
	} else {
		body["password"] = u.Password
	}
	answer := g.Call(t, http.StatusCreated, http.MethodPost, "/v1/session", body).JSON(t)
	g.Token = answer.Str("token")
	if !strings.HasPrefix(g.Token, "perch_") {
		t.Fatalf("POST /v1/session gave the token %q, want %q at its beginning", g.Token, "perch_")
	}
	return g
}

// world is a gateway in front of a real server, alice behind it, and bob with a foreign
// client on the same domain. Bob is available; the two see each other.
type world struct {
	server *testkit.Server
	proxy  *testkit.Proxy
	app    *app.App
	alice  testkit.User
	bob    testkit.User
	api    *testkit.Gateway // alice's
	peer   *testkit.Peer    // bob's
}

// newWorld makes a world on a server, with a proxy between it and the gateway.
func newWorld(t *testing.T, l login, s *testkit.Server, edit ...func(*app.Options)) *world {
	t.Helper()
	w := &world{server: s, alice: s.NewUserAt(t, "alice", l.domainOn(s)), bob: s.NewUserAt(t, "bob", l.domainOn(s))}
	w.proxy = testkit.NewProxy(t, l.address(s))
	w.app = start(t, l.upstream(s, w.proxy.Addr), edit...)
	w.peer = s.SlixmppFor(t, w.bob)
	w.peer.Presence(t, "", "")
	w.api = l.signIn(t, w.app, s, w.alice)
	return w
}

// newTalk is a world whose alice has a stream, and bob as a buddy.
func newTalk(t *testing.T, name string) (*world, *testkit.Stream) {
	t.Helper()
	l := loginNamed(name)
	w := newWorld(t, l, l.server(t))
	stream := w.api.Stream(t, "")
	stream.ExpectType(t, "live")
	w.befriend(t, stream)
	return w, stream
}

// befriend lets alice add bob, who accepts and asks for the same, which she accepts.
func (w *world) befriend(t *testing.T, stream *testkit.Stream) {
	t.Helper()
	w.api.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies",
		map[string]any{"jid": w.bob.JID, "name": "Bob", "mutual": false})
	w.peer.ExpectSubscription(t, w.alice.JID, "subscribe")
	w.peer.Subscription(t, w.alice.JID, "subscribed", "")
	w.peer.Subscription(t, w.alice.JID, "subscribe", "")
	stream.Expect(t, "Bob's request", func(f testkit.Frame) bool {
		return f.Type == "invitation.received" && f.Data.Str("jid") == w.bob.JID
	})
	w.api.Call(t, http.StatusOK, http.MethodPost, "/v1/invitations/"+testkit.Escape(w.bob.JID)+"/accept", map[string]any{})
	w.peer.ExpectSubscription(t, w.alice.JID, "subscribed")
	stream.Expect(t, "subscription both", func(f testkit.Frame) bool {
		return f.Type == "roster.item" && f.Data.Str("jid") == w.bob.JID && f.Data.Str("subscription") == "both"
	})
	stream.Expect(t, "Bob's presence", w.presence(true, ""))
	w.peer.ExpectPresence(t, w.alice.JID, "available", "")
}

// presence fits the frame that says how bob is.
func (w *world) presence(available bool, show string) func(testkit.Frame) bool {
	return func(f testkit.Frame) bool {
		return f.Type == "presence" && f.Data.Str("jid") == w.bob.JID &&
			f.Data.Bool("available") == available && f.Data.Str("show") == show
	}
}

// cached is bob's presence as a client reads it.
func (w *world) cached(t *testing.T) testkit.Object {
	t.Helper()
	return w.api.Get(t, "/v1/presence/"+testkit.Escape(w.bob.JID))
}

// wantLogins checks how often alice has signed in at the server.
func (w *world) wantLogins(t *testing.T, want int) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := w.server.CountLogins(t, w.alice.JID); n != want {
			return fmt.Errorf("the server has seen %d logins of alice, want %d", n, want)
		}
		return nil
	})
}

// state fits the event of a session that has come to a state.
func state(want string) func(testkit.Frame) bool {
	return func(f testkit.Frame) bool { return f.Type == "session.state" && f.Data.Str("state") == want }
}

func message(typ, body string) func(testkit.Frame) bool {
	return func(f testkit.Frame) bool { return f.Type == typ && f.Data.Str("body") == body }
}

// testLog writes the gateway's log to the test, until the test has ended.
type testLog struct {
	mu sync.Mutex
	t  *testing.T
}

func (l *testLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.t.Context().Err() == nil {
		l.t.Log(strings.TrimSuffix(string(b), "\n"))
	}
	return len(b), nil
}
