package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// limited gives the upstream named limits of its own; net has none.
func limited(l sessions.UpstreamLimits) func(*sessions.Options) {
	return func(o *sessions.Options) {
		ups := map[string]sessions.Upstream{"net": o.Upstreams["net"]}
		u := o.Upstreams["named"]
		u.Name, u.NeedsJID, u.UpstreamLimits = "named", true, l
		ups["named"] = u
		o.Upstreams = ups
	}
}

// enter signs an account in at the upstream that has limits.
func (w *world) enter(jid perch.JID, resource string) (*sessions.Session, error) {
	_, s, _, err := w.m.SignIn(w.ctx(), perch.Account{Upstream: "named", JID: jid, Password: perch.NewSecret("good"), Resource: resource})
	synctest.Wait()
	return s, err
}

// refusedFor expects err to be of a kind, to name a limit, and to say when to try again.
func refusedFor(t tb, err error, kind perch.Kind, limit string, after time.Duration) {
	t.Helper()
	e, ok := errors.AsType[*perch.Error](err)
	if !ok || e.Kind != kind || e.RetryAfter != after || !strings.Contains(e.Detail, limit) {
		t.Errorf("got error %+v, want %s for %q, to try again after %v", err, kind, limit, after)
	}
}

// TestSessionsOfAnUpstreamAreCapped: an upstream has so many sessions on a node and no more. A sign-out frees
// a place, other upstreams are not limited by it, and what there was before a restart comes back.
func TestSessionsOfAnUpstreamAreCapped(t *testing.T) {
	c := &tally{}
	inWorld(t, func(w *world) {
		w.people(nil)
		_, err := w.enter(alice, "r0")
		must(t, "SignIn", err)
		_, err = w.enter(alice, "r1")
		must(t, "SignIn", err)
		logins := w.up.logins()
		_, err = w.enter(alice, "r2")
		refusedFor(t, err, perch.KindSessionOffline, `"named"`, 30*time.Second)
		if n := w.up.logins() - logins; n != 0 {
			t.Errorf("got %d logins for one session too many, want none", n)
		}
		c.want(t, map[string]int{"refused named upstream-max-sessions": 1})
		w.open()
		if _, err := w.enter(alice, "r0"); err != nil {
			t.Errorf("SignIn to a session that exists: got error %v, want none", err)
		}
		must(t, "Reconfigure", w.m.Reconfigure(limited(sessions.UpstreamLimits{MaxSessions: 1})))
		if got := w.m.StatesOf()["named"][perch.StateOnline]; got != 2 {
			t.Errorf("with a lower limit: got %d sessions, want the 2 that there were", got)
		}
		limited(sessions.UpstreamLimits{MaxSessions: 1})(&w.opts)
		w.restart()
		must(t, "Restore", w.m.Restore(w.ctx()))
		synctest.Wait()
		if got := w.m.StatesOf()["named"][perch.StateOnline]; got != 2 {
			t.Errorf("after a restart: got %d sessions, want the 2 that there were", got)
		}
		first, err := w.enter(alice, "r0")
		must(t, "SignIn to a session that was restored", err)
		must(t, "SignOut", w.m.SignOut(w.ctx(), first))
		_, err = w.enter(bob, "r0")
		kindOf(t, err, perch.KindSessionOffline)
		must(t, "Reconfigure", w.m.Reconfigure(limited(sessions.UpstreamLimits{})))
		if _, err := w.enter(bob, "r0"); err != nil {
			t.Errorf("SignIn without the limit: got error %v, want none", err)
		}
	}, limited(sessions.UpstreamLimits{MaxSessions: 2}), watched(c), durable, sealing(1))
}

// TestSessionsOfAnAccountByUpstream: an upstream may let its accounts have more sessions than others, or
// fewer.
func TestSessionsOfAnAccountByUpstream(t *testing.T) {
	c := &tally{}
	inWorld(t, func(w *world) {
		w.people(nil)
		for i := range 3 {
			if _, err := w.enter(alice, fmt.Sprint("r", i)); err != nil {
				t.Errorf("SignIn, session %d: got error %v, want none", i+1, err)
			}
		}
		_, err := w.enter(alice, "r3")
		refusedFor(t, err, perch.KindQuotaExceeded, "this account", 30*time.Second)
		at := func(resource string) error {
			_, _, _, err := w.m.SignIn(w.ctx(), perch.Account{Upstream: "net", JID: alice, Password: perch.NewSecret("good"), Resource: resource})
			return err
		}
		must(t, "SignIn at the other upstream", at("r0"))
		kindOf(t, at("r1"), perch.KindQuotaExceeded)
		// Of an access token the account is known after the login alone.
		_, err = w.m.Authenticate(w.ctx(), goodToken)
		kindOf(t, err, perch.KindQuotaExceeded)
		c.want(t, map[string]int{"refused named sessions-per-account": 1, "refused net sessions-per-account": 2})
	}, capped(1, 0), limited(sessions.UpstreamLimits{SessionsPerAccount: 3}), watched(c))
}

