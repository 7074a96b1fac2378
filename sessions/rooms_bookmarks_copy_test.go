package sessions_test

import (
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestNewsWhileTheListIsRead: the list is read once more when the server tells of it meanwhile, as it may be
// of before that.
func TestNewsWhileTheListIsRead(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		mark := perch.RoomBookmark{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true, Nick: "Ally"}}
		s.reading = func() { // with the lock: the answer is made, and has nothing in it
			s.reading = nil
			s.marks = append(s.marks, mark)
			w.conn().Deliver(&perch.BookmarksIn{Put: []perch.RoomBookmark{mark}})
		}
		se := w.open()
		must(t, "SetMode", sessions.RoomsOf(se).SetMode(w.ctx(), sessions.RoomsAutoJoin))
		pass(time.Minute)
		if r := w.settled(se, lobby); r.State != perch.RoomStateJoined {
			t.Errorf("got %s, want it joined as the news says", r.State)
		}
	})
}

// TestBookmarksOfACopy: what a copy of the list lacks is looked for in the list, and nothing else is believed
// of the copy.
func TestBookmarksOfACopy(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		s.room(attic)
		mark := func(room perch.JID) perch.RoomBookmark {
			return perch.RoomBookmark{JID: room, Bookmark: perch.Bookmark{AutoJoin: true, Nick: "Ally"}}
		}
		s.marks = []perch.RoomBookmark{mark(lobby)}
		se := w.open()
		must(t, "SetMode", sessions.RoomsOf(se).SetMode(w.ctx(), sessions.RoomsAutoJoin))
		w.settled(se, lobby)
		fetched := func(what string, want int) {
			t.Helper()
			pass(10 * time.Second)
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.fetched != want {
				t.Errorf("%s: the list was read %d times, want %d", what, s.fetched, want)
			}
		}
		before := s.fetched
		w.deliver(&perch.BookmarksIn{Store: "0048", All: true, Copy: true, Put: []perch.RoomBookmark{mark(lobby), mark(attic)}})
		fetched("a copy with more", before)
		if _, err := sessions.RoomsOf(se).Room(w.ctx(), attic); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("the attic: got error %v, want that the copy puts nothing into the list", err)
		}
		w.deliver(&perch.BookmarksIn{Store: "0048", All: true, Copy: true})
		fetched("a copy without the lobby, which is in the list", before+3)
		if r := w.settled(se, lobby); r.State != perch.RoomStateJoined {
			t.Errorf("the lobby: got %s, want it joined still", r.State)
		}
		w.deliver(&perch.BookmarksIn{Store: "0048", All: true, Copy: true})
		pass(time.Second)
		s.mu.Lock()
		s.marks = nil
		s.mu.Unlock()
		fetched("a copy without the lobby, which is gone a second later", before+5)
		if r := w.settled(se, lobby); r.State != perch.RoomStateLeft || r.Bookmark != nil {
			t.Errorf("the lobby: got %s, bookmark %v; want it left, as it is in the list no more", r.State, r.Bookmark)
		}
	})
}
