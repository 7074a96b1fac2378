package storetest

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

type roomDelta = sessions.Delta[sessions.StoredRoom]

var roomCases = []Case{
	{"room changes", func(t testing.TB, h Harness) {
		changes(t, h, func(jid perch.JID, s string) *sessions.StoredRoom { return room(jid, s) },
			func(d roomDelta) *sessions.Commit { return &sessions.Commit{Rooms: d} },
			func(s *sessions.Saved) []*sessions.StoredRoom { return s.Rooms })
	}},
	{"two spellings are one room", roomSpellings},
	{"rooms are written with their event", roomsWithEvent},
	{"a commit that is refused changes no room", roomsRefused},
	{"an owner that was replaced changes no room", roomsFenced},
	{"rooms survive", roomsSurvive},
	{"rooms are bounded", roomsBounded},
	{"rooms are forgotten", roomsForgotten},
}

// room is one with a bit of everything, made of its JID and a word.
func room(jid perch.JID, word string) *sessions.StoredRoom {
	return &sessions.StoredRoom{
		JID: jid,
		Wanted: sessions.RoomWanted{Client: true, Bookmark: true, Nick: "Ünni", Delivery: perch.DeliverMentions, Occupants: perch.OccupantEventsCount,
			Password: []byte{0, 1, 0xff}},
		State: perch.RoomStateKicked, Forget: true, Reason: perch.RoomReasonRefused, Text: word, By: "Bo\u2028<&>", Successor: "next@muc.x",
		Nick: "unni", Role: perch.RoleParticipant, Affiliation: perch.AffiliationMember, Name: "A room", Features: perch.RoomFeatures{Archive: true, RealJIDs: true},
		Subject:   &perch.RoomSubject{Text: "topic", By: "Bo", At: 1_700_000_000_001},
		Bookmark:  &sessions.StoredBookmark{Bookmark: perch.Bookmark{AutoJoin: true, Name: "Mine", Nick: "u", Notify: perch.NotifyMentions, Store: "0402"}, Password: []byte{1, 2}, Foreign: "<x xmlns='y'/>"},
		Invited:   &sessions.StoredRoomInvite{RoomInvitation: perch.RoomInvitation{JID: jid, By: "bo@x", Reason: "come", Via: perch.ViaRoom, HasPassword: true}, At: 4, Password: []byte{3}},
		Partners:  []sessions.StoredPartner{{Nick: "Bo", Who: "id x<y>"}, {Nick: "Cy", Since: 5, Renamed: true}},
		Missed:    &perch.RoomGap{FromRef: "a", ToRef: "b", Count: 7},
		ArchiveID: "1700000000000001", ArchiveAt: 1_700_000_000_002, JoinedAt: 1_600_000_000_000, LastSeenAt: 1_700_000_000_003,
	}
}

func putRooms(list ...*sessions.StoredRoom) *sessions.Commit {
	return &sessions.Commit{Rooms: roomDelta{Put: list}}
}

func roomSpellings(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	for _, c := range []struct{ first, second perch.JID }{
		{"Up.Case@muc.example.net", "up.case@MUC.example.net"},
		{"M\u00fcnchen@muc.example.net", "mu\u0308nchen@muc.example.net"},
	} {
		o.ok(putRooms(room(c.first, "1")))
		o.ok(putRooms(room(c.second, "2")))
		same(t, "rooms", o.openAgain().Rooms, []*sessions.StoredRoom{room(c.second, "2")})
		o.ok(&sessions.Commit{Rooms: roomDelta{Del: []string{string(c.first.Key())}}})
		same(t, "rooms after deleting", o.openAgain().Rooms, []*sessions.StoredRoom(nil))
	}
}

// roomsWithEvent: the next owner finds the event of a message and the room's place in its archive, or
// neither.
func roomsWithEvent(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	for round := range 6 {
		var answers []<-chan sessions.Result
		for range 30 {
			o.tip++
			r := room("r@muc.x", "")
			r.ArchiveID = fmt.Sprint("id-", o.tip)
			c := putRooms(r)
			c.Events = []*perch.Event{o.event(o.tip, "m")}
			answers = append(answers, o.start(c))
		}
		for _, ch := range answers[:round*5] { // so many at least are answered before
			await(t, ch)
		}
		next := open(t, h.Store, "a1")
		for _, ch := range answers[round*5:] {
			await(t, ch)
		}
		id := ""
		if len(next.Rooms) == 1 {
			id = next.Rooms[0].ArchiveID
		}
		if want := fmt.Sprint("id-", next.Tip); id != want && (next.Tip > 0 || len(next.Rooms) > 0) {
			t.Errorf("round %d: %d rooms, the archive read up to %q, want %q, as the log", round, len(next.Rooms), id, want)
		}
		o = next
	}
}