// TestLoginRateOfAnUpstream: logins at an upstream begin at its rate. New sessions that would wait for longer
// than their client are refused; those that were online wait for as long as it takes.
func TestLoginRateOfAnUpstream(t *testing.T) {
	c := &tally{}
	inWorld(t, func(w *world) {
		w.people(nil)
		done := make(chan error, 20)
		for i := range 20 {
			go func() {
				_, _, _, err := w.m.SignIn(w.ctx(), perch.Account{Upstream: "named", JID: perch.JID(fmt.Sprintf("u%d@example.net", i)), Password: perch.NewSecret("good")})
				done <- err
			}()
			synctest.Wait()
		}
		if got := w.m.LoginLoads()["named"]; got.Waiting < 5 {
			t.Errorf("got %+v, want some logins that wait", got)
		}
		in := 0
		for range 20 {
			if err := <-done; err == nil {
				in++
			} else {
				refusedFor(t, err, perch.KindSessionOffline, "login-rate", time.Second)
			}
		}
		if in != 8 { // 0, 2, 4 ... 14 s; one more would wait for longer than 15 s
			t.Errorf("got %d sign-ins, want 8", in)
		}
		c.want(t, map[string]int{"refused named login-rate": 12})
		if w.open() == nil || w.up.logins() != 9 {
			t.Errorf("got %d logins, want 9: the other upstream waits for nothing", w.up.logins())
		}

		logins := w.up.logins()
		w.up.set(func(u *upstream) {
			for _, c := range u.conns {
				go c.Abort()
			}
		})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := w.up.logins() - logins; got > 7 {
			t.Errorf("ten seconds after all streams have ended: got %d logins, want 6 at the most, and that of the other upstream", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := w.m.StatesOf()["named"][perch.StateOnline]; got != 8 {
			t.Errorf("after a minute: got %d sessions online, want 8", got)
		}
	}, limited(sessions.UpstreamLimits{LoginRate: 0.5}), watched(c))
}

// TestLoginsOfAnUpstreamAtOnce: a client whose login has no turn in time learns which limit that was.
func TestLoginsOfAnUpstreamAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.people(nil)
		_, err := w.enter(alice, "r0")
		must(t, "SignIn", err)
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = func(ctx context.Context, _ sessions.DialRequest) (perch.Login, error) {
				<-ctx.Done()
				return perch.Login{}, ctx.Err()
			}
		})
		w.conn().Abort()
		pass(5 * time.Second) // by now it is under way again, and the server is silent for half a minute
		logins := w.up.logins()
		_, err = w.enter(bob, "r0")
		refusedFor(t, err, perch.KindSessionOffline, "logins", 5*time.Second)
		if n := w.up.logins() - logins; n != 0 {
			t.Errorf("got %d logins of a session that had no turn, want none", n)
		}
	}, limited(sessions.UpstreamLimits{Logins: 1}))
}

// TestIdleOfAnUpstream: an upstream has a policy of its own, others that of all; it changes while sessions live.
func TestIdleOfAnUpstream(t *testing.T) {
	after := func(a sessions.IdleAction, d time.Duration) sessions.UpstreamLimits {
		return sessions.UpstreamLimits{Idle: sessions.IdlePolicy{Action: a, After: d}}
	}
	inWorld(t, func(w *world) {
		w.people(nil)
		s, err := w.enter(bob, "r0")
		must(t, "SignIn", err)
		own := w.conn()
		w.open()
		other := w.conn()
		shown := func(when string, want, wantOther perch.Show) {
			t.Helper()
			synctest.Wait()
			if lastShow(own) != want || lastShow(other) != wantOther {
				t.Errorf("%s: got presence %q, and %q at the other upstream, want %q and %q", when, lastShow(own), lastShow(other), want, wantOther)
			}
		}
		change := func(o ...func(*sessions.Options)) {
			t.Helper()
			for _, f := range o {
				must(t, "Reconfigure", w.m.Reconfigure(f))
			}
			synctest.Wait()
		}
		pass(6 * time.Minute)
		shown("after 6 minutes", perch.ShowAway, perch.ShowNone)
		pass(5 * time.Minute)
		shown("after 11 minutes", perch.ShowAway, perch.ShowAway)
		change(limited(after(sessions.IdleKeep, 0)))
		shown("with the policy keep of the upstream", perch.ShowNone, perch.ShowAway)
		change(func(o *sessions.Options) { o.Idle = sessions.IdlePolicy{} })
		shown("with the policy keep of all", perch.ShowNone, perch.ShowNone)
		change(limited(after(sessions.IdleAway, time.Minute)))
		pass(2 * time.Minute)
		shown("with away again", perch.ShowAway, perch.ShowNone)
		// An upstream that is not there any more: its sessions keep their policy.
		change(func(o *sessions.Options) { o.Upstreams = map[string]sessions.Upstream{"net": o.Upstreams["net"]} })
		shown("without the upstream", perch.ShowAway, perch.ShowNone)
		change(limited(sessions.UpstreamLimits{}))
		shown("with the upstream back, and the policy of all", perch.ShowNone, perch.ShowNone)
		change(limited(after(sessions.IdleSignOut, time.Minute)))
		pass(2 * time.Minute)
		if got := s.Info().State; got != perch.StateClosed || w.m.Len() != 1 {
			t.Errorf("with sign-out: got state %s, %d sessions, want %s and the other", got, w.m.Len(), perch.StateClosed)
		}
	}, idle(sessions.IdleAway), limited(after(sessions.IdleAway, 5*time.Minute)))
}

// TestUpstreamLimitsAreChecked: a wrong limit changes nothing.
func TestUpstreamLimitsAreChecked(t *testing.T) {
	inWorld(t, func(w *world) {
		for name, l := range map[string]sessions.UpstreamLimits{
			"sessions":             {MaxSessions: -1},
			"sessions per account": {SessionsPerAccount: -1},
			"logins":               {Logins: -1},
			"rate":                 {LoginRate: -1},
			"idle without a time":  {Idle: sessions.IdlePolicy{Action: sessions.IdleAway}},
		} {
			if err := w.m.Reconfigure(limited(l)); perch.KindOf(err) != perch.KindValidation {
				t.Errorf("%s: got error %v, want %s", name, err, perch.KindValidation)
			}
		}
		if _, err := w.enter(alice, "r0"); err != nil {
			t.Errorf("SignIn after changes that were refused: got error %v, want none", err)
		}
	})
}
