package sessions_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

const (
	lobby = perch.JID("lobby@muc.example.net")
	attic = perch.JID("attic@muc.example.net")
)

// withRooms gives the upstream a service with rooms.
func withRooms(w *world) *muc {
	s := newMUC(w.t)
	w.up.set(func(u *upstream) { u.muc = s })
	return s
}

// inRooms runs a test with a service, in the order of either server.
func inRooms(t *testing.T, f func(w *world, s *muc), change ...func(*sessions.Options)) {
	t.Helper()
	for _, ejabberd := range []bool{false, true} {
		name := "prosody"
		if ejabberd {
			name = "ejabberd"
		}
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := withRooms(w)
				s.ejabberd = ejabberd
				f(w, s)
			}, change...)
		})
	}
}

// join joins a room and waits for the end of that.
func (w *world) join(s *sessions.Session, room perch.JID, j sessions.RoomJoin) perch.Room {
	w.t.Helper()
	_, _, err := sessions.RoomsOf(s).JoinRoom(w.ctx(), room, j)
	must(w.t, "JoinRoom", err)
	return w.settled(s, room)
}

// settled is a room once nothing moves for a while.
func (w *world) settled(s *sessions.Session, room perch.JID) perch.Room {
	w.t.Helper()
	pass(3 * time.Second)
	v, err := sessions.RoomsOf(s).Room(w.ctx(), room)
	must(w.t, "Room", err)
	return v
}

// said are the messages of a room in the log, as they are shown: nick, text and what was done to them.
func roomSaid(t tb, evs []event, room perch.JID) []string {
	list := []string{}
	for _, e := range evs {
		switch e.Type {
		case perch.EventMessageReceived, perch.EventMessageSent, perch.EventMessageEdited:
			var m perch.Message
			e.into(t, &m)
			if m.Room == nil || m.To != room {
				continue
			}
			what := strings.TrimPrefix(string(e.Type), "message.")
			list = append(list, fmt.Sprintf("%s %s: %s", what, m.Room.Nick, m.Body))
		case perch.EventSessionGap:
			var g perch.Gap
			e.into(t, &g)
			if g.Room == room {
				list = append(list, "gap "+g.Reason)
			}
		}
	}
	return list
}

// states are the states of a room, as its events have them.
func roomStates(t tb, evs []event, room perch.JID) (list []string) {
	for _, e := range evs {
		var r perch.Room
		if e.Type == perch.EventRoomState {
			if e.into(t, &r); r.JID == room {
				list = append(list, strings.TrimSpace(string(r.State)+" "+r.Reason))
			}
		}
	}
	return list
}

func wantList(t tb, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// TestRoomFirstJoin: nothing of before the join is logged, what comes after it is, with its author, and
// what was the same everywhere.
func TestRoomFirstJoin(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		s.room(lobby)
		s.say(lobby, "Bo", "before")
		se := w.open()
		r := w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		if r.State != perch.RoomStateJoined || r.Nick != "Al" || r.Role != perch.RoleParticipant || r.Name != "Room lobby" || !r.Features.Archive {
			t.Errorf("the room: got %+v, want it joined as Al, with its name and its archive", r)
		}
		s.say(lobby, "Bo", "one")
		s.say(lobby, "Cy", "two")
		evs := w.durable(se)
		wantList(t, "messages", roomSaid(t, evs, lobby), []string{"received Bo: one", "received Cy: two"})
		wantList(t, "states", roomStates(t, evs, lobby), []string{"joining", "joined"})
		for _, e := range evs {
			var m perch.Message
			if e.Type == perch.EventMessageReceived {
				e.into(t, &m)
				if m.Kind != perch.GroupchatMessage || m.To != lobby || m.Room.Own || m.Room.OccupantID == "" || m.Ref == "" || m.Source != perch.SourceLive {
					t.Errorf("a message: got %s, want that of a room", e.Data)
				}
			}
		}
	})
}

