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
			t.Fatalf("SignIn: got a token of %d bytes, created %v, error %v; want perch_ and 40 bytes at least, true, none", len(token.Reveal()), created, err)
		}
		again, s2, created, err := w.m.SignIn(w.ctx(), password("good"))
		if err != nil || created || s2 != s || again == token {
			t.Fatalf("SignIn again: got created %v, another session %v, error %v; want false, false, none and another token", created, s2 != s, err)
		}
		for _, tok := range []perch.Secret{token, again} {
			if got, err := w.m.Authenticate(w.ctx(), tok); err != nil || got != s {
				t.Errorf("Authenticate with a token: got session %p, error %v, want %p", got, err, s)
			}
		}
		if n := w.up.logins(); n != 1 {
			t.Errorf("got %d logins, want 1", n)
		}
		other, s3, created, err := w.m.SignIn(w.ctx(), password("good, but another"))
		if err != nil || !created || s3 == s || other == token {
			t.Errorf("SignIn with another credential: got created %v, the same session %v, error %v; want true, false, none and another token", created, s3 == s, err)
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
			t.Errorf("got %d logins, want 1", n)
		}
		for name, acc := range map[string]perch.Account{
			"/jid":      {Upstream: "named", Token: goodToken},
			"/token":    {JID: alice},
			"/upstream": {Upstream: "nowhere", JID: alice, Token: goodToken},
		} {
			_, _, _, err := w.m.SignIn(w.ctx(), acc)
			if kindOf(t, err, perch.KindValidation); !strings.Contains(err.Error(), name) {
				t.Errorf("SignIn: got error %v, want one that names %s", err, name)
			}
		}
		if n := w.up.logins(); n != 1 {
			t.Errorf("got %d logins, want 1", n)
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
				t.Fatalf("SignIn: got another session %v, error %v, want false, none", got != s, err)
			}
			return token
		}
		leads := func(what string, token perch.Secret, want bool) {
			t.Helper()
			got, err := w.m.Authenticate(w.ctx(), token)
			if want && (err != nil || got != s) {
				t.Errorf("Authenticate, %s: got the session %v, error %v, want true, none", what, got == s, err)
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
			t.Errorf("got %d tokens of the session, want %d", n, 1000+1)
		}
		if n := w.up.logins(); n != 1 {
			t.Errorf("got %d logins, want 1", n)
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
			t.Errorf("SignIn with the access token: got created %v, another session %v, error %v, want false, false, none", created, s2 != s, err)
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
			t.Error("the stream after SignOut: got it open, want it closed")
		}
		evs, err := c.sub.Take()
		if err != nil || len(evs) != 1 || evs[0].Type != perch.EventSessionState {
			t.Errorf("Take after SignOut: got %v, error %v, want one session.state", evs, err)
		}
		if _, err := c.sub.Take(); err != sessions.ErrEnded {
			t.Errorf("second Take after SignOut: got error %v, want %v", err, sessions.ErrEnded)
		}
		_, err = w.m.Authenticate(w.ctx(), token)
		kindOf(t, err, perch.KindUnauthorized)
		if info := s.Info(); info.State != perch.StateClosed {
			t.Errorf("Info after SignOut: got %+v, want closed", info)
		}
		items, _ := s.Buddies()
		if _, err := s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x"}); err != sessions.ErrEnded || len(items) != 0 {
			t.Errorf("after SignOut: got error %v of SendMessage and buddies %v, want %v and none", err, items, sessions.ErrEnded)
		}
		if b, err := w.store.Bindings(w.ctx()); err != nil || len(b) != 0 {
			t.Errorf("Bindings after SignOut: got %v, error %v, want none", b, err)
		}
		_, s2, created, err := w.m.SignIn(w.ctx(), password("good"))
		if err != nil || !created || s2.ID() != s.ID() {
			t.Errorf("SignIn after SignOut: got created %v, error %v, want true, none, and the same ID", created, err)
		}
		if evs := w.durable(s2); len(evs) != 1 {
			t.Errorf("got the new log %v, want 1 event", types(evs))
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
			t.Fatalf("SignOut: got error %v, want none", err)
		}
		synctest.Wait()
		if s2 == s {
			// It was found just before the end; the next request gets a new one.
			if s2, err = w.m.Authenticate(w.ctx(), goodToken); err != nil || s2 == s {
				t.Fatalf("Authenticate after the end: got the ended session %v, error %v, want false, none", s2 == s, err)
			}
		}
		if st := s2.Info().State; st != perch.StateOnline {
			t.Errorf("Info: got state %s, want online", st)
		}
	})
}
