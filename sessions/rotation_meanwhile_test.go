package sessions_test

import (
	"context"
	"maps"
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// listing is a Store in which something happens between a list of all tokens and what is made of it.
type listing struct {
	sessions.Store
	listed func(all map[string]sessions.Binding)
}

func (l *listing) Bindings(ctx context.Context) (map[string]sessions.Binding, error) {
	all, err := l.Store.Bindings(ctx)
	if f := l.listed; f != nil {
		l.listed = nil
		f(maps.Clone(all))
	}
	return all, err
}

// lookedUp is a Store in which something happens once, when a token is looked up.
type lookedUp struct {
	sessions.Store
	then func()
}

func (l *lookedUp) Lookup(ctx context.Context, token string) (sessions.Binding, error) {
	if f := l.then; f != nil {
		l.then = nil
		f()
	}
	return l.Store.Lookup(ctx, token)
}

// TestSecretChangesMeanwhile: a credential whose key was made under one secret is marked with that one,
// though another is in use by the time that it is bound: else no Rotate would move it.
func TestSecretChangesMeanwhile(t *testing.T) {
	for name, credential := range map[string]func(w *world, s *sessions.Session) error{
		"a new session": func(w *world, _ *sessions.Session) error {
			_, err := w.m.Authenticate(w.ctx(), perch.NewSecret("good-other-token"))
			return err
		},
		"a replacement": func(w *world, s *sessions.Session) error {
			return w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: freshToken})
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.open()
				before, err := w.store.Bindings(w.ctx())
				must(t, "Bindings", err)
				var mark string
				for _, b := range before {
					mark = b.Mark
				}
				stored := w.store.Store
				w.store.Store = &lookedUp{stored, func() {
					must(t, "Reconfigure", w.m.Reconfigure(secrets(secretAfter, secretBefore)))
				}}
				must(t, "the credential", credential(w, s))
				synctest.Wait()
				after, err := stored.Bindings(w.ctx())
				must(t, "Bindings", err)
				fresh := 0
				for token, b := range after {
					if _, known := before[token]; known {
						continue
					}
					if fresh++; b.Mark != mark {
						t.Errorf("got the mark %q, want %q: that of the secret of the key", b.Mark, mark)
					}
				}
				if fresh != 1 || mark == "" {
					t.Errorf("got %d fresh credentials under the mark %q, want 1 under that of the secret before", fresh, mark)
				}
			}, durable, sealing(1))
		})
	}
}

// rotateLeaves expects what a Rotate leaves.
func rotateLeaves(w *world, when string, want sessions.Rotation) {
	w.t.Helper()
	must(w.t, "Rotate "+when, w.m.Rotate(w.ctx()))
	if got, known := w.m.Rotation(); got != want || !known {
		w.t.Errorf("%s: got %+v left, known %v, want %+v", when, got, known, want)
	}
}

// TestRotationOfTokenMovedMeanwhile: a token that its client moves leads nowhere by its old name, whoever
// writes that again: Rotate, which has listed it before, or a node that still uses the other secret.
func TestRotationOfTokenMovedMeanwhile(t *testing.T) {
	inWorld(t, func(w *world) {
		acc := password("good")
		acc.Upstream = "named"
		minted, s, _, err := w.m.SignIn(w.ctx(), acc)
		must(t, "SignIn", err)
		synctest.Wait()
		use := func() {
			t.Helper()
			got, err := w.m.Authenticate(w.ctx(), minted)
			must(t, "Authenticate", err)
			if got.ID() != s.ID() {
				t.Errorf("got the session %s, want %s", got.ID().Short(), s.ID().Short())
			}
		}
		must(t, "Reconfigure", w.m.Reconfigure(func(o *sessions.Options) {
			secrets(secretAfter, secretBefore)(o)
			sealing(2, 1)(o)
		}))
		list := &listing{Store: w.store.Store}
		w.store.Store = list
		var before map[string]sessions.Binding
		list.listed = func(all map[string]sessions.Binding) {
			before = all
			use()
		}
		must(t, "Rotate", w.m.Rotate(w.ctx()))
		rotateLeaves(w, "after it was used", sessions.Rotation{})

		for token, b := range before {
			if b.Minted {
				_, err := list.Bind(w.ctx(), token, b)
				must(t, "Bind", err)
			}
		}
		rotateLeaves(w, "after another node has written the old name", sessions.Rotation{})
		use()
		all, err := list.Bindings(w.ctx())
		must(t, "Bindings", err)
		if len(all) != 2 {
			t.Errorf("got %d tokens stored, want 2: that of the sign-in and the credential", len(all))
		}
		secrets(secretAfter)(&w.opts)
		sealing(2)(&w.opts)
		w.restart()
		again, err := w.m.Authenticate(w.ctx(), minted)
		must(t, "Authenticate with the old secret gone", err)
		if again.ID() != s.ID() {
			t.Errorf("got the session %s, want %s", again.ID().Short(), s.ID().Short())
		}
	}, durable, sealing(1))
}

