package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// restarts is a long conversation that the end of the gateway does not interrupt: alice
// reads by cursor, bob and dave are her buddies, eve waits for an answer.
type restarts struct {
	*redisWorld
	client ledger
	dave   testkit.User
	quiet  *testkit.Peer // dave's: he never changes
	eve    testkit.User
	sent   []string // by bob
	logins int      // of alice, as expected
}

func (r *restarts) prepare(t *testing.T, l login) {
	t.Helper()
	r.dave, r.eve = r.server.NewUserAt(t, "dave", l.domainOn(r.server)), r.server.NewUserAt(t, "eve", l.domainOn(r.server))
	r.peer, r.quiet = r.server.SlixmppFor(t, r.bob), r.server.SlixmppFor(t, r.dave)
	r.peer.Presence(t, "", "")
	r.quiet.Presence(t, "", "")
	r.api.Token = l.signIn(t, r.app, r.server, r.alice).Token
	stream := live(t, r.api, "")
	r.befriend(t, stream)
	dave := world{api: r.api, alice: r.alice, bob: r.dave, peer: r.quiet}
	dave.befriend(t, stream)
	eve := r.server.SlixmppFor(t, r.eve)
	eve.Subscription(t, r.alice.JID, "subscribe", "Eve")
	stream.ExpectType(t, "invitation.received")
	eve.Close()
	stream.Close()
	r.client.open(t, r.api)
	r.logins = 1
}

func (r *restarts) bobSays(t *testing.T, body string) {
	t.Helper()
	r.sent = append(r.sent, body)
	r.peer.Message(t, r.alice.JID, body)
}

// TestRestart ends the gateway in every way, with messages before, meanwhile and after.
// What the server kept for the time without a client comes from its offline storage and from
// its archive, and is in the log once.
func TestRestart(t *testing.T) {
	for _, name := range []string{"prosody X-MESSENGER-OAUTH2", "ejabberd SCRAM-SHA-1"} {
		t.Run(name, func(t *testing.T) { testRestarts(t, loginNamed(name)) })
	}
}

func testRestarts(t *testing.T, l login) {
	r := &restarts{redisWorld: newRedisWorld(t, l)}
	r.o.SealKeys = sealKeys(1) // a password is not in the token
	inProcess := func(t *testing.T) { r.start(t) }
	killed := func(t *testing.T) { r.startProgram(t, syscall.SIGKILL) }
	terminated := func(t *testing.T) { r.startProgram(t, syscall.SIGTERM) }
	inProcess(t)
	r.prepare(t, l)
	// What a row starts is ended in its own way by the row below it.
	for i, c := range []struct {
		name      string
		forgotten bool // the server is made to forget the stream meanwhile
		next      func(*testing.T)
	}{
		{"Stop", false, terminated},
		{"SIGTERM", false, killed},
		{"kill -9", false, killed},
		{"kill -9, and another client of alice's comes and goes", true, inProcess},
	} {
		t.Log("===", c.name)
		r.testRestart(t, i, c.forgotten, c.next)
	}
	r.client.wantWhole(t, r.sent)
}

// testRestart is one end and the beginning after it.
func (r *restarts) testRestart(t *testing.T, i int, forgotten bool, next func(*testing.T)) {
	name := func(what string) string { return fmt.Sprintf("%s %d, übermorgen", what, i) }
	r.bobSays(t, name("before"))
	r.client.received(t, name("before"))
	resource := r.api.Get(t, "/v1/session").Str("resource")
	show := r.cached(t).Str("show")

	r.quiet.Discard()
	r.end(t)
	r.proxy.Down()
	r.client.stream.Close()
	if forgotten {
		r.takeResource(t, resource)
	}
	changed := []string{"away", "dnd"}[i%2]
	r.peer.Presence(t, changed, "")
	r.bobSays(t, name("meanwhile"))
	r.bobSays(t, name("meanwhile again"))

	next(t)
	r.wantKept(t, show)
	r.client.frames = nil
	r.client.open(t, r.api)
	r.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": r.bob.JID, "body": name("accepted")})
	r.proxy.Up(t)
	r.logins++
	r.client.all(t, map[string]func(testkit.Frame) bool{
		"online":         state("online"),
		"bob " + changed: r.presence(true, changed),
		"message":        message("message.received", name("meanwhile again")),
	})
	r.bobSays(t, name("after"))
	r.client.received(t, name("after"))
	r.wantDifferencesOnly(t)
	r.wantResumed(t, !forgotten)
	r.peer.ExpectMessage(t, r.alice.JID, name("accepted"))
	r.wantLogins(t, r.logins)
	r.wantOnce(t, name("accepted"))
}

