package sessions_test

import (
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

func idle(a sessions.IdleAction) func(*sessions.Options) {
	return func(o *sessions.Options) { o.Idle = sessions.IdlePolicy{Action: a, After: 10 * time.Minute} }
}

func shows(c *conn) (list []perch.Show) {
	for _, p := range sent[*perch.PresenceOut](c) {
		list = append(list, p.Show)
	}
	return list
}

func TestIdleAway(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		pass(9 * time.Minute)
		c := w.attach(s, sessions.SubscribeOptions{})
		if pass(time.Hour); len(shows(w.conn())) != 1 {
			t.Errorf("got %q while a client is attached, want no change", shows(w.conn()))
		}
		c.sub.Close()
		pass(9 * time.Minute)
		s.Buddies()
		if pass(2 * time.Minute); len(shows(w.conn())) != 2 || shows(w.conn())[1] != perch.ShowAway {
			t.Errorf("got %q after ten minutes without a client, want away", shows(w.conn()))
		}
		if p, _ := s.OwnPresence(); p.Show != perch.ShowNone || !p.Available {
			t.Errorf("OwnPresence: got %+v, want what the client has set", p)
		}
		w.attach(s, sessions.SubscribeOptions{})
		if got := shows(w.conn()); len(got) != 3 || got[2] != perch.ShowNone {
			t.Errorf("got %q when a client attaches, want none at the end", got)
		}
	}, idle(sessions.IdleAway))
}

// What the user chose is left alone.
func TestIdleAwayKeepsAChoice(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		must(t, "SetOwnPresence", s.SetOwnPresence(w.ctx(), perch.OwnPresence{Available: true, Show: perch.ShowDND}))
		pass(time.Hour)
		w.attach(s, sessions.SubscribeOptions{})
		if got := shows(w.conn()); len(got) != 2 {
			t.Errorf("presences sent: got %q, want the one that the client has set", got)
		}
	}, idle(sessions.IdleAway))
}

func TestIdleSignOut(t *testing.T) {
	inWorld(t, func(w *world) {
		w.open()
		if pass(11 * time.Minute); w.m.Len() != 0 || !w.conn().Closed() {
			t.Errorf("got %d sessions, connection closed %v; want none, true", w.m.Len(), w.conn().Closed())
		}
	}, idle(sessions.IdleSignOut))
}

func TestIdleDoesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.open()
		if pass(100 * time.Hour); w.m.Len() != 1 || len(w.conn().Sent()) != 1 {
			t.Errorf("got %d sessions, sent %v; want 1, one stanza", w.m.Len(), w.conn().Sent())
		}
		if w.store.commits > 20 {
			t.Errorf("got %d commits in 100 h, want at most 20", w.store.commits)
		}
	})
}

// XEP-0352: the server is notified when no client is attached, and when one is again.
func TestClientState(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.ClientState = true })
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.attach(s, sessions.SubscribeOptions{}).sub.Close()
		c.sub.Close()
		pass(time.Second)
		var got []bool
		for _, o := range sent[*perch.ClientStateOut](w.conn()) {
			got = append(got, o.Active)
		}
		if len(got) != 3 || got[0] || !got[1] || got[2] {
			t.Errorf("got client states %v, want inactive, active, inactive", got)
		}
		w.lose(linkLost)
		if got := sent[*perch.ClientStateOut](w.conn()); len(got) != 1 || got[0].Active {
			t.Errorf("got client states %v on the new connection, want inactive", got)
		}
	})
}

// A stream that is resumed may have the state that was told on the one before, or none: it is told, whichever it is.
func TestClientStateOfAResumedStream(t *testing.T) {
	for _, attached := range []bool{true, false} {
		inWorld(t, func(w *world) {
			w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.ClientState = true })
			w.up.set(func(u *upstream) { u.resume = true })
			s := w.open()
			w.attach(s, sessions.SubscribeOptions{}).sub.Close()
			pass(time.Second)
			if attached {
				w.attach(s, sessions.SubscribeOptions{})
			}
			w.lose(linkLost)
			pass(time.Minute)
			if got := sent[*perch.ClientStateOut](w.conn()); len(got) != 1 || got[0].Active != attached {
				t.Errorf("attached %v: got client states %v on the resumed stream, want that one", attached, got)
			}
		})
	}
}
