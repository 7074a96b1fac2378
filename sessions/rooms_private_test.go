package sessions_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

const boThere = lobby + "/Bo"

// psst is a private message of one who has the nick Bo.
func psst(id, occupant, body string) *perch.MessageIn {
	return &perch.MessageIn{Message: perch.Message{ID: id, From: boThere, To: alice, Kind: perch.ChatMessage, Body: body, Room: &perch.MessageRoom{Nick: "Bo", OccupantID: occupant}}}
}

// nickGoes lets an occupant leave, or take another nick.
func (s *muc) nickGoes(nick, next string) {
	s.edit(func() {
		p := &perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: s.rooms[lobby].at(nick)}, Role: perch.RoleNone}
		if next != "" {
			p.Codes, p.NewNick = perch.CodeNickChanged, next
		}
		s.push(p)
	})
	synctest.Wait()
}

// nickComes lets somebody enter.
func (s *muc) nickComes(nick, occupant string) {
	s.edit(func() {
		p := s.rooms[lobby].present(nick, "")
		if p.OccupantID != "" {
			p.OccupantID = occupant
		}
		p.JID = perch.JID(occupant + "@example.net") // which moderators see
		s.push(p)
	})
	synctest.Wait()
}

// privateTry is a session that tries to send something to who has the nick Bo.
type privateTry struct {
	w *world
	s *muc
}

func (x *privateTry) takenOver() { x.s.nickGoes("Bo", ""); x.s.nickComes("Bo", "occ-Mal") }
func (x *privateTry) back()      { x.s.nickGoes("Bo", ""); x.s.nickComes("Bo", "occ-Bo") }
func (x *privateTry) renamed()   { x.s.nickGoes("Bo", "Bobby"); x.s.nickComes("Bo", "") }
func (x *privateTry) gone()      { x.s.nickGoes("Bo", "") }
func (x *privateTry) newOne()    { x.w.deliver(psst("p2", "occ-Mal", "hi")) }
func (x *privateTry) restarted() { x.w.restart(); x.w.open(); pass(5 * time.Second) }

func (x *privateTry) left() {
	must(x.w.t, "LeaveRoom", sessions.RoomsOf(x.w.open()).LeaveRoom(x.w.ctx(), lobby, false))
}

func (x *privateTry) talk() {
	x.w.deliver(psst("p1", "occ-Bo", "psst"))
	_, err := x.w.open().SendMessage(x.w.ctx(), sessions.NewMessage{ID: "mine", To: boThere, Body: "yes?"})
	must(x.w.t, "SendMessage", err)
}

// say sends a message for an occupant.
func say(occupant string) func(*privateTry) error {
	return func(x *privateTry) error {
		_, err := x.w.open().SendMessage(x.w.ctx(), sessions.NewMessage{To: boThere, Body: "secret", OccupantID: occupant})
		return err
	}
}

// do does something about what was said.
func do(kind perch.RelationKind) func(*privateTry) error {
	return func(x *privateTry) (err error) {
		ms := sessions.MessagesOf(x.w.open())
		switch ref := (perch.Ref{ID: "mine", Sent: true}); kind {
		case perch.RelationEdit:
			_, err = ms.Edit(x.w.ctx(), boThere, ref, sessions.NewMessage{Body: "secret"})
		case perch.RelationRetraction:
			_, err = ms.Retract(x.w.ctx(), boThere, ref, "", sessions.NewMessage{})
		default:
			_, err = ms.React(x.w.ctx(), boThere, perch.Ref{ID: "p1"}, []string{"👍"}, sessions.NewMessage{})
		}
		return err
	}
}

