package sessions_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestAutoJoin: with it the list of the account says which rooms are joined, at a login and whenever
// another device changes it; without it, nothing is joined by itself.
func TestAutoJoin(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		s.room(attic)
		s.marks = []perch.RoomBookmark{
			{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true, Nick: "Ally", Name: "The lobby"}, Foreign: "<x/>"},
			{JID: attic, Bookmark: perch.Bookmark{Name: "The attic"}},
		}
		se := w.open()
		pass(time.Minute)
		if len(s.joins) != 0 {
			t.Fatalf("before it is asked for: got joins %v, want none", s.joins)
		}
		must(t, "SetMode", sessions.RoomsOf(se).SetMode(w.ctx(), sessions.RoomsAutoJoin))
		r := w.settled(se, lobby)
		if r.State != perch.RoomStateJoined || r.Nick != "Ally" || r.Name != "The lobby" {
			t.Errorf("the lobby: got %s as %s, called %s; want it joined as Ally, called The lobby", r.State, r.Nick, r.Name)
		}
		if r := w.settled(se, attic); r.State != perch.RoomStateLeft || r.Bookmark == nil {
			t.Errorf("the attic: got %s, bookmark %v; want left, with its bookmark", r.State, r.Bookmark)
		}
		w.deliver(&perch.BookmarksIn{Put: []perch.RoomBookmark{{JID: attic, Bookmark: perch.Bookmark{AutoJoin: true}}}, Removed: []perch.JID{lobby}})
		if r := w.settled(se, attic); r.State != perch.RoomStateJoined {
			t.Errorf("another device wants the attic: got %s, want joined", r.State)
		}
		if r := w.settled(se, lobby); r.State != perch.RoomStateLeft || r.Bookmark != nil {
			t.Errorf("another device does not want the lobby: got %s, bookmark %v; want left and none", r.State, r.Bookmark)
		}
		must(t, "SetMode", sessions.RoomsOf(se).SetMode(w.ctx(), sessions.RoomsManual))
		if r := w.settled(se, attic); r.State != perch.RoomStateLeft {
			t.Errorf("without it: got %s, want left", r.State)
		}
	})
}

// TestAutoJoinAfterRestart: the wish is kept.
func TestAutoJoinAfterRestart(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		s.marks = []perch.RoomBookmark{{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true}}}
		se := w.open()
		must(t, "SetMode", sessions.RoomsOf(se).SetMode(w.ctx(), sessions.RoomsAutoJoin))
		w.settled(se, lobby)
		w.restart()
		if r := w.settled(w.open(), lobby); r.State != perch.RoomStateJoined {
			t.Errorf("got %s, want joined", r.State)
		}
	}, durable)
}

// TestAutoJoinOfAnUpstream: new sessions of an upstream can begin with it, and a client's wish stays.
func TestAutoJoinOfAnUpstream(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		s.marks = []perch.RoomBookmark{{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true, Nick: "Ally"}}}
		se := w.open()
		pass(time.Minute)
		if r := w.settled(se, lobby); r.State != perch.RoomStateJoined || len(s.joins) != 1 {
			t.Errorf("nobody has asked for anything: got %s after joins %v, want joined after one", r.State, s.joins)
		}
		must(t, "SetMode", sessions.RoomsOf(se).SetMode(w.ctx(), sessions.RoomsManual))
		w.settled(se, lobby)
		w.restart()
		se = w.open()
		pass(time.Minute)
		if mode, err := sessions.RoomsOf(se).Mode(w.ctx()); mode != sessions.RoomsManual || err != nil || len(s.joins) != 1 {
			t.Errorf("a client wants it no more: got mode %q, error %v after joins %v, want %q after no other", mode, err, s.joins, sessions.RoomsManual)
		}
	}, durable, func(o *sessions.Options) {
		u := o.Upstreams["net"]
		u.Rooms = sessions.RoomsAutoJoin
		o.Upstreams["net"] = u
	})
}

// TestRoomsOfAnUpstreamAreChecked: an unknown mode is refused at the start.
func TestRoomsOfAnUpstreamAreChecked(t *testing.T) {
	o := newWorldOptions(t)
	u := o.Upstreams["net"]
	u.Rooms = "all"
	o.Upstreams["net"] = u
	if _, err := sessions.NewManager(o); err == nil || perch.KindOf(err) != perch.KindValidation {
		t.Errorf("got error %v, want one of the kind validation", err)
	}
}

// TestForgottenOffline: a room that is forgotten while there is no connection does not come back with the
// list, and one that is wanted again meanwhile stays in it.
func TestForgottenOffline(t *testing.T) {
	for _, again := range []bool{false, true} {
		inWorld(t, func(w *world) {
			s := withRooms(w)
			s.room(lobby)
			s.marks = []perch.RoomBookmark{{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true}}}
			se := w.open()
			rs := sessions.RoomsOf(se)
			must(t, "SetMode", rs.SetMode(w.ctx(), sessions.RoomsAutoJoin))
			w.settled(se, lobby)
			w.conn().Fail(linkLost)
			synctest.Wait()
			must(t, "LeaveRoom", rs.LeaveRoom(w.ctx(), lobby, true))
			if again {
				yes := true
				_, _, err := rs.JoinRoom(w.ctx(), lobby, sessions.RoomJoin{AutoJoin: &yes, Nick: "Al"})
				must(t, "JoinRoom", err)
			}
			pass(time.Minute)
			if _, err := rs.Room(w.ctx(), lobby); (err == nil) != again {
				t.Errorf("wanted again %v: got error %v of the room", again, err)
			}
			if joined := len(s.joins) == 2; joined != again || (len(s.marks) == 1) != again {
				t.Errorf("wanted again %v: got joined again %v, the bookmarks %v", again, joined, s.marks)
			}
		})
	}
}

