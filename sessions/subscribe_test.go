package sessions_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/sessions"
)

var resetPreamble = []perch.EventType{perch.EventRosterSnapshot, perch.EventInvitationsSnapshot, perch.EventPresenceSnapshot, perch.EventLive}

// keeping makes the log short.
func keeping(n int) func(*sessions.Options) {
	return func(o *sessions.Options) {
		o.Store.(*store).Store = cache.NewMemory(cache.MemoryOptions{Retention: sessions.Retention{Events: n}})
	}
}

func TestCursors(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		for i := range 20 {
			w.deliver(text(fmt.Sprint(i), "x"))
		}
		w.attach(s, sessions.SubscribeOptions{}).sub.Close() // what no stream has had comes once
		log := w.durable(s)
		epoch, _, _ := strings.Cut(log[0].ID, "-")
		last := len(log) - 1
		other := epoch + "x"
		for name, c := range map[string]struct{ since, reason string }{
			"first":          {"", sessions.ResetFirst},
			"tip":            {log[last].ID, ""},
			"one back":       {log[last-1].ID, ""},
			"oldest":         {log[0].ID, ""},
			"just trimmed":   {epoch + "-11", ""},
			"expired":        {epoch + "-10", sessions.ResetExpired},
			"start":          {epoch + "-0", sessions.ResetExpired},
			"other epoch":    {other + "-5", sessions.ResetEpoch},
			"future":         {epoch + "-22", sessions.ResetUnknown},
			"garbage":        {"garbage", sessions.ResetUnknown},
			"not a number":   {epoch + "-x", sessions.ResetUnknown},
			"leading zero":   {epoch + "-01", sessions.ResetUnknown},
			"beyond 64 bits": {epoch + "-99999999999999999999", sessions.ResetUnknown},
		} {
			c1 := w.attach(s, sessions.SubscribeOptions{Since: c.since})
			if c1.sub.Resumed != (c.reason == "") || c1.sub.ResetReason != c.reason || c1.sub.Tip.String() != log[last].ID {
				t.Errorf("%s: got resumed %v, reason %q, tip %s; want reason %q, tip %s", name, c1.sub.Resumed, c1.sub.ResetReason, c1.sub.Tip, c.reason, log[last].ID)
			}
			got := types(c1.preamble)
			if c.reason != "" && !slices.Equal(got, resetPreamble) {
				t.Errorf("%s: got preamble %v, want %v", name, got, resetPreamble)
			}
			if c.reason == "" && !slices.Equal(got[len(got)-2:], resetPreamble[2:]) {
				t.Errorf("%s: got preamble %v, want %v at its end", name, got, resetPreamble[2:])
			}
			c1.sub.Close()
		}
		c := w.attach(s, sessions.SubscribeOptions{Since: log[last-3].ID})
		if got := ids(c.preamble); !slices.Equal(got, []string{log[last-2].ID, log[last-1].ID, log[last].ID}) {
			t.Errorf("got events %v replayed, want the last three of the log", got)
		}
	}, keeping(10))
}

// ids of the durable events.
func ids(evs []event) []string {
	list := []string{}
	for _, e := range evs {
		if e.ID != "" {
			list = append(list, e.ID)
		}
	}
	return list
}

func TestNoPreamble(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.deliver(text("1", "x"))
		log := w.durable(s)
		c := w.attach(s, sessions.SubscribeOptions{Since: log[0].ID, NoPreamble: true})
		if got := types(c.preamble); !slices.Equal(got, []perch.EventType{perch.EventMessageReceived, perch.EventLive}) {
			t.Errorf("resumed: got preamble %v, want the message and live", got)
		}
		c = w.attach(s, sessions.SubscribeOptions{NoPreamble: true})
		want := slices.Insert(slices.Clone(resetPreamble), 3, perch.EventMessageReceived) // no stream has had it
		if got := types(c.preamble); !slices.Equal(got, want) {
			t.Errorf("reset: got preamble %v, want %v", got, want)
		}
	})
}