// TestRoomJoinRefused: each refusal has its state and reason, and is not tried again by itself.
func TestRoomJoinRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		e    perch.RoomJoinError
		want string
	}{
		"banned":       {perch.RoomJoinError{Error: perch.XMPPError{Condition: "forbidden"}}, "banned"},
		"members only": {perch.RoomJoinError{Error: perch.XMPPError{Condition: "registration-required"}}, "failed members-only"},
		"password":     {perch.RoomJoinError{Error: perch.XMPPError{Condition: "not-authorized"}}, "failed password"},
		"locked":       {perch.RoomJoinError{Error: perch.XMPPError{Condition: "item-not-found"}}, "failed locked"},
		"full":         {perch.RoomJoinError{Error: perch.XMPPError{Condition: "service-unavailable"}}, "failed full"},
		"gone":         {perch.RoomJoinError{Error: perch.XMPPError{Condition: "gone", Text: "moved"}, Successor: attic}, "destroyed"},
		"no service":   {perch.RoomJoinError{Error: perch.XMPPError{Condition: "remote-server-not-found"}}, "failed not-found"},
		"other":        {perch.RoomJoinError{Error: perch.XMPPError{Condition: "not-allowed"}}, "failed refused"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := withRooms(w)
				s.room(lobby).refuse[""] = tt.e
				se := w.open()
				r := w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
				if got := strings.TrimSpace(string(r.State) + " " + r.Reason); got != tt.want || r.Successor != tt.e.Successor {
					t.Errorf("got %q, successor %q; want %q, %q", got, r.Successor, tt.want, tt.e.Successor)
				}
				w.lose(linkLost)
				pass(10 * time.Minute)
				if len(s.joins) != 1 {
					t.Errorf("got %d joins, want 1", len(s.joins))
				}
				s.edit(func() { delete(s.rooms[lobby].refuse, "") })
				if r := w.join(se, lobby, sessions.RoomJoin{}); r.State != perch.RoomStateJoined || r.Nick != "Al" {
					t.Errorf("joined by its client: got %s as %s, want joined as Al", r.State, r.Nick)
				}
			})
		})
	}
}

// TestRoomNickConflict: another nick is tried, three times.
func TestRoomNickConflict(t *testing.T) {
	conflict := perch.RoomJoinError{Error: perch.XMPPError{Condition: "conflict"}}
	for taken, want := range map[int]string{1: "joined Al_", 3: "joined Al___", 4: "failed "} {
		inWorld(t, func(w *world) {
			s := withRooms(w)
			r := s.room(lobby)
			for i := range taken {
				r.refuse["Al"+strings.Repeat("_", i)] = conflict
			}
			v := w.join(w.open(), lobby, sessions.RoomJoin{Nick: "Al"})
			if got := string(v.State) + " " + v.Nick; got != want {
				t.Errorf("%d nicks taken: got %q, want %q", taken, got, want)
			}
		})
	}
}

// TestRoomMadeByItsClient: a room that does not exist is made and configured, once a client asks for it.
func TestRoomMadeByItsClient(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		se := w.open()
		name := "Lobby"
		r := w.join(se, lobby, sessions.RoomJoin{Config: &perch.RoomConfig{Name: &name}})
		made := s.rooms[lobby]
		if r.State != perch.RoomStateJoined || made == nil || made.locked || len(made.configured) != 1 || *made.configured[0].Name != name {
			t.Fatalf("got %s and the room %+v, want it joined and configured", r.State, made)
		}
		s.edit(func() { made.exists = false })
		w.lose(linkLost)
		if r := w.settled(se, lobby); r.State != perch.RoomStateFailed || r.Reason != perch.RoomReasonNotFound || made.exists {
			t.Errorf("gone while the link was lost: got %s %s, exists %v; want failed not-found, and that it is not made again", r.State, r.Reason, made.exists)
		}
	})
}

// TestRoomsAfterResume: nothing is sent, and each message comes once.
func TestRoomsAfterResume(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		w.up.set(func(u *upstream) { u.resume = true })
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		s.say(lobby, "Bo", "one")
		w.cut(func() { s.say(lobby, "Bo", "two") })
		s.say(lobby, "Bo", "three")
		wantList(t, "messages", roomSaid(t, w.durable(se), lobby), []string{"received Bo: one", "received Bo: two", "received Bo: three"})
		if len(s.joins) != 1 {
			t.Errorf("got %d joins, want 1", len(s.joins))
		}
	})
}

