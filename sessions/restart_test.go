package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

func durable(o *sessions.Options) { o.Store.(*store).durable = true }

func sealing(keys ...byte) func(*sessions.Options) {
	return func(o *sessions.Options) {
		o.SealKeys = nil
		for _, k := range keys {
			o.SealKeys = append(o.SealKeys, slices.Repeat([]byte{k}, 32))
		}
	}
}

// restart ends the process and begins the next one.
func (w *world) restart() {
	w.t.Helper()
	w.close()
	w.start()
}

// After a restart the epoch is the same, the log has no hole and no repeat, the caches are served
// before the login, and only differences are events after it.
func TestRestart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob, carol)
		s := w.open()
		w.deliver(here(bob+"/a", "dnd", 0), here(carol+"/a", "", 0), &perch.SubscriptionIn{From: "eve@example.net", Type: "subscribe", Nick: "Eve"},
			text("1", "one"))
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		unsent := w.send(s, hi("waits"))
		log := w.durable(s)
		cursor := log[1].ID
		w.restart()

		begun := time.Now()
		s = w.open()
		if d := time.Since(begun); d != 0 {
			t.Errorf("got the stored session after %s, want it at once", d)
		}
		if i := s.Info(); i.State != perch.StateReconnecting || i.JID != alice {
			t.Errorf("Info after a restart: got %+v, want alice, reconnecting", i)
		}
		if got := brief(w.presence(s, bob)); got != `true "dnd" 0 "" [a] stale=true` {
			t.Errorf("presence of bob after a restart: got %s, want it as before, stale", got)
		}
		if items, _ := s.Buddies(); names(items) != "bob=bob carol=carol" || len(invitations(s)) != 1 {
			t.Errorf("after a restart: got buddies %v and invitations %v, want bob, carol and one invitation", items, invitations(s))
		}
		c := w.attach(s, sessions.SubscribeOptions{Since: cursor})
		if !c.sub.Resumed {
			t.Fatalf("Subscribe after a restart: got reset %q, want resumed", c.sub.ResetReason)
		}
		got := ids(c.preamble)
		w.refuse(nil)
		pass(time.Minute)
		w.deliver(here(bob+"/a", "dnd", 0), here(carol+"/a", "away", 0), &perch.SubscriptionIn{From: "eve@example.net", Type: "subscribe", Nick: "Eve"})
		evs := c.next()
		for _, e := range evs {
			if e.Type == perch.EventInvitationReceived || e.Type == perch.EventRosterItem {
				t.Errorf("events after a restart: got %s again, want each once", e.Data)
			}
		}
		got = append(got, ids(evs)...)
		var want []string
		for _, e := range w.durable(s)[2:] {
			want = append(want, e.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("events after a restart: got %v\nwant %v", got, want)
		}
		if got := bodies(w.conn()); !slices.Equal(got, []string{"waits"}) {
			t.Errorf("got messages %v sent, want the one that waits", got)
		}
		w.conn().Ack()
		if h := w.history(s, unsent); h != "accepted sent acked " {
			t.Errorf("history of the message that waits: got %q, want accepted, sent, acked", h)
		}
	}, durable)
}

// The presence of the login after a restart is compared with the stored one.
func TestRestartPublishesDifferences(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob, carol)
		w.open()
		w.deliver(here(bob+"/a", "dnd", 0), here(carol+"/a", "", 0),
			&perch.SubscriptionIn{From: "eve@example.net", Type: "subscribe"}, &perch.SubscriptionIn{From: "eve@example.net", Type: "unsubscribe"},
			&perch.RosterPush{Item: perch.Buddy{JID: "dave@example.net"}},
			&perch.RosterPush{Item: perch.Buddy{JID: "dave@example.net", Subscription: perch.SubscriptionRemove}})
		w.refuse(linkLost)
		w.restart()
		s := w.open()
		if items, _ := s.Buddies(); len(items) != 2 || len(invitations(s)) != 0 {
			t.Errorf("got buddies %v and invitations %v, want two and none", items, invitations(s))
		}
		w.refuse(nil)
		for s.Info().State != perch.StateOnline {
			pass(100 * time.Millisecond)
		}
		c := w.attach(s, sessions.SubscribeOptions{})
		w.deliver(here(bob+"/a", "dnd", 0))
		pass(10 * time.Second)
		if evs := c.wantTypes(perch.EventPresence); !strings.Contains(string(evs[0].Data), `"carol@example.net","available":false`) {
			t.Errorf("presence event: got %s, want carol unavailable", evs[0].Data)
		}
	}, durable)
}