// TestRotationOfWhatEndedMeanwhile: a token that ends, and a credential that is replaced, while Rotate is
// under way stay so.
func TestRotationOfWhatEndedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(*sessions.Options){
		"keys":    sealing(2, 1),
		"secrets": secrets(secretAfter, secretBefore),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				acc := password("good")
				acc.Upstream = "named"
				_, _, _, err := w.m.SignIn(w.ctx(), acc)
				must(t, "SignIn", err)
				w.open()
				w.close()
				change(&w.opts)
				w.start() // no node has the sessions
				list := &listing{Store: w.store.Store}
				w.store.Store = list
				var want map[string]sessions.Binding
				list.listed = func(all map[string]sessions.Binding) {
					for token, b := range all {
						if b.Upstream == "named" {
							must(t, "Unbind", list.Unbind(w.ctx(), token))
							continue
						}
						b = sessions.Binding{ID: b.ID, Upstream: b.Upstream, Replaced: true}
						_, err := list.Bind(w.ctx(), token, b)
						must(t, "Bind", err)
					}
					want, err = list.Store.Bindings(w.ctx())
					must(t, "Bindings", err)
				}
				must(t, "Rotate", w.m.Rotate(w.ctx()))
				got, err := list.Bindings(w.ctx())
				must(t, "Bindings", err)
				if len(got) != len(want) || len(want) != 1 {
					t.Errorf("got %d tokens stored, want the %d that were left", len(got), len(want))
				}
				for token, b := range want {
					if !got[token].Replaced || got[token].Sealed != nil {
						t.Errorf("the credential of %s: got %+v, want it replaced", b.ID.Short(), got[token])
					}
				}
			}, durable, sealing(1))
		})
	}
}

// rebinding is a Store in which something happens once, before a token gets another name.
type rebinding struct {
	sessions.Store
	then func()
}

func (r *rebinding) Rebind(ctx context.Context, old, token string, b sessions.Binding) error {
	if f := r.then; f != nil {
		r.then = nil
		f()
	}
	return r.Store.Rebind(ctx, old, token, b)
}

// TestTokenRevokedWhileItMoves: a token that is revoked while a request moves it to the secret in use is
// refused by that name as well.
func TestTokenRevokedWhileItMoves(t *testing.T) {
	inWorld(t, func(w *world) {
		_, by := w.signInAs(password("good"))
		token, made := w.make(by, "reader", perch.Grant{Scopes: []perch.Scope{perch.ScopeRead}})
		must(t, "Reconfigure", w.m.Reconfigure(secrets(secretAfter, secretBefore)))
		w.store.Store = &rebinding{w.store.Store, func() {
			_, err := w.m.RevokeToken(w.ctx(), by, made.ID)
			must(t, "RevokeToken", err)
		}}
		for _, when := range []string{"meanwhile", "later"} {
			if !w.refused(token) {
				t.Errorf("%s: the revoked token leads somewhere, want it refused", when)
			}
		}
		all, err := w.store.BindingsOf(w.ctx(), by.Session.ID())
		must(t, "BindingsOf", err)
		for _, b := range all {
			if b.Token != nil && b.Token.ID == made.ID {
				t.Errorf("the Store has %+v, want nothing of the revoked token", b.Token)
			}
		}
	})
}
