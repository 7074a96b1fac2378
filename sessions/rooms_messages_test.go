package sessions_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// about makes a message of a room one that is about another.
func about(kind perch.RelationKind, target string, emojis ...string) func(*perch.MessageIn) {
	return func(in *perch.MessageIn) {
		in.Relation = &perch.Relation{Kind: kind, Target: target, Emojis: emojis}
		in.ID = fmt.Sprint(kind, "-", target, "-", in.Body)
		if kind != perch.RelationEdit {
			in.Body = ""
		}
	}
}

// roomChanges are what was done to messages, as the log has it.
func roomChanges(t tb, evs []event) (list []string) {
	for _, e := range evs {
		switch e.Type {
		case perch.EventMessageEdited:
			var m perch.Message
			e.into(t, &m)
			list = append(list, fmt.Sprintf("edited %s %s", refText(t, m.Ref), m.Body))
		case perch.EventMessageRetracted:
			var d perch.MessageRetracted
			e.into(t, &d)
			list = append(list, fmt.Sprintf("retracted %s by %s %v", refText(t, d.Ref), d.By, d.Moderated))
		case perch.EventMessageReactions:
			var d perch.MessageReactions
			e.into(t, &d)
			all := []string{}
			for _, r := range d.Reactions {
				all = append(all, fmt.Sprintf("%s%d", r.Emoji, len(r.By)))
			}
			list = append(list, fmt.Sprintf("reactions %s %s", refText(t, d.Ref), strings.Join(all, " ")))
		case perch.EventDropped:
			var d perch.Dropped
			e.into(t, &d)
			list = append(list, "dropped "+d.Reason)
		}
	}
	return list
}

func refText(t tb, text string) string {
	ref, err := perch.ParseRef(text)
	must(t, "ParseRef", err)
	return ref.StanzaID + ref.ID
}

