package sessions_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// delayed is m as offline storage gives it: it came at a time.
func delayed(m *perch.MessageIn, at perch.Time) *perch.MessageIn {
	d := *m
	d.Delay = &perch.Delay{Stamp: at, From: "example.net"}
	return &d
}

// cut loses the link, lets things happen, and waits until the session is online.
func (w *world) cut(meanwhile func()) {
	w.refuse(linkLost)
	w.conn().Fail(linkLost)
	synctest.Wait()
	meanwhile()
	w.refuse(nil)
	old := w.conn()
	for w.conn() == old {
		pass(100 * time.Millisecond)
	}
	pass(time.Second)
}

func now() perch.Time { return perch.At(time.Now()) }

// One message is logged once, by whatever ways its copies come; two messages are logged twice,
// whatever they have in common.
func TestOneIdentity(t *testing.T) {
	// An archive without stanza-ids on what is live, as that of Openfire.
	bare := func(id, body string) *perch.MessageIn { return text(id, body) }
	for name, tt := range map[string]struct {
		run  func(w *world, a *archive, s *sessions.Session)
		want []string
	}{
		"live, then the archive": {func(w *world, a *archive, _ *sessions.Session) {
			w.say(bare("m1", "x"))
			a.add("x", "in", "m1")
			w.cut(func() {})
		}, []string{"live x"}},
		"live to the full address, the archive from the bare one, without the id": {func(w *world, a *archive, _ *sessions.Session) {
			m := bare("m1", "x")
			m.To = alice + "/perch"
			w.say(m)
			a.items = append(a.items, item("a1", "", bob, alice, "x"))
			w.cut(func() {})
		}, []string{"live x"}},
		"with many between": {func(w *world, a *archive, _ *sessions.Session) {
			w.say(bare("m1", "x"))
			a.add("x", "in", "m1")
			for i := range 400 {
				w.say(bare(fmt.Sprint("n", i), "y"))
				a.add("y", "in", fmt.Sprint("n", i))
			}
			w.cut(func() {})
		}, append([]string{"live x"}, slices.Repeat([]string{"live y"}, 400)...)},
		"over a restart": {func(w *world, a *archive, _ *sessions.Session) {
			for i := range 300 {
				w.say(bare(fmt.Sprint("n", i), "y"))
				a.add("y", "in", fmt.Sprint("n", i))
			}
			w.restart()
			w.open()
			pass(time.Second)
		}, slices.Repeat([]string{"live y"}, 300)},
		"the archive, then offline storage": {func(w *world, a *archive, _ *sessions.Session) {
			var at perch.Time
			w.cut(func() { a.add("x", "in", "m1"); at = now(); pass(time.Minute) })
			w.say(delayed(bare("m1", "x"), at))
		}, []string{"archive x"}},
		"the archive, then a restart and offline storage": {func(w *world, a *archive, _ *sessions.Session) {
			var at perch.Time
			w.cut(func() { a.add("x", "in", "m1"); at = now() })
			w.restart()
			w.open()
			w.say(delayed(bare("m1", "x"), at))
		}, []string{"archive x"}},
		"the archive while it came live": {func(w *world, a *archive, _ *sessions.Session) {
			asked := 0
			w.say(bare("m0", "before"))
			a.add("before", "in", "m0")
			w.cut(func() {
				a.onAsk = func() {
					if asked++; asked == 2 {
						a.add("x", "in", "m1")
						w.up.newest().Deliver(bare("m1", "x"))
						synctest.Wait()
					}
				}
			})
		}, []string{"live before", "archive x"}},
		"live, then from a stream that the server gave up": {func(w *world, a *archive, _ *sessions.Session) {
			w.say(bare("m1", "x"))
			at := now()
			a.add("x", "in", "m1")
			w.cut(func() {})
			pass(5 * time.Minute)
			w.say(delayed(bare("m1", "x"), at))
		}, []string{"live x"}},
		"live with an id of the archive, then without": {func(w *world, a *archive, _ *sessions.Session) {
			w.say(live(a.add("x", "in", "m-a0002"), "x"))
			at := now()
			w.cut(func() {})
			w.say(delayed(bare("m-a0002", "x"), at))
		}, []string{"live x"}},
		"a carbon, then the archive": {func(w *world, a *archive, _ *sessions.Session) {
			m := bare("m1", "x")
			m.Sent, m.From, m.To = true, alice+"/phone", bob+"/x"
			w.say(m)
			a.items = append(a.items, item("a1", "m1", alice+"/phone", bob, "x"))
			w.cut(func() {})
		}, []string{"live x"}},
		"sent from here, then its carbon on the next stream": {func(w *world, _ *archive, s *sessions.Session) {
			id := w.send(s, hi("x"))
			w.cut(func() {})
			m := bare(id, "x")
			m.Sent, m.From, m.To = true, alice+"/perch", bob
			w.say(m)
		}, []string{"live x"}},
		"a room that changes ids": {func(w *world, a *archive, _ *sessions.Session) {
			m := bare("m1", "x")
			m.From, m.Kind, m.OriginID = "r@conference.example.net/n", perch.GroupchatMessage, "o1"
			w.say(m)
			it := item("a1", "other", "r@conference.example.net/n", alice, "x")
			it.Kind, it.OriginID = perch.GroupchatMessage, "o1"
			a.items = append(a.items, it)
			w.cut(func() {})
		}, []string{"live x"}},

		"the same id and text twice, live": {func(w *world, _ *archive, _ *sessions.Session) {
			w.say(bare("1", "ok"), bare("1", "ok"))
		}, []string{"live ok", "live ok"}},
		"the same id and text again while away": {func(w *world, a *archive, _ *sessions.Session) {
			w.say(bare("1", "ok"))
			a.add("ok", "in", "1")
			w.cut(func() { pass(time.Second); a.add("ok", "in", "1"); a.add("ok", "in", "1") })
		}, []string{"live ok", "archive ok", "archive ok"}},
		"the same id and text again when back": {func(w *world, a *archive, _ *sessions.Session) {
			w.cut(func() { a.add("ok", "in", "1") })
			pass(20 * time.Second)
			w.say(bare("1", "ok"))
		}, []string{"archive ok", "live ok"}},
		"the same id and text twice in offline storage": {func(w *world, _ *archive, _ *sessions.Session) {
			at := now()
			pass(time.Minute)
			w.say(delayed(bare("1", "ok"), at), delayed(bare("1", "ok"), at+5000))
		}, []string{"live ok", "live ok"}},
		"the same text without ids while away": {func(w *world, a *archive, _ *sessions.Session) {
			w.say(bare("", "ok"))
			a.add("ok", "in", "")
			w.cut(func() { pass(time.Second); a.add("ok", "in", "") })
		}, []string{"live ok", "archive ok"}},
		"equal ids of the account's archive and of a room's": {func(w *world, a *archive, _ *sessions.Session) {
			m := bare("m1", "in the room")
			m.From, m.Kind, m.RoomStanzaID = "r@conference.example.net/n", perch.GroupchatMessage, "a0002"
			w.say(m, live(a.add("x", "in", "m-a0002"), "x"))
			again := *m
			again.RoomStanzaID = "a0003"
			w.say(&again, m)
		}, []string{"live in the room", "live x", "live in the room"}},
		"an id of the account's archive that is one of the room's": {func(w *world, a *archive, _ *sessions.Session) {
			m := bare("m1", "first")
			m.From, m.Kind, m.RoomStanzaID = "r@conference.example.net/n", perch.GroupchatMessage, "a0002"
			w.say(m)
			w.cut(func() { a.items = append(a.items, item("a0002", "m2", "r@conference.example.net/n", alice, "second")) })
		}, []string{"live first", "archive second"}},
		"the same id and text twice, live while the archive is read": {func(w *world, a *archive, _ *sessions.Session) {
			w.say(bare("m0", "before"))
			a.add("before", "in", "m0")
			w.cut(func() {
				a.onAsk = func() {
					a.onAsk = nil
					w.up.newest().Deliver(bare("1", "ok"))
					w.up.newest().Deliver(bare("1", "ok"))
				}
			})
		}, []string{"live before", "live ok", "live ok"}},
		"an id of the archive that a sender made up": {func(w *world, a *archive, _ *sessions.Session) {
			m := live("a0003", "forged")
			m.From = "eve@evil.example/x"
			w.say(m)
			a.add("y", "in", "")
			w.say(live("a0003", "x"))
		}, []string{"live forged", "live x"}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := withArchive(w)
				a.size = 50
				a.add("old", "in", "")
				s := w.open()
				pass(time.Hour)
				tt.run(w, a, s)
				if got := received(t, w.durable(s)); !slices.Equal(got, tt.want) {
					t.Errorf("got %q\nwant %q", got, tt.want)
				}
			}, durable)
		})
	}
}

