package sessions

import "github.com/perch-im/perch"

// leave leaves a room, which answers that. What waits to be sent there fails.
func (x *roomList) leave(r *room) {
	r.row.Wanted.Client, r.row.Wanted.Bookmark = false, false
	inside := r.inside() && x.host.Online() || r.row.State == perch.RoomStateJoined || r.row.State == perch.RoomStateLeaving
	sent := r.join != nil && r.join.step == joinSent
	switch {
	case inside || sent:
		if j := r.join; j != nil && j.nick != "" && !j.self {
			r.row.Nick = j.nick // by which it leaves, should the room have taken it
		}
		x.releaseBehindGap(r)
		stop(r.retry)
		r.retry, r.retryAt, r.wish = nil, 0, roomWish{}
		x.become(r, perch.RoomStateLeaving, roomWhy{})
		x.outbox.roomIsOver(r.jid())
		x.sendLeave(r)
	case r.row.State == perch.RoomStateLeft && r.row.Reason == "":
		x.put(r)
	default:
		x.refuse(r, perch.RoomStateLeft, roomWhy{})
	}
}

// sendLeave tells a room. While there is no stream, the next one decides.
func (x *roomList) sendLeave(r *room) {
	if !x.host.Online() {
		return
	}
	x.leaveQuietly(r)
	stop(r.leaving)
	r.leaving = x.host.after(roomLeaveTime, func() {
		if r.leaving = nil; r.row.State == perch.RoomStateLeaving {
			x.refuse(r, perch.RoomStateLeft, roomWhy{reason: perch.RoomReasonTimeout})
		}
	})
}

func (x *roomList) leaveQuietly(r *room) {
	nick := r.row.Nick
	if r.join != nil && r.join.nick != "" && !r.join.self {
		nick = r.join.nick
	}
	if nick == "" {
		nick = x.nickFor(r)
	}
	_ = x.host.Send(&perch.RoomLeaveOut{Room: r.jid(), Nick: nick, ID: x.newID()})
}

// ownPresenceChanged repeats the own presence to the rooms that are joined (XEP-0045, 7.7): a room does
// not get the one that goes to the contacts. An account that is unavailable is in no room, which its
// server sees to.
func (x *roomList) ownPresenceChanged(own perch.OwnPresence, most int) {
	if !own.Available {
		for _, r := range x.sorted() {
			if r.row.State == perch.RoomStateJoined || r.row.State == perch.RoomStateJoining {
				x.releaseBehindGap(r)
				stop(r.retry)
				r.retry, r.retryAt = nil, 0
				x.become(r, perch.RoomStateLeft, roomWhy{reason: perch.RoomReasonUnavailable})
			}
		}
		return
	}
	var joined []*room
	for _, r := range x.sorted() {
		switch {
		case r.row.State == perch.RoomStateJoined:
			joined = append(joined, r)
		case r.row.State == perch.RoomStateLeft && r.row.Reason == perch.RoomReasonUnavailable && r.wanted() && x.host.Online():
			x.begin(r, &roomJoin{}, roomWhy{})
		}
	}
	if most > 0 && len(joined) > most {
		return
	}
	for _, r := range joined {
		_ = x.host.Send(&perch.RoomPresenceOut{Room: r.jid(), Nick: r.row.Nick, Presence: own})
	}
}

// ownPresenceOfRoom takes presence from the address of a room itself, which some send at any time: it
// tells of its picture. That it is not available says nothing of the account.
func (x *roomList) ownPresenceOfRoom(r *room, in *perch.PresenceIn) {
	x.hear(r)
	if !in.From.IsBare() || !in.Available || in.PhotoHash == nil {
		return
	}
	if has := *in.PhotoHash != ""; has != r.row.Features.Avatar && r.row.State == perch.RoomStateJoined {
		r.row.Features.Avatar = has
		x.changed(r)
	}
}
