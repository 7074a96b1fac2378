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

// On a resumed stream the server sends what is not in the log: a message that came while the
// link was down is not taken for the one before it with the same id and text.
func TestResumedWithTheSameID(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) { u.resume = true })
		s := w.open()
		w.deliver(text("1", "ok"))
		w.lose(linkLost)
		m := delayed(text("1", "ok"), now())
		m.Source = perch.SourceResumed
		w.deliver(m)
		if got, want := received(t, w.durable(s)), []string{"live ok", "resumed ok"}; !slices.Equal(got, want) {
			t.Errorf("messages: got %q, want %q", got, want)
		}
	}, durable)
}

// A message of the archive has all that a live one has, and without a time it is logged, too.
func TestArchivedMessageIsComplete(t *testing.T) {
	for _, place := range []bool{true, false} { // read from an id on, and from a time on
		inWorld(t, func(w *world) {
			a := withArchive(w)
			s := w.open()
			if place {
				w.deliver(live(a.add("before", "in", ""), "before"))
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
				{ID: "m7", Ref: perch.Ref{StanzaID: "r7", Room: true}.String(), StanzaID: "a7", RoomStanzaID: "r7", OriginID: "o", From: "r@conference.example.net/n", To: alice, Kind: perch.GroupchatMessage,
					Body: "x", Thread: "t", Subject: "S", Delay: &perch.Delay{Stamp: arrived}, Source: perch.SourceArchive},
				{ID: "m8", Ref: perch.Ref{ID: "m8"}.String(), StanzaID: "a8", From: bob, To: alice, Kind: perch.ChatMessage, Body: "no time", Delay: &perch.Delay{}, Source: perch.SourceArchive},
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

// message sends a message, which may have the id and text of another one.
func (x *sender) message(rt *rapid.T, online bool) {
	id := fmt.Sprint(rapid.IntRange(0, 2).Draw(rt, "id"))
	body := rapid.SampledFrom([]string{"ok", "yes"}).Draw(rt, "body")
	m := text(id, body)
	if rapid.Bool().Draw(rt, "full") {
		m.To = alice + "/perch"
	}
	if last, used := x.used[id+body]; used && !x.ids {
		// Across an outage and a restart the time alone distinguishes such messages.
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
		x.w.deliver(m)
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
			x.message(rt, false)
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
		x.w.deliver(m)
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
			x.message(rt, true)
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
		rt.Fatalf("messages and how often they are in the log: got %v, want %v", got, x.truth)
	}
}

// What is remembered of a session that is online and quiet is little.
func TestIdentitiesAreForgotten(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive = "" })
		s := w.open()
		for i := range 600 {
			w.deliver(text(fmt.Sprint(i), "x"))
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

// What is remembered of a session whose link is never good for long is bounded by time all the same: for
// hours nothing would be forgotten while each stream is new.
func TestIdentitiesOfAFlappingLinkAreForgotten(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive = "" })
		s := w.open()
		most := 0
		for i := range 120 { // six hours
			for n := range 10 {
				w.deliver(text(fmt.Sprintf("%d-%d", i, n), "x"))
			}
			pass(3 * time.Minute)
			w.cut(func() {})
			most = max(most, sessions.Identities(s))
		}
		if want := 10*30 + 100; most > want { // of an hour and the time between two looks, and the events that are read back in any case
			t.Errorf("got %d identities, want at most %d at any time", most, want)
		}
		if want := 10; sessions.Identities(s) < want {
			t.Errorf("got %d identities at the end, want at least the %d that came last", sessions.Identities(s), want)
		}
	})
}