// On a resumed stream the server sends what is not in the log: a message that came while the
// link was down is not taken for the one before it with the same id and text.
func TestResumedWithTheSameID(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) { u.resume = true })
		s := w.open()
		w.say(text("1", "ok"))
		w.lose(linkLost)
		m := delayed(text("1", "ok"), now())
		m.Source = perch.SourceResumed
		w.say(m)
		if got, want := received(t, w.durable(s)), []string{"live ok", "resumed ok"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}, durable)
}

// A message of the archive is as one that came live, and without a time it is kept, too.
func TestArchivedIsWhole(t *testing.T) {
	for _, place := range []bool{true, false} { // read from an id on, and from a time on
		inWorld(t, func(w *world) {
			a := withArchive(w)
			s := w.open()
			if place {
				w.say(live(a.add("before", "in", ""), "before"))
			}
			var arrived perch.Time
			w.cut(func() {
				pass(time.Minute)
				it := item("a7", "m7", "r@conference.example.net/n", alice, "x")
				it.Kind, it.Subject, it.Thread, it.OriginID, it.RoomStanzaID = perch.GroupchatMessage, "S", "t", "o", "r7"
				late := item("a8", "m8", bob, alice, "no time")
				late.Time, late.TimeIsArrival, late.Delay = now(), true, &perch.Delay{}
				a.items = append(a.items, it, late)
				arrived = now()
			})
			var got []perch.Message
			for _, e := range w.durable(s) {
				var m perch.Message
				if e.Type == perch.EventMessageReceived {
					if e.into(t, &m); m.Source == perch.SourceArchive {
						got = append(got, m)
					}
				}
			}
			want := []perch.Message{
				{ID: "m7", StanzaID: "a7", RoomStanzaID: "r7", OriginID: "o", From: "r@conference.example.net/n", To: alice, Kind: perch.GroupchatMessage,
					Body: "x", Thread: "t", Subject: "S", Delay: &perch.Delay{Stamp: arrived}, Source: perch.SourceArchive},
				{ID: "m8", StanzaID: "a8", From: bob, To: alice, Kind: perch.ChatMessage, Body: "no time", Delay: &perch.Delay{}, Source: perch.SourceArchive},
			}
			if fmt.Sprintf("%+v", values(got)) != fmt.Sprintf("%+v", values(want)) {
				t.Errorf("from a place: %v, got %+v\nwant %+v", place, values(got), values(want))
			}
		})
	}
}

