package sessions_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// signIn signs in with a password, and returns the token and what it may do.
func (w *world) signInAs(acc perch.Account) (perch.Secret, sessions.Access) {
	w.t.Helper()
	token, s, _, err := w.m.SignIn(w.ctx(), acc)
	must(w.t, "SignIn", err)
	return token, w.access(s, token)
}

func (w *world) access(s *sessions.Session, token perch.Secret) sessions.Access {
	w.t.Helper()
	by, err := w.m.Access(w.ctx(), s, token)
	must(w.t, "Access", err)
	return by
}

func (w *world) make(by sessions.Access, name string, g perch.Grant) (perch.Secret, sessions.Token) {
	w.t.Helper()
	pass(time.Millisecond) // lists are in the order of making
	token, made, err := w.m.MakeToken(w.ctx(), by, sessions.NewToken{Name: name, Grant: g})
	must(w.t, "MakeToken", err)
	return token, made
}

// names are those of the tokens that an access sees.
func (w *world) names(by sessions.Access) (list []string) {
	w.t.Helper()
	all, err := w.m.Tokens(w.ctx(), by)
	must(w.t, "Tokens", err)
	for _, t := range all {
		list = append(list, t.Kind+" "+t.Name)
	}
	return list
}

// refused reports whether a token leads nowhere.
func (w *world) refused(token perch.Secret) bool {
	s, err := w.m.Authenticate(w.ctx(), token)
	if err == nil {
		_, err = w.m.Access(w.ctx(), s, token)
	}
	return perch.KindOf(err) == perch.KindUnauthorized
}

func TestMadeTokens(t *testing.T) {
	inWorld(t, func(w *world) {
		_, by := w.signInAs(password("good"))
		reader, made := w.make(by, "reader", perch.Grant{Scopes: []perch.Scope{perch.ScopeRead, perch.ScopeTokens}})
		if s, err := w.m.Authenticate(w.ctx(), reader); err != nil || s != by.Session {
			t.Fatalf("Authenticate with the token: got %p, error %v, want the session", s, err)
		}
		mine := w.access(by.Session, reader)
		if mine.ID != made.ID || !mine.Restricted() || !mine.Made || mine.Grant.Full() {
			t.Errorf("its access is %+v, want that of the token", mine)
		}
		if got, want := w.names(by), []string{"sign-in ", "made reader"}; !slices.Equal(got, want) {
			t.Errorf("the sign-in sees %q, want %q", got, want)
		}
		if got, want := w.names(mine), []string{"made reader"}; !slices.Equal(got, want) {
			t.Errorf("the reader sees %q, want %q", got, want)
		}
		for name, g := range map[string]perch.Grant{
			"everything": {}, "another scope": {Scopes: []perch.Scope{perch.ScopeSend}},
		} {
			if _, _, err := w.m.MakeToken(w.ctx(), mine, sessions.NewToken{Name: name, Grant: g}); perch.KindOf(err) != perch.KindForbidden {
				t.Errorf("%s: MakeToken got error %v, want it forbidden", name, err)
			}
		}
		if _, err := w.m.RevokeToken(w.ctx(), mine, by.ID); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("RevokeToken of the sign-in: got error %v, want none such", err)
		}
		if ended, err := w.m.RevokeToken(w.ctx(), by, made.ID); err != nil || ended.Name != "reader" {
			t.Errorf("RevokeToken: got %q, error %v, want the reader and none", ended.Name, err)
		}
		if _, err := w.m.RevokeToken(w.ctx(), by, made.ID); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("RevokeToken again: got error %v, want none such", err)
		}
		if !w.refused(reader) {
			t.Error("the revoked token leads somewhere, want it refused")
		}
		all, err := w.store.BindingsOf(w.ctx(), by.Session.ID())
		if err != nil || len(all) != 2 { // the sign-in's, and the credential
			t.Errorf("the Store has %d tokens, error %v, want 2", len(all), err)
		}
	})
}

