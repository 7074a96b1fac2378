package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// newest is the data of the newest event of a type.
func newest[T any](t tb, evs []event, typ perch.EventType) (v T) {
	t.Helper()
	for _, e := range slices.Backward(evs) {
		if e.Type == typ {
			e.into(t, &v)
			return v
		}
	}
	t.Fatalf("events: got %v, want %s", types(evs), typ)
	return v
}

// TestRoomsSnapshot: a stream of a session that uses rooms begins with them.
func TestRoomsSnapshot(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		s.room(attic)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		w.join(se, attic, sessions.RoomJoin{Nick: "Al"})
		type snapshot struct{ Items []perch.Room }
		for name, tt := range map[string]struct {
			o    sessions.SubscribeOptions
			want int
		}{
			"all":             {sessions.SubscribeOptions{}, 2},
			"one of them":     {sessions.SubscribeOptions{Conversations: []perch.JID{attic}}, 1},
			"only rooms":      {sessions.SubscribeOptions{Types: []string{"room.*"}}, 2},
			"nothing of them": {sessions.SubscribeOptions{Types: []string{"message.*"}}, -1},
		} {
			c := w.attach(se, tt.o)
			got := -1
			for i, e := range c.preamble {
				if e.Type == perch.EventRoomsSnapshot {
					var sn snapshot
					e.into(t, &sn)
					got = len(sn.Items)
					if name == "all" && c.preamble[i-1].Type != perch.EventInvitationsSnapshot {
						t.Errorf("before it: got %s, want %s", c.preamble[i-1].Type, perch.EventInvitationsSnapshot)
					}
				}
			}
			if got != tt.want {
				t.Errorf("%s: got %d rooms, want %d (-1: no snapshot)", name, got, tt.want)
			}
			c.sub.Close()
		}
	})
}

// TestRoomChanges: a subject, another configuration, and what the room does with the account.
func TestRoomChanges(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		r := s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		must(t, "SetRoomSubject", sessions.RoomsOf(se).SetRoomSubject(w.ctx(), lobby, "topic"))
		pass(time.Second)
		if v := newest[perch.Room](t, w.durable(se), perch.EventRoomChanged); v.Subject == nil || v.Subject.Text != "topic" || v.Subject.By != "Al" {
			t.Errorf("subject: got %+v, want the topic by Al", v.Subject)
		}
		s.edit(func() { r.persistent = false })
		w.deliver(&perch.RoomNoticeIn{From: lobby, Codes: perch.CodeConfigChanged})
		pass(time.Second)
		if v := newest[perch.Room](t, w.durable(se), perch.EventRoomChanged); v.Features.Persistent {
			t.Errorf("configuration: got %+v, want it as the room says now", v.Features)
		}
		self := r.present("Al", "")
		self.Affiliation, self.Role = perch.AffiliationOwner, perch.RoleModerator
		w.deliver(self)
		if v := newest[perch.RoomAffiliationChange](t, w.durable(se), perch.EventRoomAffiliation); !v.Own || v.Affiliation != perch.AffiliationOwner || v.Account != alice {
			t.Errorf("affiliation: got %+v, want the own one, owner", v)
		}
		w.deliver(&perch.RoomNoticeIn{From: lobby, Affiliation: perch.AffiliationMember, Account: carol})
		if v := newest[perch.RoomAffiliationChange](t, w.durable(se), perch.EventRoomAffiliation); v.Own || v.Account != carol {
			t.Errorf("as a moderator: got %+v, want that of carol", v)
		}
		nick := "Alice"
		_, err := sessions.RoomsOf(se).ChangeRoom(w.ctx(), lobby, sessions.RoomChange{Nick: &nick})
		must(t, "ChangeRoom", err)
		if v := w.settled(se, lobby); v.Nick != nick || v.State != perch.RoomStateJoined {
			t.Errorf("another nick: got %s as %s, want joined as Alice", v.State, v.Nick)
		}
		if v := newest[perch.Room](t, w.durable(se), perch.EventRoomChanged); v.Nick != nick {
			t.Errorf("event of another nick: got %s, want Alice", v.Nick)
		}
	})
}

