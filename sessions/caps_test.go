package sessions_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

func capped(account, address int) func(*sessions.Options) {
	return func(o *sessions.Options) { o.SessionsPerAccount, o.SessionsPerAddress = account, address }
}

// One account has so many sessions and no more, however it signs in and whatever resource it
// asks for. A sign-out frees its place, and other accounts are not limited by it.
func TestSessionsOfAnAccountAreCapped(t *testing.T) {
	inWorld(t, func(w *world) {
		w.people(nil)
		at := func(resource string, jid perch.JID) (*sessions.Session, error) {
			_, s, _, err := w.m.SignIn(w.ctx(), perch.Account{Upstream: "net", JID: jid, Password: perch.NewSecret("good"), Resource: resource})
			return s, err
		}
		var last *sessions.Session
		for i := range 3 {
			s, err := at(fmt.Sprint("r", i), alice)
			if err != nil {
				t.Fatalf("SignIn, session %d: got error %v, want none", i+1, err)
			}
			last = s
		}
		logins := w.up.logins()
		_, err := at("r3", alice)
		kindOf(t, err, perch.KindQuotaExceeded)
		if n := w.up.logins() - logins; n != 0 {
			t.Errorf("got %d logins for one session too many, want none", n)
		}
		// The account of an access token is known after the login alone.
		_, err = w.m.Authenticate(w.ctx(), goodToken)
		kindOf(t, err, perch.KindQuotaExceeded)
		synctest.Wait()
		if c := w.conn(); !c.Closed() || w.m.Len() != 3 {
			t.Errorf("one session too many: got its stream closed %v and %d sessions, want true and 3", c.Closed(), w.m.Len())
		}
		if _, err := at("r0", alice); err != nil {
			t.Errorf("SignIn to a session that exists: got error %v, want none", err)
		}
		if _, err := w.m.Authenticate(w.ctx(), perch.NewSecret(bobToken)); err != nil {
			t.Errorf("Authenticate with another account: got error %v, want none", err)
		}
		must(t, "SignOut", w.m.SignOut(w.ctx(), last))
		if _, err := w.m.Authenticate(w.ctx(), goodToken); err != nil {
			t.Errorf("Authenticate after one was signed out: got error %v, want none", err)
		}
	}, capped(3, 0))
}

// A login with a wrong password does not count against the account's limit.
func TestFailedLoginsAreNotCounted(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 5 {
			_, _, _, err := w.m.SignIn(w.ctx(), password(fmt.Sprint("bad-", i)))
			kindOf(t, err, perch.KindUnauthorized)
		}
		if _, _, _, err := w.m.SignIn(w.ctx(), password("good")); err != nil {
			t.Errorf("SignIn with the right password: got error %v, want none", err)
		}
	}, capped(1, 0))
}

// One address opens so many sessions and no more; stored sessions are restored all the same.
func TestSessionsOfAnAddressAreCapped(t *testing.T) {
	inWorld(t, func(w *world) {
		here, there := sessions.FromAddress(w.ctx(), "192.0.2.1"), sessions.FromAddress(w.ctx(), "192.0.2.2")
		token := func(i int) perch.Secret { return perch.NewSecret(fmt.Sprint(canary.Mark+"capped-", i)) }
		for i := range 2 {
			if _, err := w.m.Authenticate(here, token(i)); err != nil {
				t.Fatalf("Authenticate: got error %v, want none", err)
			}
		}
		synctest.Wait()
		_, err := w.m.Authenticate(here, token(2))
		kindOf(t, err, perch.KindQuotaExceeded)
		if _, err := w.m.Authenticate(here, token(1)); err != nil {
			t.Errorf("Authenticate to a session that exists: got error %v, want none", err)
		}
		if _, err := w.m.Authenticate(there, token(2)); err != nil {
			t.Errorf("Authenticate from another address: got error %v, want none", err)
		}
		if _, err := w.m.Authenticate(w.ctx(), token(3)); err != nil {
			t.Errorf("Authenticate from no address: got error %v, want none", err)
		}
		w.restart()
		for i := range 4 {
			if _, err := w.m.Authenticate(here, token(i)); err != nil {
				t.Errorf("Authenticate to stored session %d: got error %v, want none", i, err)
			}
		}
	}, durable, capped(0, 2))
}

// The same token at another upstream is another credential: on no node does it lead to the
// session of the first, and to replace a credential by it does not either.
func TestSameTokenAtAnotherUpstream(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		first := c.authenticate(a)
		elsewhere := perch.Account{Upstream: "named", JID: bob, Token: goodToken}
		minted, second, created, err := b.SignIn(c.ctx(), elsewhere)
		if err != nil || !created || second.ID() == first.ID() {
			t.Fatalf("SignIn with the same token at another upstream: got created %v, error %v, want another session", created, err)
		}
		synctest.Wait()
		c.wantElsewhere(b, goodToken, a)
		c.wantElsewhere(a, minted, b)
		if got, err := a.Authenticate(c.ctx(), goodToken); err != nil || got != first {
			t.Errorf("Authenticate with the bearer: got session %p, error %v, want %p", got, err, first)
		}
		third := perch.Account{Upstream: "named", JID: carol, Password: perch.NewSecret("good")}
		_, s, _, err := b.SignIn(c.ctx(), third)
		must(t, "SignIn", err)
		if err := b.ReplaceCredentials(c.ctx(), s, perch.Account{Token: goodToken}); err != nil {
			t.Errorf("ReplaceCredentials by the token at the upstream of the third: got error %v, want none", err)
		}
		c.wantElsewhere(b, goodToken, a)
		if err := b.SignOut(c.ctx(), s); err != nil {
			t.Errorf("SignOut: got error %v, want none", err)
		}
		if got, err := a.Authenticate(c.ctx(), goodToken); err != nil || got != first {
			t.Errorf("Authenticate after a sign-out at the other upstream: got session %p, error %v, want %p", got, err, first)
		}
		c.wantElsewhere(a, minted, b)
	})
}
