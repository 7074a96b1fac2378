package sessions_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

const (
	bobToken   = canary.Mark + "bob-token"
	aliceToken = canary.Mark + "alice-token"
)

func init() { canary.Note(bobToken, aliceToken) }

// people lets credentials that name bob open his account, and those that name alice hers.
// Before, if there is one, is called first.
func (w *world) people(before func(perch.Account)) {
	w.up.Edit(func(d *fakexmpp.Data) {
		d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
			if before != nil {
				before(req.Account)
			}
			secret, jid := req.Account.Token.Reveal()+req.Account.Password.Reveal(), alice
			switch {
			case strings.Contains(secret, "bad"):
				return perch.Login{}, perch.Errorf(perch.KindUnauthorized, "refused")
			case strings.Contains(secret, "bob"):
				jid = bob
			}
			return perch.Login{JID: jid + "/perch"}, nil
		}
	})
}

// TestReplacedWhileSigningIn: an attempt with the credential of before is under way when a fresh one is given.
// Its refusal, before the fresh one is verified or after, leaves no session suspended.
func TestReplacedWhileSigningIn(t *testing.T) {
	for _, first := range []string{"the old one is refused", "the fresh one is verified"} {
		t.Run(first+" first", func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.open()
				refused, verified := make(chan struct{}), make(chan struct{})
				w.up.Edit(func(d *fakexmpp.Data) {
					d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
						if req.Account.Token.Reveal() == goodToken.Reveal() {
							<-refused
							return perch.Login{}, perch.Errorf(perch.KindUnauthorized, "expired")
						}
						<-verified
						return perch.Login{JID: alice + "/perch"}, nil
					}
				})
				w.conn().Fail(linkLost)
				pass(2 * time.Second)
				done := make(chan error, 1)
				go func() { done <- w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: freshToken}) }()
				synctest.Wait()
				if first == "the old one is refused" {
					close(refused)
					synctest.Wait()
					if got := s.Info().State; got != perch.StateSuspended {
						t.Errorf("Info: got %s before the fresh one is verified, want %s", got, perch.StateSuspended)
					}
					close(verified)
				} else {
					close(verified)
					synctest.Wait()
					close(refused)
				}
				if err := <-done; err != nil {
					t.Fatalf("ReplaceCredentials: got error %v, want none", err)
				}
				pass(2 * time.Second)
				if i := s.Info(); i.State != perch.StateOnline {
					t.Errorf("Info: got %s (%s), want %s", i.State, i.Reason, perch.StateOnline)
				}
			})
		})
	}
}

