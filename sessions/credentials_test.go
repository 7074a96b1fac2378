package sessions_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var freshToken = perch.NewSecret("good-fresh-token")

// A refreshed access token replaces that of the live session, without a login.
func TestFreshTokenReplacesLiveSession(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		w.deliver(here(bob+"/a", "", 0))
		c := w.attach(s, sessions.SubscribeOptions{})
		must(t, "ReplaceCredentials", w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: freshToken}))
		c.wantTypes()
		if w.up.logins() != 1 {
			t.Errorf("got %d logins after the token was replaced, want 1", w.up.logins())
		}
		if got, err := w.m.Authenticate(w.ctx(), freshToken); err != nil || got != s {
			t.Errorf("Authenticate with the fresh token: got session %p, error %v, want %p", got, err, s)
		}
		_, err := w.m.Authenticate(w.ctx(), goodToken)
		kindOf(t, err, perch.KindUnauthorized)
		_, _, _, err = w.m.SignIn(w.ctx(), perch.Account{Token: goodToken})
		kindOf(t, err, perch.KindUnauthorized)
		w.lose(linkLost)
		if d := w.up.Dials(); len(d) != 2 || d[1].Account.Token != freshToken {
			t.Errorf("got %d logins, want the second with the fresh token", len(d))
		}
	})
}

// Expiry suspends, and a fresh token continues with the same cache and log.
func TestFreshTokenAfterExpiry(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		w.deliver(here(bob+"/a", "", 0))
		c := w.attach(s, sessions.SubscribeOptions{})
		w.conn().Fail(perch.Errorf(perch.KindUnauthorized, "expired"))
		evs := c.wantTypes(perch.EventSessionState)
		var st perch.StateChange
		if evs[0].into(t, &st); st.State != perch.StateSuspended || st.Reason != perch.ReasonCredentials || st.RetryAt != 0 {
			t.Errorf("got state %+v, want suspended for its credentials, with no retry", st)
		}
		if got, err := w.m.Authenticate(w.ctx(), goodToken); err != nil || got != s {
			t.Errorf("Authenticate with the expired token: got session %p, error %v, want %p, to replace it", got, err, s)
		}
		kindOf(t, w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: perch.NewSecret("bad")}), perch.KindUnauthorized)
		if st := s.Info(); st.State != perch.StateSuspended {
			t.Errorf("Info after a refused token: got %+v, want suspended", st)
		}
		must(t, "ReplaceCredentials", w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: freshToken}))
		synctest.Wait()
		if st := s.Info(); st.State != perch.StateOnline {
			t.Errorf("Info after a fresh token: got %+v, want online", st)
		}
		if got := brief(w.presence(s, bob)); got != `true "" 0 "" [a] stale=true` {
			t.Errorf("presence of bob: got %s, want him available and stale", got)
		}
		_, err := w.m.Authenticate(w.ctx(), goodToken)
		kindOf(t, err, perch.KindUnauthorized)
		if w.m.Len() != 1 {
			t.Errorf("got %d sessions, want 1", w.m.Len())
		}
	})
}

// Replaced credentials stay refused, also after a restart; minted tokens stay valid.
func TestReplacedCredentialsStayRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		token, _, _, err := w.m.SignIn(w.ctx(), perch.Account{Token: goodToken})
		must(t, "SignIn", err)
		last := goodToken
		for _, text := range []string{"t1", "t2", "t3", "t4", "t5", "t6", "t7"} {
			fresh := perch.NewSecret(text)
			must(t, "ReplaceCredentials", w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: fresh}))
			_, err := w.m.Authenticate(w.ctx(), last)
			kindOf(t, err, perch.KindUnauthorized)
			last = fresh
		}
		w.restart()
		must(t, "Restore", w.m.Restore(w.ctx()))
		for _, old := range []string{goodToken.Reveal(), "t4", "t5", "t6"} {
			_, err := w.m.Authenticate(w.ctx(), perch.NewSecret(old))
			kindOf(t, err, perch.KindUnauthorized)
		}
		for _, tok := range []perch.Secret{last, token} {
			if got, err := w.m.Authenticate(w.ctx(), tok); err != nil || got.ID() != s.ID() {
				t.Errorf("Authenticate with a token that is valid: got error %v, want session %s", err, s.ID())
			}
		}
		if d := w.up.Dials(); d[len(d)-1].Account.Token != last {
			t.Error("got a login with an old credential, want the newest")
		}
	}, durable, sealing(1))
}

func TestCredentialOfAnotherSession(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		if _, err := w.m.Authenticate(w.ctx(), freshToken); err != nil {
			t.Fatalf("Authenticate: got error %v, want none", err)
		}
		kindOf(t, w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: freshToken}), perch.KindConflict)
		kindOf(t, w.m.ReplaceCredentials(w.ctx(), s, perch.Account{}), perch.KindValidation)
		if err := w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Token: goodToken}); err != nil {
			t.Errorf("ReplaceCredentials by the same: got error %v, want none", err)
		}
		if w.open() != s {
			t.Error("Authenticate: got another session, want the one of the token")
		}
	})
}

// A suspended session without subscribers is evicted, and opened by its token later.
func TestSuspendedSessionIsEvicted(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.conn().Fail(perch.Errorf(perch.KindUnauthorized, "expired"))
		if pass(90 * time.Minute); w.m.Len() != 1 {
			t.Errorf("got %d sessions while a client is attached, want 1", w.m.Len())
		}
		c.sub.Close()
		if pass(2 * time.Hour); w.m.Len() != 0 {
			t.Errorf("got %d sessions without a client, want none", w.m.Len())
		}
		if items, _ := w.open().Buddies(); len(items) != 1 {
			t.Errorf("Buddies: got %v, want bob", items)
		}
	})
}