// TestTokenOfAccount: the access token that is the bearer is listed, and no token of ours ends it.
func TestTokenOfAccount(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		by := w.access(s, goodToken)
		if by.Restricted() || by.ID != "" {
			t.Errorf("its access is %+v, want everything", by)
		}
		if got, want := w.names(by), []string{"account "}; !slices.Equal(got, want) {
			t.Errorf("got the tokens %q, want %q", got, want)
		}
		if _, err := w.m.RevokeToken(w.ctx(), by, "account"); perch.KindOf(err) != perch.KindConflict {
			t.Errorf("RevokeToken: got error %v, want a conflict", err)
		}
		if _, err := w.m.EndToken(w.ctx(), by); perch.KindOf(err) != perch.KindConflict {
			t.Errorf("EndToken: got error %v, want a conflict", err)
		}
	})
}

// TestTokenExpires: an expired token is refused, those who watch it are told within a second, and it makes
// room for another.
func TestTokenExpires(t *testing.T) {
	inWorld(t, func(w *world) {
		_, by := w.signInAs(password("good"))
		end := perch.At(time.Now().Add(time.Hour))
		token, _ := w.make(by, "short", perch.Grant{Scopes: perch.Scopes(), Expires: end})
		mine := w.access(by.Session, token)
		var told atomic.Int32
		stop, err := w.m.Watch(mine, func() { told.Add(1) })
		must(t, "Watch", err)
		stopped, err := w.m.Watch(mine, func() { t.Error("told after stop, want silence") })
		must(t, "Watch", err)
		stopped()
		pass(time.Hour - time.Second)
		if w.refused(token) || told.Load() != 0 {
			t.Errorf("a second before its end: refused %v, told %d times, want neither", w.refused(token), told.Load())
		}
		pass(time.Second)
		if told.Load() != 1 {
			t.Errorf("at its end: told %d times, want once", told.Load())
		}
		if _, err := w.m.Watch(mine, func() {}); perch.KindOf(err) != perch.KindUnauthorized {
			t.Errorf("Watch after its end: got error %v, want unauthorized", err)
		}
		if !w.refused(token) {
			t.Error("the expired token leads somewhere, want it refused")
		}
		if got := w.names(by); len(got) != 1 {
			t.Errorf("got the tokens %q, want the sign-in's alone", got)
		}
		stop()
	})
}

// TestTokenEndsWatched: who watches a token is told when it is revoked, or gives way to newer ones.
func TestTokenEndsWatched(t *testing.T) {
	inWorld(t, func(w *world) {
		first, by := w.signInAs(password("good"))
		_, made := w.make(by, "made", perch.Grant{Scopes: perch.Scopes()})
		var told []string
		watch := func(a sessions.Access, name string) {
			_, err := w.m.Watch(a, func() { told = append(told, name) })
			must(t, "Watch", err)
		}
		watch(by, "first")
		mine, err := w.m.AccessByID(w.ctx(), by.Session, made.ID)
		must(t, "AccessByID", err)
		watch(mine, "made")
		_, err = w.m.RevokeToken(w.ctx(), by, made.ID)
		must(t, "RevokeToken", err)
		if !slices.Equal(told, []string{"made"}) {
			t.Errorf("revoked: told %q, want made", told)
		}
		if _, err := w.m.AccessByID(w.ctx(), by.Session, made.ID); perch.KindOf(err) != perch.KindUnauthorized {
			t.Errorf("AccessByID of a revoked token: got error %v, want unauthorized", err)
		}
		for range sessions.MaxMinted {
			w.signInAs(password("good"))
		}
		if !slices.Equal(told, []string{"made", "first"}) || !w.refused(first) {
			t.Errorf("given way: told %q, refused %v, want first, too", told, w.refused(first))
		}
	})
}

func TestTooManyMadeTokens(t *testing.T) {
	inWorld(t, func(w *world) {
		_, by := w.signInAs(password("good"))
		soon := perch.Grant{Scopes: perch.Scopes(), Expires: perch.At(time.Now().Add(time.Minute))}
		for range sessions.MaxMade - 1 {
			w.make(by, "x", perch.Grant{Scopes: perch.Scopes()})
		}
		w.make(by, "soon", soon)
		if _, _, err := w.m.MakeToken(w.ctx(), by, sessions.NewToken{Grant: soon}); perch.KindOf(err) != perch.KindQuotaExceeded {
			t.Errorf("one too many: got error %v, want the quota", err)
		}
		pass(time.Minute)
		w.make(by, "in its place", perch.Grant{})
	})
}

