package sessions_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// enterBy signs in with a password.
func (w *world) enterBy(secret string) (perch.Secret, *sessions.Session, bool) {
	w.t.Helper()
	token, s, created, err := w.m.SignIn(w.ctx(), perch.Account{Upstream: "net", JID: alice, Password: perch.NewSecret(secret)})
	must(w.t, "SignIn", err)
	synctest.Wait()
	return token, s, created
}

// TestChangePassword: the server has the fresh password, the session signs in with it after a lost link and
// after a restart, its tokens stay, and the password before leads to it no more.
func TestChangePassword(t *testing.T) {
	inWorld(t, func(w *world) {
		before, fresh := canary.Secret(), canary.Secret()
		token, s, _ := w.enterBy(before)
		must(t, "ChangePassword", w.m.ChangePassword(w.ctx(), s, perch.NewSecret(before), perch.NewSecret(fresh)))
		synctest.Wait()
		w.up.Edit(func(d *fakexmpp.Data) {
			if d.Password.Reveal() != fresh {
				t.Error("the server does not have the fresh password, want it")
			}
			d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
				if req.Account.Password.Reveal() != fresh {
					return perch.Login{}, perch.Errorf(perch.KindUnauthorized, "no")
				}
				return perch.Login{JID: alice + "/perch"}, nil
			}
		})
		w.lose(linkLost)
		w.restart()
		again, err := w.m.Authenticate(w.ctx(), token)
		must(t, "Authenticate", err)
		synctest.Wait()
		if again.ID() != s.ID() || again.Info().State != perch.StateOnline {
			t.Errorf("got the session %s, %s; want %s, online", again.ID().Short(), again.Info().State, s.ID().Short())
		}
		if _, same, created := w.enterBy(fresh); created || same.ID() != s.ID() {
			t.Errorf("the fresh password led to %s, created %v; want the same session", same.ID().Short(), created)
		}
		if _, _, _, err := w.m.SignIn(w.ctx(), perch.Account{Upstream: "net", JID: alice, Password: perch.NewSecret(before)}); perch.KindOf(err) != perch.KindUnauthorized {
			t.Errorf("the password before: got %v, want %s", err, perch.KindUnauthorized)
		}
	}, durable, sealing(1))
}

// TestPasswordIsNotChanged: on a refusal nothing is other than it was.
func TestPasswordIsNotChanged(t *testing.T) {
	before, fresh := canary.Secret(), canary.Secret()
	for _, tt := range []struct {
		name           string
		current, fresh string
		refuse         error
		want           perch.Kind
		asked          bool
	}{
		{"by who does not know it", canary.Secret(), fresh, nil, perch.KindForbidden, false},
		{"to the same", before, before, nil, perch.KindValidation, false},
		{"by the server", before, fresh, perch.Errorf(perch.KindForbidden, "not-allowed"), perch.KindForbidden, true},
		{"for being weak", before, fresh, perch.Invalid("/new", "weak"), perch.KindValidation, true},
		{"no such thing", before, fresh, perch.Errorf(perch.KindFeatureUnsupported, "none"), perch.KindFeatureUnsupported, true},
		{"no answer, and not taken", before, fresh, perch.Errorf(perch.KindUpstreamTimeout, "silent"), perch.KindUpstreamTimeout, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				_, s, _ := w.enterBy(before)
				asked := false
				w.up.Edit(func(d *fakexmpp.Data) {
					d.Refuse = func(method string) error {
						asked = asked || method == "ChangePassword"
						if method == "ChangePassword" {
							return tt.refuse
						}
						return nil
					}
					d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
						if req.Account.Password.Reveal() != before {
							return perch.Login{}, perch.Errorf(perch.KindUnauthorized, "no")
						}
						return perch.Login{JID: alice + "/perch"}, nil
					}
				})
				err := w.m.ChangePassword(w.ctx(), s, perch.NewSecret(tt.current), perch.NewSecret(tt.fresh))
				if perch.KindOf(err) != tt.want || asked != tt.asked {
					t.Errorf("ChangePassword: got %v, asked %v; want %s, %v", err, asked, tt.want, tt.asked)
				}
				w.lose(linkLost)
				if _, same, created := w.enterBy(before); created || same.ID() != s.ID() {
					t.Errorf("the password of before led to %s, created %v; want the same session", same.ID().Short(), created)
				}
			}, durable, sealing(1))
		})
	}
}

// TestPasswordChangedWithoutAnAnswer: the connection was lost, and the server takes the fresh password.
func TestPasswordChangedWithoutAnAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		before, fresh := canary.Secret(), canary.Secret()
		_, s, _ := w.enterBy(before)
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(method string) error {
				if method == "ChangePassword" {
					return perch.Errorf(perch.KindSessionOffline, "lost")
				}
				return nil
			}
		})
		must(t, "ChangePassword", w.m.ChangePassword(w.ctx(), s, perch.NewSecret(before), perch.NewSecret(fresh)))
		if _, same, created := w.enterBy(fresh); created || same.ID() != s.ID() {
			t.Errorf("the fresh password led to %s, created %v; want the same session", same.ID().Short(), created)
		}
	}, durable, sealing(1))
}