// TestRoomsAfterBind: what was missed comes from the archive, before what comes live.
func TestRoomsAfterBind(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		s.say(lobby, "Bo", "one")
		w.cut(func() {
			for i := range 120 {
				s.say(lobby, "Bo", fmt.Sprint(i))
			}
		})
		s.say(lobby, "Bo", "live")
		pass(3 * time.Second)
		want := []string{"received Bo: one"}
		for i := range 120 {
			want = append(want, fmt.Sprintf("received Bo: %d", i))
		}
		evs := w.durable(se)
		wantList(t, "messages", roomSaid(t, evs, lobby), append(want, "received Bo: live"))
		wantList(t, "states", roomStates(t, evs, lobby), []string{"joining", "joined", "joining link-lost", "joined"})
		if j := s.joins[1]; j.Since != 0 || j.Nick != "Al" {
			t.Errorf("the second join: got %+v, want no history and the same nick", j)
		}
	})
}

// TestRoomRaceOfTheJoin: what is said while a room is joined is logged once, and in order.
func TestRoomRaceOfTheJoin(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		n := 0
		say := func() { n++; s.say(lobby, "Bo", fmt.Sprint(n)) }
		w.cut(func() {
			for range 60 {
				say()
			}
		})
		for range 400 {
			say()
			pass(time.Millisecond)
		}
		pass(3 * time.Second)
		var want []string
		for i := range n {
			want = append(want, fmt.Sprintf("received Bo: %d", i+1))
		}
		wantList(t, "messages", roomSaid(t, w.durable(se), lobby), want)
	})
}

// TestRoomsAfterRestart: another process joins again what was joined, and reads on from where the log
// ends.
func TestRoomsAfterRestart(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		s.room(lobby).password = "secret"
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al", Password: perch.NewSecret("secret"), Delivery: perch.DeliverAll})
		s.say(lobby, "Bo", "one")
		synctest.Wait()
		w.close()
		s.say(lobby, "Bo", "two")
		w.start()
		se = w.open()
		r := w.settled(se, lobby)
		s.say(lobby, "Bo", "three")
		if r.State != perch.RoomStateJoined || r.Nick != "Al" {
			t.Errorf("got %s %s as %s, want joined as Al", r.State, r.Reason, r.Nick)
		}
		wantList(t, "messages", roomSaid(t, w.durable(se), lobby), []string{"received Bo: one", "received Bo: two", "received Bo: three"})
	}, durable, sealing(1))
}

// TestOwnMessageInARoom: it is in the log where the room has it, and acked when the room has sent it, not
// before.
func TestOwnMessageInARoom(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		r := s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		c := w.attach(se, sessions.SubscribeOptions{})
		s.edit(func() { r.swallow = true })
		st, err := se.SendMessage(w.ctx(), sessions.NewMessage{To: lobby, Kind: perch.GroupchatMessage, Body: "hi"})
		must(t, "SendMessage", err)
		w.conn().Ack()
		if evs := c.next(); len(evs) != 0 {
			t.Errorf("before the room has it: got events %v, want none", types(evs))
		}
		s.edit(func() {
			r.swallow = false
			s.put(r, perch.MessageIn{Message: perch.Message{ID: st.ID, From: r.at("Al"), Body: "hi"}}, "occ-me")
		})
		evs := c.wantTypes(perch.EventMessageSent, perch.EventMessageStatus)
		var m perch.Message
		var change perch.StatusChange
		evs[0].into(t, &m)
		evs[1].into(t, &change)
		if !m.Room.Own || m.ID != st.ID || change.Status != perch.StatusAcked || change.Ref != m.Ref {
			t.Errorf("got %s and %s, want the own message acked by its ref in the room", evs[0].Data, evs[1].Data)
		}
	})
}

