package testkit_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) { os.Exit(testkit.Run(m)) }

const greeting = "Grüße, мир, 你好, 👋 <&>\"' \u00a0 end"

func servers() map[string]func(testkit.TB) *testkit.Server {
	return map[string]func(testkit.TB) *testkit.Server{
		"prosody": testkit.SharedProsody, "ejabberd": testkit.SharedEjabberd,
	}
}

func TestTwoPeersTalk(t *testing.T) {
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			alice, bob := s.NewUser(t, "alice"), s.NewUser(t, "bob")
			a, b := s.SlixmppFor(t, alice), s.SlixmppFor(t, bob)
			a.Presence(t, "", "")
			b.Presence(t, "", "")
			testkit.Befriend(t, a, b)

			b.Presence(t, "away", "à la pêche")
			if p := a.ExpectPresence(t, bob.JID, "available", "away"); p.Status != "à la pêche" {
				t.Errorf("status %q, want %q", p.Status, "à la pêche")
			}
			a.Message(t, bob.JID, greeting)
			b.ExpectMessage(t, alice.JID, greeting)
			b.ChatState(t, alice.JID, "composing")
			a.Expect(t, "chat state", func(e testkit.PeerEvent) bool { return e.Event == "chat_state" && e.State == "composing" })

			testkit.Eventually(t, 10*time.Second, func() error {
				if n := s.CountLogins(t, alice.JID); n != 1 {
					return fmt.Errorf("%d logins of %s", n, alice.JID)
				}
				return nil
			})
		})
	}
}

func TestSubscriptionNick(t *testing.T) {
	s := testkit.SharedProsody(t)
	alice, bob := s.NewUser(t, "alice"), s.NewUser(t, "bob")
	a, b := s.SlixmppFor(t, alice), s.SlixmppFor(t, bob)
	a.Presence(t, "", "")
	b.Presence(t, "", "")
	a.Subscription(t, bob.JID, "subscribe", "Alice im Wunderland")
	if e := b.ExpectSubscription(t, alice.JID, "subscribe"); e.Nick != "Alice im Wunderland" {
		t.Errorf("nick %q, want %q", e.Nick, "Alice im Wunderland")
	}
	b.Subscription(t, alice.JID, "unsubscribed", "")
	a.Expect(t, "roster without the request", func(e testkit.PeerEvent) bool {
		return e.Event == "roster" && e.JID == bob.JID && e.Ask == ""
	})
}

func TestSignIn(t *testing.T) {
	prosody, ejabberd := testkit.SharedProsody, testkit.SharedEjabberd
	for _, c := range []struct {
		name, mechanism, domain string
		start                   func(testkit.TB) *testkit.Server
		token, direct           bool
	}{
		{name: "prosody PLAIN", start: prosody, mechanism: "PLAIN"},
		{name: "prosody SCRAM-SHA-1", start: prosody, mechanism: "SCRAM-SHA-1", domain: testkit.ProsodySCRAM},
		{name: "prosody SCRAM-SHA-256", start: prosody, mechanism: "SCRAM-SHA-256", domain: testkit.ProsodySCRAM256},
		{name: "prosody token", start: prosody, mechanism: "X-MESSENGER-OAUTH2", token: true},
		{name: "prosody X-OAUTH2", start: prosody, mechanism: "X-OAUTH2", token: true},
		{name: "prosody direct TLS", start: prosody, mechanism: "PLAIN", direct: true},
		{name: "ejabberd SCRAM-SHA-1", start: ejabberd, mechanism: "SCRAM-SHA-1"},
		{name: "ejabberd X-OAUTH2", start: ejabberd, mechanism: "X-OAUTH2", token: true},
		{name: "ejabberd direct TLS", start: ejabberd, mechanism: "SCRAM-SHA-1", direct: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.start(t)
			domain := c.domain
			if domain == "" {
				domain = s.Domain
			}
			u := s.NewUserAt(t, "carol", domain)
			o := testkit.SlixmppOptions{
				Addr: s.Addr, CAFile: s.CAFile, JID: u.JID, Password: u.Password,
				Mechanism: c.mechanism, Direct: c.direct,
			}
			if c.direct {
				o.Addr = s.DirectAddr
			}
			if c.token {
				o.Password, o.Token = "", s.IssueToken(t, u.JID)
			}
			if p := testkit.Slixmpp(t, o); !strings.HasPrefix(p.JID, u.JID+"/") {
				t.Errorf("signed in as %s, want %s", p.JID, u.JID)
			}
			if c.token {
				s.RevokeToken(t, o.Token)
				o.Fails = true
				testkit.Slixmpp(t, o)
			}
		})
	}
}

func TestRestartKeepsAccounts(t *testing.T) {
	for name, start := range map[string]func(testkit.TB) *testkit.Server{
		"prosody":  func(t testkit.TB) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) },
		"ejabberd": testkit.Ejabberd,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			u := s.NewUser(t, "alice")
			s.SlixmppFor(t, u).Close()
			addr := s.Addr
			s.Restart(t)
			if s.Addr != addr {
				t.Errorf("address %s became %s, want them equal", addr, s.Addr)
			}
			s.SlixmppFor(t, u).Close()
			s.Kill(t)
			s.Start(t)
			s.SlixmppFor(t, u)
		})
	}
}

func TestSeeOtherHost(t *testing.T) {
	s := testkit.Prosody(t, testkit.ProsodyOptions{SeeOtherStage: "posttls", SeeOtherTarget: "127.0.0.1:1"})
	u := s.NewUser(t, "alice")
	testkit.Slixmpp(t, testkit.SlixmppOptions{
		Addr: s.Addr, CAFile: s.CAFile, JID: u.JID, Password: u.Password, Fails: true,
	})
}

