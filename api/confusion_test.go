package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// TestSameTokenElsewhereIsAnotherSession: a token is only as good as the upstream that it is
// for. The same text for another upstream is another account, with another session and log.
func TestSameTokenElsewhereIsAnotherSession(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	body := `{"jid":"alice@example.net","token":"` + token + `","upstream":"other"}`
	a := f.do("POST", "/v1/session", body, "Content-Type", "application/json")
	if a.status != 201 {
		t.Fatalf("sign-in: got %d %s, want 201", a.status, a.body)
	}
	var other struct{ Token string }
	if err := json.Unmarshal(a.body, &other); err != nil {
		t.Fatalf("json.Unmarshal: got error %v, want none", err)
	}
	upstream := func(bearer string) (info perch.SessionInfo) {
		a := f.do("GET", "/v1/session", "", "Authorization", "Bearer "+bearer)
		if err := json.Unmarshal(a.body, &info); err != nil {
			t.Fatalf("json.Unmarshal: got error %v, want none", err)
		}
		return info
	}
	if one, two := upstream(token), upstream(other.Token); one.Upstream != "default" || two.Upstream != "other" {
		t.Errorf("the token leads to %q, the other to %q, want default and other", one.Upstream, two.Upstream)
	}
	one, two := f.manager.Live(t.Context(), perch.NewSecret(token)), f.manager.Live(t.Context(), perch.NewSecret(other.Token))
	if one == nil || two == nil || one.ID() == two.ID() {
		t.Fatal("both tokens lead to one session, want two sessions")
	}
	if a := f.do("DELETE", "/v1/session", "", "Authorization", "Bearer "+other.Token); a.status != 204 {
		t.Fatalf("sign-out: got %d %s, want 204", a.status, a.body)
	}
	if got := f.manager.Live(t.Context(), perch.NewSecret(token)); got != one {
		t.Error("signing out at one upstream has ended the session at the other, want it unchanged")
	}
}

// TestSignOutOnEveryNode: signing out at any node ends what any node has of the session: its
// lease, its log, its tokens, its tickets, and every open stream.
func TestSignOutOnEveryNode(t *testing.T) {
	for name, at := range map[string]func(*nodes) *gateway{
		"at the owner": func(n *nodes) *gateway { return n.b }, "elsewhere": func(n *nodes) *gateway { return n.a },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNodes(t)
			conn := n.openAtB("tok-alice")
			id := n.b.idOf(t, "tok-alice")
			other := n.a.open("tok-other")
			if got := n.a.idOf(t, "tok-other"); got == id {
				t.Fatal("another token has the same session, want another one")
			}
			var open []feed
			for _, g := range []*gateway{n.a, n.b} {
				for _, encoding := range encodings {
					f := g.stream(encoding, "tok-alice", "")
					defer f.close()
					upTo(t, f, "live")
					open = append(open, f)
				}
			}
			ticket, _ := n.a.ticket("tok-alice", "")
			if res, body := at(n).fetch(http.MethodDelete, "/v1/session", "tok-alice", nil); res.StatusCode != 204 {
				t.Fatalf("sign-out: got %d %s, want 204", res.StatusCode, body)
			}
			for i, f := range open {
				if last, _, _ := endOf(f); last.Error == nil || last.Error.Code != "not-found" {
					t.Errorf("stream %d ended with %+v, want the problem not-found", i, last)
				}
			}
			if !conn.Closed() {
				t.Error("the stream to the upstream is open, want it closed after the sign-out")
			}
			if page, err := n.b.store.Log(context.Background(), id, 0, 10); !errors.Is(err, sessions.ErrLost) {
				t.Errorf("the log is still there: %d events, %v, want ErrLost", len(page.Events), err)
			}
			if owners, err := n.b.store.Owners(context.Background(), []sessions.ID{id}); err != nil || len(owners) != 0 {
				t.Errorf("the lease is still there: %v, %v, want no owner", owners, err)
			}
			if all, err := n.b.store.BindingsOf(context.Background(), id); err != nil || len(all) != 0 {
				t.Errorf("tokens still lead there: %v, %v, want no token", all, err)
			}
			for _, g := range []*gateway{n.a, n.b} {
				if r := g.try("ticket="+ticket.Ticket, nil, "perch.v1"); r.status < 400 {
					t.Errorf("a ticket of the session still opens a socket: %+v, want it refused", r)
				}
			}
			if other.Closed() {
				t.Error("another session was ended too, want one session to end")
			}
		})
	}
}

// TestUnknownAndWrongAreAlike: a refusal does not reveal which part of the credential was right. An account
// that does not exist is refused like a wrong password, even if the upstream distinguishes
// them, and a Perch token that never existed like one that has ended.
func TestUnknownAndWrongAreAlike(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.SignInRate = api.Rate{PerSecond: 1e3, Burst: 1e3} })
	f.up.Edit(func(d *fakexmpp.Data) {
		d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
			if req.Account.Password.Reveal() == "good" {
				return perch.Login{JID: req.Account.JID + "/perch"}, nil
			}
			// RFC 6120, 13.11: a server uses not-authorized for both.
			return perch.Login{}, &perch.Error{Kind: perch.KindUnauthorized, Detail: "the upstream does not accept the credential",
				XMPP: &perch.XMPPError{Condition: "not-authorized"}}
		}
	})
	var minted struct{ Token string }
	if a := f.password("carol@example.net", "good"); json.Unmarshal(a.body, &minted) != nil || minted.Token == "" {
		t.Fatalf("sign-in: got %d %s, want a token", a.status, a.body)
	}
	same(t, "account", f.password("carol@example.net", "wrong"), f.password("nobody@example.net", "wrong"))
	same(t, "account, again", f.password("carol@example.net", "wrong"), f.password("nobody@example.net", "wrong"))

	bearer := func(text string) answer {
		return f.do("GET", "/v1/session", "", "Authorization", "Bearer "+text)
	}
	if a := f.do("DELETE", "/v1/session", "", "Authorization", "Bearer "+minted.Token); a.status != 204 {
		t.Fatalf("sign-out: got %d %s, want 204", a.status, a.body)
	}
	never := minted.Token[:len(minted.Token)-8] + strings.Repeat("x", 8)
	same(t, "token", bearer(minted.Token), bearer(never))
	same(t, "token, again", bearer(minted.Token), bearer(never))
}

// same holds that two answers differ in nothing but the id of their request.
func same(t *testing.T, what string, a, b answer) {
	t.Helper()
	strip := func(a answer) []byte {
		return bytes.ReplaceAll(a.body, []byte(a.problem(t).RequestID), nil)
	}
	if a.status != b.status || a.status != 401 || !bytes.Equal(strip(a), strip(b)) || a.header.Get("WWW-Authenticate") != b.header.Get("WWW-Authenticate") {
		t.Errorf("%s: %d %s\nand %d %s: want the same", what, a.status, a.body, b.status, b.body)
	}
}
