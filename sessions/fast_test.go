package sessions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// tokenWorld is an upstream that gives a token with every password login, and takes it once more.
type tokenWorld struct {
	*world
	given []string // tokens, in order
	seen  []sessions.DialRequest
	next  func(used perch.FastToken) perch.FastToken // what a login leaves; nil: what the upstream gives
}

func inTokenWorld(t *testing.T, f func(w *tokenWorld), change ...func(*sessions.Options)) {
	t.Helper()
	inWorld(t, func(w *world) {
		x := &tokenWorld{world: w}
		w.up.Edit(func(d *fakexmpp.Data) { d.SignIn = x.signIn })
		f(x)
	}, change...)
}

func (w *tokenWorld) signIn(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
	if req.Account.Agent == "" {
		return perch.Login{JID: alice}, nil // a verification
	}
	w.seen = append(w.seen, req)
	login := perch.Login{JID: alice + "/perch", Mechanism: "SCRAM-SHA-256"}
	switch used := req.Account.Fast; {
	case w.next != nil:
		login.Fast = w.next(used)
	case used.IsZero():
		w.given = append(w.given, canary.Secret())
		login.Fast = perch.FastToken{Mechanism: "HT-SHA-256-EXPR", Token: perch.NewSecret(w.given[len(w.given)-1]), Expires: perch.At(time.Now().Add(time.Hour))}
	default:
		login.Fast = used
	}
	return login, nil
}

func (w *tokenWorld) account() perch.Account {
	return perch.Account{Upstream: "net", JID: alice, Password: perch.NewSecret("good")}
}

func (w *tokenWorld) enter() (perch.Secret, *sessions.Session) {
	w.t.Helper()
	token, s, _, err := w.m.SignIn(w.ctx(), w.account())
	must(w.t, "SignIn", err)
	synctest.Wait()
	return token, s
}

// last is the newest login.
func (w *tokenWorld) last() perch.Account {
	synctest.Wait()
	return w.seen[len(w.seen)-1].Account
}

// wantToken checks what the newest login was made with.
func (w *tokenWorld) wantToken(when, token string, count uint64) {
	w.t.Helper()
	if f := w.last().Fast; f.Token.Reveal() != token || f.Count != count || (token != "") != (f.Mechanism == "HT-SHA-256-EXPR") {
		w.t.Errorf("%s: signed in with a token %v of %q, used %d times; want it %v, %d times", when, !f.IsZero(), f.Mechanism, f.Count, token != "", count)
	}
}

// TestTokenSignsInAfterARestart: the token is in the record, sealed, and every use counts. Without a key
// it stays in the process.
func TestTokenSignsInAfterARestart(t *testing.T) {
	for name, keys := range map[string][]byte{"sealed": {1}, "no key": nil} {
		t.Run(name, func(t *testing.T) {
			inTokenWorld(t, func(w *tokenWorld) {
				_, s := w.enter()
				w.wantToken("first", "", 0)
				w.lose(linkLost)
				w.wantToken("after a lost link", w.given[0], 1)
				w.close()
				row := stored(w, s.ID())
				if (row.Fast != nil) != (keys != nil) {
					t.Fatalf("got a token in the record: %v, want one: %v", row.Fast != nil, keys != nil)
				}
				if text, err := json.Marshal(row); err != nil || bytes.Contains(text, []byte(w.given[0])) {
					t.Errorf("got a record of %d bytes with the token in it, error %v; want it sealed", len(text), err)
				}
				w.start()
				w.enter()
				if keys == nil {
					w.wantToken("after a restart", "", 0)
					return
				}
				w.wantToken("after a restart", w.given[0], 2)
				if w.last().Password.IsZero() {
					t.Error("got a login without the password, want it kept for a token that is refused")
				}
			}, durable, sealing(keys...))
		})
	}
}

// stored is the record of a session that this process does not have open.
func stored(w *tokenWorld, id sessions.ID) sessions.Record {
	w.t.Helper()
	v, err := w.store.Store.Open(w.ctx(), id, sessions.OpenOptions{})
	if err != nil {
		w.t.Fatalf("Open: got error %v, want none", err)
	}
	return v.Record
}

