package sessions_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// putAs puts a webhook with the token of an access.
func (w *world) putAs(by sessions.Access, id string) {
	w.t.Helper()
	_, _, _, err := w.m.PutReader(w.ctx(), by, hook(id))
	must(w.t, "PutReader", err)
}

// ids are those of the webhooks of a session.
func (w *world) ids(s *sessions.Session) string {
	w.t.Helper()
	synctest.Wait()
	list, err := w.m.Readers(w.ctx(), access(s), perch.WebhookReader)
	must(w.t, "Readers", err)
	var ids []string
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

// TestReadersEndWithTheirToken: whatever ends it, and no other one. What is under way is given up.
func TestReadersEndWithTheirToken(t *testing.T) {
	for name, end := range map[string]func(w *world, by, made sessions.Access, token perch.Secret) *sessions.Session{
		"revoked": func(w *world, by, made sessions.Access, _ perch.Secret) *sessions.Session {
			_, err := w.m.RevokeToken(w.ctx(), by, made.ID)
			must(w.t, "RevokeToken", err)
			return by.Session
		},
		"signed out": func(w *world, by, made sessions.Access, _ perch.Secret) *sessions.Session {
			_, err := w.m.EndToken(w.ctx(), made)
			must(w.t, "EndToken", err)
			return by.Session
		},
		"expired": func(w *world, by, _ sessions.Access, _ perch.Secret) *sessions.Session {
			pass(time.Hour)
			return by.Session
		},
		"expired while no process had the session": func(w *world, _, _ sessions.Access, _ perch.Secret) *sessions.Session {
			w.close()
			pass(2 * time.Hour)
			w.start()
			_, by := w.signInAs(password("good"))
			return by.Session
		},
		"ended in the store alone": func(w *world, by, made sessions.Access, _ perch.Secret) *sessions.Session {
			w.close()
			all, err := w.store.BindingsOf(w.ctx(), by.Session.ID())
			must(w.t, "BindingsOf", err)
			for key, b := range all {
				if b.Token != nil && b.Token.ID == made.ID {
					must(w.t, "Unbind", w.store.Unbind(w.ctx(), key))
				}
			}
			w.start()
			_, by = w.signInAs(password("good"))
			return by.Session
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := &receiver{}
			inWorld(t, func(w *world) {
				_, by := w.signInAs(password("good"))
				token, _ := w.make(by, "bot", perch.Grant{Scopes: []perch.Scope{perch.ScopeRead, perch.ScopeWebhooks}, Expires: perch.At(time.Now().Add(time.Hour))})
				made := w.access(by.Session, token)
				w.putAs(by, "own")
				w.putAs(made, "bot")
				c.answers(failing(500))
				w.say(by.Session, 1)
				if got := w.ids(by.Session); got != "bot own" {
					t.Fatalf("got the webhooks %q, want both", got)
				}
				s := end(w, by, made, token)
				if got := w.ids(s); got != "own" {
					t.Errorf("got the webhooks %q, want the one of the token that is left", got)
				}
				c.next()
				pass(time.Hour)
				for _, k := range c.next() {
					if k.toward != "own" {
						t.Errorf("got a delivery to %s, want none any more", k.toward)
					}
				}
				if !w.refused(token) {
					t.Error("got the token accepted, want it refused")
				}
			}, withReceiver(c), durable)
		})
	}
}

// TestReadersOfATokenWithoutARecord: what the token of an earlier version has put lives as long as it, over
// restarts and another secret.
func TestReadersOfATokenWithoutARecord(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		token, _ := w.signInAs(password("good"))
		again := func() sessions.Access {
			w.t.Helper()
			w.close()
			w.start()
			s, err := w.m.Authenticate(w.ctx(), token)
			must(t, "Authenticate", err)
			return w.access(s, token)
		}
		by := again() // nothing of the sign-in is in memory
		w.putAs(by, "bot")
		for _, step := range []struct {
			name   string
			change func()
		}{
			{"a restart", func() {}},
			{"another secret, while it is there", func() {
				must(t, "Reconfigure", w.m.Reconfigure(secrets([]byte("another secret of this gateway"), w.opts.Secret)))
				w.opts.Secret, w.opts.PreviousSecrets = []byte("another secret of this gateway"), [][]byte{w.opts.Secret}
				_ = w.access(by.Session, token)
			}},
			{"another one, while it is away", func() {
				w.opts.Secret, w.opts.PreviousSecrets = []byte("a third secret of this gateway"), append([][]byte{w.opts.Secret}, w.opts.PreviousSecrets...)
			}},
		} {
			step.change()
			was := by.ID
			if by = again(); by.ID != was {
				t.Errorf("%s: got the token %q, want its id %q to stay", step.name, by.ID, was)
			}
			if got := w.ids(by.Session); got != "bot" {
				t.Errorf("%s: got the webhooks %q, want the one of the token", step.name, got)
			}
		}
		_, err := w.m.RevokeToken(w.ctx(), by, by.ID)
		must(t, "RevokeToken", err)
		if got := w.ids(by.Session); got != "" {
			t.Errorf("revoked: got the webhooks %q, want none", got)
		}
	}, withReceiver(c), durable, sealing(1), func(o *sessions.Options) { o.Store = olderStore{o.Store} })
}

