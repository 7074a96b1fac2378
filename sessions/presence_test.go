package sessions_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

func here(from perch.JID, wire string, prio int8) *perch.PresenceIn {
	show, ok := perch.ParseShow(wire)
	if !ok {
		panic(wire)
	}
	return &perch.PresenceIn{From: from, Available: true, Show: show, Priority: prio}
}

func away(from perch.JID) *perch.PresenceIn { return &perch.PresenceIn{From: from} }

func (w *world) presence(s *sessions.Session, jid perch.JID) perch.Presence {
	w.t.Helper()
	p, err := s.Presence(jid)
	must(w.t, "Presence", err)
	return p
}

func brief(p perch.Presence) string {
	var names []string
	for _, r := range p.Resources {
		names = append(names, r.Resource)
	}
	return fmt.Sprintf("%v %q %d %q [%s] stale=%v", p.Available, p.Show, p.Priority, p.Status, strings.Join(names, " "), p.Stale)
}

// The presence is that of the resource with the highest priority, the latest among equals.
func TestPresenceAggregation(t *testing.T) {
	steps := []struct {
		in   *perch.PresenceIn
		want string
	}{
		{here(bob+"/phone", "away", 0), `true "away" 0 "" [phone] stale=false`},
		{here(bob+"/laptop", "dnd", 5), `true "dnd" 5 "" [laptop phone] stale=false`},
		{here(bob+"/phone", "", 5), `true "" 5 "" [laptop phone] stale=false`},
		{here(bob+"/laptop", "xa", 5), `true "xa" 5 "" [laptop phone] stale=false`},
		{here(bob+"/tablet", "chat", -1), `true "xa" 5 "" [laptop phone tablet] stale=false`},
		{away(bob + "/laptop"), `true "" 5 "" [phone tablet] stale=false`},
		{away(bob + "/phone"), `true "chat" -1 "" [tablet] stale=false`},
		{&perch.PresenceIn{From: bob, Status: "bye"}, `false "" 0 "bye" [] stale=false`},
	}
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		for i, st := range steps {
			pass(time.Second)
			if w.deliver(st.in); brief(w.presence(s, bob)) != st.want {
				t.Errorf("step %d: got %s, want %s", i, brief(w.presence(s, bob)), st.want)
			}
		}
	})
}

func TestPresenceEvents(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.deliver(here(bob+"/a", "away", 0))
		c.wantTypes(perch.EventPresence)
		w.deliver(here(bob+"/a", "away", 0))
		c.wantTypes()
		w.deliver(here("stranger@example.net/a", "", 0), away("stranger@example.net/a"))
		c.wantTypes()
		if _, err := s.Presence("stranger@example.net"); perch.KindOf(err) != perch.KindItemNotFound {
			t.Errorf("Presence of a stranger: got error %v, want kind %s", err, perch.KindItemNotFound)
		}
		if n := len(w.conn().Sent()); n != 1 {
			t.Errorf("got %d stanzas sent, want 1: reading presence sends nothing", n)
		}
	})
}

func TestPresenceIsBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		for i := range 100 {
			pass(time.Millisecond)
			w.deliver(&perch.PresenceIn{From: bob + perch.JID(fmt.Sprintf("/%03d", i)), Available: true, Status: strings.Repeat("é", 5000)})
		}
		p := w.presence(s, bob)
		if len(p.Resources) != 32 || p.Resources[31].Resource != "099" || len(p.Status) > 4096 || !strings.HasSuffix(p.Status, "é") {
			t.Errorf("got %d resources, the last %s, %d bytes of status; want 32, 099, at most 4096 that end in é", len(p.Resources), p.Resources[31].Resource, len(p.Status))
		}
	})
}

// After a reconnect presence is as it was, marked stale, and only differences are events; what the
// server does not confirm in time is removed.
func TestNoFlapAcrossReconnect(t *testing.T) {
	inWorld(t, func(w *world) {
		dave := perch.JID("dave@example.net")
		w.roster(bob, carol, dave)
		s := w.open()
		w.deliver(here(bob+"/a", "away", 1), here(bob+"/b", "", 0), here(carol+"/a", "", 0), here(dave+"/a", "", 0))
		was := w.presence(s, bob).UpdatedAt
		c := w.attach(s, sessions.SubscribeOptions{})
		pass(time.Minute)
		w.conn().Fail(linkLost)
		c.wantTypes(perch.EventSessionState)
		if got := brief(w.presence(s, bob)); got != `true "away" 1 "" [a b] stale=true` {
			t.Errorf("while the link is lost: got %s, want it stale", got)
		}
		pass(2 * time.Second)
		c.wantTypes(perch.EventSessionGap, perch.EventSessionState)
		w.deliver(here(bob+"/a", "away", 1), here(bob+"/b", "", 0), here(carol+"/a", "dnd", 0))
		evs := c.wantTypes(perch.EventPresence)
		if p := w.presence(s, carol); p.Show != perch.ShowDND || p.Stale {
			t.Errorf("presence of carol: got %+v, want dnd, not stale", p)
		}
		if !strings.Contains(string(evs[0].Data), string(carol)) {
			t.Errorf("presence event: got %s, want one of carol", evs[0].Data)
		}
		if p := w.presence(s, bob); brief(p) != `true "away" 1 "" [a b] stale=false` || p.UpdatedAt != was {
			t.Errorf("presence of bob: got %s updated at %v, want it as before, at %v", brief(p), p.UpdatedAt, was)
		}
		if got := brief(w.presence(s, dave)); got != `true "" 0 "" [a] stale=true` {
			t.Errorf("before it has settled: got %s, want it available and stale", got)
		}
		pass(6 * time.Second)
		evs = c.wantTypes(perch.EventPresence)
		if got := brief(w.presence(s, dave)); got != `false "" 0 "" [] stale=false` || !strings.Contains(string(evs[0].Data), string(dave)) {
			t.Errorf("after it has settled: got %s, want it unavailable, with an event", got)
		}
	})
}