// TestTokenIsReplaced by what a login leaves: another one, or none when the server refuses it.
func TestTokenIsReplaced(t *testing.T) {
	inTokenWorld(t, func(w *tokenWorld) {
		w.enter()
		rotated := canary.Secret()
		w.next = func(perch.FastToken) perch.FastToken {
			return perch.FastToken{Mechanism: "HT-SHA-256-EXPR", Token: perch.NewSecret(rotated)}
		}
		w.lose(linkLost)
		w.wantToken("before it is rotated", w.given[0], 1)
		w.restart()
		w.enter()
		w.wantToken("after it was rotated", rotated, 1)
		w.next = func(perch.FastToken) perch.FastToken { return perch.FastToken{} }
		w.lose(linkLost)
		w.next = nil
		w.lose(linkLost)
		w.wantToken("after it was refused", "", 0)
		w.restart()
		w.enter()
		w.wantToken("with the next one", w.given[1], 1)
	}, durable, sealing(1))
}

// TestTokenIsSealedAgain: a rotation of the key reaches the token as it does the credential.
func TestTokenIsSealedAgain(t *testing.T) {
	inWorld(t, func(plain *world) {
		w := &tokenWorld{world: plain}
		plain.up.Edit(func(d *fakexmpp.Data) { d.SignIn = w.signIn })
		w.enter()
		must(t, "Reconfigure", w.m.Reconfigure(sealing(2, 1)))
		must(t, "Rotate", w.m.Rotate(w.ctx()))
		synctest.Wait()
		sealing(2)(&w.opts)
		w.restart()
		w.enter()
		w.wantToken("with the first key gone", w.given[0], 1)
		sealing(3)(&w.opts)
		w.restart()
		w.enter()
		w.wantToken("with no key that fits", "", 0)
	}, durable, sealing(1))
}

// TestTokenEndsWithItsPassword: a credential that replaces another is verified by itself, and the token of
// the other one is ended; so is that of a session that signs out.
func TestTokenEndsWithItsPassword(t *testing.T) {
	inTokenWorld(t, func(w *tokenWorld) {
		_, s := w.enter()
		must(t, "ReplaceCredentials", w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Password: perch.NewSecret("good-fresh")}))
		synctest.Wait()
		ended := w.up.Ended()
		if len(ended) != 1 || ended[0].Fast.Token.Reveal() != w.given[0] || ended[0].Password.Reveal() != "good" || ended[0].Agent != w.last().Agent {
			t.Fatalf("got %d ended tokens, the first one %+v; want that of the password before", len(ended), ended)
		}
		w.lose(linkLost)
		w.wantToken("with the fresh password", "", 0)
		must(t, "SignOut", w.m.SignOut(w.ctx(), s))
		synctest.Wait()
		if ended = w.up.Ended(); len(ended) != 2 || ended[1].Fast.Token.Reveal() != w.given[1] || ended[1].Fast.Count != 1 {
			t.Errorf("got %d ended tokens after the sign-out, want the second one too", len(ended))
		}
	}, durable, sealing(1))
}

// TestSuspendedSessionIsVerifiedWithoutItsToken, which would sign in whatever the fresh password is.
func TestSuspendedSessionIsVerifiedWithoutItsToken(t *testing.T) {
	inTokenWorld(t, func(w *tokenWorld) {
		_, s := w.enter()
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
				w.seen = append(w.seen, req)
				return perch.Login{}, perch.Errorf(perch.KindUnauthorized, "no")
			}
		})
		w.conn().Fail(linkLost)
		synctest.Wait()
		if err := w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Password: perch.NewSecret("good-guess")}); perch.KindOf(err) != perch.KindUnauthorized {
			t.Errorf("ReplaceCredentials: got %v, want %s", err, perch.KindUnauthorized)
		}
		if last := w.last(); !last.Fast.IsZero() || last.Password.Reveal() != "good-guess" {
			t.Errorf("verified with a token: %v, want the fresh password alone", !last.Fast.IsZero())
		}
	}, durable, sealing(1))
}