// TestOwnMessageWhoseLinkWasLost: it goes out again if the room has not got it, and is acked if it has.
func TestOwnMessageWhoseLinkWasLost(t *testing.T) {
	for _, got := range []bool{true, false} {
		inWorld(t, func(w *world) {
			s := withRooms(w)
			r := s.room(lobby)
			se := w.open()
			w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
			s.edit(func() { r.swallow = true })
			st, err := se.SendMessage(w.ctx(), sessions.NewMessage{To: lobby, Kind: perch.GroupchatMessage, Body: "hi"})
			must(t, "SendMessage", err)
			w.cut(func() {
				s.edit(func() {
					if r.swallow = false; got {
						s.put(r, perch.MessageIn{Message: perch.Message{ID: st.ID, From: r.at("Al"), Body: "hi"}}, "occ-me")
					}
				})
			})
			pass(3 * time.Second)
			rec, err := se.Message(w.ctx(), st.ID)
			must(t, "Message", err)
			evs := w.durable(se)
			wantList(t, "messages", roomSaid(t, evs, lobby), []string{"sent Al: hi"})
			if rec.Status != perch.StatusAcked || len(s.rooms[lobby].items) != 1 {
				t.Errorf("the room had it %v: got %s and %d in the room, want acked and 1", got, rec.Status, len(s.rooms[lobby].items))
			}
		})
	}
}

// TestMessageToARoomThatIsNotJoined is refused; while it is joined it waits.
func TestMessageToARoomThatIsNotJoined(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		must(t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), lobby, false))
		pass(time.Second)
		_, err := se.SendMessage(w.ctx(), sessions.NewMessage{To: lobby, Kind: perch.GroupchatMessage, Body: "x"})
		kindOf(t, err, perch.KindRoomNotJoined)
		s.edit(func() { s.silent[lobby] = true })
		_, _, err = sessions.RoomsOf(se).JoinRoom(w.ctx(), lobby, sessions.RoomJoin{})
		must(t, "JoinRoom", err)
		_, err = se.SendMessage(w.ctx(), sessions.NewMessage{To: lobby, Kind: perch.GroupchatMessage, Body: "waits"})
		must(t, "SendMessage", err)
		_, err = se.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "does not wait"})
		must(t, "SendMessage", err)
		pass(time.Second)
		if out := sent[*perch.MessageOut](w.conn()); len(out) != 1 || out[0].To != bob {
			t.Errorf("while the room is joined: got %v written, want that to bob", out)
		}
		s.edit(func() { s.silent[lobby] = false })
		pass(2 * time.Minute)
		wantList(t, "messages", roomSaid(t, w.durable(se), lobby), []string{"sent Al: waits"})
	})
}

// TestRoomLeave: a room is told and answers; with forget nothing of it is left.
func TestRoomLeave(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		must(t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), lobby, false))
		if r := w.settled(se, lobby); r.State != perch.RoomStateLeft || s.rooms[lobby].nick != "" {
			t.Errorf("got %s, in the room as %q; want left", r.State, s.rooms[lobby].nick)
		}
		w.lose(linkLost)
		pass(time.Minute)
		if len(s.joins) != 1 {
			t.Errorf("after it was left: got %d joins, want 1", len(s.joins))
		}
		must(t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), lobby, true))
		_, err := sessions.RoomsOf(se).Room(w.ctx(), lobby)
		kindOf(t, err, perch.KindNotFound)
		wantList(t, "states", roomStates(t, w.durable(se), lobby), []string{"joining", "joined", "leaving", "left"})
	})
}

// TestRoomLeaveDuringAJoin: a room that has not answered yet is left by the nick that was asked for.
func TestRoomLeaveDuringAJoin(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		s.room(lobby)
		se := w.open()
		s.edit(func() { s.silent[lobby] = true })
		_, _, err := sessions.RoomsOf(se).JoinRoom(w.ctx(), lobby, sessions.RoomJoin{Nick: "Al"})
		must(t, "JoinRoom", err)
		pass(time.Second)
		must(t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), lobby, false))
		pass(11 * time.Second) // which is as long as a room is waited for
		if r := w.settled(se, lobby); r.State != perch.RoomStateLeft {
			t.Errorf("got %s, want left", r.State)
		}
		wantList(t, "states", roomStates(t, w.durable(se), lobby), []string{"joining", "leaving", "left timeout"})
	})
}