// TestPutByATokenThatHasEnded: a request that was under way when its token ended leaves nothing behind.
func TestPutByATokenThatHasEnded(t *testing.T) {
	inWorld(t, func(w *world) {
		_, by := w.signInAs(password("good"))
		token, _ := w.make(by, "bot", perch.Grant{})
		made := w.access(by.Session, token)
		_, err := w.m.RevokeToken(w.ctx(), by, made.ID)
		must(t, "RevokeToken", err)
		_, _, _, err = w.m.PutReader(w.ctx(), made, hook("late"))
		kindOf(t, err, perch.KindUnauthorized)
		if got := w.ids(by.Session); got != "" {
			t.Errorf("got the webhooks %q, want none", got)
		}
	}, withReceiver(&receiver{}))
}

// TestReadersEndWithTheSession: sign-out forgets them.
func TestReadersEndWithTheSession(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		c.answers(failing(500))
		w.say(s, 1)
		must(t, "SignOut", w.m.SignOut(w.ctx(), s))
		c.next()
		pass(time.Hour)
		s = w.open()
		if got := w.ids(s); got != "" || len(c.next()) != 0 {
			t.Errorf("got the webhooks %q, want none, and no delivery", got)
		}
	}, withReceiver(c))
}

// TestIdlePolicyWaitsForReaders: a session whose log somebody reads is not signed out for want of a stream; one
// whose readers are all disabled is.
func TestIdlePolicyWaitsForReaders(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("a"))
		pass(time.Hour)
		if info := s.Info(); info.State != perch.StateOnline {
			t.Fatalf("with a webhook: got the state %s, want %s", info.State, perch.StateOnline)
		}
		c.answers(func(sessions.Delivery) sessions.Outcome {
			return sessions.Outcome{Status: 410, Err: errDown, Gone: true}
		})
		w.say(s, 1)
		pass(time.Hour)
		if info := s.Info(); info.State != perch.StateClosed {
			t.Errorf("with a webhook that is disabled: got the state %s, want %s", info.State, perch.StateClosed)
		}
	}, withReceiver(c), idle(sessions.IdleSignOut))
}

// TestReaderSecretsAreSealed: nothing of an address, a key or a secret is in a row, and what seals it may change.
func TestReaderSecretsAreSealed(t *testing.T) {
	for name, tt := range map[string]struct {
		before, after func(*sessions.Options)
		lost          bool
	}{
		"without a key":             {sealing(), sealing(), false},
		"with a key":                {sealing(1), sealing(1), false},
		"a key that comes":          {sealing(), sealing(1), false},
		"a key that goes":           {sealing(1), sealing(), true},
		"a key that was rotated":    {sealing(1), sealing(2, 1), false},
		"another key":               {sealing(1), sealing(2), true},
		"a secret that was rotated": {secrets(secretBefore), secrets(secretAfter, secretBefore), false},
	} {
		t.Run(name, func(t *testing.T) {
			c := &receiver{}
			inWorld(t, func(w *world) {
				w.store.count(func(*sessions.Commit) bool { return true })
				_, s, _, err := w.m.SignIn(w.ctx(), password("good"))
				must(t, "SignIn", err)
				n := hook("a")
				n.Target.P256DH, n.Target.Auth = canary.Secret(), canary.Secret()
				_, secret, _, err := w.m.PutReader(w.ctx(), access(s), n)
				must(t, "PutReader", err)
				w.rows(n, secret)
				w.close()
				tt.after(&w.opts)
				w.start()
				_, s, _, err = w.m.SignIn(w.ctx(), password("good"))
				must(t, "SignIn", err)
				r := w.reader(s, perch.WebhookReader, "a")
				if lost := r.State == perch.ReaderDisabled && r.Why == perch.ReaderSecretLost; lost != tt.lost || !lost && r.Target != n.Target {
					t.Fatalf("got %s, why %q, the same target %v, want it lost: %v", r.State, r.Why, r.Target == n.Target, tt.lost)
				}
				_, again, _, err := w.m.PutReader(w.ctx(), access(s), n)
				if err != nil || again.IsZero() == tt.lost {
					t.Errorf("put anew: got a new secret %v, error %v, want %v, none", !again.IsZero(), err, tt.lost)
				}
				w.say(s, 1)
				if calls := c.next(); len(calls) != 1 || calls[0].keys != 1 {
					t.Errorf("got %+v, want a delivery with one secret", calls)
				}
			}, withReceiver(c), tt.before, durable)
		})
	}
}

// rows fails when something secret is in a row of a reader.
func (w *world) rows(n sessions.NewReader, secret perch.Secret) {
	w.t.Helper()
	synctest.Wait()
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	found := false
	for _, c := range w.store.made {
		for _, row := range c.Readers.Put {
			found = true
			text := strings.Join([]string{string(row.Sealed), row.Last.Error, row.ID, row.By}, " ")
			for _, hidden := range []string{n.Target.URL, n.Target.P256DH, n.Target.Auth, secret.Reveal(), "https"} {
				if strings.Contains(text, hidden) {
					w.t.Errorf("got a row with something secret in it, want it sealed")
				}
			}
		}
	}
	if !found {
		w.t.Fatal("got no row of a reader, want one")
	}
}
