package sessions_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestRoomExactlyOnceProperty: whatever happens to links, streams and processes, and at whatever moment of
// a join, the log has each message that a room has since it was joined once and in its order, and each
// message of our own is in the room once and has an outcome.
func TestRoomExactlyOnceProperty(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, durable, sealing(1))
				defer w.close()
				h := &roomHistory{w: w, s: withRooms(w), rnd: rand.New(rand.NewPCG(seed, 1)), begins: map[perch.JID]int{}}
				h.s.ejabberd = seed%2 == 0
				h.run(40)
				h.check(t)
			})
		})
	}
}

// roomHistory is a random history of two rooms.
type roomHistory struct {
	w      *world
	s      *muc
	rnd    *rand.Rand
	se     *sessions.Session
	n      int
	trace  func(string, ...any)
	begins map[perch.JID]int // messages of a room before the first join
	sent   []perch.StatusChange
}

func (h *roomHistory) run(steps int) {
	for _, room := range []perch.JID{lobby, attic} {
		h.s.room(room)
		for range h.rnd.IntN(3) {
			h.say(room)
		}
		h.begins[room] = len(h.s.rooms[room].items)
	}
	h.se = h.w.open()
	for _, room := range []perch.JID{lobby, attic} {
		h.w.join(h.se, room, sessions.RoomJoin{Nick: "Al"})
	}
	for range steps {
		h.step()
	}
	h.w.up.set(func(u *upstream) { u.resume = h.rnd.IntN(2) == 0 })
	h.w.refuse(nil)
	pass(7 * time.Minute)
}

func (h *roomHistory) room() perch.JID {
	if h.rnd.IntN(3) == 0 {
		return attic
	}
	return lobby
}

func (h *roomHistory) say(room perch.JID) {
	h.n++
	h.s.say(room, []string{"Bo", "Cy"}[h.rnd.IntN(2)], fmt.Sprint(h.n))
}

// some lets a part of a join pass, or all of it.
func (h *roomHistory) some() {
	pass([]time.Duration{0, 5, 15, 30, 250, 2500}[h.rnd.IntN(6)] * time.Millisecond)
}

func (h *roomHistory) step() {
	k := h.rnd.IntN(10)
	if h.trace != nil {
		h.trace("step %d n=%d lobby=%q", k, h.n, h.s.rooms[lobby].nick)
	}
	switch k {
	case 0, 1, 2:
		h.say(h.room())
	case 3:
		room := h.room()
		for range h.rnd.IntN(130) {
			h.say(room)
		}
	case 4:
		st, err := h.se.SendMessage(h.w.ctx(), sessions.NewMessage{To: h.room(), Kind: perch.GroupchatMessage, Body: fmt.Sprint("own ", h.n)})
		if err == nil {
			h.sent = append(h.sent, st)
		}
	case 5:
		h.s.kick(h.room(), perch.RoomPresenceIn{Codes: perch.CodeSelf | perch.CodeShutdown})
	case 6, 7:
		h.w.up.set(func(u *upstream) { u.resume = h.rnd.IntN(2) == 0 })
		if c := h.w.conn(); c.Err() == nil {
			c.Fail(linkLost)
		}
		h.say(h.room())
	case 8:
		h.some()
	case 9:
		if h.rnd.IntN(3) == 0 {
			h.w.close()
			h.say(h.room())
			h.w.start()
			h.se = h.w.open()
		}
	}
	h.some()
}

func (h *roomHistory) check(t *testing.T) {
	evs := h.w.durable(h.se)
	for _, room := range []perch.JID{lobby, attic} {
		want := []string{}
		inRoom := map[string]int{}
		for _, it := range h.s.rooms[room].items[h.begins[room]:] {
			what := "received"
			if it.Room.OccupantID == "occ-me" {
				what = "sent"
			}
			inRoom[it.ID]++
			want = append(want, fmt.Sprintf("%s %s: %s", what, it.From.Resource(), it.Body))
		}
		got := roomSaid(t, evs, room)
		if !slices.Equal(got, want) {
			i := 0
			for i < len(got) && i < len(want) && got[i] == want[i] {
				i++
			}
			t.Fatalf("%s: got %d messages, want %d; the first that differ are %q, want %q", room, len(got), len(want), got[i:min(i+3, len(got))], want[i:min(i+3, len(want))])
		}
		for id, n := range inRoom {
			if n > 1 && slices.ContainsFunc(h.sent, func(s perch.StatusChange) bool { return s.ID == id }) {
				t.Errorf("%s: got the own message %s %d times in the room, want once", room, id, n)
			}
		}
	}
	h.checkOutcomes(t)
}