// TestMadeToLeave: what a room says of the account that is in it no more, and whether that is joined
// again by itself.
func TestMadeToLeave(t *testing.T) {
	for name, tt := range map[string]struct {
		p     perch.RoomPresenceIn
		want  string
		again bool
	}{
		"kicked":                 {perch.RoomPresenceIn{Codes: perch.CodeSelf | perch.CodeKicked, Actor: "Mo", Reason: "spam", Affiliation: perch.AffiliationMember}, "kicked", false},
		"banned":                 {perch.RoomPresenceIn{Codes: perch.CodeSelf | perch.CodeBanned, Affiliation: perch.AffiliationOutcast}, "banned", false},
		"affiliation lost":       {perch.RoomPresenceIn{Codes: perch.CodeSelf | perch.CodeAffiliationLost}, "failed members-only", false},
		"room is members-only":   {perch.RoomPresenceIn{Codes: perch.CodeSelf | perch.CodeMembersOnly}, "failed members-only", false},
		"destroyed":              {perch.RoomPresenceIn{Codes: perch.CodeSelf, Destroyed: &perch.RoomDestroyed{Successor: attic, Reason: "moved"}}, "destroyed", false},
		"destroyed, without 110": {perch.RoomPresenceIn{Destroyed: &perch.RoomDestroyed{}}, "destroyed", false},
		"shut down":              {perch.RoomPresenceIn{Codes: perch.CodeSelf | perch.CodeShutdown}, "joining shutdown", true},
		"an error of theirs":     {perch.RoomPresenceIn{Codes: perch.CodeSelf | perch.CodeServiceError | perch.CodeKicked}, "joining service", true},
		"no word of why":         {perch.RoomPresenceIn{Codes: perch.CodeSelf}, "joining service", true},
	} {
		t.Run(name, func(t *testing.T) {
			inRooms(t, func(w *world, s *muc) {
				s.room(lobby)
				se := w.open()
				w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
				s.kick(lobby, tt.p)
				synctest.Wait()
				r, err := sessions.RoomsOf(se).Room(w.ctx(), lobby)
				must(t, "Room", err)
				if got := strings.TrimSpace(string(r.State) + " " + r.Reason); got != tt.want || tt.again != (r.RetryAt != 0) {
					t.Errorf("got %q, again at %s; want %q, again %v", got, r.RetryAt, tt.want, tt.again)
				}
				if r.By != tt.p.Actor {
					t.Errorf("by: got %q, want %q", r.By, tt.p.Actor)
				}
				s.say(lobby, "Bo", "meanwhile")
				pass(time.Minute)
				want := []string{}
				if tt.again {
					want = []string{"received Bo: meanwhile"}
				}
				wantList(t, "messages", roomSaid(t, w.durable(se), lobby), want)
				if joins := len(s.joins); (joins == 2) != tt.again {
					t.Errorf("got %d joins, want another one %v", joins, tt.again)
				}
			})
		})
	}
}

// TestRejoinBacksOff: a room that is lost again and again is joined ever less often.
func TestRejoinBacksOff(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		r := s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		s.edit(func() {
			r.refuse[""] = perch.RoomJoinError{Error: perch.XMPPError{Condition: "remote-server-timeout", Type: "wait"}}
		})
		s.kick(lobby, perch.RoomPresenceIn{Codes: perch.CodeSelf | perch.CodeShutdown})
		pass(30 * time.Minute)
		if n := len(s.joins); n < 10 || n > 18 {
			t.Errorf("joins in half an hour: got %d, want about 14: after 1, 2, 4 ... 256 s and then every 5 minutes", n)
		}
		s.edit(func() { delete(r.refuse, "") })
		pass(6 * time.Minute)
		if v := w.settled(se, lobby); v.State != perch.RoomStateJoined {
			t.Errorf("once the service is back: got %s, want joined", v.State)
		}
	})
}

