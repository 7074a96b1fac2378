package sessions_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// inListedRoom runs a test with a session that is in the lobby and keeps a list of conversations, on an
// upstream whose devices share read positions.
func inListedRoom(t *testing.T, f func(w *world, s *muc, se *sessions.Session)) {
	t.Helper()
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.ReadSync = true })
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		w.chats(se, sessions.ConversationQuery{})
		f(w, s, se)
	}, durable, sealing(1))
}

// TestReadElsewhereInARoom: another device moves the position by the id that the room has given, wherever
// the message is found, and what is unread after it is counted exactly.
func TestReadElsewhereInARoom(t *testing.T) {
	elsewhere := func(w *world, id string) {
		w.deliver(&perch.ReadIn{Conversation: lobby, StanzaID: id, InRoom: true})
		pass(time.Second)
	}
	for name, tt := range map[string]struct {
		do       func(w *world, s *muc, se *sessions.Session, first, second string)
		unread   int
		mentions int
		backward int // pages of the room's archive
	}{
		"in the log": {func(w *world, _ *muc, _ *sessions.Session, _, second string) { elsewhere(w, second) }, 2, 1, 1},
		"back": {func(w *world, _ *muc, _ *sessions.Session, first, second string) {
			elsewhere(w, second)
			elsewhere(w, first)
		}, 2, 1, 1},
		"an id of the account's archive": {func(w *world, _ *muc, _ *sessions.Session, _, second string) {
			w.deliver(&perch.ReadIn{Conversation: lobby, StanzaID: second})
		}, 4, 1, 1},
		"no more in the log": {func(w *world, s *muc, _ *sessions.Session, first, _ string) {
			pass(25 * time.Hour)
			s.say(lobby, "Bo", "5")
			elsewhere(w, first)
		}, 4, 1, 2},
		"before its message": {func(w *world, s *muc, _ *sessions.Session, _, _ string) {
			elsewhere(w, "000006")
			s.say(lobby, "Bo", "5")
			s.say(lobby, "Bo", "6")
			s.say(lobby, "Bo", "7")
		}, 1, 0, 2},
		"while nobody was there, and then a restart": {func(w *world, s *muc, _ *sessions.Session, _, _ string) {
			w.close()
			read := s.say(lobby, "Bo", "5")
			s.say(lobby, "Bo", "6")
			w.up.Edit(func(d *fakexmpp.Data) {
				d.Read = []perch.ReadIn{{Conversation: lobby, StanzaID: read, InRoom: true}}
			})
			w.start()
			w.open()
			pass(10 * time.Second)
		}, 1, 0, 2},
		"of what does not become events": {func(w *world, s *muc, se *sessions.Session, _, _ string) {
			_, err := sessions.RoomsOf(se).ChangeRoom(w.ctx(), lobby, sessions.RoomChange{Delivery: perch.DeliverMentions})
			must(w.t, "ChangeRoom", err)
			s.say(lobby, "Bo", "5")
			read := s.say(lobby, "Bo", "Al: 6")
			s.say(lobby, "Bo", "7")
			elsewhere(w, read)
		}, 1, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			inListedRoom(t, func(w *world, s *muc, se *sessions.Session) {
				first, second := s.say(lobby, "Bo", "1"), s.say(lobby, "Bo", "2")
				s.say(lobby, "Bo", "3")
				s.say(lobby, "Bo", "4, al!")
				pass(time.Second)
				tt.do(w, s, se, first, second)
				c := w.chat(w.open(), lobby)
				wantUnread(t, c, tt.unread, true)
				if c.Mentions != tt.mentions {
					t.Errorf("mentions: got %d, want %d", c.Mentions, tt.mentions)
				}
				if s.backward != tt.backward {
					t.Errorf("pages of the archive from its end: got %d, want %d", s.backward, tt.backward)
				}
			})
		})
	}
}

// TestReadOfARoomIsPublished, by the id in the archive of the room.
func TestReadOfARoomIsPublished(t *testing.T) {
	inListedRoom(t, func(w *world, s *muc, se *sessions.Session) {
		id := s.say(lobby, "Bo", "1")
		s.say(lobby, "Bo", "2")
		pass(time.Second)
		ref := perch.Ref{StanzaID: id, Room: true}
		want := perch.ReadIn{Conversation: lobby, StanzaID: id, InRoom: true}
		r, err := sessions.ConversationsOf(se).Read(w.ctx(), lobby, ref, true)
		must(t, "Read", err)
		if r.Unread != 1 || r.Read.Ref != ref.String() {
			t.Errorf("got %+v, want 1 unread after %s", r, ref)
		}
		w.close() // before it was published
		w.start()
		w.open()
		pass(10 * time.Second)
		if got := w.conn().Published(); len(got) != 1 || got[0] != want {
			t.Errorf("published: got %+v, want %+v", got, want)
		}
	})
}