// TestPasswordChangedWithoutTheStore: the session goes on with the password that the server has by now, and
// the Store gets it once it takes writes.
func TestPasswordChangedWithoutTheStore(t *testing.T) {
	inWorld(t, func(w *world) {
		before, fresh := canary.Secret(), canary.Secret()
		token, s, _ := w.enterBy(before)
		failed := false
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(method string) error {
				if method == "ChangePassword" && !failed {
					failed = true
					w.store.set(func(s *store) { s.down = perch.Errorf(perch.KindStorageUnavailable, "down") })
				}
				return nil
			}
		})
		if err := w.m.ChangePassword(w.ctx(), s, perch.NewSecret(before), perch.NewSecret(fresh)); perch.KindOf(err) != perch.KindStorageUnavailable {
			t.Fatalf("ChangePassword: got %v, want %s", err, perch.KindStorageUnavailable)
		}
		w.store.set(func(s *store) { s.down = nil })
		time.Sleep(time.Minute)
		synctest.Wait()
		w.restart()
		_, err := w.m.Authenticate(w.ctx(), token)
		must(t, "Authenticate", err)
		synctest.Wait()
		if dials := w.up.Dials(); dials[len(dials)-1].Account.Password.Reveal() != fresh {
			t.Error("the next process signed in with another password, want the fresh one")
		}
	}, durable, sealing(1))
}

// TestPasswordChangedWithoutTheCaller: who asked has gone before the server has answered. The answer counts all
// the same: the server takes the password of before no more.
func TestPasswordChangedWithoutTheCaller(t *testing.T) {
	inWorld(t, func(w *world) {
		before, fresh := canary.Secret(), canary.Secret()
		_, s, _ := w.enterBy(before)
		answer := make(chan struct{})
		w.up.set(func(u *upstream) { u.slowPassword = answer })
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
				select {
				case <-answer:
					if req.Account.Password.Reveal() == fresh {
						return perch.Login{JID: alice + "/perch"}, nil
					}
				default:
				}
				return perch.Login{}, perch.Errorf(perch.KindUnauthorized, "no")
			}
		})
		ctx, cancel := context.WithCancel(w.ctx())
		changed := make(chan error, 1)
		go func() { changed <- w.m.ChangePassword(ctx, s, perch.NewSecret(before), perch.NewSecret(fresh)) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(answer)
		must(t, "ChangePassword", <-changed)
		w.lose(linkLost)
		if got := s.Info().State; got != perch.StateOnline {
			t.Errorf("after a lost link: got %s, want online with the fresh password", got)
		}
	}, durable, sealing(1))
}

// TestPasswordStoredLaterAndReplaced: a credential that comes while a password is stored at last is the newer one.
func TestPasswordStoredLaterAndReplaced(t *testing.T) {
	inWorld(t, func(w *world) {
		before, fresh, newest := canary.Secret(), canary.Secret(), canary.Secret()
		_, s, _ := w.enterBy(before)
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(method string) error {
				if method == "ChangePassword" {
					w.store.set(func(s *store) { s.down = errDown })
				}
				return nil
			}
		})
		kindOf(t, w.m.ChangePassword(w.ctx(), s, perch.NewSecret(before), perch.NewSecret(fresh)), perch.KindStorageUnavailable)
		slow := make(chan struct{})
		w.store.set(func(s *store) { s.down, s.slow = nil, slow })
		time.Sleep(5 * time.Second)
		synctest.Wait() // the password is being stored
		w.store.set(func(s *store) { s.slow = nil })
		replaced := make(chan error, 1)
		go func() {
			replaced <- w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Password: perch.NewSecret(newest)})
		}()
		synctest.Wait()
		close(slow)
		must(t, "ReplaceCredentials", <-replaced)
		synctest.Wait()
		w.lose(linkLost)
		if dials := w.up.Dials(); dials[len(dials)-1].Account.Password.Reveal() != newest {
			t.Error("the session signed in with another password, want the newest")
		}
	}, durable, sealing(1))
}

// TestPasswordTakenMeanwhile: another client has signed in with the fresh password before it was stored here. That
// session keeps it; tokens lead to this one, and the password before does no more.
func TestPasswordTakenMeanwhile(t *testing.T) {
	inWorld(t, func(w *world) {
		before, fresh := canary.Secret(), canary.Secret()
		token, s, _ := w.enterBy(before)
		var other *sessions.Session
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(method string) error {
				if method == "ChangePassword" {
					_, other, _ = w.enterBy(fresh)
				}
				return nil
			}
		})
		kindOf(t, w.m.ChangePassword(w.ctx(), s, perch.NewSecret(before), perch.NewSecret(fresh)), perch.KindConflict)
		pass(10 * time.Second)
		w.restart()
		if _, same, _ := w.enterBy(fresh); same.ID() != other.ID() {
			t.Errorf("the fresh password led to %s, want %s", same.ID().Short(), other.ID().Short())
		}
		if _, _, _, err := w.m.SignIn(w.ctx(), perch.Account{Upstream: "net", JID: alice, Password: perch.NewSecret(before)}); perch.KindOf(err) != perch.KindUnauthorized {
			t.Errorf("the password before: got %v, want %s", err, perch.KindUnauthorized)
		}
		again, err := w.m.Authenticate(w.ctx(), token)
		must(t, "Authenticate", err)
		synctest.Wait()
		if dials := w.up.Dials(); again.ID() != s.ID() || dials[len(dials)-1].Account.Password.Reveal() != fresh {
			t.Errorf("the token led to %s, want %s with the fresh password", again.ID().Short(), s.ID().Short())
		}
	}, durable, sealing(1))
}

// TestNoPasswordToChange of a session that signs in with an access token.
func TestNoPasswordToChange(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		if err := w.m.ChangePassword(w.ctx(), s, perch.NewSecret("a"), perch.NewSecret("b")); perch.KindOf(err) != perch.KindFeatureUnsupported {
			t.Errorf("ChangePassword: got %v, want %s", err, perch.KindFeatureUnsupported)
		}
	})
}