// TestPrivateMessageReachesNoOther: what is for one who is in a room is not sent to another one who has that
// nick by now.
func TestPrivateMessageReachesNoOther(t *testing.T) {
	const other = perch.KindOccupantChanged
	type steps []func(*privateTry)
	talk, takenOver, renamed, restarted := (*privateTry).talk, (*privateTry).takenOver, (*privateTry).renamed, (*privateTry).restarted
	for name, tt := range map[string]struct {
		ids  bool
		do   steps
		try  func(*privateTry) error
		want perch.Kind // "": it is sent
	}{
		"the same one":                           {true, steps{talk}, say(""), ""},
		"the first message":                      {true, nil, say(""), ""},
		"taken over":                             {true, steps{talk, takenOver}, say(""), other},
		"taken over, and a restart":              {true, steps{talk, restarted, takenOver}, say(""), other},
		"left and back":                          {true, steps{talk, (*privateTry).back}, say(""), ""},
		"nobody has it":                          {true, steps{talk, (*privateTry).gone}, say(""), ""},
		"the new one is meant":                   {true, steps{talk, takenOver}, say("occ-Mal"), ""},
		"whoever it is":                          {true, steps{talk, takenOver}, say("*"), ""},
		"the new one has written":                {true, steps{talk, takenOver, (*privateTry).newOne}, say(""), ""},
		"one of the list is meant, who has left": {true, steps{takenOver}, say("occ-Bo"), other},
		"an edit, taken over":                    {true, steps{talk, takenOver}, do(perch.RelationEdit), other},
		"an edit, and the new one has written":   {true, steps{talk, takenOver, (*privateTry).newOne}, do(perch.RelationEdit), other},
		"a retraction, taken over":               {true, steps{talk, takenOver}, do(perch.RelationRetraction), other},
		"a reaction, taken over":                 {true, steps{talk, takenOver}, do(perch.RelationReactions), other},
		"an edit":                                {true, steps{talk}, do(perch.RelationEdit), ""},
		"an edit, after a restart":               {true, steps{talk, restarted}, do(perch.RelationEdit), ""},
		"without ids":                            {false, steps{talk}, say(""), ""},
		"without ids, renamed":                   {false, steps{talk, renamed}, say(""), other},
		"without ids, whoever it is":             {false, steps{talk, renamed}, say("*"), ""},
		"without ids, left and back":             {false, steps{talk, takenOver}, say(""), ""},
		"without ids, an edit":                   {false, steps{talk}, do(perch.RelationEdit), ""},
		"without ids, an edit after it":          {false, steps{talk, takenOver}, do(perch.RelationEdit), other},
		"without ids, an edit after a restart":   {false, steps{talk, restarted}, do(perch.RelationEdit), other},
		"the room is left":                       {true, steps{talk, (*privateTry).left}, say(""), perch.KindRoomNotJoined},
		"to nobody in a room": {true, nil, func(x *privateTry) error {
			_, err := x.w.open().SendMessage(x.w.ctx(), sessions.NewMessage{To: bob, Body: "secret", OccupantID: "occ-Bo"})
			return err
		}, perch.KindValidation},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := withRooms(w)
				s.room(lobby).occupants = tt.ids
				w.join(w.open(), lobby, sessions.RoomJoin{Nick: "Al"})
				x := &privateTry{w, s}
				for _, f := range tt.do {
					f(x)
					pass(time.Second)
				}
				before := len(sent[*perch.MessageOut](w.conn()))
				err := tt.try(x)
				pass(time.Second)
				if tt.want == "" {
					must(t, "sending", err)
				} else {
					kindOf(t, err, tt.want)
				}
				if n := len(sent[*perch.MessageOut](w.conn())) - before; (n == 1) != (tt.want == "") {
					t.Errorf("written: got %d messages, want them by %v", n, tt.want)
				}
			}, durable, sealing(1))
		})
	}
}