// TestNotify: it is called for what Take has, and for the end.
func TestNotify(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		calls := 0
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"message.*"}, Notify: func() { calls++ }})
		w.deliver(here(bob+"/a", "dnd", 0))
		synctest.Wait()
		if calls != 0 {
			t.Errorf("after an event that is filtered: got %d calls, want none", calls)
		}
		w.deliver(text("1", "a"), text("2", "b"))
		synctest.Wait()
		if calls == 0 {
			t.Error("after two events: got no call, want one at least")
		}
		c.wantTypes(perch.EventMessageReceived, perch.EventMessageReceived)
		before := calls
		must(t, "SignOut", w.m.SignOut(w.ctx(), s))
		synctest.Wait()
		if _, err := c.sub.Take(); !errors.Is(err, sessions.ErrEnded) || calls == before {
			t.Errorf("after the end: got error %v, %d calls more; want %v, one at least", err, calls-before, sessions.ErrEnded)
		}
	})
}

func TestSnapshots(t *testing.T) {
	inWorld(t, func(w *world) {
		var jids []perch.JID
		for i := range 450 {
			jids = append(jids, perch.JID(fmt.Sprintf("b%03d@example.net", i)))
		}
		w.roster(jids...)
		s := w.open()
		w.deliver(&perch.SubscriptionIn{From: "eve@example.net", Type: "subscribe", Nick: "Eve", Message: "hello"}, here(jids[7]+"/x", "dnd", 0))
		c := w.attach(s, sessions.SubscribeOptions{})
		n := map[perch.EventType]int{}
		for _, e := range c.preamble[:len(c.preamble)-1] {
			var d struct {
				AsOf  string `json:"as_of"`
				Part  int
				Last  bool
				Items []struct{ JID perch.JID }
			}
			e.into(t, &d)
			n[e.Type]++
			want := 3
			if e.Type == perch.EventInvitationsSnapshot {
				want = 1
			}
			if d.AsOf != c.sub.Tip.String() || d.Part != n[e.Type] || d.Last != (d.Part == want) || len(d.Items) > 200 || e.ID != "" {
				t.Errorf("%s: got as of %s, part %d, last %v, %d items, ID %q; want as of %s, part %d of %d, at most 200 items, no ID", e.Type, d.AsOf, d.Part, d.Last, len(d.Items), e.ID, c.sub.Tip, n[e.Type], want)
			}
		}
		if n[perch.EventRosterSnapshot] != 3 || n[perch.EventPresenceSnapshot] != 3 || n[perch.EventInvitationsSnapshot] != 1 {
			t.Errorf("got snapshots %v, want 3 of the roster, 3 of presence, 1 of invitations", n)
		}
		var live struct{ Tip string }
		if c.preamble[len(c.preamble)-1].into(t, &live); live.Tip != c.sub.Tip.String() || c.sub.TipNow() != c.sub.Tip {
			t.Errorf("live: got tip %q, TipNow %s, want %s", live.Tip, c.sub.TipNow(), c.sub.Tip)
		}
	})
}

func TestFilter(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		all := w.attach(s, sessions.SubscribeOptions{})
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"message.*", "presence"}})
		if got := types(c.preamble); !slices.Equal(got, []perch.EventType{perch.EventPresenceSnapshot, perch.EventLive}) {
			t.Errorf("got preamble %v, want the presence snapshot and live", got)
		}
		w.deliver(text("1", "x"), here(bob+"/x", "", 0), &perch.ChatStateIn{From: bob, State: perch.StateActive},
			&perch.RosterPush{Item: perch.Buddy{JID: carol, Subscription: perch.SubscriptionNone}})
		c.wantTypes(perch.EventMessageReceived, perch.EventPresence)
		all.wantTypes(perch.EventMessageReceived, perch.EventPresence, perch.EventChatState, perch.EventRosterItem)
		if c.sub.TipNow() != all.sub.TipNow() || c.sub.TipNow().Offset != 3 {
			t.Errorf("TipNow: got %s filtered and %s of all, want offset 3 of both", c.sub.TipNow(), all.sub.TipNow())
		}
		c.sub.SetTypes([]string{"chat_state"})
		w.deliver(text("2", "x"), &perch.ChatStateIn{From: bob, State: perch.StateActive})
		c.wantTypes(perch.EventChatState)
		c.sub.SetTypes(nil)
		w.deliver(text("3", "x"))
		c.wantTypes(perch.EventMessageReceived)
		first := w.attach(s, sessions.SubscribeOptions{Since: w.durable(s)[0].ID, Types: []string{"roster.item"}})
		if got := types(first.preamble); !slices.Equal(got, []perch.EventType{perch.EventRosterItem, perch.EventLive}) {
			t.Errorf("got preamble %v, want the roster item and live", got)
		}
	})
}

