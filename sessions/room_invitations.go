package sessions

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
)

const (
	maxRoomsInvited = 32     // the last invitations that are remembered
	sameInvitation  = 60_000 // ms within which two to one room are one, in two forms
)

// roomInvited is an invitation that was logged a moment ago.
type roomInvited struct {
	room perch.JID
	via  string
	at   perch.Time
}

// invited notes an invitation, and reports whether it says something new: the other form of one that
// came a moment ago does when it is the room's, which can be declined.
func (t *relationTable) invited(inv *perch.RoomInvitation, now perch.Time) bool {
	room := inv.JID.Bare()
	t.rooms = slices.DeleteFunc(t.rooms, func(x roomInvited) bool { return now-x.at > sameInvitation })
	i := slices.IndexFunc(t.rooms, func(x roomInvited) bool { return x.room.Equal(room) })
	switch {
	case i >= 0 && (t.rooms[i].via == inv.Via || inv.Via != perch.ViaRoom):
		return false
	case i >= 0:
		t.rooms = slices.Delete(t.rooms, i, i+1)
	case len(t.rooms) >= maxRoomsInvited:
		t.rooms = slices.Delete(t.rooms, 0, 1)
	}
	t.rooms = append(t.rooms, roomInvited{cloned(room), inv.Via, now})
	return true
}

// invite makes the event of an invitation to a room that is no copy.
func (r *relations) invite(inv *perch.RoomInvitation) {
	if !r.remembered().invited(inv, r.host.now()) {
		r.host.countDropped(DroppedSuperseded, 1)
		return
	}
	r.host.durableAt(perch.EventRoomInvited, r.host.now(), *inv)
}

// applyInvitation logs an invitation to a room, unless it is a copy of one that was logged. Its
// identity is that of what cannot be shown, as which the archive has it.
func (cu *catchup) applyInvitation(in *perch.RoomInvitedIn, l *link, arrived perch.Time) {
	of := in.Of
	of.From = cmp.Or(of.From, inviter(&in.RoomInvitation))
	c := l.identify(&of, arrived)
	c.text = droppedText(perch.DroppedInvitation, of.From)
	if cu.isCopy(&c) {
		return
	}
	cu.logInvitation(&in.RoomInvitation, &of, c)
	cu.moveTo(&of, l)
}

// logInvitation logs what is no copy.
func (cu *catchup) logInvitation(inv *perch.RoomInvitation, of *perch.Message, c identity) {
	cu.host.rememberAddress(inv.JID)
	c.added = cu.host.now()
	c.timeOf(of, c.added)
	cu.relations.invite(inv)
	cu.known.add(c)
	cu.trimLater()
}

// inviter is from whom an invitation came.
func inviter(inv *perch.RoomInvitation) perch.JID {
	if inv.Via == perch.ViaRoom {
		return inv.JID
	}
	return inv.By
}

// loggedInvitation is the identity of an invitation in the log; false: it is another event.
func loggedInvitation(e *perch.Event) (c identity, ok bool) {
	var inv perch.RoomInvitation
	if e.Type != perch.EventRoomInvited || e.Decode(&inv) != nil {
		return identity{}, false
	}
	from := inviter(&inv)
	c = identityOf(&perch.Message{From: from}, pathStream, e.Time)
	c.text = droppedText(perch.DroppedInvitation, from)
	return c, true
}