// TestWhoMayChangeAMessageInARoom: its author alone, known by the id that the room gives, or by the nick
// as long as nobody else can have it; and the room itself.
func TestWhoMayChangeAMessageInARoom(t *testing.T) {
	leave := func(s *muc, nick string) {
		s.edit(func() {
			s.push(&perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: s.rooms[lobby].at(nick)}, Role: perch.RoleNone})
		})
	}
	as := func(occupant string) func(*perch.MessageIn) {
		return func(in *perch.MessageIn) { in.Room = &perch.MessageRoom{OccupantID: occupant} }
	}
	for name, tt := range map[string]struct {
		ids  bool
		do   func(w *world, s *muc, id string)
		want []string
	}{
		"the author edits": {true, func(_ *world, s *muc, _ string) { s.say(lobby, "Bo", "new", about(perch.RelationEdit, "m-one")) }, []string{"edited 000001 new"}},
		"the author edits under a new nick": {true, func(_ *world, s *muc, _ string) {
			s.say(lobby, "Bob", "new", about(perch.RelationEdit, "m-one"), as("occ-Bo"))
		}, []string{"edited 000001 new"}},
		"another one edits": {true, func(_ *world, s *muc, _ string) { s.say(lobby, "Cy", "new", about(perch.RelationEdit, "m-one")) }, []string{"dropped not_author"}},
		"another one with the nick edits": {true, func(_ *world, s *muc, _ string) {
			s.say(lobby, "Bo", "new", about(perch.RelationEdit, "m-one"), as("occ-Cy"))
		}, []string{"dropped not_author"}},
		"without ids, the nick edits": {false, func(_ *world, s *muc, _ string) { s.say(lobby, "Bo", "new", about(perch.RelationEdit, "m-one")) }, []string{"edited 000001 new"}},
		"without ids, somebody took the nick": {false, func(_ *world, s *muc, id string) {
			leave(s, "Bo")
			s.say(lobby, "Bo", "", about(perch.RelationRetraction, id))
		}, []string{"dropped not_author"}},
		"without ids, a forged id says nothing": {false, func(_ *world, s *muc, id string) {
			s.say(lobby, "Cy", "", about(perch.RelationRetraction, id), as("occ-Bo"))
		}, []string{"dropped not_author"}},
		"the author retracts":  {true, func(_ *world, s *muc, id string) { s.say(lobby, "Bo", "", about(perch.RelationRetraction, id)) }, []string{"retracted 000001 by " + string(lobby) + "/Bo false"}},
		"another one retracts": {true, func(_ *world, s *muc, id string) { s.say(lobby, "Cy", "", about(perch.RelationRetraction, id)) }, []string{"dropped not_author"}},
		"the room moderates": {true, func(_ *world, s *muc, id string) {
			s.say(lobby, "", "", about(perch.RelationRetraction, id), func(in *perch.MessageIn) {
				in.From, in.Relation.Moderated, in.Relation.By = lobby, true, lobby+"/Mo"
			})
		}, []string{"retracted 000001 by " + string(lobby) + "/Mo true"}},
		"somebody says that they moderate": {true, func(_ *world, s *muc, id string) {
			s.say(lobby, "Cy", "", about(perch.RelationRetraction, id), func(in *perch.MessageIn) { in.Relation.Moderated = true })
		}, []string{"dropped not_author"}},
		"two react, one changes that": {true, func(_ *world, s *muc, id string) {
			s.say(lobby, "Bo", "1", about(perch.RelationReactions, id, "👍"))
			s.say(lobby, "Cy", "2", about(perch.RelationReactions, id, "👍", "🎉"))
			s.say(lobby, "Bo", "3", about(perch.RelationReactions, id))
		}, []string{"reactions 000001 👍1", "reactions 000001 👍2 🎉1", "reactions 000001 👍1 🎉1"}},
		"a message of before the join is nobody's": {true, func(_ *world, s *muc, _ string) {
			s.say(lobby, "Bo", "", about(perch.RelationRetraction, "000000"))
		}, []string{"dropped not_author"}},
		"corrected twice": {true, func(_ *world, s *muc, _ string) {
			s.say(lobby, "Bo", "new", about(perch.RelationEdit, "m-one"))
			s.say(lobby, "Bo", "newer", about(perch.RelationEdit, "m-one"))
		}, []string{"edited 000001 new", "edited 000001 newer"}},
		"after a cut, from the archive": {true, func(w *world, s *muc, id string) {
			w.cut(func() {
				s.say(lobby, "Bo", "new", about(perch.RelationEdit, "m-one"))
				s.say(lobby, "Bo", "", about(perch.RelationRetraction, id))
			})
			pass(3 * time.Second)
		}, []string{"edited 000001 new", "retracted 000001 by " + string(lobby) + "/Bo false"}},
		"after a restart": {true, func(w *world, s *muc, id string) {
			w.restart()
			w.open()
			pass(3 * time.Second)
			s.say(lobby, "Cy", "", about(perch.RelationRetraction, id))
			s.say(lobby, "Bo", "", about(perch.RelationRetraction, id))
		}, []string{"dropped not_author", "retracted 000001 by " + string(lobby) + "/Bo false"}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := withRooms(w)
				s.room(lobby).occupants = tt.ids
				se := w.open()
				w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
				id := s.say(lobby, "Bo", "one")
				tt.do(w, s, id)
				se = w.open()
				wantList(t, "changes", roomChanges(t, w.durable(se)), tt.want)
			}, durable, sealing(1))
		})
	}
}

// TestCorrectedMessageByItsLastText: some clients name it by the id of the correction, before a restart and
// after it.
func TestCorrectedMessageByItsLastText(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby).occupants = true
		w.join(w.open(), lobby, sessions.RoomJoin{Nick: "Al"})
		s.say(lobby, "Bo", "one")
		last := s.say(lobby, "Bo", "new", about(perch.RelationEdit, "m-one"))
		s.say(lobby, "Cy", "1", about(perch.RelationReactions, last, "👍"))
		s.say(lobby, "Cy", "", about(perch.RelationRetraction, last))
		w.restart()
		w.open()
		pass(3 * time.Second)
		s.say(lobby, "Di", "2", about(perch.RelationReactions, last, "👍"))
		s.say(lobby, "Bo", "", about(perch.RelationRetraction, last))
		wantList(t, "changes", roomChanges(t, w.durable(w.open())), []string{"edited 000001 new", "reactions 000001 👍1", "dropped not_author",
			"reactions 000001 👍2", "retracted 000001 by " + string(lobby) + "/Bo false"})
	}, durable, sealing(1))
}

