package app_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/messenger"
)

const (
	aliceToken = canary.Mark + "QUxJQ0UtQUNDRVNTLVRPS0VO"
	bobToken   = canary.Mark + "Qk9CLUFDQ0VTUy1UT0tFTiEh"
	carolToken = canary.Mark + "Q0FST0wtQUNDRVNTLVRPS0VO"
)

// embedded runs the embedded service with alice and bob, who are contacts, and carol.
func embedded(t *testing.T) (s *messenger.Service, caFile string) {
	t.Helper()
	account := func(user, token string, contacts ...messenger.Contact) messenger.Account {
		return messenger.Account{User: user, Contacts: contacts, Tokens: []messenger.Token{{Text: token}}}
	}
	s, err := messenger.New(messenger.Options{Accounts: []messenger.Account{
		account("alice", aliceToken, messenger.Contact{User: "bob", Name: "Bob"}), account("bob", bobToken), account("carol", carolToken),
	}})
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
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, s.CAPEM(), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	return s, caFile
}

// TestM04ForeignClientOnTheEmbeddedService lets a client that knows nothing of Perch sign in
// to the embedded service and talk to a user of the gateway.
func TestM04ForeignClientOnTheEmbeddedService(t *testing.T) {
	s, ca := embedded(t)
	a := start(t, app.Upstream{Name: "messenger", Domain: s.Domain(), Address: s.Addr().String(), CAFile: ca, Profile: "messenger"})
	foreign := func(token string) *testkit.Peer {
		return testkit.Slixmpp(t, testkit.SlixmppOptions{
			Addr: s.Addr().String(), CAFile: ca, JID: "_@" + s.Domain(), Token: token, Mechanism: "X-MESSENGER-OAUTH2",
		})
	}
	w := &world{app: a, peer: foreign(bobToken), api: testkit.NewGateway(t, a.URL(), aliceToken)}
	w.alice.JID, w.bob.JID = string(s.JID("alice")), string(s.JID("bob"))
	if bare, _, _ := strings.Cut(w.peer.JID, "/"); bare != w.bob.JID {
		t.Errorf("bob signed in as %s, want %s", w.peer.JID, w.bob.JID)
	}
	w.peer.Presence(t, "", "")
	stream := w.api.Stream(t, "")
	stream.ExpectType(t, "live")
	w.peer.ExpectPresence(t, w.alice.JID, "available", "")
	w.peer.Presence(t, "away", "déjà parti")
	stream.Expect(t, "bob away", w.presence(true, "away"))
	for _, body := range bodies {
		w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": w.bob.JID, "body": body})
		w.peer.ExpectMessage(t, w.alice.JID, body)
		w.peer.Message(t, w.alice.JID, body)
		stream.Expect(t, "message", message("message.received", body))
	}
	w.testChatStates(t, stream)

	carol := foreign(carolToken)
	carol.Presence(t, "", "")
	carol.Subscription(t, w.alice.JID, "subscribe", "Çarol")
	got := stream.ExpectType(t, "invitation.received")
	if got.Data.Str("nick") != "Çarol" || got.Data.Str("jid") != string(s.JID("carol")) {
		t.Errorf("invitation %s, want nick %q and jid %v", got.Raw, "Çarol", string(s.JID("carol")))
	}
	w.api.Call(t, http.StatusOK, http.MethodPost, "/v1/invitations/"+testkit.Escape(string(s.JID("carol")))+"/accept", map[string]any{})
	carol.ExpectSubscription(t, w.alice.JID, "subscribed")
	carol.ExpectPresence(t, w.alice.JID, "available", "")
	if n := s.Logins("alice"); n != 1 {
		t.Errorf("%d logins of alice, want 1", n)
	}
}

// TestM03SeeOtherHostOnProsody is sent from one real server to another, at each stage.
func TestM03SeeOtherHostOnProsody(t *testing.T) {
	target := testkit.SharedProsody(t)
	for _, stage := range []string{"pretls", "posttls", "postauth"} {
		t.Run(stage, func(t *testing.T) {
			door := testkit.Prosody(t, testkit.ProsodyOptions{SeeOtherStage: stage, SeeOtherTarget: target.Addr})
			u := target.NewUser(t, "alice")
			door.AddUser(t, u.JID, u.Password)
			body := map[string]string{"jid": u.JID, "password": u.Password, "mechanism": "PLAIN"}
			allowed := app.Upstream{
				Name: "real", Domain: door.Domain, Address: door.Addr, CAFile: door.CAFile, RedirectAllow: []string{"127.0.0.1"},
			}
			g := testkit.NewGateway(t, start(t, allowed).URL(), "")
			g.Token = g.Call(t, http.StatusCreated, http.MethodPost, "/v1/session", body).JSON(t).Str("token")
			g.Get(t, "/v1/buddies")
			w := &world{server: target, alice: u}
			w.wantLogins(t, 1)

			closed := allowed
			closed.RedirectAllow = nil
			refused := testkit.NewGateway(t, start(t, closed).URL(), "")
			a, err := refused.Do(t.Context(), http.MethodPost, "/v1/session", body)
			if err != nil {
				t.Fatalf("refused.Do: got error %v, want none", err)
			}
			if a.Status < 500 {
				t.Errorf("a redirect to a host that is not allowed: %d %s, want at least 500", a.Status, a.Body)
			}
			w.wantLogins(t, 1)
		})
	}
}