// One resource that went offline during an outage is dropped without a flap of the others.
func TestReconnectDropsOneResource(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		w.deliver(here(bob+"/a", "", 0), here(bob+"/b", "dnd", 9))
		c := w.attach(s, sessions.SubscribeOptions{})
		w.lose(linkLost)
		w.deliver(here(bob+"/a", "", 0))
		pass(6 * time.Second)
		c.wantTypes(perch.EventSessionState, perch.EventSessionGap, perch.EventSessionState, perch.EventPresence)
		if got := brief(w.presence(s, bob)); got != `true "" 0 "" [a] stale=false` {
			t.Errorf("presence of bob: got %s, want resource a alone", got)
		}
	})
}

func TestResumedStreamKeepsPresence(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) { u.resume = true })
		w.roster(bob)
		s := w.open()
		w.deliver(here(bob+"/a", "away", 1))
		c := w.attach(s, sessions.SubscribeOptions{})
		w.lose(linkLost)
		pass(time.Minute)
		evs := c.wantTypes(perch.EventSessionState, perch.EventSessionState)
		var st perch.StateChange
		if evs[1].into(t, &st); !st.Resumed {
			t.Errorf("session.state: got %+v, want resumed", st)
		}
		if got := brief(w.presence(s, bob)); got != `true "away" 1 "" [a] stale=false` {
			t.Errorf("presence on the resumed stream: got %s, want it as before", got)
		}
		if n := len(w.conn().Sent()); n != 0 {
			t.Errorf("got %d stanzas sent on the resumed stream, want none", n)
		}
	})
}

func TestPhotoHash(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		c := w.attach(w.open(), sessions.SubscribeOptions{})
		hash := func(h string) *perch.PresenceIn {
			p := here(bob+"/a", "", 0)
			p.PhotoHash = &h
			return p
		}
		w.deliver(hash("aa"))
		c.wantTypes(perch.EventPresence)
		w.deliver(hash("aa"), here(bob+"/a", "", 0))
		c.wantTypes()
		w.deliver(hash("bb"))
		evs := c.wantTypes(perch.EventVCardChanged)
		if string(evs[0].Data) != `{"jid":"bob@example.net","photo_hash":"bb"}` || evs[0].ID == "" {
			t.Errorf("vcard.changed: got %s with ID %q, want the hash of bob's photo", evs[0].Data, evs[0].ID)
		}
	})
}

func TestOwnPresence(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		if p, _ := s.OwnPresence(); !p.Available {
			t.Errorf("OwnPresence: got %+v, want available", p)
		}
		dnd := perch.OwnPresence{Available: true, Show: perch.ShowDND, Status: "busy", Priority: 3}
		must(t, "SetOwnPresence", s.SetOwnPresence(w.ctx(), dnd))
		if got := sent[*perch.PresenceOut](w.conn()); len(got) != 2 || got[1].OwnPresence != dnd {
			t.Errorf("got presences %+v, want %+v as the second", got, dnd)
		}
		w.conn().Fail(linkLost)
		xa := perch.OwnPresence{Available: true, Show: perch.ShowXA}
		must(t, "SetOwnPresence", s.SetOwnPresence(w.ctx(), xa))
		pass(2 * time.Second)
		if got := sent[*perch.PresenceOut](w.conn()); len(got) != 1 || got[0].OwnPresence != xa {
			t.Errorf("after the reconnect: got presences %+v, want %+v", got, xa)
		}
		kindOf(t, s.SetOwnPresence(w.ctx(), perch.OwnPresence{Show: 99}), perch.KindValidation)
	})
}

// A presence with a delay of an unreadable time is not of now: it has no time,
// and whatever has one is later.
func TestPresenceWithoutATime(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		late := here(bob+"/phone", "away", 0)
		late.Delayed = true
		w.deliver(late)
		if p := w.presence(s, bob); !p.Available || p.UpdatedAt != 0 || p.Resources[0].UpdatedAt != 0 {
			t.Errorf("presence of bob: got %+v, want no time", p)
		}
		w.deliver(here(bob+"/laptop", "dnd", 0))
		if p := w.presence(s, bob); p.Show != perch.ShowDND || p.UpdatedAt == 0 {
			t.Errorf("presence of bob: got %+v, want the presence that has a time", p)
		}
	})
}