// TestJoinsTakeTurns: few at a time, one after the other, what was active last first; and the session is
// online before.
func TestJoinsTakeTurns(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		se := w.open()
		for i := range 20 {
			room := perch.JID(fmt.Sprintf("r%02d@muc.example.net", i))
			s.room(room)
			w.join(se, room, sessions.RoomJoin{Nick: "Al"})
		}
		pass(time.Minute)
		s.say("r07@muc.example.net", "Bo", "last")
		synctest.Wait()
		s.edit(func() {
			s.joins = nil
			for room := range s.rooms {
				s.silent[room] = true
			}
		})
		w.lose(linkLost)
		pass(10 * time.Second)
		if st := se.Info().State; st != perch.StateOnline || len(s.joins) != 5 || s.joins[0].Room != "r07@muc.example.net" {
			t.Errorf("got %s and the joins %v, want online, 5 joins and r07 first", st, s.joins)
		}
		s.edit(func() { clear(s.silent) })
		pass(2 * time.Minute)
		list, err := sessions.RoomsOf(se).Rooms(w.ctx())
		must(t, "Rooms", err)
		for _, r := range list {
			if r.State != perch.RoomStateJoined {
				t.Errorf("%s: got %s %s, want joined", r.JID, r.State, r.Reason)
			}
		}
	})
}

// TestPlaceThatTheArchiveLost: the gap is named, and what is left is read.
func TestPlaceThatTheArchiveLost(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		r := s.room(lobby)
		s.say(lobby, "Bo", "ancient")
		pass(time.Hour)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		s.say(lobby, "Bo", "one")
		pass(time.Hour)
		w.cut(func() {
			s.edit(func() { r.items = slices.Delete(r.items, 1, 2) })
			s.say(lobby, "Bo", "two")
		})
		pass(3 * time.Second)
		wantList(t, "messages", roomSaid(t, w.durable(se), lobby), []string{"received Bo: one", "gap archive_trimmed", "received Bo: two"})
	})
}

// TestRoomWithoutArchive: its history is what was missed, once, and that there may be more is said.
func TestRoomWithoutArchive(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		s.room(lobby).archive = false
		se := w.open()
		s.say(lobby, "Bo", "before")
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		s.say(lobby, "Bo", "one")
		s.say(lobby, "Bo", "two")
		w.cut(func() { s.say(lobby, "Bo", "three") })
		s.say(lobby, "Bo", "four")
		pass(3 * time.Second)
		if j := s.joins[1]; j.Since == 0 || j.Since > now()-500_000 {
			t.Errorf("history: got since %s, want some minutes before the last message", j.Since)
		}
		wantList(t, "messages", roomSaid(t, w.durable(se), lobby),
			[]string{"received Bo: one", "received Bo: two", "gap no_archive", "received Bo: three", "received Bo: four"})
	})
}

// TestEqualIDsInTwoRooms: an id of a room says nothing in another one.
func TestEqualIDsInTwoRooms(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		s.room(attic)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		w.join(se, attic, sessions.RoomJoin{Nick: "Al"})
		for _, room := range []perch.JID{lobby, attic} {
			s.edit(func() { s.ids = 100 })
			s.say(room, "Bo", "same")
		}
		for _, room := range []perch.JID{lobby, attic} {
			wantList(t, string(room), roomSaid(t, w.durable(se), room), []string{"received Bo: same"})
		}
	})
}

// TestSilenceOfAService: after a quarter of an hour one of its rooms is asked, and when the account is
// not in it, all are.
func TestSilenceOfAService(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		s.room(attic)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		w.join(se, attic, sessions.RoomJoin{Nick: "Al"})
		pass(16 * time.Minute)
		if len(s.pings) != 1 {
			t.Errorf("after 16 minutes: got pings of %v, want one", s.pings)
		}
		s.edit(func() { s.pings, s.joins, s.rooms[lobby].nick, s.rooms[attic].nick = nil, nil, "", "" })
		s.say(lobby, "Bo", "missed")
		pass(17 * time.Minute)
		if len(s.pings) != 2 || len(s.joins) != 2 {
			t.Errorf("thrown out in silence: got pings of %v and %d joins, want both rooms", s.pings, len(s.joins))
		}
		wantList(t, "messages", roomSaid(t, w.durable(se), lobby), []string{"received Bo: missed"})
	})
}

