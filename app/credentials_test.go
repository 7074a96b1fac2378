package app_test

import (
	"net/http"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// TestCredentialsAreVerified: a client with a bearer token cannot make it the key of an account
// by putting a password of its own choice. The real one takes over a live session, and a
// contact sees nothing of it, nor of the verification.
func TestCredentialsAreVerified(t *testing.T) {
	for _, l := range logins {
		if l.name != "prosody PLAIN" && l.name != "ejabberd SCRAM-SHA-1" {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			s := l.server(t)
			alice, bob := s.NewUserAt(t, "alice", l.domainOn(s)), s.NewUserAt(t, "bob", l.domainOn(s))
			a := start(t, l.upstream(s, l.address(s)))
			body := map[string]string{"jid": alice.JID, "password": alice.Password, "resource": "desk"}
			g := testkit.NewGateway(t, a.URL(), "")
			g.Token = g.Call(t, http.StatusCreated, http.MethodPost, "/v1/session", body).JSON(t).Str("token")
			peer := s.SlixmppFor(t, bob)
			phone := s.SlixmppFor(t, alice)
			befriendFrom(t, phone, peer)
			stream := live(t, g, "")
			peer.Discard()
			stream.Discard()

			chosen := canary.Mark + "attacker-chosen"
			wantProblem(t, g.Call(t, http.StatusUnauthorized, http.MethodPut, "/v1/session/credentials", map[string]string{"password": chosen}), "unauthorized")
			body["password"] = chosen
			g.Call(t, http.StatusUnauthorized, http.MethodPost, "/v1/session", body)
			body["password"] = alice.Password
			g.Call(t, http.StatusOK, http.MethodPost, "/v1/session", body)

			fresh := canary.Secret()
			s.SetPassword(t, alice.JID, fresh)
			g.Call(t, http.StatusNoContent, http.MethodPut, "/v1/session/credentials", map[string]string{"password": fresh})
			if session := g.Get(t, "/v1/session"); session.Str("state") != "online" || session.Str("resource") != "desk" {
				t.Errorf("the session is %v, want online at desk", session)
			}
			body["password"] = fresh
			g.Call(t, http.StatusOK, http.MethodPost, "/v1/session", body)

			peer.Message(t, alice.JID, "still there?") // behind whatever presence there was
			stream.Expect(t, "message", message("message.received", "still there?"))
			for _, e := range peer.Events() {
				if e.Event == "presence" && e.From != phone.JID { // the server may say twice that the phone has gone
					t.Errorf("bob saw %v: got %q, want anything but %q", e, e.Event, "presence")
				}
			}
			for _, f := range stream.Frames() {
				if f.Type == "session.state" {
					t.Errorf("the session flapped: %s: got %q, want anything but %q", f.Raw, f.Type, "session.state")
				}
			}
		})
	}
}

// TestAccessTokensAreVerified: the same where the access token is the bearer. The server tells
// whose account a token opens when a resource is bound, which contacts do not see either.
func TestAccessTokensAreVerified(t *testing.T) {
	s := testkit.SharedProsody(t)
	alice, bob := s.NewUser(t, "alice"), s.NewUser(t, "bob")
	var l login
	for _, l = range logins {
		if l.pass {
			break
		}
	}
	a := start(t, l.upstream(s, l.address(s)))
	g := testkit.NewGateway(t, a.URL(), s.IssueToken(t, alice.JID))
	g.Get(t, "/v1/buddies")
	peer, phone := s.SlixmppFor(t, bob), s.SlixmppFor(t, alice)
	befriendFrom(t, phone, peer)
	stream := live(t, g, "")
	peer.Discard()
	stream.Discard()

	put := func(status int, token string) testkit.Answer {
		return g.Call(t, status, http.MethodPut, "/v1/session/credentials", map[string]string{"token": token})
	}
	wantProblem(t, put(http.StatusForbidden, s.IssueToken(t, bob.JID)), "forbidden")
	wantProblem(t, put(http.StatusUnauthorized, "bm90IGEgdG9rZW4gb2YgYW55Ym9keQ=="), "unauthorized")
	wantProblem(t, put(http.StatusUnprocessableEntity, "perch_bm90IGEgdG9rZW4gb2YgYW55Ym9keQ"), "validation")
	g.Get(t, "/v1/buddies")
	fresh, old := s.IssueToken(t, alice.JID), g.Token
	put(http.StatusNoContent, fresh)
	g.Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/buddies", nil)
	s.RevokeToken(t, old)
	g.Token = fresh
	g.Get(t, "/v1/buddies")

	peer.Message(t, alice.JID, "still there?")
	stream.Expect(t, "message", message("message.received", "still there?"))
	for _, e := range peer.Events() {
		if e.Event == "presence" && e.From != phone.JID { // the server may say twice that the phone has gone
			t.Errorf("bob saw %+v: got %q, want anything but %q", e, e.Event, "presence")
		}
	}
	for _, f := range stream.Frames() {
		if f.Type == "session.state" {
			t.Errorf("the session flapped: %s: got %q, want anything but %q", f.Raw, f.Type, "session.state")
		}
	}
}

// befriendFrom makes the account of a phone and a peer contacts, and lets the phone go.
func befriendFrom(t *testing.T, phone, peer *testkit.Peer) {
	t.Helper()
	peer.Presence(t, "", "")
	phone.Presence(t, "", "")
	testkit.Befriend(t, phone, peer)
	from := phone.JID
	phone.Unavailable(t)
	peer.ExpectPresence(t, from, "unavailable", "")
	phone.Close()
}
