package sessions_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// listingStore lists the tokens of one session only when it is let.
type listingStore struct {
	sessions.Store
	slow sessions.ID
	let  chan struct{}
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