// takeResource lets another client of alice's come and go under the same resource, so that
// the server forgets the stream that it kept for the gateway.
func (r *restarts) takeResource(t *testing.T, name string) {
	t.Helper()
	testkit.Slixmpp(t, testkit.SlixmppOptions{
		Addr: r.server.Addr, CAFile: r.server.CAFile, JID: r.alice.JID + "/" + name, Password: r.alice.Password,
	}).Close()
	r.logins++
	r.wantLogins(t, r.logins)
}

// wantKept checks what the client's first requests read, long before there is a link.
func (r *restarts) wantKept(t *testing.T, show string) {
	t.Helper()
	begun := time.Now()
	all := r.api.Get(t, "/v1/presence")
	for jid, want := range map[string]string{r.bob.JID: show, r.dave.JID: ""} {
		if p := all.Find("items", "jid", jid); !p.Bool("stale") || !p.Bool("available") || p.Str("show") != want {
			t.Errorf("presence of %s: %v, want %q and stale", jid, p, want)
		}
	}
	t.Logf("presence after %s", time.Since(begun))
	if b := r.api.Get(t, "/v1/buddies"); b.Find("items", "jid", r.bob.JID).Str("subscription") != "both" || len(b.List("items")) != 2 {
		t.Errorf("buddies %v, want subscription %q and 2", b, "both")
	}
	if i := r.api.Get(t, "/v1/invitations").Find("items", "jid", r.eve.JID); i.Str("nick") != "Eve" {
		t.Errorf("eve's invitation: %v, want nick %q", i, "Eve")
	}
	if s := r.api.Get(t, "/v1/session"); s.Str("state") != "reconnecting" || s.Str("jid") != r.alice.JID {
		t.Errorf("session %v, want state %q and jid %v", s, "reconnecting", r.alice.JID)
	}
}

// wantDifferencesOnly waits until every buddy's presence is known anew, and checks that the
// client has got events of bob alone since the restart.
func (r *restarts) wantDifferencesOnly(t *testing.T) {
	t.Helper()
	path := "/v1/presence/" + testkit.Escape(r.dave.JID)
	testkit.Eventually(t, 10*time.Second, func() error {
		if p := r.api.Get(t, path); p.Bool("stale") || !p.Bool("available") {
			return fmt.Errorf("dave is %v", p)
		}
		return nil
	})
	r.bobSays(t, "is that all?")
	r.client.received(t, "is that all?")
	if f := r.client.about(r.dave.JID, "presence", "roster.item", "roster.removed"); len(f) > 0 {
		t.Errorf("dave has not changed: %s, want none", f)
	}
	if f := r.client.about(r.bob.JID, "presence", "roster.item", "roster.removed"); len(f) != 1 {
		t.Errorf("bob has changed once: %s, want 1", f)
	}
	if f := r.client.about(r.eve.JID, "invitation.received", "invitation.cancelled"); len(f) > 0 {
		t.Errorf("eve has not asked again: %s, want none", f)
	}
}

// wantResumed checks that the same stream was resumed, and that dave has seen nothing of it.
func (r *restarts) wantResumed(t *testing.T, want bool) {
	t.Helper()
	for _, f := range r.client.frames {
		if f.Type == "session.state" && f.Data.Str("state") == "online" && f.Data.Bool("resumed") != want {
			t.Errorf("resumed should be %v: %s, want %v", want, f.Raw, want)
		}
	}
	for _, e := range r.quiet.Events() {
		if want && e.Event == "presence" && strings.HasPrefix(e.From, r.alice.JID) {
			t.Errorf("dave saw alice come or go: %+v, want none", e)
		}
	}
}

// wantOnce reads and reads, which costs no login, and checks that bob has not got the
// message a second time.
func (r *restarts) wantOnce(t *testing.T, body string) {
	t.Helper()
	for range 20 {
		r.api.Get(t, "/v1/presence")
	}
	live(t, r.api, "").Close()
	r.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": r.bob.JID, "body": "behind " + body})
	r.peer.ExpectMessage(t, r.alice.JID, "behind "+body)
	for _, e := range r.peer.Discard() {
		if e.Body == body {
			t.Errorf("bob got it twice: %+v: got %v, want anything but %v", e, e.Body, body)
		}
	}
	r.wantLogins(t, r.logins)
}
