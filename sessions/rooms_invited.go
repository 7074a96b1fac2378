package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// ViaAuto invites by the room where that makes one a member who needs to be, else directly.
const ViaAuto = "auto"

// RoomInvite is an invitation to somebody.
type RoomInvite struct {
	To     perch.JID
	Reason string
	Via    string // ViaAuto, perch.ViaRoom or perch.ViaDirect; "" is ViaAuto
}

// InviteToRoom invites somebody to a room that is joined (XEP-0045, 7.8; XEP-0249). Errors:
// KindValidation, KindNotFound, KindConflict when the room is not joined, KindSessionOffline.
func (rs Rooms) InviteToRoom(ctx context.Context, jid perch.JID, i RoomInvite) error {
	switch {
	case i.Via != "" && i.Via != ViaAuto && i.Via != perch.ViaRoom && i.Via != perch.ViaDirect:
		return perch.Invalid("/via", "must be auto, room or direct")
	case i.To == "":
		return perch.Invalid("/to", "is needed")
	case len(i.Reason) > maxRoomText:
		return perch.Invalid("/reason", "must have at most %d bytes", maxRoomText)
	}
	return rs.use(ctx, func(x *roomList) error {
		r, err := x.joinedRoom(jid)
		if err != nil {
			return err
		}
		direct := i.Via == perch.ViaDirect || i.Via != perch.ViaRoom && !r.row.Features.MembersOnly
		out := &perch.RoomInviteOut{Room: r.jid(), To: i.To.Bare(), ID: x.newID(), Reason: i.Reason, Direct: direct}
		if direct && r.row.Features.Password {
			out.Password = x.passwordOf(r)
		}
		return x.host.Send(out)
	})
}

// DeclineRoom declines an invitation: the room tells who invited, where it has passed the invitation on.
// Errors: KindNotFound when there is none, KindStorageUnavailable.
func (rs Rooms) DeclineRoom(ctx context.Context, jid perch.JID, reason string) error {
	_, err := rs.with(ctx, jid, func(x *roomList, r *room) error {
		if r.row.Invited == nil {
			return perch.Errorf(perch.KindNotFound, "there is no invitation to this room")
		}
		x.decline(r, reason)
		return nil
	})
	return err
}

// decline ends an invitation. A room that there was nothing else of is forgotten.
func (x *roomList) decline(r *room, reason string) {
	inv := r.row.Invited
	r.row.Invited = nil
	if inv.Via == perch.ViaRoom && inv.By != "" {
		_ = x.host.Send(&perch.RoomDeclineOut{Room: r.jid(), To: inv.By, ID: x.newID(), Reason: reason}) // while offline nobody can be told
	}
	if r.row.State != perch.RoomStateInvited {
		x.changed(r)
		return
	}
	x.become(r, perch.RoomStateLeft, roomWhy{})
	x.remove(r)
}

// invited notes an invitation, where it becomes an event: of the two forms of one the one that can be
// declined counts. It is in the commit of that event.
func (x *roomList) invited(inv *perch.RoomInvitation, at perch.Time) {
	r := x.find(inv.JID)
	if r == nil {
		if r = x.add(inv.JID); r == nil {
			return // the event says it
		}
		r.row.State = perch.RoomStateInvited
	}
	if r.row.State == perch.RoomStateJoined || r.row.State == perch.RoomStateJoining {
		return
	}
	r.row.Invited = &StoredRoomInvite{RoomInvitation: perch.RoomInvitation{JID: cloned(inv.JID), By: cloned(inv.By),
		Reason: cloned(clipTo(inv.Reason, maxRoomText)), Via: inv.Via, HasPassword: inv.HasPassword}, At: at}
	if r.row.State == perch.RoomStateLeft && !r.wanted() {
		r.row.State, r.row.Reason, r.row.Text = perch.RoomStateInvited, "", ""
	}
	x.put(r)
}

// takeInvitations makes the invitations that came before the session used rooms states of their rooms, as far
// back as the log is searched for one. It waits for the Store.
func (rs Rooms) takeInvitations(ctx context.Context) error {
	var x *roomList
	if err := rs.s.call(ctx, func() { x = roomsOf(rs.s) }); err != nil {
		return err
	}
	if err := x.committed(ctx); err != nil {
		return err
	}
	var tip uint64
	if err := rs.s.call(ctx, func() { tip = x.tip() }); err != nil {
		return err
	}
	found, err := x.loggedInvitations(ctx, tip)
	if err != nil {
		return err
	}
	return rs.s.call(ctx, func() {
		if rs.s.state.UsesRooms {
			return // another request was faster
		}
		rs.s.state.UsesRooms = true
		rs.s.state.saveRecord()
		for _, e := range found {
			if r := x.find(e.inv.JID); r == nil || r.row.Invited == nil || r.row.Invited.At <= e.at {
				x.invited(&e.inv, e.at)
			}
		}
	})
}

// pastInvitation is an invitation that the log has.
type pastInvitation struct {
	inv perch.RoomInvitation
	at  perch.Time
}

// loggedInvitations are those among the last events up to an offset, oldest first.
func (x *roomList) loggedInvitations(ctx context.Context, tip uint64) (list []pastInvitation, err error) {
	for end := tip - min(tip, refEvents); end < tip; {
		page, err := x.store.Log(ctx, x.id, end, recallPage)
		if err != nil {
			return nil, storeError(err)
		}
		if len(page.Events) == 0 {
			break
		}
		for _, e := range page.Events {
			var inv perch.RoomInvitation
			if e.Type == perch.EventRoomInvited && e.Decode(&inv) == nil {
				list = append(list, pastInvitation{inv, e.Time})
			}
		}
		end = page.Events[len(page.Events)-1].Position.Offset
	}
	return list, nil
}