// values are messages with what they point to.
func values(list []perch.Message) (out []string) {
	for _, m := range list {
		d := m.Delay
		m.Delay = nil
		out = append(out, fmt.Sprintf("%+v delay %+v", m, *d))
	}
	return out
}

// sender is a server and the messages that it has, for the property below.
type sender struct {
	w       *world
	a       *archive
	s       *sessions.Session
	ids     bool // whether what is live has the id of the archive
	truth   map[string]int
	used    map[string]time.Time
	offline []*perch.MessageIn
	unacked []*perch.MessageIn // of the stream that is lost
	recent  []*perch.MessageIn // with the times at which they came
}

// say is a message, which may have the id and text of another one.
func (x *sender) say(rt *rapid.T, online bool) {
	id := fmt.Sprint(rapid.IntRange(0, 2).Draw(rt, "id"))
	body := rapid.SampledFrom([]string{"ok", "yes"}).Draw(rt, "body")
	m := text(id, body)
	if rapid.Bool().Draw(rt, "full") {
		m.To = alice + "/perch"
	}
	if last, used := x.used[id+body]; used && !x.ids {
		// Across an outage and a restart nothing but the time tells such messages from each other.
		pass(max(0, 121*time.Second-time.Since(last)))
	}
	x.used[id+body] = time.Now()
	archived := x.a.add(body, "in", id)
	if x.ids {
		m.StanzaID = archived
	}
	x.truth[id+" "+body]++
	late := delayed(m, now())
	late.To = alice
	if online {
		x.w.say(m)
		x.recent = append(x.recent, late)
		return
	}
	x.offline = append(x.offline, late)
}