// A credential replaces another only after the upstream has accepted it for the same
// account; after any other answer, or none, nothing is changed.
func TestCredentialIsVerified(t *testing.T) {
	for name, tt := range map[string]struct {
		secret perch.Account
		down   error // of the upstream
		store  error
		kind   perch.Kind
	}{
		"refused":          {secret: perch.Account{Token: perch.NewSecret("bad")}, kind: perch.KindUnauthorized},
		"another account":  {secret: perch.Account{Token: perch.NewSecret(bobToken)}, kind: perch.KindForbidden},
		"no connection":    {secret: perch.Account{Token: freshToken}, down: linkLost, kind: perch.KindSessionOffline},
		"no answer":        {secret: perch.Account{Token: freshToken}, down: perch.Errorf(perch.KindUpstreamTimeout, "x"), kind: perch.KindSessionOffline},
		"try later":        {secret: perch.Account{Token: freshToken}, down: perch.Errorf(perch.KindTryLater, "x"), kind: perch.KindSessionOffline},
		"bad certificate":  {secret: perch.Account{Token: freshToken}, down: perch.Errorf(perch.KindUpstreamTLS, "x"), kind: perch.KindUpstreamTLS},
		"no store":         {secret: perch.Account{Token: freshToken}, store: errDown, kind: perch.KindStorageUnavailable},
		"minted here":      {secret: perch.Account{Token: perch.NewSecret("perch_" + canary.Mark)}, kind: perch.KindValidation},
		"no bearer at all": {secret: perch.Account{Password: perch.NewSecret("good")}, kind: perch.KindValidation},
	} {
		for _, suspended := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", suspended"}[suspended], func(t *testing.T) {
				inWorld(t, func(w *world) {
					w.people(nil)
					s := w.open()
					if suspended {
						w.conn().Fail(perch.Errorf(perch.KindUnauthorized, "expired"))
						synctest.Wait()
					}
					before, c, sent := s.Info(), w.conn(), len(w.conn().Sent())
					if tt.down != nil {
						w.up.Edit(func(d *fakexmpp.Data) {
							d.SignIn = func(context.Context, sessions.DialRequest) (perch.Login, error) { return perch.Login{}, tt.down }
						})
					}
					w.store.set(func(st *store) { st.down = tt.store })
					kindOf(t, w.m.ReplaceCredentials(w.ctx(), s, tt.secret), tt.kind)
					w.store.set(func(st *store) { st.down = nil })
					w.people(nil)
					synctest.Wait()
					if after := s.Info(); after.State != before.State || after.Reason != before.Reason || after.Since != before.Since {
						t.Errorf("Info: got %+v, want %+v", after, before)
					}
					if n := len(c.Sent()); n != sent {
						t.Errorf("got %d stanzas sent, want none", n-sent)
					}
					if got, err := w.m.Authenticate(w.ctx(), goodToken); err != nil || got != s {
						t.Errorf("Authenticate with the credential of before: got session %p, error %v, want %p", got, err, s)
					}
					if !tt.secret.Token.IsZero() {
						if got, err := w.m.Authenticate(w.ctx(), tt.secret.Token); err == nil && got == s {
							t.Error("Authenticate with the refused credential: got the session, want another or none")
						}
					}
					w.restart()
					if got, err := w.m.Authenticate(w.ctx(), goodToken); err != nil || got.ID() != s.ID() {
						t.Errorf("Authenticate with the credential of before, after a restart: got error %v, want session %s", err, s.ID())
					}
				}, durable)
			})
		}
	}
}

// The verification takes no resource of a live session, and sends nothing on its stream.
func TestVerificationLeavesTheStreamAlone(t *testing.T) {
	inWorld(t, func(w *world) {
		acc := perch.Account{Upstream: "net", JID: alice, Password: perch.NewSecret("good"), Resource: "desk"}
		_, s, _, err := w.m.SignIn(w.ctx(), acc)
		must(t, "SignIn", err)
		synctest.Wait()
		c, sent := w.conn(), len(w.conn().Sent())
		must(t, "ReplaceCredentials", w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Password: perch.NewSecret("good-fresh")}))
		asked := w.up.Verified()
		if len(asked) != 1 || asked[0].Resource != "" || asked[0].JID != alice || asked[0].Password.Reveal() != "good-fresh" {
			t.Errorf("Verified: got %+v, want alice's fresh password without a resource", asked)
		}
		if w.conn() != c || c.Err() != nil || len(c.Sent()) != sent || s.Info().State != perch.StateOnline {
			t.Errorf("the live connection: got error %v, %d stanzas, state %s; want none, none, online", c.Err(), len(c.Sent())-sent, s.Info().State)
		}
		// The very same again does not ask the upstream: the session is signed in with it.
		if err := w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Password: perch.NewSecret("good-fresh")}); err != nil || len(w.up.Verified()) != 1 {
			t.Errorf("ReplaceCredentials by the same: got error %v after %d verifications, want none after 1", err, len(w.up.Verified()))
		}
		w.lose(linkLost)
		if d := w.up.Dials(); d[len(d)-1].Account.Resource != "desk" || d[len(d)-1].Account.Password.Reveal() != "good-fresh" {
			t.Errorf("got a login as %+v, want the resource desk and the fresh password", d[len(d)-1].Account)
		}
	})
}