func TestProxyCutsAndRecovers(t *testing.T) {
	s := testkit.SharedProsody(t)
	proxy := testkit.NewProxy(t, s.Addr)
	u := s.NewUser(t, "alice")
	o := testkit.SlixmppOptions{Addr: proxy.Addr, CAFile: s.CAFile, JID: u.JID, Password: u.Password}
	a := testkit.Slixmpp(t, o)
	proxy.Cut(t)
	a.Expect(t, "end of the connection", func(e testkit.PeerEvent) bool { return e.Event == "disconnected" })

	remove := proxy.Toxic(t, "latency", "downstream", map[string]any{"latency": 20})
	testkit.Slixmpp(t, o)
	remove()
}

// TestProxyThatIsStuck cuts a link whose source keeps sending. The goroutines that toxiproxy then
// leaks do not fail the tests of a package.
func TestProxyThatIsStuck(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	var server sync.WaitGroup
	server.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for range 1000 { // until the proxy closes the link
			if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	proxy := testkit.NewProxy(t, l.Addr().String())
	proxy.Toxic(t, "limit_data", "downstream", map[string]any{"bytes": 10})
	conn, err := net.Dial("tcp", proxy.Addr)
	if err != nil {
		t.Fatalf("net.Dial: got error %v, want none", err)
	}
	if got, err := io.ReadAll(conn); len(got) != 10 {
		t.Errorf("%d bytes came through, %v, want 10", len(got), err)
	}
	conn.Close()
	proxy.Down()
	server.Wait()
	l.Close()
}

func TestRedis(t *testing.T) {
	ctx := t.Context()
	r := testkit.Redis(t, testkit.RedisOptions{AppendOnly: true, Password: "secret"})
	c := r.Client(t)
	if err := c.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatalf("c.Set: got error %v, want none", err)
	}
	r.Kill()
	r.Start(t)
	if got, err := c.Get(ctx, "k").Result(); err != nil || got != "v" {
		t.Errorf("after a restart: %q, %v, want no error and %q", got, err, "v")
	}
}

func TestSentinelFailsOver(t *testing.T) {
	s := testkit.Sentinel(t)
	c := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: s.Name, SentinelAddrs: s.Sentinels})
	defer c.Close()
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatalf("c.Set: got error %v, want none", err)
	}
	s.Master.Kill()
	testkit.Eventually(t, 40*time.Second, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		return c.Set(ctx, "k", "w", 0).Err()
	})
}

func TestCluster(t *testing.T) {
	c := testkit.Cluster(t)
	addrs := make([]string, 0, len(c.Nodes))
	for _, n := range c.Nodes {
		addrs = append(addrs, n.Addr)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	defer client.Close()
	for i := range 30 { // keys on every node
		if err := client.Set(t.Context(), fmt.Sprint("k", i), "v", 0).Err(); err != nil {
			t.Fatalf("client.Set: got error %v, want none", err)
		}
	}
}

func TestLeafIsTrusted(t *testing.T) {
	ca := testkit.CA(t)
	crt, key := ca.Leaf(t, "a.test", "127.0.0.1")
	pair, err := tls.X509KeyPair(crt, key)
	if err != nil {
		t.Fatalf("tls.X509KeyPair: got error %v, want none", err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatalf("tls.Listen: got error %v, want none", err)
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			err = c.(*tls.Conn).HandshakeContext(t.Context())
			_ = c.Close()
		}
		served <- err
	}()
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: ca.Pool, ServerName: "a.test"})
	if err != nil {
		t.Fatalf("tls.Dial: got error %v, want none", err)
	}
	_ = c.Close()
	if err := <-served; err != nil {
		t.Errorf("the result of served: got error %v, want none", err)
	}
}

// TestNbxmpp: a second library talks on both servers, and reads what a message says of another one.
func TestNbxmpp(t *testing.T) {
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			room := "tea" + strings.ToLower(rand.Text()[:8]) + "@conference." + s.Domain
			n := s.NbxmppFor(t, s.NewUser(t, "nora"))
			n.Join(t, room, "Nora")
			n.Open(t, room)
			n.Say(t, room, "m1", greeting)
			first := n.Expect(t, "its own message", func(e testkit.PeerEvent) bool { return e.Event == "stanza" && e.ID == "m1" && e.Body == greeting })
			n.Correct(t, room, "m2", "m1", "other")
			n.React(t, room, "m3", first.StanzaID, "👋")
			n.Answer(t, room, "m4", first.StanzaID, room+"/Nora", "> hi\n", "hi")
			n.Retract(t, room, "m5", first.StanzaID)
			for id, fits := range map[string]func(testkit.Refs) bool{
				"m2": func(r testkit.Refs) bool { return r.Corrects == "m1" },
				"m3": func(r testkit.Refs) bool {
					return r.ReactsTo == first.StanzaID && slices.Equal(r.Emojis, []string{"👋"})
				},
				"m4": func(r testkit.Refs) bool { return r.RepliesTo == first.StanzaID && r.Author == room+"/Nora" },
				"m5": func(r testkit.Refs) bool { return r.Retracts == first.StanzaID },
			} {
				if e := n.Expect(t, id, func(e testkit.PeerEvent) bool { return e.Event == "stanza" && e.ID == id }); first.StanzaID == "" || !fits(e.Refs) {
					t.Errorf("%s: got %+v, want it to be about %q", id, e.Refs, first.StanzaID)
				}
			}
			n.Close()
		})
	}
}
