package sessions_test

import (
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

const room = perch.JID("room@muc.example.net")

// invited is an invitation to a room, by it or from who invites.
func invited(to perch.JID, via, stanzaID string) *perch.RoomInvitedIn {
	of := perch.Message{ID: "i" + stanzaID, StanzaID: stanzaID, From: bob + "/x", To: alice}
	if via == "room" {
		of.From = to
	}
	return &perch.RoomInvitedIn{RoomInvitation: perch.RoomInvitation{JID: to, By: bob, Via: via}, Of: of}
}

func roomInvitations(t tb, evs []event) (list []string) {
	for _, e := range evs {
		var d perch.RoomInvitation
		if e.Type == perch.EventRoomInvited {
			e.into(t, &d)
			list = append(list, d.Via+" "+string(d.JID))
		}
	}
	return list
}

// TestRoomInvitations: the two forms of one invitation are one, for which the one that can be declined
// counts; later it is another one.
func TestRoomInvitations(t *testing.T) {
	for name, tt := range map[string]struct {
		run  func(w *world)
		want []string
	}{
		"by the room, then direct": {func(w *world) { w.deliver(invited(room, "room", "1"), invited(room, "direct", "2")) }, []string{"room " + string(room)}},
		"direct, then by the room": {func(w *world) { w.deliver(invited(room, "direct", "1"), invited(room, "room", "2")) }, []string{"direct " + string(room), "room " + string(room)}},
		"twice at once":            {func(w *world) { w.deliver(invited(room, "direct", "1"), invited(room, "direct", "2")) }, []string{"direct " + string(room)}},
		"to two rooms":             {func(w *world) { w.deliver(invited(room, "room", "1"), invited("b"+room, "direct", "2")) }, []string{"room " + string(room), "direct b" + string(room)}},
		"once more, later": {func(w *world) {
			w.deliver(invited(room, "room", "1"))
			pass(2 * time.Minute)
			w.deliver(invited(room, "room", "2"))
		}, []string{"room " + string(room), "room " + string(room)}},
		"a copy, after a restart": {func(w *world) {
			w.deliver(invited(room, "room", ""))
			w.restart()
			w.open()
			pass(10 * time.Second)
			w.deliver(invited(room, "room", ""))
		}, []string{"room " + string(room)}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.open()
				tt.run(w)
				s := w.open()
				if got := roomInvitations(t, w.durable(s)); !slices.Equal(got, tt.want) {
					t.Errorf("room.invited: got %q, want %q", got, tt.want)
				}
			}, durable)
		})
	}
}

// TestArchivedInvitation: an invitation that was live is not what cannot be shown when the archive is
// read.
func TestArchivedInvitation(t *testing.T) {
	for _, ids := range []bool{true, false} {
		inWorld(t, func(w *world) {
			a := withArchive(w)
			s := w.open()
			w.deliver(live(a.add("before", "in", ""), "before"))
			pass(time.Minute)
			in := invited(room, "direct", "")
			in.Of.ID = "m-a0002"
			id := a.hide(perch.DroppedInvitation)
			if ids {
				in.Of.StanzaID = id
			}
			w.deliver(in)
			w.cut(func() {})
			if got := drops(t, w.durable(s)); !slices.Equal(got, []string{"before"}) || len(roomInvitations(t, w.durable(s))) != 1 {
				t.Errorf("with ids %v: got %q and invitations %q, want one message and one invitation", ids, got, roomInvitations(t, w.durable(s)))
			}
		})
	}
}

// TestMissedInvitation: an invitation that only the archive has is one, too, and once.
func TestMissedInvitation(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		s := w.open()
		w.deliver(live(a.add("before", "in", ""), "before"))
		pass(time.Minute)
		w.cut(func() {
			a.hide(perch.DroppedInvitation)
			a.mu.Lock()
			defer a.mu.Unlock()
			a.items[len(a.items)-1].Invited = &perch.RoomInvitation{JID: room, By: bob, Via: "direct"}
		})
		w.cut(func() {})
		got, invited := drops(t, w.durable(s)), roomInvitations(t, w.durable(s))
		if !slices.Equal(got, []string{"before"}) || !slices.Equal(invited, []string{"direct " + string(room)}) {
			t.Errorf("got %q and invitations %q, want one message and one invitation", got, invited)
		}
	})
}
