package sessions_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// lastTen is an archive by XEP-0136: it has no ids, and the last ten messages with each.
type lastTen struct {
	w     *world
	items []perch.ArchiveItem
	asked []perch.JID
	fail  error
	once  error // the same for one answer
	onAsk func()
}

func withLastTen(w *world) *lastTen {
	a := &lastTen{w: w}
	w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive, d.Capabilities.ArchiveMax = "136", 10 })
	w.up.set(func(u *upstream) { u.pages = a.page })
	return a
}

// put puts a message into the archive, as of now.
func (a *lastTen) put(with perch.JID, direction, body string) {
	from, to := with, alice
	if direction == "out" {
		from, to = alice, with
	}
	a.items = append(a.items, item(fmt.Sprintf("%s-%d-%s", with, len(a.items), body), "", from, to, body))
}

// both is a message that arrives, and is archived.
func (a *lastTen) both(from perch.JID, id, body string) {
	a.put(from, "in", body)
	m := text(id, body)
	m.From = from + "/x"
	a.w.deliver(m)
}

func (a *lastTen) page(q perch.ArchiveQuery) (perch.ArchivePage, error) {
	a.asked = append(a.asked, q.With)
	if f := a.onAsk; f != nil {
		a.onAsk = nil
		f()
	}
	if err := cmp.Or(a.once, a.fail); err != nil {
		a.once = nil
		return perch.ArchivePage{}, err
	}
	var p perch.ArchivePage
	for _, it := range a.items {
		if it.From.Bare() == q.With || it.To.Bare() == q.With {
			p.Items = append(p.Items, it)
		}
	}
	p.Items = p.Items[max(0, len(p.Items)-10):]
	p.Complete = len(p.Items) < 10
	p.Items = slices.DeleteFunc(p.Items, func(it perch.ArchiveItem) bool { return it.Time < q.Start })
	return p, nil
}

// story is what the log has from an offset on: messages, gaps and states.
func story(t tb, evs []event) string {
	var list []string
	for _, e := range evs {
		switch e.Type {
		case perch.EventMessageReceived, perch.EventMessageSent:
			list = append(list, received(t, []event{e})...)
		case perch.EventSessionGap:
			list = append(list, "gap")
		case perch.EventSessionState:
			var c perch.StateChange
			e.into(t, &c)
			list = append(list, string(c.State))
		}
	}
	return strings.Join(list, ", ")
}

// outage loses the link, lets things happen, and waits until the session is online.
func (w *world) outage(meanwhile func()) {
	w.refuse(linkLost)
	w.conn().Fail(linkLost)
	pass(time.Minute)
	meanwhile()
	w.refuse(nil)
	pass(5 * time.Minute)
}

// The last ten messages of the recent conversations come first, in the order of
// their time and each once; then the gap, for they may not be all.
func TestLastTenAfterAnOutage(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withLastTen(w)
		s := w.open()
		a.put(bob, "in", "long ago")
		pass(time.Hour)
		a.both(bob, "1", "ok")
		a.both(carol, "2", "hello")
		w.send(s, hi("from here"))
		a.put(bob, "out", "from here")
		pass(time.Hour)
		before := len(w.durable(s))
		a.both(bob, "3", "just before")
		lost := perch.At(time.Now())
		w.outage(func() {
			a.put(bob, "in", "just before") // the same again, a minute later
			a.put(carol, "in", "first")
			pass(time.Second)
			a.put(bob, "in", "ok") // sent once more, and this time not received
			pass(time.Second)
			a.put(carol, "out", "from my phone")
			a.put("dave@example.net", "in", "from a stranger")
		})
		want := "live just before, reconnecting, archive just before, archive first, archive ok, archive from my phone, gap, online"
		evs := w.durable(s)[before:]
		if got := story(t, evs); got != want {
			t.Errorf("the log: got %s\nwant %s", got, want)
		}
		for _, e := range evs {
			var g perch.Gap
			if e.Type != perch.EventSessionGap {
				continue
			}
			if e.into(t, &g); g.From != lost || g.To < g.From+60_000 {
				t.Errorf("got gap %+v, want one from the loss at %d and at least a minute long", g, lost)
			}
		}
		if !slices.Equal(a.asked, []perch.JID{bob, carol}) {
			t.Errorf("got questions for %v, want bob's and carol's", a.asked)
		}
		// And again: what came from the archive is known by now.
		before = len(w.durable(s))
		w.outage(func() {})
		if got := story(t, w.durable(s)[before:]); got != "reconnecting, gap, online" {
			t.Errorf("the second time: got %s, want reconnecting, gap, online", got)
		}
	})
}

