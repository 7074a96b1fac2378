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