func roomsRefused(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.ok(putRooms(room("r@muc.x", "1")))
	c := putRooms(room("r@muc.x", "2"), room("s@muc.x", "2"))
	c.Events = []*perch.Event{o.event(5, "m")}
	if r := o.commit(c); r.Err == nil {
		t.Error("a commit with a hole: got no error, want one")
	}
	same(t, "rooms", o.openAgain().Rooms, []*sessions.StoredRoom{room("r@muc.x", "1")})
}

func roomsFenced(t testing.TB, h Harness) {
	old := open(t, h.Store, "a1")
	old.ok(putRooms(room("r@muc.x", "1")))
	o := open(t, h.Store, "a1")
	for _, c := range []*sessions.Commit{putRooms(room("r@muc.x", "2")), {Rooms: roomDelta{Reset: true}}, {Rooms: roomDelta{Del: []string{"r@muc.x"}}}} {
		if r := old.commit(c); r.Err == nil {
			t.Error("the owner before has changed a room, want an error")
		}
	}
	same(t, "rooms", o.openAgain().Rooms, []*sessions.StoredRoom{room("r@muc.x", "1")})
}

func roomsSurvive(t testing.TB, h Harness) {
	if h.Reopen == nil {
		return
	}
	open(t, h.Store, "a1").ok(putRooms(room("r@muc.x", "1"), &sessions.StoredRoom{JID: "s@muc.x", State: perch.RoomStateLeft}))
	next := h.Reopen()
	want := []*sessions.StoredRoom{room("r@muc.x", "1"), {JID: "s@muc.x", State: perch.RoomStateLeft}}
	same(t, "rooms in the next process", open(t, next, "a1").Rooms, want)
	if h.Restart != nil {
		h.Restart() // begins a new log, and drops no table
		same(t, "rooms of a log that is stale", open(t, h.Reopen(), "a1").Rooms, want)
	}
}

// roomsBounded: what is kept stays and can be changed, and what is new and too many is left out.
func roomsBounded(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	jid := func(i int) perch.JID { return perch.JID(fmt.Sprintf("r%04d@muc.x", i)) }
	small := func(i int, word string) *sessions.StoredRoom {
		return &sessions.StoredRoom{JID: jid(i), State: perch.RoomStateJoined, Text: word}
	}
	var many, want []*sessions.StoredRoom
	for i := range 510 {
		many = append(many, small(i+1, "1"))
		if i < 500 {
			want = append(want, small(i+1, "1"))
		}
	}
	o.ok(&sessions.Commit{Rooms: roomDelta{Put: many[:499]}})
	o.ok(&sessions.Commit{Rooms: roomDelta{Put: many[499:]}})
	same(t, "too many", o.openAgain().Rooms, want)
	o.ok(putRooms(small(0, "new"), small(7, "changed")))
	want[6] = small(7, "changed")
	same(t, "one more, and a change", o.openAgain().Rooms, want)
	c := putRooms(small(0, "new"), small(600, "new"))
	c.Rooms.Del = []string{string(jid(500))}
	o.ok(c)
	want = append([]*sessions.StoredRoom{small(0, "new")}, want[:499]...)
	same(t, "one in the place of another", o.openAgain().Rooms, want)
	o.ok(&sessions.Commit{Rooms: roomDelta{Reset: true, Put: many}})
	same(t, "all anew", o.openAgain().Rooms, many[:500])
}

func roomsForgotten(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.ok(putRooms(room("r@muc.x", "1")))
	if err := h.Store.Forget(t.Context(), o.id); err != nil {
		t.Fatalf("Forget: got error %v, want none", err)
	}
	if saved := open(t, h.Store, "a1"); len(saved.Rooms) != 0 {
		t.Errorf("got %d rooms of a session that was forgotten, want none", len(saved.Rooms))
	}
}
