package sessions_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// listingStore lists the tokens of one session only when it is let, and ends none if it is told so.
type listingStore struct {
	sessions.Store
	slow   sessions.ID
	let    chan struct{}
	refuse bool // no token ends
}

func (s *listingStore) Unbind(ctx context.Context, token string) error {
	if s.refuse {
		return perch.Errorf(perch.KindStorageUnavailable, "down")
	}
	return s.Store.Unbind(ctx, token)
}

func (s *listingStore) BindingsOf(ctx context.Context, id sessions.ID) (map[string]sessions.Binding, error) {
	if id == s.slow {
		<-s.let
	}
	return s.Store.BindingsOf(ctx, id)
}

// TestSessionsMakeTokensAtOnce: a session whose tokens are slow to be counted keeps no other one waiting, and
// makes its own one by one.
func TestSessionsMakeTokensAtOnce(t *testing.T) {
	slow := &listingStore{}
	inWorld(t, func(w *world) {
		_, by := w.signInAs(password("good"))
		other := password("good")
		other.JID = "carol@example.net"
		_, carol := w.signInAs(other)
		slow.slow, slow.let = by.Session.ID(), make(chan struct{}) // of this bubble
		grant := sessions.NewToken{Grant: perch.Grant{Scopes: perch.Scopes()}}
		made := make(chan error, 2)
		for range 2 {
			go func() {
				_, _, err := w.m.MakeToken(w.ctx(), by, grant)
				made <- err
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(w.ctx(), time.Second)
		defer cancel()
		if _, _, err := w.m.MakeToken(ctx, carol, grant); err != nil {
			t.Errorf("MakeToken of another session: got error %v, want none", err)
		}
		if _, _, err := w.m.MakeToken(ctx, by, grant); err == nil {
			t.Error("MakeToken of the same session: got none, want it to wait in vain")
		}
		close(slow.let)
		for range 2 {
			must(t, "MakeToken", <-made)
		}
	}, func(o *sessions.Options) { slow.Store, o.Store = o.Store, slow })
}

// TestTokenEndsOnceTheStoreSays: a sign-out that the Store refuses has not happened, here as elsewhere: the
// token is good for another try.
func TestTokenEndsOnceTheStoreSays(t *testing.T) {
	failing := &listingStore{}
	inWorld(t, func(w *world) {
		token, by := w.signInAs(password("good"))
		made, of := w.make(by, "made", perch.Grant{Scopes: perch.Scopes()})
		told := 0
		_, err := w.m.Watch(by, func() { told++ })
		must(t, "Watch", err)
		failing.refuse = true
		for range 2 {
			_, err = w.m.EndToken(w.ctx(), by)
			kindOf(t, err, perch.KindStorageUnavailable)
			_, err = w.m.RevokeToken(w.ctx(), by, of.ID)
			kindOf(t, err, perch.KindStorageUnavailable)
			if told != 0 || w.refused(token) || w.refused(made) {
				t.Errorf("the Store refuses: told %d, refused %v and %v, want nothing to have happened", told, w.refused(token), w.refused(made))
			}
		}
		if got := w.names(by); len(got) != 2 {
			t.Errorf("the Store refuses: got the tokens %q, want both", got)
		}
		failing.refuse = false
		must(t, "Reconfigure", w.m.Reconfigure(secrets([]byte("another secret of this gateway"), w.opts.Secret)))
		if w.refused(token) || w.refused(made) { // both move to the other secret
			t.Error("under another secret: got a token refused, want both to lead on")
		}
		_, err = w.m.RevokeToken(w.ctx(), by, of.ID)
		must(t, "RevokeToken", err)
		_, err = w.m.EndToken(w.ctx(), by)
		must(t, "EndToken", err)
		if told != 1 || !w.refused(token) || !w.refused(made) {
			t.Errorf("afterwards: told %d, refused %v and %v, want both ended", told, w.refused(token), w.refused(made))
		}
	}, func(o *sessions.Options) { failing.Store, o.Store = o.Store, failing })
}

// olderStore has the tokens of sign-ins as a version before records has written them.
type olderStore struct{ sessions.Store }

func older(b sessions.Binding) sessions.Binding {
	if b.Token != nil && b.Token.Created != 0 { // else it is what has become of one since
		b.Token = nil
	}
	return b
}

func (s olderStore) Lookup(ctx context.Context, token string) (sessions.Binding, error) {
	b, err := s.Store.Lookup(ctx, token)
	return older(b), err
}

func (s olderStore) BindingsOf(ctx context.Context, id sessions.ID) (map[string]sessions.Binding, error) {
	all, err := s.Store.BindingsOf(ctx, id)
	for token, b := range all {
		all[token] = older(b)
	}
	return all, err
}

// TestTicketOfATokenWithoutARecord: a ticket leads to its token, which is watched, whatever is kept beside it.
func TestTicketOfATokenWithoutARecord(t *testing.T) {
	inWorld(t, func(w *world) {
		token, _ := w.signInAs(password("good"))
		w.close()
		w.start() // nothing of the token is in memory
		s, err := w.m.Authenticate(w.ctx(), token)
		must(t, "Authenticate", err)
		by := w.access(s, token)
		all, err := w.m.Tokens(w.ctx(), by)
		must(t, "Tokens", err)
		if len(all) != 1 || by.ID == "" || all[0].ID != by.ID || by.Restricted() {
			t.Fatalf("got the access %+v and the tokens %+v, want the one of the list, which may do everything", by, all)
		}
		mine, err := w.m.AccessByID(w.ctx(), s, by.ID)
		must(t, "AccessByID", err)
		told := 0
		_, err = w.m.Watch(mine, func() { told++ })
		must(t, "Watch", err)
		_, err = w.m.RevokeToken(w.ctx(), by, by.ID)
		must(t, "RevokeToken", err)
		if told != 1 || !w.refused(token) {
			t.Errorf("revoked: told %d, refused %v, want the ticket's stream told", told, w.refused(token))
		}
		if _, err := w.m.AccessByID(w.ctx(), s, by.ID); perch.KindOf(err) != perch.KindUnauthorized {
			t.Errorf("AccessByID afterwards: got error %v, want unauthorized", err)
		}
	}, func(o *sessions.Options) { o.Store = olderStore{o.Store} }, func(o *sessions.Options) {
		o.SealKeys = [][]byte{[]byte("0123456789abcdef0123456789abcdef")}
	})
}