// checkOutcomes wants an outcome of each own message, and the rooms joined in the end.
func (h *roomHistory) checkOutcomes(t *testing.T) {
	for _, st := range h.sent {
		r, err := h.se.Message(h.w.ctx(), st.ID)
		must(t, "Message", err)
		if r.Status != perch.StatusAcked && r.Status != perch.StatusFailed && r.Status != perch.StatusUnknown {
			t.Errorf("an own message: got %s, want an outcome", r.Status)
		}
	}
	for _, room := range []perch.JID{lobby, attic} {
		v, err := sessions.RoomsOf(h.se).Room(h.w.ctx(), room)
		must(t, "Room", err)
		if v.State != perch.RoomStateJoined {
			t.Errorf("%s: got %s %s in the end, want joined", room, v.State, v.Reason)
		}
	}
}

// TestRoomWithoutArchiveProperty: a room that has no archive tells those who join it some of its history, and
// whatever happens to links and processes, the log has each message at most once and in the order of the room.
// Where one may be missing, and nowhere else, a gap says so, with the time in which it was.
func TestRoomWithoutArchiveProperty(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, durable, sealing(1))
				defer w.close()
				h := &roomHistory{w: w, s: withRooms(w), rnd: rand.New(rand.NewPCG(seed, 2)), begins: map[perch.JID]int{}}
				h.s.ejabberd = seed%2 == 0
				for _, room := range []perch.JID{lobby, attic} {
					r := h.s.room(room)
					r.archive, r.occupants, r.history = false, seed%3 != 0, h.rnd.IntN(20)
				}
				h.run(40)
				for _, room := range []perch.JID{lobby, attic} {
					h.checkGaps(t, room)
				}
				h.checkOutcomes(t)
			})
		})
	}
}

// loggedSpan is a message of a room in the log, or a gap before the next one.
type loggedSpan struct {
	id  string
	gap *perch.Gap
}

func (h *roomHistory) logged(t *testing.T, room perch.JID) (list []loggedSpan) {
	for _, e := range h.w.durable(h.se) {
		var m perch.Message
		var g perch.Gap
		switch e.Type {
		case perch.EventMessageReceived, perch.EventMessageSent:
			if e.into(t, &m); m.To == room {
				list = append(list, loggedSpan{id: m.ID})
			}
		case perch.EventSessionGap:
			if e.into(t, &g); g.Room == room {
				list = append(list, loggedSpan{gap: &g})
			}
		}
	}
	return list
}

func gapTimes(gaps []*perch.Gap) (text string) {
	for _, g := range gaps {
		text += fmt.Sprintf("[%s to %s]", g.From, g.To)
	}
	return text
}

func (h *roomHistory) checkGaps(t *testing.T, room perch.JID) {
	items := h.s.rooms[room].items[h.begins[room]:]
	next, gaps := 0, []*perch.Gap(nil)
	missing := func(upTo int) {
		for _, it := range items[next:upTo] {
			if !slices.ContainsFunc(gaps, func(g *perch.Gap) bool { return g.From <= it.Time && it.Time <= g.To }) {
				t.Fatalf("%s: got no %s of %s, and since the message before it the gaps %s; want it, or a gap with its time", room, it.ID, it.Time, gapTimes(gaps))
			}
		}
	}
	n := 0
	for _, l := range h.logged(t, room) {
		if l.gap != nil {
			gaps = append(gaps, l.gap)
			if n++; l.gap.Reason != perch.GapNoArchive || !slices.ContainsFunc(h.s.joins, func(j perch.RoomJoinOut) bool { return j.Room == room && j.Since != 0 }) {
				t.Errorf("%s: got the gap %+v, want one for a room without archive that was joined again", room, *l.gap)
			}
			continue
		}
		i := slices.IndexFunc(items[next:], func(it perch.ArchiveItem) bool { return it.ID == l.id })
		if i < 0 {
			t.Fatalf("%s: got %s once more, or out of its order; want it once, in that of the room", room, l.id)
		}
		missing(next + i)
		next, gaps = next+i+1, nil
	}
	missing(len(items))
	joins := 0
	for _, j := range h.s.joins {
		if j.Room == room {
			joins++
		}
	}
	if n >= joins {
		t.Errorf("%s: got %d gaps of %d joins, want none of the first one, nor of streams that were resumed", room, n, joins)
	}
}