// TestMessageOfLongAgoInARoom: it is looked for in the log, and its author alone changes it.
func TestMessageOfLongAgoInARoom(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		id := s.say(lobby, "Bo", "one")
		for i := range 150 {
			s.say(lobby, "Cy", fmt.Sprint(i))
		}
		for _, nick := range []string{"Cy", "Bo"} {
			pass(time.Second)
			s.say(lobby, nick, "by "+nick, about(perch.RelationEdit, "m-one"))
			pass(time.Second)
			s.say(lobby, nick, "", about(perch.RelationRetraction, id))
		}
		pass(time.Second)
		wantList(t, "changes", roomChanges(t, w.durable(se)), []string{"dropped not_author", "dropped not_author", "edited 000001 by Bo",
			"retracted 000001 by " + string(lobby) + "/Bo false"})
	})
}

// TestEditOfAnUnknownMessage is shown as a message that was corrected: nothing of its text is lost.
func TestEditOfAnUnknownMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		s.say(lobby, "Bo", "new", about(perch.RelationEdit, "m-long-ago"))
		evs := w.durable(se)
		wantList(t, "messages", roomSaid(t, evs, lobby), []string{"received Bo: new"})
		var m perch.Message
		if evs[len(evs)-1].into(t, &m); m.Edited == nil {
			t.Errorf("got %s, want it marked as edited", evs[len(evs)-1].Data)
		}
	})
}

// TestVerbsInARoom: each names the message in the way of rooms, and is done once the room has it; of
// others nothing but reactions.
func TestVerbsInARoom(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		st, err := se.SendMessage(w.ctx(), sessions.NewMessage{To: lobby, Kind: perch.GroupchatMessage, Body: "mine"})
		must(t, "SendMessage", err)
		if st.Ref != "" {
			t.Errorf("handle before the room has the message: got %q, want none", st.Ref)
		}
		pass(time.Second) // the own one is the first
		theirs := s.say(lobby, "Bo", "theirs")
		pass(time.Second)
		_, err = sessions.MessagesOf(se).Edit(w.ctx(), lobby, perch.Ref{ID: st.ID, Sent: true}, sessions.NewMessage{Body: "by an id that says nothing there"})
		kindOf(t, err, perch.KindConflict)
		own := perch.Ref{StanzaID: "000001", Room: true}
		other := perch.Ref{StanzaID: theirs, Room: true}
		ms := sessions.MessagesOf(se)
		_, err = ms.Edit(w.ctx(), lobby, own, sessions.NewMessage{Body: "better"})
		must(t, "Edit", err)
		_, err = ms.React(w.ctx(), lobby, other, []string{"👍"}, sessions.NewMessage{})
		must(t, "React", err)
		_, err = ms.Retract(w.ctx(), lobby, own, "", sessions.NewMessage{})
		must(t, "Retract", err)
		_, err = ms.Edit(w.ctx(), lobby, other, sessions.NewMessage{Body: "x"})
		kindOf(t, err, perch.KindForbidden)
		_, err = ms.Retract(w.ctx(), lobby, other, "", sessions.NewMessage{})
		kindOf(t, err, perch.KindForbidden)
		pass(time.Second)
		var targets []string
		for _, out := range sent[*perch.MessageOut](w.conn()) {
			if out.Relation != nil {
				targets = append(targets, string(out.Relation.Kind)+" "+out.Relation.Target+" "+string(out.Kind))
			}
		}
		wantList(t, "written", targets, []string{"edit " + st.ID + " groupchat", "reactions " + theirs + " groupchat", "retraction 000001 groupchat"})
		wantList(t, "changes", roomChanges(t, w.durable(se)),
			[]string{"edited 000001 better", "reactions " + theirs + " 👍1", "retracted 000001 by " + string(lobby) + "/Al false"})
	})
}