// TestEndToken: a token ends alone, and the last one is known.
func TestEndToken(t *testing.T) {
	inWorld(t, func(w *world) {
		one, a := w.signInAs(password("good"))
		two, b := w.signInAs(password("good"))
		if last, err := w.m.EndToken(w.ctx(), a); err != nil || last {
			t.Errorf("EndToken: got last %v, error %v, want another to be left", last, err)
		}
		if !w.refused(one) || w.refused(two) {
			t.Errorf("refused: the ended one %v, the other %v, want true and false", w.refused(one), w.refused(two))
		}
		if last, err := w.m.EndToken(w.ctx(), b); err != nil || !last {
			t.Errorf("EndToken: got last %v, error %v, want the last", last, err)
		}
	})
}

// TestGrantOutlivesTheProcess: what a token may do is the same after a restart, after a login, which writes
// all tokens anew, and under another secret.
func TestGrantOutlivesTheProcess(t *testing.T) {
	inWorld(t, func(w *world) {
		_, by := w.signInAs(password("good"))
		grant := perch.Grant{Scopes: []perch.Scope{perch.ScopeRead}, Conversations: []perch.JID{bob}}
		token, made := w.make(by, "reader", grant)
		check := func(when string) {
			t.Helper()
			s, err := w.m.Authenticate(w.ctx(), token)
			must(t, when+": Authenticate", err)
			synctest.Wait()
			got := w.access(s, token)
			if got.ID != made.ID || !grant.Covers(got.Grant) || !got.Made {
				t.Errorf("%s: got %+v, want the grant of the token", when, got)
			}
		}
		check("at once")
		w.lose(perch.Errorf(perch.KindLinkLost, "gone"))
		check("after a login")
		w.close()
		w.start()
		check("after a restart")
		w.close()
		old := w.opts.Secret
		w.opts.Secret, w.opts.PreviousSecrets = []byte("another secret of this gateway"), [][]byte{old}
		w.start()
		check("under another secret, by the request that moves it")
		check("under another secret")
		w.close()
		w.opts.PreviousSecrets = nil
		w.start()
		check("without the secret before")
		all, err := w.store.BindingsOf(w.ctx(), by.Session.ID())
		must(t, "BindingsOf", err)
		for _, b := range all {
			if b.Minted && b.Token == nil {
				t.Error("a token has lost what it may do, want it kept")
			}
		}
	}, func(o *sessions.Options) { o.SealKeys = [][]byte{[]byte("0123456789abcdef0123456789abcdef")} })
}

// TestGrantMovesWithItsToken: the secret is rotated while the session lives, and who watches the token is
// told of its end all the same.
func TestGrantMovesWithItsToken(t *testing.T) {
	inWorld(t, func(w *world) {
		_, by := w.signInAs(password("good"))
		token, made := w.make(by, "reader", perch.Grant{Scopes: []perch.Scope{perch.ScopeRead}})
		mine := w.access(by.Session, token)
		told := 0
		_, err := w.m.Watch(mine, func() { told++ })
		must(t, "Watch", err)
		must(t, "Reconfigure", w.m.Reconfigure(secrets([]byte("another secret of this gateway"), w.opts.Secret)))
		s, err := w.m.Authenticate(w.ctx(), token)
		must(t, "Authenticate", err)
		if got := w.access(s, token); got.ID != made.ID || !got.Restricted() {
			t.Errorf("the token that was moved: got %+v, want its grant", got)
		}
		if _, err := w.m.Watch(mine, func() { told++ }); err != nil {
			t.Errorf("Watch by the access of before: got error %v, want none", err)
		}
		all, err := w.store.BindingsOf(w.ctx(), s.ID())
		must(t, "BindingsOf", err)
		for _, b := range all {
			if b.Minted && b.Token == nil {
				t.Error("the Store has a token without what it may do, want it kept")
			}
		}
		_, err = w.m.RevokeToken(w.ctx(), by, made.ID)
		must(t, "RevokeToken", err)
		if told != 2 || !w.refused(token) {
			t.Errorf("revoked: told %d, refused %v, want both told and the token refused", told, w.refused(token))
		}
	})
}

