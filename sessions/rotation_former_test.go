package sessions_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// mintedKeys are the keys of the minted tokens of a session in the Store.
func (w *world) mintedKeys(id sessions.ID) (list []string) {
	w.t.Helper()
	all, err := w.store.BindingsOf(w.ctx(), id)
	must(w.t, "BindingsOf", err)
	for token, b := range all {
		if b.Minted {
			list = append(list, token)
		}
	}
	return list
}

// restore opens the sessions that the Store has.
func (w *world) restore() {
	w.t.Helper()
	must(w.t, "Restore", w.m.Restore(w.ctx()))
	synctest.Wait()
}

// TestRotationOfTokenUnderBothSecrets: a minted token that the Store has under both secrets, as one node has moved it
// and another one has bound it again, is left under the secret in use alone, and counts as moved.
func TestRotationOfTokenUnderBothSecrets(t *testing.T) {
	for name, again := range map[string]func(w *world){
		"of a session that is restored with both": func(w *world) { w.restart(); w.restore() },
		"of a session that no node has":           func(w *world) { w.close(); w.start() },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				first, by := w.signInAs(password("good"))
				made, _ := w.make(by, "made", perch.Grant{Scopes: perch.Scopes()})
				synctest.Wait()
				id := by.Session.ID()
				former, err := w.store.BindingsOf(w.ctx(), id)
				must(t, "BindingsOf", err)
				must(t, "Reconfigure", w.m.Reconfigure(secrets(secretAfter, secretBefore)))
				for _, token := range []perch.Secret{first, made} {
					_, err := w.m.Authenticate(w.ctx(), token)
					must(t, "Authenticate", err)
				}
				moved := w.mintedKeys(id)
				for token, b := range former {
					if b.Minted {
						_, err := w.store.Bind(w.ctx(), token, b)
						must(t, "Bind", err)
					}
				}
				if got := w.mintedKeys(id); len(got) != 4 {
					t.Fatalf("got the minted tokens %q, want two keys of each of two", got)
				}
				secrets(secretAfter, secretBefore)(&w.opts)
				again(w)
				rotateLeaves(w, "with both keys", sessions.Rotation{})

				if got := w.mintedKeys(id); len(got) != 2 || !slices.Contains(moved, got[0]) || !slices.Contains(moved, got[1]) {
					t.Errorf("got the minted tokens %q, want those under the secret in use, %q", got, moved)
				}
				for _, token := range []perch.Secret{first, made} {
					if s, err := w.m.Authenticate(w.ctx(), token); err != nil || s.ID() != id {
						t.Errorf("got the session %v, error %v, want %s and none", s, err, id.Short())
					}
				}
			}, durable, sealing(1))
		})
	}
}

// TestTokenUnderBothSecretsIsWatched: whoever watches a token that is bound under both secrets is told once when it is
// revoked, whichever of its two keys the watch began with.
func TestTokenUnderBothSecretsIsWatched(t *testing.T) {
	inWorld(t, func(w *world) {
		token, by := w.signInAs(password("good"))
		id := by.Session.ID()
		former, err := w.store.BindingsOf(w.ctx(), id)
		must(t, "BindingsOf", err)
		told := map[string]int{}
		watch := func(name string, s *sessions.Session) {
			t.Helper()
			_, err := w.m.Watch(w.access(s, token), func() { told[name]++ })
			must(t, "Watch", err)
		}
		must(t, "Reconfigure", w.m.Reconfigure(secrets(secretAfter, secretBefore)))
		_, err = w.m.Authenticate(w.ctx(), token)
		must(t, "Authenticate", err)
		for token, b := range former {
			_, err := w.store.Bind(w.ctx(), token, b)
			must(t, "Bind", err)
		}
		secrets(secretAfter, secretBefore)(&w.opts)
		w.restart()
		w.restore()
		s, err := w.m.Authenticate(w.ctx(), token)
		must(t, "Authenticate", err)
		watch("by the key under the secret in use", s)
		must(t, "Reconfigure", w.m.Reconfigure(secrets(secretBefore, secretAfter)))
		watch("by the key under the former secret", s)
		must(t, "Reconfigure", w.m.Reconfigure(secrets(secretAfter, secretBefore)))
		rotateLeaves(w, "with both keys", sessions.Rotation{})
		watch("afterwards", s)
		_, err = w.m.RevokeToken(w.ctx(), w.access(s, token), by.ID)
		must(t, "RevokeToken", err)
		if len(told) != 3 {
			t.Errorf("told %v, want all three", told)
		}
		for name, n := range told {
			if n != 1 {
				t.Errorf("who watches %s: told %d times, want once", name, n)
			}
		}
		if !w.refused(token) {
			t.Error("the revoked token leads somewhere, want it refused")
		}
	}, durable, sealing(1))
}
