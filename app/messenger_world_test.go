package app_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/messenger"
)

// profile is the whole gateway in front of an embedded service, with alice behind it. The
// tests that use it are named after the rows of docs/messenger.md.
type profile struct {
	s        *messenger.Service
	upstream app.Upstream
	app      *app.App
	api      *testkit.Gateway // alice's
}

// messengerAccounts are alice and others: alice and carol have clients, bob is played by the service and
// silent, mary has asked for alice's presence, dora is in no roster.
func messengerAccounts() messenger.Options {
	person := func(user, token string) messenger.Account {
		return messenger.Account{User: user, AccountID: user + "@contoso.com", Nickname: user, Tokens: []messenger.Token{{Text: token}},
			VCard: perch.VCard{FullName: strings.ToUpper(user[:1]) + user[1:] + " Ünlü", Emails: []string{user + "@contoso.com"}}}
	}
	alice, bob, carol, mary, dora := person("alice", aliceToken), person("bob", bobToken), person("carol", carolToken), person("mary", "bWFyeQ=="), person("dora", "ZG9yYQ==")
	alice.Contacts = []messenger.Contact{{User: "bob", Name: "Bob"}, {User: "carol"}}
	alice.Invitations = []messenger.Invitation{{User: "mary", Nick: "Mary from accounting", Message: "Hello!"}}
	bob.Bot, dora.Bot = &messenger.Bot{}, &messenger.Bot{}
	bob.VCard.Photo = messenger.Portrait("bob")
	return messenger.Options{Accounts: []messenger.Account{alice, bob, carol, mary, dora}}
}

// startMessenger runs a service and a gateway in front of it.
func startMessenger(t *testing.T, o messenger.Options, change ...func(*app.Upstream)) *profile {
	t.Helper()
	s, err := messenger.New(o)
	if err != nil {
		t.Fatalf("messenger.New: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("s.Stop: got error %v, want none", err)
		}
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatalf("s.Start: got error %v, want none", err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CAPEM(), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	p := &profile{s: s, upstream: app.Upstream{
		Name: "messenger", Domain: s.Domain(), Address: s.Addr().String(), CAFile: ca, Profile: app.ProfileMessenger,
	}}
	for _, f := range change {
		f(&p.upstream)
	}
	p.app = start(t, p.upstream)
	p.api = p.as(t, aliceToken)
	return p
}

// as is a client with another token.
func (p *profile) as(t *testing.T, token string) *testkit.Gateway {
	t.Helper()
	return testkit.NewGateway(t, p.app.URL(), token)
}

// jid is the bare JID of an account.
func (p *profile) jid(user string) string { return string(p.s.JID(user)) }

// path is where a resource of an account is.
func (p *profile) path(collection, user string) string {
	return "/v1/" + collection + "/" + testkit.Escape(p.jid(user))
}

// live opens an event stream and waits until it is at the present.
func live(t *testing.T, g *testkit.Gateway, since string) *testkit.Stream {
	t.Helper()
	s := g.Stream(t, since)
	s.ExpectType(t, "live")
	return s
}

// online fits the event of a session that is online again, not for the first time.
func online(previous string) func(testkit.Frame) bool {
	return func(f testkit.Frame) bool {
		return f.Type == "session.state" && f.Data.Str("state") == "online" && f.Data.Str("previous") == previous
	}
}

// awaitReconnect waits until a lost link is there again.
func awaitReconnect(t *testing.T, stream *testkit.Stream) {
	t.Helper()
	stream.Expect(t, "reconnecting", state("reconnecting"))
	stream.Expect(t, "online again", online("reconnecting"))
}

// listenAt is another address of the service, which serves each connection.
func (p *profile) listenAt(t *testing.T, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.s.ServeConn(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

// sends counts the stanzas that a call sends upstream.
func (p *profile) sends(call func()) int64 {
	before := p.s.Stanzas("alice").Total()
	call()
	return p.s.Stanzas("alice").Total() - before
}

// barrier makes sure that the service has read what the gateway has written so far: it
// answers in order.
func (p *profile) barrier(t *testing.T) {
	t.Helper()
	p.api.Call(t, http.StatusOK, http.MethodGet, p.path("vcards", "bob")+"?refresh=1", nil)
}

// roundTrip asks the server for a card, whatever it answers: it answers in order, and has read what the gateway
// has written before, presence for example.
func roundTrip(t *testing.T, g *testkit.Gateway, jid string) {
	t.Helper()
	if _, err := g.Do(t.Context(), http.MethodGet, "/v1/vcards/"+testkit.Escape(jid)+"?refresh=1", nil); err != nil {
		t.Fatalf("GET /v1/vcards: got error %v, want an answer", err)
	}
}

// resolverAt asks one name server over UDP.
func resolverAt(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", address)
	}}
}