// usesStore counts the writes of uses.
type usesStore struct {
	sessions.Store
	writes, rows atomic.Int32
}

func (s *usesStore) NoteUses(ctx context.Context, uses []sessions.NotedUse) error {
	s.writes.Add(1)
	s.rows.Add(int32(len(uses)))
	return s.Store.NoteUses(ctx, uses)
}

// TestUsesAreWrittenRarely: a token that is used all the time costs a write in five minutes.
func TestUsesAreWrittenRarely(t *testing.T) {
	counted := &usesStore{}
	inWorld(t, func(w *world) {
		token, by := w.signInAs(password("good"))
		from := func(address string) context.Context { return sessions.FromAddress(w.ctx(), address) }
		for range 600 { // ten minutes
			if _, err := w.m.Access(from("192.0.2.1"), by.Session, token); err != nil {
				t.Fatalf("Access: got error %v, want none", err)
			}
			pass(time.Second)
		}
		if got := counted.rows.Load(); got < 2 || got > 4 {
			t.Errorf("ten minutes of requests: got %d uses written, want one in five minutes", got)
		}
		for i := range 600 { // from two places
			if _, err := w.m.Access(from([]string{"192.0.2.1", "192.0.2.2"}[i%2]), by.Session, token); err != nil {
				t.Fatalf("Access: got error %v, want none", err)
			}
			pass(time.Second)
		}
		if got := counted.rows.Load(); got > 16 {
			t.Errorf("from two addresses: got %d uses written, want one a minute at the most", got)
		}
		all, err := w.m.Tokens(w.ctx(), by)
		must(t, "Tokens", err)
		if len(all) != 1 || all[0].Used.Address == "" || time.Since(all[0].Used.At.Time()) > 2*time.Minute {
			t.Errorf("got the tokens %+v, want the last use of the one", all)
		}
		before := counted.writes.Load()
		pass(time.Hour)
		if got := counted.writes.Load() - before; got > 1 {
			t.Errorf("an hour without a request: got %d writes, want none", got)
		}
	}, func(o *sessions.Options) { counted.Store = o.Store; o.Store = counted })
}

// TestUsesWrittenAtTheEnd: what was noted is written when the process ends, and seen before that.
func TestUsesWrittenAtTheEnd(t *testing.T) {
	inWorld(t, func(w *world) {
		token, s, _, err := w.m.SignIn(w.ctx(), password("good"))
		must(t, "SignIn", err)
		by, err := w.m.Access(sessions.FromAddress(w.ctx(), "192.0.2.7"), s, token)
		must(t, "Access", err)
		if all, err := w.m.Tokens(w.ctx(), by); err != nil || len(all) != 1 || all[0].Used.Address != "192.0.2.7" {
			t.Errorf("got the tokens %+v, error %v, want the use that waits", all, err)
		}
		w.close()
		uses, err := w.store.Uses(w.ctx(), s.ID())
		if err != nil || len(uses) != 1 {
			t.Errorf("got the uses %v, error %v, want one", uses, err)
		}
		w.start()
	})
}

// TestOperatorsSeeNames: an operator sees what a token is called, and what it may do.
func TestOperatorsSeeNames(t *testing.T) {
	inWorld(t, func(w *world) {
		_, by := w.signInAs(password("good"))
		w.make(by, "reader", perch.Grant{Scopes: []perch.Scope{perch.ScopeRead}})
		x, err := w.m.Inspect(w.ctx(), by.Session)
		must(t, "Inspect", err)
		stored, err := w.m.TokensOfStored(w.ctx(), by.Session.ID())
		must(t, "TokensOfStored", err)
		for _, list := range [][]sessions.TokenInfo{x.Tokens, stored} {
			i := slices.IndexFunc(list, func(i sessions.TokenInfo) bool { return i.Made })
			if i < 0 || list[i].Name != "reader" || !slices.Equal(list[i].Grant.Scopes, []perch.Scope{perch.ScopeRead}) {
				t.Errorf("got the tokens %+v, want the reader with its scope", list)
			}
		}
	})
}
