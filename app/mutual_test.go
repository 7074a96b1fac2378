package app_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/messenger"
)

// pair are two users of the gateway on one upstream, who are not contacts yet.
type pair struct {
	ada, ben       *testkit.Gateway
	adaJID, benJID string
}

// pairs gives fresh pairs on every upstream: two real servers and the embedded service.
func pairs(t *testing.T, run func(t *testing.T, next func(*testing.T) pair)) {
	t.Helper()
	for _, name := range []string{"prosody SCRAM-SHA-1", "ejabberd SCRAM-SHA-1"} {
		t.Run(strings.Fields(name)[0], func(t *testing.T) {
			l := loginNamed(name)
			server := l.server(t)
			a := start(t, l.upstream(server, l.address(server)))
			run(t, func(t *testing.T) pair {
				t.Helper()
				ada, ben := server.NewUserAt(t, "ada", l.domainOn(server)), server.NewUserAt(t, "ben", l.domainOn(server))
				return pair{l.signIn(t, a, server, ada), l.signIn(t, a, server, ben), ada.JID, ben.JID}
			})
		})
	}
	t.Run("messenger", func(t *testing.T) {
		run(t, func(t *testing.T) pair {
			t.Helper()
			person := func(user, token string) messenger.Account {
				return messenger.Account{User: user, Tokens: []messenger.Token{{Text: token}}}
			}
			p := startMessenger(t, messenger.Options{Accounts: []messenger.Account{person("ada", aliceToken), person("ben", bobToken)}})
			return pair{p.as(t, aliceToken), p.as(t, bobToken), p.jid("ada"), p.jid("ben")}
		})
	})
}

func add(t *testing.T, g *testkit.Gateway, jid string, more map[string]any) {
	t.Helper()
	body := map[string]any{"jid": jid}
	maps.Copy(body, more)
	g.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies", body)
}

func item(jid, subscription string) func(testkit.Frame) bool {
	return func(f testkit.Frame) bool {
		return f.Type == "roster.item" && f.Data.Str("jid") == jid && f.Data.Str("subscription") == subscription
	}
}

func invitation(jid string) func(testkit.Frame) bool {
	return func(f testkit.Frame) bool { return f.Type == "invitation.received" && f.Data.Str("jid") == jid }
}

func wantSubscription(t *testing.T, g *testkit.Gateway, jid, want string) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() error {
		if b := g.Get(t, "/v1/buddies/"+testkit.Escape(jid)); b.Str("subscription") != want || b.At("ask") != nil {
			return fmt.Errorf("%s is %v, want %s", jid, b, want)
		}
		return nil
	})
}

func wantNoInvitation(t *testing.T, s *testkit.Stream, g *testkit.Gateway) {
	t.Helper()
	for _, f := range s.Frames() {
		if f.Type == "invitation.received" {
			t.Errorf("an invitation was shown: %s: got %q, want anything but %q", f.Raw, f.Type, "invitation.received")
		}
	}
	if list := g.Get(t, "/v1/invitations").List("items"); len(list) != 0 {
		t.Errorf("invitations %v, want none", list)
	}
}

// TestAddingIsMutual adds a buddy, who accepts: both see each other, and the one who asked
// first gets no invitation.
func TestAddingIsMutual(t *testing.T) {
	pairs(t, func(t *testing.T, next func(*testing.T) pair) {
		p := next(t)
		ada, ben := live(t, p.ada, ""), live(t, p.ben, "")
		add(t, p.ada, p.benJID, nil)
		ben.Expect(t, "ada's invitation", invitation(p.adaJID))
		answer := p.ben.Call(t, http.StatusOK, http.MethodPost, "/v1/invitations/"+testkit.Escape(p.adaJID)+"/accept", map[string]any{}).JSON(t)
		if s := answer.Str("subscription"); s != "from" && s != "both" || s == "from" && answer.Str("ask") != "subscribe" {
			t.Errorf("accepted: %v, want %q or %q and ask %q", answer, "from", "both", "subscribe")
		}
		ada.Expect(t, "both", item(p.benJID, "both"))
		wantSubscription(t, p.ada, p.benJID, "both")
		wantSubscription(t, p.ben, p.adaJID, "both")
		wantNoInvitation(t, ada, p.ada)
	})
}

// TestAddingOneWay leaves the request of the other side to the user.
func TestAddingOneWay(t *testing.T) {
	pairs(t, func(t *testing.T, next func(*testing.T) pair) {
		p := next(t)
		ada, ben := live(t, p.ada, ""), live(t, p.ben, "")
		add(t, p.ada, p.benJID, map[string]any{"mutual": false})
		ben.Expect(t, "ada's invitation", invitation(p.adaJID))
		p.ben.Call(t, http.StatusOK, http.MethodPost, "/v1/invitations/"+testkit.Escape(p.adaJID)+"/accept", map[string]any{})
		ada.Expect(t, "ben's invitation", invitation(p.benJID))
		wantSubscription(t, p.ada, p.benJID, "to")
	})
}

// TestBothAddAtOnce lets two ask each other in the same moment.
func TestBothAddAtOnce(t *testing.T) {
	pairs(t, func(t *testing.T, next func(*testing.T) pair) {
		p := next(t)
		live(t, p.ada, "")
		live(t, p.ben, "")
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = p.ben.Do(t.Context(), http.MethodPost, "/v1/buddies", map[string]any{"jid": p.adaJID})
		}()
		if _, err := p.ada.Do(t.Context(), http.MethodPost, "/v1/buddies", map[string]any{"jid": p.benJID}); err != nil {
			t.Errorf("ada.Do: got error %v, want none", err)
		}
		<-done
		wantSubscription(t, p.ada, p.benJID, "both")
		wantSubscription(t, p.ben, p.adaJID, "both")
		for _, g := range []*testkit.Gateway{p.ada, p.ben} {
			if list := g.Get(t, "/v1/invitations").List("items"); len(list) != 0 {
				t.Errorf("invitations %v, want none", list)
			}
		}
	})
}

// TestDeclinedIsNotMutual: a request of one who declined before is an invitation like any other.
func TestDeclinedIsNotMutual(t *testing.T) {
	pairs(t, func(t *testing.T, next func(*testing.T) pair) {
		p := next(t)
		ada, ben := live(t, p.ada, ""), live(t, p.ben, "")
		add(t, p.ada, p.benJID, nil)
		ben.Expect(t, "ada's invitation", invitation(p.adaJID))
		p.ben.Call(t, http.StatusOK, http.MethodPost, "/v1/invitations/"+testkit.Escape(p.adaJID)+"/decline", nil)
		wantSubscription(t, p.ada, p.benJID, "none")
		p.ben.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies", map[string]any{"jid": p.adaJID})
		ada.Expect(t, "ben's invitation", invitation(p.benJID))
	})
}
