package app_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestM17TokensExpireWhileOnline lets a token expire, and another one be revoked, under a live
// session. What is known can be read on, and a fresh token continues the very session:
// its JID, roster, log and cursors.
func TestM17TokensExpireWhileOnline(t *testing.T) {
	for _, how := range []string{"expired", "revoked"} {
		t.Run(how, func(t *testing.T) {
			o := messengerAccounts()
			o.CloseOnExpiry = true
			p := startMessenger(t, o)
			life := time.Hour
			if how == "expired" {
				life = 2 * time.Second
			}
			token, err := p.s.IssueToken("alice", life)
			if err != nil {
				t.Fatalf("s.IssueToken: got error %v, want none", err)
			}
			old := p.as(t, token)
			stream := live(t, old, "")
			if err := p.s.Deliver("bob", "alice", "before"); err != nil {
				t.Fatalf("s.Deliver: got error %v, want none", err)
			}
			cursor := stream.Expect(t, "message", message("message.received", "before")).ID
			if how == "revoked" {
				p.s.RevokeToken(token)
			}
			f := stream.Expect(t, "suspended", state("suspended"))
			if f.Data.Str("reason") != "credentials" || f.ID == "" {
				t.Errorf("got %s, want reason %q and some text", f.Raw, "credentials")
			}
			p.readOn(t, old)
			if err := p.s.Deliver("bob", "alice", "meanwhile"); err != nil {
				t.Fatalf("s.Deliver: got error %v, want none", err)
			}

			wrong := map[string]string{"token": "d3Jvbmc="}
			wantProblem(t, old.Call(t, http.StatusUnauthorized, http.MethodPut, "/v1/session/credentials", wrong), "unauthorized")
			fresh, err := p.s.IssueToken("alice", 0)
			if err != nil {
				t.Fatalf("s.IssueToken: got error %v, want none", err)
			}
			old.Call(t, http.StatusNoContent, http.MethodPut, "/v1/session/credentials", map[string]string{"token": fresh})
			stream.Expect(t, "online", online("reconnecting"))
			stream.Expect(t, "what waited", message("message.received", "meanwhile"))
			p.wantSameSession(t, fresh, cursor)
			wantProblem(t, old.Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/session", nil), "unauthorized")
		})
	}
}

// readOn is what a client can do while its session waits for a credential.
func (p *profile) readOn(t *testing.T, g *testkit.Gateway) {
	t.Helper()
	if s := g.Get(t, "/v1/session"); s.Str("state") != "suspended" || s.Str("jid") != p.jid("alice") {
		t.Errorf("session %v, want state %q and jid %v", s, "suspended", p.jid("alice"))
	}
	if b := g.Get(t, "/v1/buddies").Find("items", "jid", p.jid("bob")); b.Str("name") != "Bob" {
		t.Errorf("bob is %v, want name %q", b, "Bob")
	}
	if b := g.Get(t, p.path("presence", "bob")); !b.Bool("stale") {
		t.Errorf("bob is %v, want stale true", b)
	}
	refused := g.Call(t, http.StatusUnauthorized, http.MethodPost, "/v1/messages", map[string]string{"to": p.jid("bob"), "body": "x"})
	wantProblem(t, refused, "unauthorized")
}

// wantSameSession is the same session with another token: a cursor of before is good.
func (p *profile) wantSameSession(t *testing.T, token, cursor string) {
	t.Helper()
	g := p.as(t, token)
	stream := g.Stream(t, cursor)
	if hello := stream.ExpectType(t, "hello"); !hello.Data.Bool("resumed") {
		t.Errorf("got %s, want resumed true", hello.Raw)
	}
	stream.Expect(t, "what was missed", message("message.received", "meanwhile"))
	stream.ExpectType(t, "live")
	if b := g.Get(t, "/v1/buddies").Find("items", "jid", p.jid("bob")); b.Str("name") != "Bob" {
		t.Errorf("bob is %v, want name %q", b, "Bob")
	}
	if n := p.s.Logins("alice"); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
}

// TestM17FreshTokenWithoutALogin replaces the token of a session that is online: nothing
// is sent on its stream, and contacts see nothing. The service shows whose a token is only by
// binding a resource, so the verification is one, beside the live one.
func TestM17FreshTokenWithoutALogin(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	stream := live(t, p.api, "")
	p.barrier(t)
	fresh, err := p.s.IssueToken("alice", 0)
	if err != nil {
		t.Fatalf("s.IssueToken: got error %v, want none", err)
	}
	if n := p.sends(func() {
		p.api.Call(t, http.StatusNoContent, http.MethodPut, "/v1/session/credentials", map[string]string{"token": fresh})
	}); n != 0 {
		t.Errorf("%d stanzas, want 0", n)
	}
	g := p.as(t, fresh)
	if s := g.Get(t, "/v1/session"); s.Str("state") != "online" {
		t.Errorf("session %v, want state %q", s, "online")
	}
	p.s.Drop("alice") // the next login is with the fresh one
	p.s.RevokeToken(aliceToken)
	awaitReconnect(t, stream)
	if n := p.s.Logins("alice"); n != 3 {
		t.Errorf("%d logins, want the first, the verification and the one after the cut", n)
	}
}