// A refused credential is remembered: asking again does not reach the upstream.
func TestRefusedReplacementIsRemembered(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		for range 5 {
			kindOf(t, w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: perch.NewSecret("bad")}), perch.KindUnauthorized)
		}
		if n := len(w.up.Verified()); n != 1 {
			t.Errorf("got %d verifications, want 1", n)
		}
	})
}

// Which session a credential leads to is decided in the Store: one of another node is not
// taken from it.
func TestCredentialOfAnotherNode(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		c.people(nil)
		a, b := c.nodes[0], c.nodes[1]
		theirs, err := b.Authenticate(c.ctx(), perch.NewSecret(bobToken))
		must(t, "Authenticate", err)
		other, err := b.Authenticate(c.ctx(), perch.NewSecret(aliceToken))
		must(t, "Authenticate", err)
		synctest.Wait()
		s := c.authenticate(a)
		verified := len(c.up.Verified())
		for _, secret := range []string{bobToken, aliceToken} { // of another account, and of the same one
			kindOf(t, a.ReplaceCredentials(c.ctx(), s, perch.Account{Token: perch.NewSecret(secret)}), perch.KindConflict)
		}
		if n := len(c.up.Verified()) - verified; n != 0 {
			t.Errorf("got %d verifications of credentials that are taken, want none", n)
		}
		c.wantElsewhere(a, perch.NewSecret(bobToken), b)
		c.wantElsewhere(a, perch.NewSecret(aliceToken), b)
		for secret, want := range map[string]*sessions.Session{bobToken: theirs, aliceToken: other} {
			if got, err := b.Authenticate(c.ctx(), perch.NewSecret(secret)); err != nil || got != want {
				t.Errorf("Authenticate at its own node: got session %p, error %v, want %p", got, err, want)
			}
		}
		if c.authenticate(a) != s {
			t.Error("Authenticate: got another session, want the one of the token")
		}
	})
}

// Of two nodes that want one token at once, one for a session that it opens and one for a
// session that is to continue with it, exactly one gets it, whichever comes first; the token
// leads to the same session everywhere.
func TestRaceForACredential(t *testing.T) {
	for _, openerFirst := range []bool{true, false} {
		inCluster(t, 2, func(c *cluster) {
			a, b := c.nodes[0], c.nodes[1]
			s := c.authenticate(a)
			// Both are with the upstream at the same time: both looked into the Store before.
			replacer, opener := make(chan struct{}), make(chan struct{})
			first := true
			c.people(func(acc perch.Account) {
				switch {
				case acc.Token.Reveal() != aliceToken:
				case first:
					first = false
					<-replacer
				default:
					<-opener
				}
			})
			token := perch.NewSecret(aliceToken)
			replaced, opened := make(chan error, 1), make(chan error, 1)
			go func() { replaced <- a.ReplaceCredentials(c.ctx(), s, perch.Account{Token: token}) }()
			synctest.Wait()
			go func() {
				_, err := b.Authenticate(c.ctx(), token)
				opened <- err
			}()
			synctest.Wait()
			if openerFirst {
				close(opener)
				synctest.Wait()
				if err := <-opened; err != nil {
					t.Errorf("Authenticate, when it is first: got error %v, want none", err)
				}
				close(replacer)
				kindOf(t, <-replaced, perch.KindConflict)
				c.wantElsewhere(a, token, b)
				if c.authenticate(a) != s {
					t.Error("Authenticate after a refused replacement: got another session, want the one of the token")
				}
				return
			}
			close(replacer)
			if err := <-replaced; err != nil {
				t.Errorf("ReplaceCredentials, when it is first: got error %v, want none", err)
			}
			close(opener)
			kindOf(t, <-opened, perch.KindSessionOffline) // elsewhere
			c.wantElsewhere(b, token, a)
			if got, err := a.Authenticate(c.ctx(), token); err != nil || got != s {
				t.Errorf("Authenticate with the fresh token: got session %p, error %v, want %p", got, err, s)
			}
			if synctest.Wait(); b.Len() != 0 {
				t.Errorf("got %d sessions at the node that lost, want none", b.Len())
			}
		})
	}
}
