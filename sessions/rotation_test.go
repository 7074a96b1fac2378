package sessions_test

import (
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

var secretBefore, secretAfter = []byte(canary.Mark + "0123456789abcdef"), []byte(canary.Mark + "the secret that comes after")

// secrets are those of a step of the rotation.
func secrets(current []byte, previous ...[]byte) func(*sessions.Options) {
	return func(o *sessions.Options) { o.Secret, o.PreviousSecrets = current, previous }
}

// TestRotation goes through the procedure, by restarts and while the sessions live: nobody signs in again,
// and a repeated message stays one.
func TestRotation(t *testing.T) {
	for name, step := range map[string]func(w *world, change func(*sessions.Options)){
		"by restarts": func(w *world, change func(*sessions.Options)) {
			change(&w.opts)
			w.restart()
		},
		"while sessions live": func(w *world, change func(*sessions.Options)) {
			must(w.t, "Reconfigure", w.m.Reconfigure(change))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				passed := w.open()
				acc := password("good")
				acc.Upstream = "named"
				minted, signed, _, err := w.m.SignIn(w.ctx(), acc)
				must(t, "SignIn", err)
				synctest.Wait()
				msg := hi("once")
				msg.Key = "the key"
				sent := w.send(signed, msg)
				use := func(when string, created bool) {
					t.Helper()
					for token, id := range map[perch.Secret]sessions.ID{goodToken: passed.ID(), minted: signed.ID()} {
						s, err := w.m.Authenticate(w.ctx(), token)
						must(t, "Authenticate "+when, err)
						if s.ID() != id {
							t.Errorf("%s: got the session %s, want %s", when, s.ID().Short(), id.Short())
						}
					}
					if _, s, fresh, err := w.m.SignIn(w.ctx(), acc); err != nil || s.ID() != signed.ID() || fresh != created {
						t.Errorf("SignIn %s: got error %v, created %v, want none, %v and the same session", when, err, fresh, created)
					}
					synctest.Wait()
				}
				rotate := func(want sessions.Rotation) {
					t.Helper()
					must(t, "Rotate", w.m.Rotate(w.ctx()))
					if got, known := w.m.Rotation(); got != want || !known {
						t.Errorf("got %+v left, known %v, want %+v", got, known, want)
					}
				}
				rotate(sessions.Rotation{})
				step(w, secrets(secretBefore, secretAfter))
				use("with the new secret known", false)
				rotate(sessions.Rotation{})

				step(w, secrets(secretAfter, secretBefore))
				if _, known := w.m.Rotation(); known {
					t.Error("got a count before anything was counted, want none")
				}
				must(t, "Rotate", w.m.Rotate(w.ctx()))
				if got, _ := w.m.Rotation(); got.Tokens < 2 {
					t.Errorf("got %d tokens left before they are used, want those of sign-ins: at least 2", got.Tokens)
				}
				use("with the new secret in use", false)
				again, err := w.m.Authenticate(w.ctx(), minted)
				must(t, "Authenticate", err)
				if got := w.send(again, msg); got != sent {
					t.Errorf("the same message again: got id %q, want %q", got, sent)
				}
				other := msg
				other.Body = "another"
				if _, err := again.SendMessage(w.ctx(), other); perch.KindOf(err) != perch.KindIdempotencyMismatch {
					t.Errorf("another message with its key: got error %v, want %s", err, perch.KindIdempotencyMismatch)
				}
				must(t, "Rotate", w.m.Rotate(w.ctx()))

				step(w, secrets(secretAfter))
				use("with the old secret gone", false)
				rotate(sessions.Rotation{})
			}, durable, sealing(1))
		})
	}
}

// TestRotationWithoutPrevious: a secret that is changed at once would end every token.
func TestRotationWithoutPrevious(t *testing.T) {
	inWorld(t, func(w *world) {
		w.open()
		err := w.m.Reconfigure(secrets(secretAfter))
		if perch.KindOf(err) != perch.KindValidation {
			t.Errorf("Reconfigure: got error %v, want %s", err, perch.KindValidation)
		}
		w.open()
	})
}

// TestRotationOfKeys: credentials are sealed with the new key without their clients, also those that no
// node has in use, and open once the old one is gone.
func TestRotationOfKeys(t *testing.T) {
	inWorld(t, func(w *world) {
		w.open()
		acc := password("good")
		acc.Upstream = "named"
		_, _, _, err := w.m.SignIn(w.ctx(), acc)
		must(t, "SignIn", err)
		synctest.Wait()
		restores := func(key byte) {
			t.Helper()
			sealing(key)(&w.opts)
			w.restart()
			must(t, "Restore", w.m.Restore(w.ctx()))
			synctest.Wait()
			if got := w.m.Len(); got != 2 {
				t.Errorf("got %d sessions restored with the key %d alone, want 2", got, key)
			}
		}
		must(t, "Reconfigure", w.m.Reconfigure(sealing(1, 2)))
		must(t, "Rotate", w.m.Rotate(w.ctx()))
		must(t, "Reconfigure", w.m.Reconfigure(sealing(2, 1)))
		must(t, "Rotate", w.m.Rotate(w.ctx()))
		if got, known := w.m.Rotation(); got.Credentials != 0 || !known {
			t.Errorf("got %d credentials left after they were sealed again, known %v, want 0", got.Credentials, known)
		}
		restores(2)
		w.close()
		sealing(3, 2)(&w.opts)
		w.start() // nobody has the sessions
		must(t, "Rotate", w.m.Rotate(w.ctx()))
		if got, known := w.m.Rotation(); got.Credentials != 0 || !known {
			t.Errorf("got %d credentials left of sessions that nobody has, known %v, want 0", got.Credentials, known)
		}
		restores(3)
	}, durable, sealing(1))
}