// TestPrivateMessageThatWaits: it goes out when the room is joined again, and fails when another one has the
// nick by then, or the room is left.
func TestPrivateMessageThatWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(w *world, s *muc)
		want      string
		written   int
	}{
		"the same one": {func(*world, *muc) {}, "accepted sent ", 1},
		"another one": {func(_ *world, s *muc) {
			s.edit(func() { s.rooms[lobby].others, s.rooms[lobby].takenBy = nil, "occ-Mal" })
		}, "accepted failed ", 0},
		"a room that is left": {func(w *world, _ *muc) {
			must(w.t, "LeaveRoom", sessions.RoomsOf(w.open()).LeaveRoom(w.ctx(), lobby, false))
		}, "accepted failed ", 0},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := withRooms(w)
				s.room(lobby)
				se := w.open()
				w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
				w.deliver(psst("p1", "occ-Bo", "psst"))
				w.conn().Fail(linkLost)
				synctest.Wait()
				_, err := se.SendMessage(w.ctx(), sessions.NewMessage{ID: "m1", To: boThere, Body: "secret"})
				must(t, "SendMessage", err)
				tt.meanwhile(w, s)
				pass(time.Minute)
				if h := w.history(se, "m1"); h != tt.want {
					t.Errorf("history: got %q, want %q", h, tt.want)
				}
				if out := sent[*perch.MessageOut](w.conn()); len(out) != tt.written {
					t.Errorf("written: got %v, want %d", out, tt.written)
				}
				for _, e := range w.durable(se) {
					var m perch.Message
					if e.Type != perch.EventMessageSent {
						continue
					}
					if e.into(t, &m); m.Room == nil || m.Room.OccupantID != "occ-Bo" {
						t.Errorf("message.sent: got %s, want the occupant whom it is for", e.Data)
					}
				}
			})
		})
	}
}

// TestWhoMayChangeAPrivateMessage: its author alone, and not who has the nick by now.
func TestWhoMayChangeAPrivateMessage(t *testing.T) {
	edit := func(occupant string) *perch.MessageIn {
		in := psst("e1", occupant, "changed")
		in.Relation = &perch.Relation{Kind: perch.RelationEdit, Target: "p1"}
		return in
	}
	taken := func(s *muc) { s.nickGoes("Bo", ""); s.nickComes("Bo", "occ-Mal") }
	for name, tt := range map[string]struct {
		ids  bool
		do   func(w *world, s *muc)
		want string
	}{
		"the author":                   {true, func(w *world, _ *muc) { w.deliver(edit("occ-Bo")) }, "edited p1 changed"},
		"who took the nick":            {true, func(w *world, s *muc) { taken(s); w.deliver(edit("occ-Mal")) }, "dropped not_author"},
		"who took it, after a restart": {true, func(w *world, _ *muc) { w.restart(); w.open(); pass(5 * time.Second); w.deliver(edit("occ-Mal")) }, "dropped not_author"},
		"without ids, the author":      {false, func(w *world, _ *muc) { w.deliver(edit("")) }, "edited p1 changed"},
		"without ids, who took it":     {false, func(w *world, s *muc) { taken(s); w.deliver(edit("")) }, "dropped not_author"},
		"without ids, but with addresses": {false, func(w *world, s *muc) {
			s.edit(func() {
				s.push(&perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: lobby + "/Al", Available: true}, Codes: perch.CodeSelf, Role: perch.RoleModerator})
			})
			s.nickComes("Bo", "occ-Bo")
			w.deliver(psst("p1", "", "psst"))
			taken(s)
			w.deliver(edit(""))
		}, "dropped not_author"},
		"without ids, and a forged one": {false, func(w *world, s *muc) { taken(s); w.deliver(edit("occ-Bo")) }, "dropped not_author"},
		"another nick": {true, func(w *world, _ *muc) {
			in := edit("occ-Cy")
			in.From = lobby + "/Cy"
			w.deliver(in)
		}, "dropped not_author"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := withRooms(w)
				s.room(lobby).occupants = tt.ids
				w.join(w.open(), lobby, sessions.RoomJoin{Nick: "Al"})
				w.deliver(psst("p1", "occ-Bo", "psst"))
				pass(time.Second)
				tt.do(w, s)
				if got := fmt.Sprint(roomChanges(t, w.durable(w.open()))); got != "["+tt.want+"]" {
					t.Errorf("got %s, want [%s]", got, tt.want)
				}
			}, durable, sealing(1))
		})
	}
}