// The process was killed: what was written and never acknowledged is unknown, unless the
// stream is resumed.
func TestKilledProcess(t *testing.T) {
	for _, resume := range []bool{false, true} {
		t.Run(fmt.Sprint("resume ", resume), func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.up.set(func(u *upstream) { u.resume = resume })
				s := w.open()
				id := w.send(s, hi("x"))
				dead := w.m
				defer func() { _ = dead.Close(w.ctx()) }()
				w.start() // the old process still runs
				s2 := w.open()
				want := "accepted sent unknown "
				if resume {
					want = "accepted sent acked "
				}
				if h := w.history(s2, id); h != want {
					t.Errorf("history: got %q, want %q", h, want)
				}
				if got := bodies(w.conn()); len(got) != 0 {
					t.Errorf("got messages %v sent again, want none", got)
				}
				gaps := 0
				for _, e := range w.durable(s2) {
					if e.Type == perch.EventSessionGap {
						gaps++
					}
				}
				if (gaps == 0) != resume {
					t.Errorf("got %d gaps, want one exactly when the stream is not resumed", gaps)
				}
				// The next commit of the old owner is fenced, and ends the session there.
				w.up.conns[0].Deliver(text("1", "late"))
				synctest.Wait()
				if dead.Len() != 0 {
					t.Errorf("got %d sessions at the old owner, want none", dead.Len())
				}
			}, durable)
		})
	}
}

// A durable Store and a stream that can be resumed: the end of the process drops the
// connection as it is, so that the server keeps the stream. Otherwise it signs out.
func TestCloseDropsOrSignsOut(t *testing.T) {
	for _, c := range []struct{ durable, resume, closed bool }{
		{true, true, false}, {true, false, true}, {false, true, true}, {false, false, true},
	} {
		inWorld(t, func(w *world) {
			w.store.durable = c.durable
			w.up.set(func(u *upstream) { u.resume = c.resume })
			w.open()
			conn := w.conn()
			w.restart()
			if conn.Closed() != c.closed || conn.Err() == nil {
				t.Errorf("%+v: got closed %v, error %v, want closed %v", c, conn.Closed(), conn.Err(), c.closed)
			}
			w.open()
			req := w.up.Dials()[1]
			if (req.Resume != nil) != (c.durable && c.resume) {
				t.Errorf("%+v: got the login to resume %q, want one %v", c, req.Resume, c.durable && c.resume)
			}
		})
	}
}

// What a resumed stream acknowledges is exactly what is in the log: the state of the stream
// is committed with the events that it counts.
func TestStreamStateIsCommittedWithEvents(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) { u.resume = true })
		w.open()
		committed := func(want string) {
			t.Helper()
			synctest.Wait()
			w.store.mu.Lock()
			defer w.store.mu.Unlock()
			if got := string(w.store.record.Stream); got != want {
				t.Errorf("got stream state %q in the record, want %q", got, want)
			}
		}
		w.deliver(text("1", "a"))
		committed("stream 1")
		w.store.set(func(s *store) { s.held = true })
		w.deliver(text("2", "b"), text("3", "c"))
		w.conn().Fail(linkLost)
		pass(time.Minute)
		if n := w.up.logins(); n != 1 {
			t.Errorf("got %d logins, want 1: to resume is to acknowledge, and not all is committed", n)
		}
		committed("stream 1")
		w.store.set(func(s *store) { s.held = false })
		synctest.Wait()
		if d := w.up.Dials(); len(d) != 2 || string(d[1].Resume) != "stream 3" {
			t.Errorf("got %d logins, want 2, the second with stream 3", len(d))
		}
	}, durable)
}

func TestCloseIsBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.store.set(func(s *store) { s.held = true })
		w.deliver(text("1", "x"))
		start := time.Now()
		ctx, cancel := timeout(10 * time.Second)
		defer cancel()
		if err := w.m.Close(ctx); err == nil || time.Since(start) != 10*time.Second {
			t.Errorf("Close: got error %v after %v, want one after 10s", err, time.Since(start))
		}
		if _, err := c.sub.Take(); err == nil {
			t.Error("Take after Close: got no error, want the stream cut")
		}
	})
}

// With a seal key sessions are restored at start; a new key seals, the old one still opens.
func TestRestore(t *testing.T) {
	inWorld(t, func(w *world) {
		token, s, _, err := w.m.SignIn(w.ctx(), password("good"))
		must(t, "SignIn", err)
		w.open()
		synctest.Wait()
		sealing(2, 1)(&w.opts)
		w.restart()
		must(t, "Restore", w.m.Restore(w.ctx()))
		synctest.Wait()
		if n := w.up.logins(); n != 4 || w.m.Len() != 2 {
			t.Errorf("got %d logins, %d sessions, want 4, 2", n, w.m.Len())
		}
		s2, err := w.m.Authenticate(w.ctx(), token)
		if err != nil || s2.ID() != s.ID() || s2.Info().State != perch.StateOnline || w.up.logins() != 4 {
			t.Errorf("Authenticate after a restart: got error %v, want the session, online, without a login", err)
		}
		sealing(2)(&w.opts)
		w.restart()
		if err := w.m.Restore(w.ctx()); err != nil || w.m.Len() != 2 {
			t.Errorf("Restore with the new key: got error %v, %d sessions, want none, 2", err, w.m.Len())
		}
		sealing(3)(&w.opts)
		w.restart()
		if err := w.m.Restore(w.ctx()); err != nil || w.m.Len() != 0 {
			t.Errorf("Restore with another key: got error %v, %d sessions, want none, none", err, w.m.Len())
		}
	}, durable, sealing(1))
}

// Without a key no credential is stored, and the client's next sign-in leads to the same session
// and makes its old token valid again.
func TestNoSealKey(t *testing.T) {
	inWorld(t, func(w *world) {
		token, s, _, err := w.m.SignIn(w.ctx(), password("good"))
		must(t, "SignIn", err)
		synctest.Wait()
		all, err := w.store.Bindings(w.ctx())
		must(t, "Bindings", err)
		for _, b := range all {
			if b.Sealed != nil {
				t.Error("Bindings without a seal key: got a stored credential, want none")
			}
		}
		w.restart()
		if err := w.m.Restore(w.ctx()); err != nil || w.m.Len() != 0 {
			t.Errorf("Restore without a seal key: got error %v, %d sessions, want none, none", err, w.m.Len())
		}
		_, err = w.m.Authenticate(w.ctx(), token)
		kindOf(t, err, perch.KindUnauthorized)
		_, s2, created, err := w.m.SignIn(w.ctx(), password("good"))
		if err != nil || !created || s2.ID() != s.ID() {
			t.Fatalf("SignIn after a restart: got created %v, error %v, want true, none, and the session of before", created, err)
		}
		if s3, err := w.m.Authenticate(w.ctx(), token); err != nil || s3 != s2 {
			t.Errorf("Authenticate with the old token: got session %p, error %v, want %p", s3, err, s2)
		}
	}, durable)
}

// The names of vCards are there after a restart.
func TestNamesAfterARestart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Roster = []perch.Buddy{{JID: bob, Subscription: perch.SubscriptionBoth}}
			d.Cards[bob] = perch.VCard{Nickname: "Bobby"}
		})
		s := w.open()
		if _, err := s.VCard(w.ctx(), bob, false); err != nil {
			t.Fatalf("VCard: got error %v, want none", err)
		}
		w.restart()
		if b, err := w.open().Buddy(bob); err != nil || b.Name != "Bobby" {
			t.Errorf("Buddy after a restart: got %+v, error %v, want the name Bobby", b, err)
		}
	}, durable)
}
