package sessions_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestHandleOfAMessageToARoom: it has none before the room has given it one, whatever becomes of it.
func TestHandleOfAMessageToARoom(t *testing.T) {
	leave := func(w *world, s *sessions.Session) {
		must(w.t, "LeaveRoom", sessions.RoomsOf(s).LeaveRoom(w.ctx(), lobby, false))
	}
	for name, tt := range map[string]struct {
		do   func(w *world, s *muc, se *sessions.Session)
		want string
	}{
		"sent, and no more": {func(*world, *muc, *sessions.Session) {}, "sent no ref"},
		"unknown":           {func(w *world, _ *muc, se *sessions.Session) { leave(w, se) }, "unknown no ref"},
		"refused": {func(w *world, _ *muc, se *sessions.Session) {
			w.deliver(&perch.MessageError{ID: "m1", From: lobby, Error: perch.XMPPError{Condition: "forbidden"}})
		}, "failed no ref"},
		"reflected": {func(_ *world, s *muc, _ *sessions.Session) { s.reflect(lobby, "m1") }, "acked room ref"},
		"unknown, and then reflected": {func(w *world, s *muc, se *sessions.Session) {
			leave(w, se)
			pass(time.Second)
			w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
			s.reflect(lobby, "m1")
		}, "acked room ref"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := withRooms(w)
				r := s.room(lobby)
				se := w.open()
				w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
				s.edit(func() { r.swallow = true })
				_, err := se.SendMessage(w.ctx(), sessions.NewMessage{ID: "m1", To: lobby, Kind: perch.GroupchatMessage, Body: "hi"})
				must(t, "SendMessage", err)
				pass(time.Second)
				tt.do(w, s, se)
				pass(3 * time.Second)
				rec, err := se.Message(w.ctx(), "m1")
				must(t, "Message", err)
				if got := fmt.Sprintf("%s %s", rec.Status, roomRef(t, rec.Ref)); got != tt.want {
					t.Errorf("record: got %s, want %s", got, tt.want)
				}
				for _, e := range w.durable(se) {
					var c perch.StatusChange
					if e.Type != perch.EventMessageStatus {
						continue
					}
					e.into(t, &c)
					want := "no ref"
					if c.Status == perch.StatusAcked {
						want = "room ref"
					}
					if got := roomRef(t, c.Ref); got != want {
						t.Errorf("message.status %s: got %s, want %s", c.Status, got, want)
					}
				}
			})
		})
	}
}

// TestKilledBeforeTheRoomIsHeard: what a process has written to a room, and could not commit, is logged once
// by the next one: as the room has it.
func TestKilledBeforeTheRoomIsHeard(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		old := w.m
		defer func() { _ = old.Close(w.ctx()) }()
		se = w.killedWhileSending(func() {
			_, _ = se.SendMessage(w.ctx(), sessions.NewMessage{ID: "m1", To: lobby, Kind: perch.GroupchatMessage, Body: "hi"})
		})
		pass(time.Minute)
		if h := w.history(se, "m1"); h != "accepted sent acked " {
			t.Errorf("history: got %q, want accepted, sent, acked", h)
		}
		evs := w.durable(se)
		wantList(t, "messages", roomSaid(t, evs, lobby), []string{"sent Al: hi"})
		n := 0
		for _, typ := range types(evs) {
			if typ == perch.EventMessageSent {
				n++
			}
		}
		if n != 1 {
			t.Errorf("message.sent: got %d, want 1", n)
		}
	}, durable, sealing(1))
}

// TestKickedWhileAMessageIsAccepted: what the Store takes too late for the room fails, as what waited then.
func TestKickedWhileAMessageIsAccepted(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		w.store.set(func(s *store) { s.held = true })
		go func() {
			_, _ = se.SendMessage(w.ctx(), sessions.NewMessage{ID: "m1", To: lobby, Kind: perch.GroupchatMessage, Body: "hi"})
		}()
		synctest.Wait()
		s.kick(lobby, perch.RoomPresenceIn{Codes: perch.CodeSelf | perch.CodeKicked})
		synctest.Wait()
		w.store.set(func(s *store) { s.held = false })
		pass(time.Second)
		if h := w.history(se, "m1"); h != "accepted failed " {
			t.Errorf("history: got %q, want accepted, failed", h)
		}
		w.join(se, lobby, sessions.RoomJoin{})
		if out := sent[*perch.MessageOut](w.conn()); len(out) != 0 {
			t.Errorf("once it is joined again: got %v written, want none", out)
		}
	})
}

// reflect sends a message of the account to all who are in a room, as it should have done before.
func (s *muc) reflect(room perch.JID, id string) {
	s.edit(func() {
		r := s.rooms[room]
		r.swallow = false
		s.put(r, perch.MessageIn{Message: perch.Message{ID: id, From: r.at(r.nick), Body: "hi"}}, "occ-me")
	})
}

// roomRef is what kind of handle a text is.
func roomRef(t tb, text string) string {
	if text == "" {
		return "no ref"
	}
	ref, err := perch.ParseRef(text)
	must(t, "ParseRef", err)
	if !ref.Room {
		return "ref of a chat"
	}
	return "room ref"
}