// TestRoomOccupants: the list of the room, and what streams get of it.
func TestRoomOccupants(t *testing.T) {
	inRooms(t, func(w *world, s *muc) {
		s.room(lobby).others = []string{"Bo", "Cy", "Di"}
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al", OccupantEvents: perch.OccupantEventsLive})
		p, err := sessions.RoomsOf(se).Occupants(w.ctx(), lobby, sessions.OccupantQuery{Limit: 3})
		must(t, "Occupants", err)
		if len(p.Items) != 3 || p.Count != 4 || !p.Complete || p.Next == nil || p.Items[0].Nick != "Al" || !p.Items[0].Own {
			t.Errorf("got %+v, want three of four, and the first one is the account", p)
		}
		c := w.attach(se, sessions.SubscribeOptions{})
		r := s.rooms[lobby]
		w.deliver(r.present("Ed", ""))
		w.deliver(&perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: r.at("Ed")}, Codes: perch.CodeNickChanged, NewNick: "Eddy"})
		renamed := r.present("Eddy", "")
		renamed.OccupantID = "occ-Ed"
		w.deliver(renamed)
		w.deliver(&perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: r.at("Eddy")}, Role: perch.RoleNone})
		pass(time.Second)
		var got []string
		count := 0
		for _, e := range c.next() {
			switch e.Type {
			case perch.EventRoomOccupant:
				var d perch.RoomOccupantChange
				e.into(t, &d)
				got = append(got, strings.TrimSpace(fmt.Sprint(d.Change, " ", d.Occupant.Nick, " ", d.Previous)))
			case perch.EventRoomOccupants:
				var d perch.RoomOccupants
				e.into(t, &d)
				count = d.Count
			}
		}
		wantList(t, "changes", got, []string{"joined Ed", "renamed Eddy Ed", "left Eddy"})
		if count != 4 {
			t.Errorf("room.occupants: got %d, want 4", count)
		}
	})
}

// TestInvitationIsAState: of a room that is not joined, until it is answered; its two forms are one.
func TestInvitationIsAState(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		w.deliver(invited(attic, perch.ViaDirect, "1"), invited(attic, perch.ViaRoom, "2"))
		r := w.settled(se, attic)
		if r.State != perch.RoomStateInvited || r.Invited == nil || r.Invited.Via != perch.ViaRoom || r.Invited.By != bob {
			t.Fatalf("got %s by %+v, want invited by bob, by the room", r.State, r.Invited)
		}
		must(t, "DeclineRoom", sessions.RoomsOf(se).DeclineRoom(w.ctx(), attic, "no time"))
		if out := sent[*perch.RoomDeclineOut](w.conn()); len(out) != 1 || out[0].To != bob || out[0].Reason != "no time" {
			t.Errorf("declined: got %+v, want bob told", out)
		}
		_, err := sessions.RoomsOf(se).Room(w.ctx(), attic)
		kindOf(t, err, perch.KindNotFound)
		s.room(attic)
		pass(2 * time.Minute)
		w.deliver(invited(attic, perch.ViaRoom, "3"))
		if r := w.join(se, attic, sessions.RoomJoin{}); r.State != perch.RoomStateJoined || r.Invited != nil {
			t.Errorf("joined: got %s, invitation %v; want joined, and none", r.State, r.Invited)
		}
		must(t, "InviteToRoom", sessions.RoomsOf(se).InviteToRoom(w.ctx(), attic, sessions.RoomInvite{To: carol}))
		if out := sent[*perch.RoomInviteOut](w.conn()); len(out) != 1 || out[0].To != carol || !out[0].Direct {
			t.Errorf("invited: got %+v, want carol, directly", out)
		}
	})
}