// A slow client loses chat states and older presence first, then its connection; never a
// durable event.
func TestSlowClient(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob, carol)
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		quick := w.attach(s, sessions.SubscribeOptions{})
		shows := []string{"", "away", "dnd", "xa"}
		for i := range 100 {
			w.deliver(here(bob+"/x", shows[i%4], 0), &perch.ChatStateIn{From: bob, State: perch.StateActive}, text(fmt.Sprint(i), "x"))
			quick.next()
		}
		evs := c.next()
		n := map[perch.EventType]int{}
		for _, e := range evs {
			n[e.Type]++
		}
		if n[perch.EventMessageReceived] != 100 || len(evs) > 256 || n[perch.EventPresence] > 64 || n[perch.EventChatState] > 64 {
			t.Errorf("got events %v, want 100 messages, and at most 64 of a kind that is shed", n)
		}
		last := ""
		for _, e := range evs {
			if e.Type == perch.EventPresence {
				last = string(e.Data)
			}
		}
		if !strings.Contains(last, `"show":"xa"`) {
			t.Errorf("the newest presence: got %s, want xa", last)
		}
		for i := range 300 {
			w.deliver(text(fmt.Sprint("more", i), "x"))
			quick.next()
		}
		if _, err := c.sub.Take(); !errors.Is(err, sessions.ErrSlow) {
			t.Fatalf("Take of the slow client: got error %v, want %v", err, sessions.ErrSlow)
		}
		if n := s.Info().Streams; n != 1 {
			t.Errorf("Info: got %d streams, want 1", n)
		}
		c2 := w.attach(s, sessions.SubscribeOptions{Since: evs[len(evs)-1].ID})
		if got := len(ids(c2.preamble)); !c2.sub.Resumed || got != 300 {
			t.Errorf("Subscribe after the cut: got resumed %v with %d events, want true with 300", c2.sub.Resumed, got)
		}
	})
}

func TestSlowClientWithLargeEvents(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		for i := range 20 {
			w.deliver(text(fmt.Sprint(i), strings.Repeat("x", 100_000)))
		}
		if _, err := c.sub.Take(); !errors.Is(err, sessions.ErrSlow) {
			t.Errorf("Take: got error %v, want %v", err, sessions.ErrSlow)
		}
	})
}

// A replay that is longer than a queue is read page by page, also while more arrives.
func TestLongReplay(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		for i := range 1000 {
			w.deliver(text(fmt.Sprint(i), "x"))
		}
		log := w.durable(s)
		sub, err := s.Subscribe(w.ctx(), sessions.SubscribeOptions{Since: log[0].ID})
		must(t, "Subscribe", err)
		var evs []*perch.Event
		must(t, "Preamble", sub.Preamble(w.ctx(), func(e *perch.Event) error {
			evs = append(evs, e)
			switch n := len(evs); {
			case n == 100: // more than a queue holds, while the client is far from the tip
				for i := range 400 {
					w.deliver(text(fmt.Sprint("burst", i), "x"))
				}
			case n%100 == 0:
				w.deliver(text(fmt.Sprint("live", n), "x"))
			}
			return nil
		}))
		c := &client{t: t, sub: sub}
		got := ids(append(decode(t, evs), c.next()...))
		var want []string
		for _, e := range w.durable(s)[1:] {
			want = append(want, e.ID)
		}
		if !slices.Equal(got, want) || len(want) < 1005 {
			t.Errorf("got %d events, want the %d of the log in order", len(got), len(want))
		}
	})
}