// Messages that arrive while the archive is read wait for it; one that is in it, too, comes
// once. Offline messages are such.
func TestLastTenAndLive(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withLastTen(w)
		s := w.open()
		a.both(bob, "1", "before")
		pass(time.Hour)
		before := len(w.durable(s))
		w.outage(func() {
			a.put(bob, "in", "lost on a dead link")
			a.put(bob, "in", "stored offline")
			stamp := perch.At(time.Now())
			a.onAsk = func() {
				offline := text("2", "stored offline")
				offline.Delay = &perch.Delay{Stamp: stamp}
				w.up.newest().Deliver(offline)
				w.up.newest().Deliver(text("3", "live"))
				synctest.Wait()
				if n := w.up.newest().HandledSeq(); n != 0 {
					t.Errorf("HandledSeq: got %d while messages wait, want 0", n)
				}
			}
		})
		if got, want := story(t, w.durable(s)[before:]), "reconnecting, archive lost on a dead link, gap, live stored offline, live live, online"; got != want {
			t.Errorf("the log: got %s\nwant %s", got, want)
		}
		if c := w.conn(); c.HandledSeq() != c.Delivered() {
			t.Errorf("HandledSeq: got %d, want %d", c.HandledSeq(), c.Delivered())
		}
	})
}

// An archive that does not answer keeps no session from reconnecting, and the gap is reported.
func TestLastTenFails(t *testing.T) {
	for name, tt := range map[string]struct {
		fail error
		wait time.Duration
	}{
		"refuses": {fail: &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "service-unavailable"}}},
		"is slow": {fail: perch.Errorf(perch.KindUpstreamTimeout, "slow"), wait: 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := withLastTen(w)
				s := w.open()
				a.both(bob, "1", "x")
				a.both(carol, "2", "y")
				before := len(w.durable(s))
				a.fail = tt.fail
				w.outage(func() { a.onAsk = func() { <-time.After(tt.wait) } })
				if got := story(t, w.durable(s)[before:]); got != "reconnecting, gap, online" {
					t.Errorf("the log: got %s, want reconnecting, gap, online", got)
				}
				if len(a.asked) != 1 {
					t.Errorf("got %d questions, want 1", len(a.asked))
				}
			})
		})
	}
}

// A link that is lost while the archive is read: what waited is logged, because the archive may
// not have it, and the outage still counts from where it began.
func TestLastTenIsInterrupted(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withLastTen(w)
		s := w.open()
		a.both(bob, "1", "before")
		before := len(w.durable(s))
		lost := perch.At(time.Now())
		w.outage(func() {
			a.put(bob, "in", "missed")
			a.onAsk = func() {
				w.up.newest().Deliver(text("2", "waited"))
				synctest.Wait()
				w.up.newest().Fail(linkLost)
				synctest.Wait()
				a.once = perch.Errorf(perch.KindSessionOffline, "lost")
			}
		})
		evs := w.durable(s)[before:]
		if got, want := story(t, evs), "reconnecting, live waited, archive missed, gap, online"; got != want {
			t.Errorf("the log: got %s\nwant %s", got, want)
		}
		for _, e := range evs {
			var g perch.Gap
			if e.Type == perch.EventSessionGap {
				if e.into(t, &g); g.From != lost {
					t.Errorf("got a gap from %d, want it from the loss at %d", g.From, lost)
				}
			}
		}
	})
}

// More live messages than may wait: none is lost, for no archive has them.
func TestLastTenOverflow(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withLastTen(w)
		s := w.open()
		a.both(bob, "1", "before")
		before := len(w.durable(s))
		w.outage(func() {
			a.onAsk = func() {
				for i := range 1200 {
					w.up.newest().Deliver(text(fmt.Sprint("n", i), fmt.Sprint("n", i)))
				}
			}
		})
		got := received(t, w.durable(s)[before:])
		if len(got) != 1200 || got[0] != "live n0" || got[1199] != "live n1199" {
			t.Errorf("got %d messages, want the 1200 live ones", len(got))
		}
	})
}

// More than there is room for is not read: it is in the gap.
func TestLastTenOfManyBytes(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withLastTen(w)
		s := w.open()
		a.both(carol, "1", "before")
		a.both(bob, "2", "before")
		before := len(w.durable(s))
		w.outage(func() {
			for _, from := range []perch.JID{bob, carol} {
				for range 3 {
					a.put(from, "in", strings.Repeat("x", 400_000)) // its id has the body, too
				}
			}
		})
		got, bodies := w.durable(s)[before:], 0
		for _, text := range received(t, got) {
			if len(text) > 400_000 {
				bodies++
			}
		}
		if bodies != 3 || !strings.Contains(story(t, got), "gap") {
			t.Errorf("got %d messages in the log, want the 3 of bob and a gap: %.300s", bodies, strings.ReplaceAll(story(t, got), "x", ""))
		}
	})
}

// However many people one talks to, only the latest are asked for.
func TestLastTenOfTheLatest(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withLastTen(w)
		w.open()
		for i := range 40 {
			a.both(perch.JID(fmt.Sprintf("p%d@example.net", i)), fmt.Sprint(i), "hi")
		}
		w.outage(func() {})
		if len(a.asked) != 20 || a.asked[0] != "p39@example.net" || a.asked[19] != "p20@example.net" {
			t.Errorf("got questions for %v, want those of the latest 20, the newest first", a.asked)
		}
	})
}