// TestInvitedBeforeRoomsAreUsed: what came before a client asked for rooms is a state of its room from then
// on, once, and also when there is another process.
func TestInvitedBeforeRoomsAreUsed(t *testing.T) {
	inWorld(t, func(w *world) {
		withRooms(w)
		w.open()
		w.deliver(invited(lobby, perch.ViaDirect, "1"), invited(lobby, perch.ViaRoom, "2"), invited(attic, perch.ViaDirect, "3"))
		w.restart()
		se := w.open()
		list := func() (got []string) {
			rooms, err := sessions.RoomsOf(se).Rooms(w.ctx())
			must(t, "Rooms", err)
			for _, r := range rooms {
				got = append(got, fmt.Sprintf("%s %s %s %s", r.JID.Local(), r.State, r.Invited.Via, r.Invited.By))
			}
			return got
		}
		wantList(t, "invited", list(), []string{"attic invited direct " + string(bob), "lobby invited room " + string(bob)})
		must(t, "DeclineRoom", sessions.RoomsOf(se).DeclineRoom(w.ctx(), lobby, ""))
		w.restart()
		se = w.open()
		wantList(t, "after one was declined", list(), []string{"attic invited direct " + string(bob)})
		must(t, "DeclineRoom", sessions.RoomsOf(se).DeclineRoom(w.ctx(), attic, ""))
		w.restart()
		se = w.open()
		pass(time.Hour)
		w.deliver(invited(lobby, perch.ViaDirect, "4"))
		wantList(t, "one that came to a session that has no room any more", list(), []string{"lobby invited direct " + string(bob)})
	}, durable, sealing(1))
}

// TestForgottenRoom: every client of the session learns that it is known no more.
func TestForgottenRoom(t *testing.T) {
	forgotten := func(w *world, se *sessions.Session) (list []string) {
		for _, e := range w.durable(se) {
			var d perch.Removed
			if e.Type == perch.EventRoomForgotten {
				e.into(w.t, &d)
				list = append(list, string(d.JID.Local()))
			}
		}
		return list
	}
	for name, tt := range map[string]struct {
		do   func(w *world, se *sessions.Session)
		want []string
	}{
		"left": {func(w *world, se *sessions.Session) {
			must(w.t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), lobby, false))
		}, nil},
		"left and forgotten": {func(w *world, se *sessions.Session) {
			must(w.t, "LeaveRoom", sessions.RoomsOf(se).LeaveRoom(w.ctx(), lobby, true))
		}, []string{"lobby"}},
		"an invitation declined": {func(w *world, se *sessions.Session) {
			w.deliver(invited(attic, perch.ViaDirect, "1"))
			must(w.t, "DeclineRoom", sessions.RoomsOf(se).DeclineRoom(w.ctx(), attic, ""))
		}, []string{"attic"}},
		"its bookmark removed by another device": {func(w *world, _ *sessions.Session) {
			w.deliver(&perch.BookmarksIn{Put: []perch.RoomBookmark{{JID: attic, Bookmark: perch.Bookmark{Name: "The attic"}}}})
			w.deliver(&perch.BookmarksIn{Removed: []perch.JID{attic}})
		}, []string{"attic"}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := withRooms(w)
				s.room(lobby)
				se := w.open()
				w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
				tt.do(w, se)
				pass(time.Second)
				evs := w.durable(se)
				wantList(t, "forgotten", forgotten(w, se), tt.want)
				if last := evs[len(evs)-1]; tt.want != nil && last.Type != perch.EventRoomForgotten {
					t.Errorf("the last event: got %s, want room.forgotten", last.Type)
				}
			})
		})
	}
}

// TestRoomDelivery: what is not wanted is no event, and is unread all the same.
func TestRoomDelivery(t *testing.T) {
	for delivery, want := range map[perch.RoomDelivery][]string{
		perch.DeliverAll:      {"received Bo: one", "received Bo: AL: look", "received Bo: Alabama", "sent Al: mine"},
		perch.DeliverMentions: {"received Bo: AL: look", "sent Al: mine"},
		perch.DeliverNone:     {},
	} {
		inWorld(t, func(w *world) {
			s := withRooms(w)
			s.room(lobby)
			se := w.open()
			_, err := sessions.ConversationsOf(se).List(w.ctx(), sessions.ConversationQuery{})
			must(t, "List", err)
			w.join(se, lobby, sessions.RoomJoin{Nick: "Al", Delivery: delivery})
			for _, body := range []string{"one", "AL: look", "Alabama"} {
				s.say(lobby, "Bo", body)
			}
			pass(time.Second)
			c, err := sessions.ConversationsOf(se).Get(w.ctx(), lobby)
			must(t, "Get", err)
			if c.Unread != 3 || c.Mentions != 1 || c.Kind != perch.RoomConversation || c.Name != "Room lobby" {
				t.Errorf("%s: got %d unread, %d mentions, a %s called %s; want 3, 1, a room called Room lobby", delivery, c.Unread, c.Mentions, c.Kind, c.Name)
			}
			_, err = se.SendMessage(w.ctx(), sessions.NewMessage{To: lobby, Kind: perch.GroupchatMessage, Body: "mine"})
			must(t, "SendMessage", err)
			pass(time.Second)
			wantList(t, string(delivery), roomSaid(t, w.durable(se), lobby), want)
		})
	}
}