// TestVerbsInARoomWithoutArchive: what names a message is its id, and all who are there get the change.
func TestVerbsInARoomWithoutArchive(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		r := s.room(lobby)
		s.edit(func() { r.archive = false })
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		st, err := se.SendMessage(w.ctx(), sessions.NewMessage{To: lobby, Kind: perch.GroupchatMessage, Body: "mine"})
		must(t, "SendMessage", err)
		pass(time.Second)
		_, err = sessions.MessagesOf(se).Edit(w.ctx(), lobby, perch.Ref{ID: st.ID, Sent: true}, sessions.NewMessage{Body: "better"})
		must(t, "Edit", err)
		pass(time.Second)
		out := sent[*perch.MessageOut](w.conn())
		if last := out[len(out)-1]; last.Kind != perch.GroupchatMessage || last.Relation == nil || last.Relation.Target != st.ID {
			t.Errorf("written: got %+v, want a groupchat correction of %s", last, st.ID)
		}
	})
}

// TestPrivateMessageInARoom is a conversation of its own, with the full address.
func TestPrivateMessageInARoom(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		_, err := sessions.ConversationsOf(se).List(w.ctx(), sessions.ConversationQuery{})
		must(t, "List", err)
		bo := lobby + "/Bo"
		w.deliver(&perch.MessageIn{Message: perch.Message{ID: "p1", From: bo, To: alice, Kind: perch.ChatMessage, Body: "psst", Room: &perch.MessageRoom{Nick: "Bo", OccupantID: "occ-Bo"}}})
		_, err = se.SendMessage(w.ctx(), sessions.NewMessage{To: bo, Body: "yes?"})
		must(t, "SendMessage", err)
		s.say(lobby, "Bo", "aloud")
		pass(time.Second)
		page, err := sessions.ConversationsOf(se).List(w.ctx(), sessions.ConversationQuery{})
		must(t, "List", err)
		got := map[perch.JID]string{}
		for _, c := range page.Items {
			got[c.JID] = fmt.Sprintf("%s %s %d %s", c.Kind, c.Name, c.Unread, c.LastMessage.Body)
		}
		if got[bo] != "private Bo 0 yes?" || got[lobby] != "room Room lobby 1 aloud" || len(got) != 2 {
			t.Errorf("conversations: got %v, want one with Bo in private and one of the room", got)
		}
	})
}

// TestPrivateMessageOfALostLink: what the reader of a lost connection still had is logged, where nothing
// brings it again.
func TestPrivateMessageOfALostLink(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		old := w.conn()
		w.lose(linkLost)
		old.Deliver(&perch.MessageIn{Message: perch.Message{ID: "p1", From: lobby + "/Bo", To: alice, Kind: perch.ChatMessage, Body: "psst", Room: &perch.MessageRoom{Nick: "Bo"}}})
		old.Deliver(text("m1", "as ever"))
		var got []string
		for _, e := range w.durable(se) {
			var m perch.Message
			if e.Type == perch.EventMessageReceived {
				e.into(t, &m)
				got = append(got, m.Body)
			}
		}
		wantList(t, "messages", got, []string{"psst", "as ever"})
	})
}

// TestStrangerIsNotPrivate: what is marked as a private message of a room that the account is not in, is
// a message as it always was.
func TestStrangerIsNotPrivate(t *testing.T) {
	for _, used := range []bool{false, true} {
		inWorld(t, func(w *world) {
			s := withRooms(w)
			s.room(lobby)
			se := w.open()
			if used {
				w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
			}
			w.deliver(&perch.MessageIn{Message: perch.Message{ID: "p1", From: attic + "/Bo", To: alice, Kind: perch.ChatMessage, Body: "psst", Room: &perch.MessageRoom{Nick: "Bo"}}})
			evs := w.durable(se)
			var m perch.Message
			if evs[len(evs)-1].into(t, &m); m.Body != "psst" || m.Room != nil {
				t.Errorf("rooms in use %v: got %s, want a message of no room", used, evs[len(evs)-1].Data)
			}
		})
	}
}