// TestBookmarksAreWritten: what a client wants of a room goes into the list, which keeps what it has
// besides; a failure is tried again.
func TestBookmarksAreWritten(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		s.marks = []perch.RoomBookmark{{JID: lobby, Bookmark: perch.Bookmark{Name: "Old"}, Foreign: "<x/>"}}
		se := w.open()
		must(t, "SetMode", sessions.RoomsOf(se).SetMode(w.ctx(), sessions.RoomsAutoJoin))
		w.settled(se, lobby)
		yes := true
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al", AutoJoin: &yes, Name: "New"})
		if b := s.marks[0]; !b.AutoJoin || b.Name != "New" || b.Nick != "Al" || b.Foreign != "<x/>" {
			t.Errorf("joined: got the bookmark %+v, want it changed, with its foreign part", b)
		}
		must(t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), lobby, false))
		pass(time.Second)
		if len(s.marks) != 1 || s.marks[0].AutoJoin {
			t.Errorf("left: got the bookmarks %+v, want one that does not join", s.marks)
		}
		must(t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), lobby, true))
		pass(time.Second)
		if len(s.marks) != 0 {
			t.Errorf("forgotten: got the bookmarks %+v, want none", s.marks)
		}
	})
}

// TestBookmarkThatComesBack: another device puts a room back into the list before its removal from here is
// answered: what the list has in the end counts.
func TestBookmarkThatComesBack(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		mark := perch.RoomBookmark{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true}}
		s.marks = []perch.RoomBookmark{mark}
		se := w.open()
		must(t, "SetMode", sessions.RoomsOf(se).SetMode(w.ctx(), sessions.RoomsAutoJoin))
		w.settled(se, lobby)
		s.marked = func() {
			s.marks = append(s.marks, mark)
			w.conn().Deliver(&perch.BookmarksIn{Put: []perch.RoomBookmark{mark}})
		}
		must(t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), lobby, true))
		pass(time.Minute)
		if r := w.settled(se, lobby); r.State != perch.RoomStateJoined || r.Bookmark == nil {
			t.Errorf("got %s, bookmark %v; want it joined again by its bookmark", r.State, r.Bookmark)
		}
	})
}

// TestForgottenOverARestart: a room that is forgotten while there is no connection is taken off the list by the
// next process, however rooms are joined, and does not come back with it.
func TestForgottenOverARestart(t *testing.T) {
	for _, mode := range []string{sessions.RoomsAutoJoin, sessions.RoomsManual} {
		inWorld(t, func(w *world) {
			s := withRooms(w)
			s.room(lobby)
			s.marks = []perch.RoomBookmark{{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true}}}
			se := w.open()
			rs := sessions.RoomsOf(se)
			must(t, "SetMode", rs.SetMode(w.ctx(), sessions.RoomsAutoJoin))
			w.settled(se, lobby)
			w.refuse(linkLost)
			w.conn().Fail(linkLost)
			synctest.Wait()
			must(t, "SetMode", rs.SetMode(w.ctx(), mode))
			must(t, "LeaveRoom", rs.LeaveRoom(w.ctx(), lobby, true))
			w.restart()
			w.refuse(nil)
			se = w.open()
			pass(time.Minute)
			if len(s.marks) != 0 {
				t.Errorf("%q: got the bookmarks %v, want none", mode, s.marks)
			}
			if _, err := sessions.RoomsOf(se).Room(w.ctx(), lobby); perch.KindOf(err) != perch.KindNotFound {
				t.Errorf("%q: got error %v of the room, want %s", mode, err, perch.KindNotFound)
			}
			s.marks = []perch.RoomBookmark{{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true}}} // by another device
			w.deliver(&perch.BookmarksIn{Put: s.marks})
			if mode == sessions.RoomsAutoJoin {
				if r := w.settled(se, lobby); r.State != perch.RoomStateJoined {
					t.Errorf("another device wants the lobby again: got %s, want joined", r.State)
				}
			}
		}, durable)
	}
}

// TestEchoOfABookmark: the server tells of what was written from here, too, and says where it is. That is no
// reason to read the list again.
func TestEchoOfABookmark(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		must(t, "SetMode", sessions.RoomsOf(se).SetMode(w.ctx(), sessions.RoomsAutoJoin))
		pass(time.Second)
		before := s.fetched
		s.marked = func() {
			echo := s.marks[0]
			echo.Store = "0402"
			w.conn().Deliver(&perch.BookmarksIn{Put: []perch.RoomBookmark{echo}})
		}
		yes := true
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al", AutoJoin: &yes})
		pass(time.Minute)
		if s.fetched != before || len(s.marks) != 1 {
			t.Errorf("got %d more fetches, and the bookmarks %v; want none, and that of the lobby", s.fetched-before, s.marks)
		}
	})
}
