package sessions_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

func password(text string) perch.Account {
	return perch.Account{Upstream: "named", JID: alice, Password: perch.NewSecret(text)}
}

func TestSignIn(t *testing.T) {
	inWorld(t, func(w *world) {
		token, s, created, err := w.m.SignIn(w.ctx(), password("good"))
		if err != nil || !created || !strings.HasPrefix(token.Reveal(), "perch_") || len(token.Reveal()) < 40 {
			t.Fatal(token.Reveal(), created, err)
		}
		again, s2, created, err := w.m.SignIn(w.ctx(), password("good"))
		if err != nil || created || s2 != s || again == token {
			t.Fatalf("created %v, another session %v, %v", created, s2 != s, err)
		}
		for _, tok := range []perch.Secret{token, again} {
			if got, err := w.m.Authenticate(w.ctx(), tok); err != nil || got != s {
				t.Errorf("token does not lead to the session: %v", err)
			}
		}
		if n := w.up.logins(); n != 1 {
			t.Errorf("%d logins", n)
		}
		other, s3, created, err := w.m.SignIn(w.ctx(), password("good, but another"))
		if err != nil || !created || s3 == s || other == token {
			t.Error("another credential shares the session")
		}
	})
}

func TestSignInRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		for range 2 {
			_, _, _, err := w.m.SignIn(w.ctx(), password("bad"))
			kindOf(t, err, perch.KindUnauthorized)
		}
		if n := w.up.logins(); n != 1 {
			t.Errorf("%d logins", n)
		}
		for name, acc := range map[string]perch.Account{
			"/jid":      {Upstream: "named", Token: goodToken},
			"/token":    {JID: alice},
			"/upstream": {Upstream: "nowhere", JID: alice, Token: goodToken},
		} {
			_, _, _, err := w.m.SignIn(w.ctx(), acc)
			if kindOf(t, err, perch.KindValidation); !strings.Contains(err.Error(), name) {
				t.Errorf("%v does not name %s", err, name)
			}
		}
		if n := w.up.logins(); n != 1 {
			t.Errorf("%d logins", n)
		}
	})
}

// Of a flood of sign-ins the tokens of the oldest go, here and in the store: their holders
// sign in anew. The account's own credential, and the token of the last one, stay.
func TestSignInTokensAreBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open() // its access token is a bearer, too
		acc := perch.Account{Token: goodToken}
		signIn := func() perch.Secret {
			token, got, _, err := w.m.SignIn(w.ctx(), acc)
			if err != nil || got != s {
				t.Fatalf("SignIn: another session %v, %v", got != s, err)
			}
			return token
		}
		leads := func(what string, token perch.Secret, want bool) {
			t.Helper()
			got, err := w.m.Authenticate(w.ctx(), token)
			if want && (err != nil || got != s) {
				t.Errorf("%s: leads to the session %v, %v, want that it does", what, got == s, err)
			} else if !want {
				kindOf(t, err, perch.KindUnauthorized)
			}
		}
		var tokens []perch.Secret
		for range 1000 {
			tokens = append(tokens, signIn())
		}
		leads("the first of as many as there may be", tokens[0], true)
		last := signIn()
		for i, token := range tokens[:2] {
			leads(fmt.Sprint("token ", i), token, i > 0)
		}
		leads("the last token", last, true)
		leads("the access token", goodToken, true)
		if n := w.m.Leading(s); n != 1000+1 {
			t.Errorf("%d tokens lead to the session, want %d", n, 1000+1)
		}
		if n := w.up.logins(); n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
	})
}

// A token stays one of a sign-in when the session is restored with all its tokens, and is
// counted as one.
func TestSignInTokensStayBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		first, _, _, err := w.m.SignIn(w.ctx(), password("good"))
		must(t, "SignIn", err)
		w.close()
		w.start()
		must(t, "Restore", w.m.Restore(w.ctx()))
		pass(time.Second) // its tokens are bound anew with the login
		for range 1000 {
			if _, _, _, err := w.m.SignIn(w.ctx(), password("good")); err != nil {
				t.Fatalf("SignIn: got error %v, want none", err)
			}
		}
		_, err = w.m.Authenticate(w.ctx(), first)
		kindOf(t, err, perch.KindUnauthorized)
	}, func(o *sessions.Options) { o.SealKeys = [][]byte{make([]byte, 32)} })
}

// A token that is given to SignIn and one that is passed through lead to one session.
func TestSignInWithAccessToken(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		_, s2, created, err := w.m.SignIn(w.ctx(), perch.Account{Token: goodToken})
		if err != nil || created || s2 != s {
			t.Errorf("created %v, %v", created, err)
		}
	})
}

func TestSignOutForgets(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		token, s, _, err := w.m.SignIn(w.ctx(), password("good"))
		must(t, "SignIn", err)
		c := w.attach(s, sessions.SubscribeOptions{})
		conn := w.conn()
		must(t, "SignOut", w.m.SignOut(w.ctx(), s))
		if !conn.Closed() {
			t.Error("the stream was not closed")
		}
		evs, err := c.sub.Take()
		if err != nil || len(evs) != 1 || evs[0].Type != perch.EventSessionState {
			t.Errorf("%v %v", evs, err)
		}
		if _, err := c.sub.Take(); err != sessions.ErrEnded {
			t.Errorf("cut with %v", err)
		}
		_, err = w.m.Authenticate(w.ctx(), token)
		kindOf(t, err, perch.KindUnauthorized)
		if info := s.Info(); info.State != perch.StateClosed {
			t.Errorf("%+v", info)
		}
		items, _, _ := s.Buddies()
		if _, err := s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x"}); err != sessions.ErrEnded || len(items) != 0 {
			t.Errorf("an ended session answers: %v %v", items, err)
		}
		if b, err := w.store.Bindings(w.ctx()); err != nil || len(b) != 0 {
			t.Errorf("tokens stay: %v %v", b, err)
		}
		_, s2, created, err := w.m.SignIn(w.ctx(), password("good"))
		if err != nil || !created || s2.ID() != s.ID() {
			t.Errorf("signing in again: %v %v", created, err)
		}
		if evs := w.durable(s2); len(evs) != 1 {
			t.Errorf("the new log has %v", types(evs))
		}
	})
}

func TestRequestsWhileSigningOut(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		done := make(chan error)
		go func() { done <- w.m.SignOut(w.ctx(), s) }()
		s2, err := w.m.Authenticate(w.ctx(), goodToken)
		must(t, "Authenticate", err)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s2 == s {
			// It was found just before the end; the next request gets a new one.
			if s2, err = w.m.Authenticate(w.ctx(), goodToken); err != nil || s2 == s {
				t.Fatalf("the ended session is found again: %v", err)
			}
		}
		if st := s2.Info().State; st != perch.StateOnline {
			t.Errorf("state %s", st)
		}
	})
}