// The log is trimmed while a client reads a long replay: it gets an error, not a hole.
func TestTrimmedDuringReplay(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		for i := range 600 {
			w.deliver(text(fmt.Sprint(i), "x"))
		}
		sub, err := s.Subscribe(w.ctx(), sessions.SubscribeOptions{Since: w.durable(s)[0].ID})
		if err != nil || !sub.Resumed {
			t.Fatalf("Subscribe: got error %v or a reset, want it resumed", err)
		}
		n := 0
		err = sub.Preamble(w.ctx(), func(*perch.Event) error {
			if n++; n == 1 {
				for i := range 600 {
					w.deliver(text(fmt.Sprint("more", i), "x"))
				}
			}
			return nil
		})
		if !errors.Is(err, sessions.ErrMoved) {
			t.Errorf("Preamble: got error %v after %d events, want %v", err, n, sessions.ErrMoved)
		}
	}, keeping(700))
}

func TestPreambleStopsAtAnError(t *testing.T) {
	inWorld(t, func(w *world) {
		sub, err := w.open().Subscribe(w.ctx(), sessions.SubscribeOptions{})
		must(t, "Subscribe", err)
		stop := errors.New("stop")
		if err := sub.Preamble(w.ctx(), func(*perch.Event) error { return stop }); err != stop {
			t.Errorf("Preamble: got error %v, want %v", err, stop)
		}
		sub.Close()
		sub.Close()
	})
}

// Whatever happens and wherever a client is cut, its durable events have no hole and no
// repeat.
func TestResumeProperty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubbled{t}, func(rt *rapid.T) {
			w := newWorld(rt)
			defer w.close()
			s := w.open()
			since, got := "", []string{}
			n := 0
			for range rapid.IntRange(1, 8).Draw(rt, "connections") {
				sub, err := s.Subscribe(w.ctx(), sessions.SubscribeOptions{Since: since})
				must(rt, "Subscribe", err)
				if since != "" && !sub.Resumed {
					rt.Fatalf("Subscribe at %s: got reset %q, want resumed", since, sub.ResetReason)
				}
				if since == "" {
					since = sub.Tip.String()
				}
				left := rapid.IntRange(0, 40).Draw(rt, "frames")
				see := func(e *perch.Event) error {
					if left--; left < 0 {
						return errors.New("cut")
					}
					if !e.Position.IsZero() {
						since = e.Position.String()
						got = append(got, since)
					}
					return nil
				}
				err = sub.Preamble(w.ctx(), see)
				for err == nil {
					for range rapid.IntRange(1, 10).Draw(rt, "arrive") {
						n++
						w.up.newest().Deliver(text(fmt.Sprint(n), "x"))
					}
					if rapid.Bool().Draw(rt, "wait") {
						synctest.Wait()
					}
					var evs []*perch.Event
					if evs, err = sub.Take(); err != nil {
						rt.Fatalf("Take: got error %v, want none", err)
					}
					for _, e := range evs {
						if err == nil {
							err = see(e)
						}
					}
					left--
					if left < 0 && err == nil {
						err = errors.New("cut")
					}
				}
				sub.Close()
			}
			synctest.Wait()
			c := w.attach(s, sessions.SubscribeOptions{Since: since})
			got = append(got, ids(c.preamble)...)
			var want []string
			for _, e := range w.durable(s)[1:] {
				want = append(want, e.ID)
			}
			if !slices.Equal(got, want) && len(got)+len(want) > 0 {
				rt.Fatalf("event IDs: got %v\nwant %v", got, want)
			}
		})
	})
}