// TestLoudRoom: above the operator's limit only mentions are logged, which is said; once it is quiet
// again, the gap is named.
func TestLoudRoom(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		for i := range 15 {
			s.say(lobby, "Bo", fmt.Sprint(i))
		}
		s.say(lobby, "Bo", "Al, look")
		pass(time.Second)
		if r := w.settled(se, lobby); !r.Limited {
			t.Error("16 messages: got no limit, want one above 10")
		}
		pass(3 * time.Minute)
		if r := w.settled(se, lobby); r.Limited || r.Missed == nil || r.Missed.Count != 5 {
			t.Errorf("quiet again: got limited %v, missed %+v; want not, and a gap of 5", r.Limited, r.Missed)
		}
		s.say(lobby, "Bo", "after")
		r := w.settled(se, lobby)
		if r.Missed == nil || refText(t, r.Missed.FromRef) != "000010" || refText(t, r.Missed.ToRef) != "000017" {
			t.Errorf("the gap: got %+v, want it from the tenth to the seventeenth", r.Missed)
		}
		if got := roomSaid(t, w.durable(se), lobby); len(got) != 12 || got[10] != "received Bo: Al, look" {
			t.Errorf("messages: got %q, want ten, the mention and the last one", got)
		}
	}, func(o *sessions.Options) { o.RoomDeliveryLimit = 10 })
}

// TestLimitIsReconfigured: another limit holds for rooms that are joined, and without one a room that is
// limited is so until the end of its minute.
func TestLimitIsReconfigured(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		loud := func(n int, want bool) {
			t.Helper()
			for i := range n {
				s.say(lobby, "Bo", fmt.Sprint(i))
			}
			if r := w.settled(se, lobby); r.Limited != want {
				t.Errorf("%d messages: got limited %v, want %v", n, r.Limited, want)
			}
		}
		limit := func(n int) {
			t.Helper()
			must(t, "Reconfigure", w.m.Reconfigure(func(o *sessions.Options) { o.RoomDeliveryLimit = n }))
		}
		loud(8, false)
		limit(5)
		loud(1, true)
		limit(-1)
		pass(time.Minute)
		loud(20, false)
		if r := w.settled(se, lobby); r.Missed == nil || r.Missed.Count != 1 {
			t.Errorf("got %+v missed, want one message", r.Missed)
		}
	}, func(o *sessions.Options) { o.RoomDeliveryLimit = 10 })
}

// TestSlowReaderOfALoudRoom: a stream that does not read is cut; the log has everything, another stream
// misses nothing, and the first one goes on where it was.
func TestSlowReaderOfALoudRoom(t *testing.T) {
	const messages = 600
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		s.say(lobby, "Bo", "first")
		slow, quick := w.attach(se, sessions.SubscribeOptions{}), w.attach(se, sessions.SubscribeOptions{})
		cursor := w.durable(se)
		want, got := []string{}, []string{}
		for i := range messages {
			s.say(lobby, "Bo", fmt.Sprint(i))
			want = append(want, fmt.Sprintf("received Bo: %d", i))
			pass(10 * time.Millisecond)
			got = append(got, roomSaid(t, quick.next(), lobby)...)
		}
		wantList(t, "the stream that reads", got, want)
		if _, err := slow.sub.Take(); err == nil {
			t.Error("Take of the stream that does not read: got no error, want it cut")
		}
		wantList(t, "the log", roomSaid(t, w.durable(se), lobby), append([]string{"received Bo: first"}, want...))
		again := w.attach(se, sessions.SubscribeOptions{Since: cursor[len(cursor)-1].ID})
		wantList(t, "the stream again", roomSaid(t, again.preamble, lobby), want)
	}, func(o *sessions.Options) { o.RoomDeliveryLimit = -1 })
}

