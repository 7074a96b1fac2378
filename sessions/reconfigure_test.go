package sessions_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestReconfigure: what changes holds from then on, and what is wrong changes nothing.
func TestReconfigure(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		reconfigure := func(change func(*sessions.Options)) {
			t.Helper()
			must(w.t, "Reconfigure", w.m.Reconfigure(change))
			synctest.Wait()
		}

		reconfigure(func(o *sessions.Options) { o.MaxSessions = 1 })
		if _, _, _, err := w.m.SignIn(w.ctx(), password("good")); perch.KindOf(err) != perch.KindSessionOffline {
			t.Errorf("SignIn beyond the new limit: got error %v, want %s", err, perch.KindSessionOffline)
		}
		err := w.m.Reconfigure(func(o *sessions.Options) { o.MaxSessions = -1 })
		if perch.KindOf(err) != perch.KindValidation {
			t.Errorf("Reconfigure: got error %v, want %s", err, perch.KindValidation)
		}
		if _, _, _, err := w.m.SignIn(w.ctx(), password("good")); perch.KindOf(err) != perch.KindSessionOffline {
			t.Errorf("SignIn after a change that was refused: got error %v, want %s", err, perch.KindSessionOffline)
		}
		reconfigure(func(o *sessions.Options) {
			o.MaxSessions = 0
			o.Upstreams = map[string]sessions.Upstream{"net": o.Upstreams["net"], "new": {Name: "new", NeedsJID: true}}
		})
		acc := password("good")
		acc.Upstream = "named"
		_, _, _, err = w.m.SignIn(w.ctx(), acc)
		kindOf(t, err, perch.KindValidation)
		acc.Upstream = "new"
		_, added, _, err := w.m.SignIn(w.ctx(), acc)
		must(w.t, "SignIn at the upstream that was added", err)
		if got := added.Info().Upstream; got != "new" {
			t.Errorf("got a session at %q, want %q", got, "new")
		}
		if got := s.Info().State; got != perch.StateOnline {
			t.Errorf("the session from before: got state %s, want %s", got, perch.StateOnline)
		}
	})
}

// TestReconfigureRemovesUpstream: its sessions continue until their stream ends, and then wait for it to be
// there again.
func TestReconfigureRemovesUpstream(t *testing.T) {
	inWorld(t, func(w *world) {
		const name = "named"
		acc := password("good")
		acc.Upstream = name
		_, s, _, err := w.m.SignIn(w.ctx(), acc)
		must(w.t, "SignIn", err)
		synctest.Wait()
		var removed sessions.Upstream
		must(w.t, "Reconfigure", w.m.Reconfigure(func(o *sessions.Options) {
			removed = o.Upstreams[name]
			o.Upstreams = map[string]sessions.Upstream{"net": o.Upstreams["net"]}
		}))
		synctest.Wait()
		if got := s.Info().State; got != perch.StateOnline {
			t.Errorf("while its stream lasts: got state %s, want %s", got, perch.StateOnline)
		}
		logins := w.up.logins()
		w.conn().Abort()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := s.Info(); got.State != perch.StateReconnecting || got.Reason != perch.ReasonConfig || w.up.logins() != logins {
			t.Errorf("after its stream: got state %s, reason %s, %d logins, want %s, %s, %d", got.State, got.Reason, w.up.logins(), perch.StateReconnecting, perch.ReasonConfig, logins)
		}
		must(w.t, "Reconfigure", w.m.Reconfigure(func(o *sessions.Options) {
			o.Upstreams = map[string]sessions.Upstream{"net": o.Upstreams["net"], name: removed}
		}))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := s.Info().State; got != perch.StateOnline {
			t.Errorf("once it is back: got state %s, want %s", got, perch.StateOnline)
		}
	})
}

// TestReconfigureIdle: another policy holds for the sessions that live, and for those that come.
func TestReconfigureIdle(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		time.Sleep(time.Hour)
		must(w.t, "Reconfigure", w.m.Reconfigure(func(o *sessions.Options) {
			o.Idle = sessions.IdlePolicy{Action: sessions.IdleAway, After: time.Minute}
		}))
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if got := lastShow(w.conn()); got != perch.ShowAway {
			t.Errorf("with the policy away: got presence %q, want %q", got, perch.ShowAway)
		}
		must(w.t, "Reconfigure", w.m.Reconfigure(func(o *sessions.Options) { o.Idle = sessions.IdlePolicy{} }))
		synctest.Wait()
		if got := lastShow(w.conn()); got != perch.ShowNone {
			t.Errorf("with the policy keep: got presence %q, want none", got)
		}
		must(w.t, "Reconfigure", w.m.Reconfigure(func(o *sessions.Options) {
			o.Idle = sessions.IdlePolicy{Action: sessions.IdleSignOut, After: time.Minute}
		}))
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if got := s.Info().State; got != perch.StateClosed {
			t.Errorf("with the policy sign-out: got state %s, want %s", got, perch.StateClosed)
		}
	})
}

// lastShow is what the account appears as.
func lastShow(c *conn) perch.Show {
	list := shows(c)
	return list[len(list)-1]
}