// TestListOfALoggedRoom: a list that is asked for late has counted what the log has of a room.
func TestListOfALoggedRoom(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(w *world, s *muc, first string)
		unread int
	}{
		"of the log":   {func(*world, *muc, string) {}, 2},
		"read to here": {func(w *world, _ *muc, first string) { w.readInRoom(first) }, 1},
		"of a log that has lost its beginning": {func(w *world, s *muc, first string) {
			w.readInRoom(first)
			pass(25 * time.Hour)
			s.say(lobby, "Bo", "3")
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.ReadSync = true })
				s := withRooms(w)
				s.room(lobby)
				se := w.open()
				w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
				first := s.say(lobby, "Bo", "1")
				s.say(lobby, "Bo", "2")
				pass(time.Second)
				tt.before(w, s, first)
				pass(time.Second)
				w.chats(se, sessions.ConversationQuery{})
				pass(time.Second)
				wantUnread(t, w.chat(se, lobby), tt.unread, true)
			})
		})
	}
}

func (w *world) readInRoom(id string) {
	w.up.Edit(func(d *fakexmpp.Data) { d.Read = []perch.ReadIn{{Conversation: lobby, StanzaID: id, InRoom: true}} })
}

// TestPositionsOfRoomsOfNoInterest: a session without rooms has nothing of them.
func TestPositionsOfRoomsOfNoInterest(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.ReadSync = true })
		w.readInRoom("7")
		se := w.open()
		w.chats(se, sessions.ConversationQuery{})
		w.deliver(&perch.ReadIn{Conversation: lobby, StanzaID: "8", InRoom: true})
		if p := w.chats(se, sessions.ConversationQuery{}); len(p.Items) != 0 {
			t.Errorf("got %+v, want no conversation", p.Items)
		}
	})
}

// TestRoomsOfTheFirstList: it has the rooms of the account's bookmarks, those that are not joined too, with
// what other devices say of them; a session that uses no rooms has none.
func TestRoomsOfTheFirstList(t *testing.T) {
	for _, uses := range []bool{false, true} {
		inWorld(t, func(w *world) {
			s := withRooms(w)
			s.room(lobby)
			s.room(attic)
			s.marks = []perch.RoomBookmark{
				{JID: attic, Bookmark: perch.Bookmark{Name: "The attic", Notify: perch.NotifyNone}},
				{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true}},
			}
			s.say(lobby, "Bo", "of before")
			se := w.open()
			w.deliver(text("m1", "hi"))
			if uses {
				_, err := sessions.RoomsOf(se).Rooms(w.ctx())
				must(t, "Rooms", err)
			}
			got := []string{}
			for _, c := range w.chats(se, sessions.ConversationQuery{}).Items {
				got = append(got, fmt.Sprintf("%s %s %s %v", c.JID.Local(), c.Name, c.Notify, c.UnreadExact))
			}
			want := []string{"bob  all true"}
			if uses {
				want = append(want, "attic The attic none false", "lobby  all false")
			}
			wantList(t, "conversations", got, want)
			if len(s.joins) != 0 {
				t.Errorf("joins: got %v, want none", s.joins)
			}
			if uses {
				w.join(se, attic, sessions.RoomJoin{Nick: "Al"})
				wantUnread(t, w.chat(se, attic), 0, true)
			}
		})
	}
}

// TestNotifyOfABookmark: another device says what a person wants to be told of a room, and so does this one.
func TestNotifyOfABookmark(t *testing.T) {
	inListedRoom(t, func(w *world, s *muc, se *sessions.Session) {
		says := func(n perch.Notify) {
			w.deliver(&perch.BookmarksIn{Put: []perch.RoomBookmark{{JID: lobby, Bookmark: perch.Bookmark{AutoJoin: true, Notify: n}}}})
		}
		want := func(n perch.Notify) {
			t.Helper()
			if c := w.chat(se, lobby); c.Notify != n {
				t.Errorf("notify: got %s, want %s", c.Notify, n)
			}
		}
		s.say(lobby, "Bo", "1")
		synctest.Wait()
		says("")
		want(perch.NotifyAll)
		says(perch.NotifyMentions)
		want(perch.NotifyMentions)
		none := perch.NotifyNone
		_, err := sessions.ConversationsOf(se).Change(w.ctx(), lobby, sessions.ConversationChange{Notify: &none})
		must(t, "Change", err)
		pass(time.Second)
		if len(s.marks) != 1 || s.marks[0].Notify != perch.NotifyNone {
			t.Errorf("bookmarks: got %+v, want none written", s.marks)
		}
		says("") // by a client that knows no such setting
		want(perch.NotifyNone)
		w.deliver(&perch.BookmarksIn{Put: []perch.RoomBookmark{{JID: attic, Bookmark: perch.Bookmark{Notify: perch.NotifyMentions}}}})
		s.room(attic)
		w.join(se, attic, sessions.RoomJoin{Nick: "Al"})
		s.say(attic, "Bo", "1")
		if c := w.chat(se, attic); c.Notify != perch.NotifyMentions {
			t.Errorf("a conversation that begins later: got %s, want mentions", c.Notify)
		}
	})
}