// TestServiceThatDoesNotAnswerAPing: the rooms stay, and it is asked again.
func TestServiceThatDoesNotAnswerAPing(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		s.edit(func() {
			s.pinged = func(perch.JID) (perch.SelfPing, error) { return perch.SelfPingUnknown, errSilent }
		})
		pass(30 * time.Minute)
		if r := w.settled(se, lobby); r.State != perch.RoomStateJoined || len(s.pings) < 3 || len(s.pings) > 8 {
			t.Errorf("got %s and %d pings, want joined and some", r.State, len(s.pings))
		}
	})
}

// TestOwnPresenceInRooms: they get each change; an account that is unavailable is in none, and joins them
// again when it is back.
func TestOwnPresenceInRooms(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		s.room(attic)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		w.join(se, attic, sessions.RoomJoin{Nick: "Al"})
		must(t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), attic, false))
		pass(time.Second)
		must(t, "SetOwnPresence", se.SetOwnPresence(w.ctx(), perch.OwnPresence{Available: true, Show: perch.ShowAway}))
		out := sent[*perch.RoomPresenceOut](w.conn())
		if len(out) != 1 || out[0].Room != lobby || out[0].Presence.Show != perch.ShowAway || out[0].Nick != "Al" {
			t.Errorf("away: got %+v, want it in the lobby alone", out)
		}
		must(t, "SetOwnPresence", se.SetOwnPresence(w.ctx(), perch.OwnPresence{}))
		if r := w.settled(se, lobby); r.State != perch.RoomStateLeft || r.Reason != perch.RoomReasonUnavailable {
			t.Errorf("unavailable: got %s %s, want left unavailable", r.State, r.Reason)
		}
		s.say(lobby, "Bo", "meanwhile")
		must(t, "SetOwnPresence", se.SetOwnPresence(w.ctx(), perch.OwnPresence{Available: true}))
		if r := w.settled(se, lobby); r.State != perch.RoomStateJoined {
			t.Errorf("available again: got %s %s, want joined", r.State, r.Reason)
		}
		wantList(t, "messages", roomSaid(t, w.durable(se), lobby), []string{"received Bo: meanwhile"})
	})
}

// TestIdleIsAwayInRooms: the rooms of a session that nobody looks at are told, unless it is in many: there
// that would be much for nothing.
func TestIdleIsAwayInRooms(t *testing.T) {
	for n, want := range map[int]int{1: 1, 5: 5, 6: 0} {
		inWorld(t, func(w *world) {
			s := withRooms(w)
			se := w.open()
			for i := range n {
				room := perch.JID(fmt.Sprintf("room%d@muc.example.net", i))
				s.room(room)
				w.join(se, room, sessions.RoomJoin{Nick: "Al"})
			}
			pass(11 * time.Minute)
			out := sent[*perch.RoomPresenceOut](w.conn())
			for _, p := range out {
				if p.Presence.Show != perch.ShowAway {
					t.Errorf("%d rooms: got %+v, want away", n, p.Presence)
				}
			}
			if len(out) != want {
				t.Errorf("%d rooms: got %d presences, want %d", n, len(out), want)
			}
			w.attach(se, sessions.SubscribeOptions{})
			pass(time.Second)
			if out := sent[*perch.RoomPresenceOut](w.conn()); len(out) != 2*want || want > 0 && out[len(out)-1].Presence.Show != perch.ShowNone {
				t.Errorf("%d rooms, with a stream: got %d presences, want %d, and the last one not away", n, len(out), 2*want)
			}
		}, func(o *sessions.Options) {
			o.Idle = sessions.IdlePolicy{Action: sessions.IdleAway, After: 10 * time.Minute}
		})
	}
}

// TestSessionWithoutRooms: an account that uses no rooms has nothing of them, in no stream and in no record.
func TestSessionWithoutRooms(t *testing.T) {
	inWorld(t, func(w *world) {
		withRooms(w)
		se := w.open()
		c := w.attach(se, sessions.SubscribeOptions{})
		for _, e := range c.preamble {
			if e.Type == perch.EventRoomsSnapshot {
				t.Error("preamble: got rooms.snapshot, want none")
			}
		}
		text, err := json.Marshal(w.store.record)
		must(t, "Marshal", err)
		if strings.Contains(string(text), "rooms") {
			t.Errorf("record: got %s, want nothing of rooms", text)
		}
	})
}