// TestChatStatesInRooms: they name the room and the nick; the own one comes back and says nothing.
func TestChatStatesInRooms(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		r := s.room(lobby)
		se := w.open()
		w.join(se, lobby, sessions.RoomJoin{Nick: "Al"})
		c := w.attach(se, sessions.SubscribeOptions{})
		w.deliver(&perch.RoomChatStateIn{From: r.at("Al"), State: perch.StateComposing}, &perch.RoomChatStateIn{From: r.at("Bo"), State: perch.StateComposing})
		var d perch.ChatStateChange
		c.wantTypes(perch.EventChatState)[0].into(t, &d)
		if d.Room != lobby || d.Nick != "Bo" {
			t.Errorf("got %+v, want that of Bo in the lobby", d)
		}
		must(t, "SetChatState", se.SetChatState(w.ctx(), lobby, perch.StateComposing))
		if out := sent[*perch.ChatStateOut](w.conn()); len(out) != 1 || out[0].Kind != perch.GroupchatMessage {
			t.Errorf("sent: got %+v, want one to the whole room", out)
		}
	})
}

// TestChatOnlyHasNoRooms: nothing is sent, and all is refused as what the upstream cannot do.
func TestChatOnlyHasNoRooms(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.ChatOnly = true })
		se := w.open()
		rs := sessions.RoomsOf(se)
		_, _, err := rs.JoinRoom(w.ctx(), lobby, sessions.RoomJoin{})
		kindOf(t, err, perch.KindFeatureUnsupported)
		_, err = rs.Rooms(w.ctx())
		kindOf(t, err, perch.KindFeatureUnsupported)
		kindOf(t, rs.SetMode(w.ctx(), sessions.RoomsAutoJoin), perch.KindFeatureUnsupported)
		_, err = rs.Archive(w.ctx(), lobby, perch.ArchiveQuery{})
		kindOf(t, err, perch.KindFeatureUnsupported)
	})
}

// TestBadRoomRequests name what is wrong.
func TestBadRoomRequests(t *testing.T) {
	inWorld(t, func(w *world) {
		withRooms(w)
		rs := sessions.RoomsOf(w.open())
		for name, j := range map[perch.JID]sessions.RoomJoin{
			"muc.example.net": {}, lobby + "/Al": {}, lobby: {Nick: strings.Repeat("x", 2000)},
			attic: {Delivery: "some"}, "b" + attic: {OccupantEvents: "some"},
		} {
			_, _, err := rs.JoinRoom(w.ctx(), name, j)
			kindOf(t, err, perch.KindValidation)
		}
		_, err := rs.Room(w.ctx(), lobby)
		kindOf(t, err, perch.KindNotFound)
		kindOf(t, rs.SetMode(w.ctx(), "all"), perch.KindValidation)
		kindOf(t, rs.SetRoomSubject(w.ctx(), lobby, "x"), perch.KindNotFound)
		kindOf(t, rs.DeclineRoom(w.ctx(), lobby, ""), perch.KindNotFound)
		kindOf(t, rs.InviteToRoom(w.ctx(), lobby, sessions.RoomInvite{}), perch.KindValidation)
		_, err = rs.AwaitRoom(w.ctx(), lobby)
		kindOf(t, err, perch.KindNotFound)
	})
}

// TestAwaitRoom ends with the join, and with the time of the caller.
func TestAwaitRoom(t *testing.T) {
	inWorld(t, func(w *world) {
		s := withRooms(w)
		s.room(lobby)
		rs := sessions.RoomsOf(w.open())
		_, created, err := rs.JoinRoom(w.ctx(), lobby, sessions.RoomJoin{Nick: "Al"})
		must(t, "JoinRoom", err)
		r, err := rs.AwaitRoom(w.ctx(), lobby)
		must(t, "AwaitRoom", err)
		if !created || r.State != perch.RoomStateJoined {
			t.Errorf("got created %v and %s, want true and joined", created, r.State)
		}
		s.edit(func() { s.silent[attic] = true })
		s.room(attic)
		_, _, err = rs.JoinRoom(w.ctx(), attic, sessions.RoomJoin{Nick: "Al"})
		must(t, "JoinRoom", err)
		ctx, cancel := timeout(5 * time.Second)
		defer cancel()
		if r, err = rs.AwaitRoom(ctx, attic); err != nil || r.State != perch.RoomStateJoining {
			t.Errorf("a room that does not answer: got %s, error %v; want joining, none", r.State, err)
		}
	})
}