// away is an outage, after which everything that may come again does.
func (x *sender) away(rt *rapid.T) {
	x.unacked = nil
	if n := len(x.recent); n > 0 {
		x.unacked = x.recent[n-rapid.IntRange(0, n).Draw(rt, "unacked"):]
	}
	x.recent = nil
	restart := rapid.Bool().Draw(rt, "restart")
	meanwhile := func() {
		for range rapid.IntRange(0, 5).Draw(rt, "missed") {
			pass(time.Duration(rapid.IntRange(1, 100).Draw(rt, "s")) * time.Second)
			x.say(rt, false)
		}
		pass(time.Duration(rapid.IntRange(0, 1000).Draw(rt, "s")) * time.Second)
	}
	if restart {
		x.w.close()
		meanwhile()
		x.w.start()
		x.s = x.w.open()
		pass(time.Second)
	} else {
		x.w.cut(meanwhile)
	}
	again := slices.Clone(x.unacked)
	if rapid.Bool().Draw(rt, "offline storage") {
		again = append(again, x.offline...)
	}
	x.offline = nil
	if rapid.Bool().Draw(rt, "odd order") {
		again = rapid.Permutation(again).Draw(rt, "order")
	}
	for _, m := range again {
		x.w.say(m)
	}
	pass(time.Duration(rapid.SampledFrom([]int{0, 15, 1000}).Draw(rt, "s")) * time.Second)
}

// Whatever order copies come in, with whatever ids, over outages and restarts: every message
// is logged once, and none is taken for another one.
func TestIdentityProperty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 { // a check ends after a day, and a bubble's day is short
			rapid.Check(bubbled{t}, identityProperty)
		}
	})
}

func identityProperty(rt *rapid.T) {
	w := newWorld(rt, durable)
	defer w.close()
	a := withArchive(w)
	a.size = 3
	if rapid.Bool().Draw(rt, "an old message") {
		a.add("old", "in", "")
	}
	x := &sender{w: w, a: a, s: w.open(), ids: rapid.Bool().Draw(rt, "ids"), truth: map[string]int{}, used: map[string]time.Time{}}
	pass(time.Hour)
	for range rapid.IntRange(1, 12).Draw(rt, "steps") {
		pass(time.Duration(rapid.IntRange(0, 300).Draw(rt, "s")) * time.Second)
		if rapid.IntRange(0, 3).Draw(rt, "what") == 0 {
			x.away(rt)
		} else {
			x.say(rt, true)
		}
	}
	x.away(rt)
	got := map[string]int{}
	for _, e := range w.durable(x.s) {
		var m perch.Message
		if e.Type == perch.EventMessageReceived {
			e.into(rt, &m)
			got[m.ID+" "+m.Body]++
		}
	}
	if !maps.Equal(got, x.truth) {
		rt.Fatalf("got %v in the log, want %v", got, x.truth)
	}
}

// What is remembered of a session that is online and quiet is little.
func TestIdentitiesAreForgotten(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive = "" })
		s := w.open()
		for i := range 600 {
			w.say(text(fmt.Sprint(i), "x"))
		}
		if n := sessions.Identities(s); n != 600 {
			t.Errorf("got %d identities, want 600", n)
		}
		pass(6 * time.Minute)
		if n := sessions.Identities(s); n != 256 {
			t.Errorf("got %d identities after six minutes, want 256", n)
		}
		pass(30 * time.Minute)
		if n := sessions.Identities(s); n != 0 {
			t.Errorf("got %d identities at the end, want none", n)
		}
	})
}
