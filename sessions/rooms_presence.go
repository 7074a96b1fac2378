package sessions

import (
	"cmp"

	"github.com/perch-im/perch"
)

// presence takes what a room says of one who is in it, or was.
func (x *roomList) presence(r *room, in *perch.RoomPresenceIn) {
	x.hear(r)
	nick := in.From.Resource()
	if nick == "" {
		return
	}
	own := in.Codes.Has(perch.CodeSelf) || nick == r.row.Nick && r.inside() && !in.Available
	if !own {
		x.occupant(r, in)
		return
	}
	if in.Available {
		x.entered(r, in)
		return
	}
	x.left(r, in)
}

// entered takes the own presence in a room: at the end of the list of its occupants, and whenever the
// room changes something of the account.
func (x *roomList) entered(r *room, in *perch.RoomPresenceIn) {
	nick := in.From.Resource()
	before := r.row
	r.row.Nick, r.row.Role = cloned(nick), in.Role
	x.mayLook(r)
	if in.OccupantID != "" && r.row.Features.OccupantIDs {
		r.row.OccupantID = cloned(in.OccupantID)
	}
	j := r.join
	if j != nil && j.step == joinSent && (in.ID == j.id || !j.resync) {
		j.self, j.created = true, j.created || in.Codes.Has(perch.CodeCreated)
	}
	x.occupant(r, in)
	x.ownAffiliation(r, in.Affiliation, in.Reason, in.Actor)
	if r.row.Nick != before.Nick || r.row.Role != before.Role {
		if r.row.State == perch.RoomStateJoined && j == nil {
			x.changed(r)
			return
		}
		x.put(r)
	}
}

// ownAffiliation takes the affiliation of the account.
func (x *roomList) ownAffiliation(r *room, is perch.Affiliation, reason, by string) {
	if is == "" || is == r.row.Affiliation {
		return
	}
	first := r.row.Affiliation == "" && is == perch.AffiliationNone
	r.row.Affiliation = is
	x.put(r)
	if !first {
		x.journal.Durable(perch.EventRoomAffiliation, perch.RoomAffiliationChange{JID: r.jid(), Account: x.host.ownJID().Bare(), Nick: r.row.Nick,
			Affiliation: is, Own: true, Reason: clipTo(reason, maxRoomText), By: by})
	}
}

// left takes the own unavailable presence: why the account is in the room no more, or has another nick
// there.
func (x *roomList) left(r *room, in *perch.RoomPresenceIn) {
	if in.Codes.Has(perch.CodeNickChanged) && in.NewNick != "" {
		x.occupant(r, in)
		r.row.Nick = cloned(in.NewNick) // its presence follows, and says no more
		if r.row.State == perch.RoomStateJoined && r.join == nil {
			x.changed(r)
			return
		}
		x.put(r)
		return
	}
	if j := r.join; j != nil && !j.resync && !j.self || !r.inside() {
		return // of a presence before this one
	}
	why := roomWhy{text: in.Reason, by: in.Actor}
	if in.Destroyed == nil {
		x.ownAffiliation(r, in.Affiliation, in.Reason, in.Actor)
	}
	switch c := in.Codes; {
	case in.Destroyed != nil:
		x.refuse(r, perch.RoomStateDestroyed, roomWhy{text: cmp.Or(in.Destroyed.Reason, in.Reason), by: in.Actor, successor: in.Destroyed.Successor})
	case c.Has(perch.CodeBanned), in.Affiliation == perch.AffiliationOutcast:
		x.refuse(r, perch.RoomStateBanned, why)
	case c.Has(perch.CodeShutdown):
		why.reason = perch.RoomReasonShutdown
		x.again(r, why)
	case c.Has(perch.CodeServiceError):
		why.reason = perch.RoomReasonService
		x.again(r, why)
	case c.Has(perch.CodeKicked):
		x.refuse(r, perch.RoomStateKicked, why)
	case c.Has(perch.CodeAffiliationLost | perch.CodeMembersOnly):
		why.reason = perch.RoomReasonMembersOnly
		x.refuse(r, perch.RoomStateFailed, why)
	case r.row.State == perch.RoomStateLeaving:
		x.refuse(r, perch.RoomStateLeft, roomWhy{})
	case !x.host.record().Own.Available:
		x.refuse(r, perch.RoomStateLeft, roomWhy{reason: perch.RoomReasonUnavailable})
	default: // a service that has removed the account for an error of its own need not say so
		x.again(r, roomWhy{reason: perch.RoomReasonService, text: cmp.Or(in.Reason, in.Status), by: in.Actor})
	}
}

// joinError takes the error answer to a presence that was sent to a room.
func (x *roomList) joinError(r *room, in *perch.RoomJoinError) {
	x.hear(r)
	j := r.join
	switch {
	case j != nil && j.step == joinSent && (in.ID == j.id || in.ID == ""):
		x.joinRefused(r, j, in)
	case j == nil && in.Error.Condition == "conflict" && r.row.State == perch.RoomStateJoined:
		x.host.logDebug("a room refused another nick", "condition", in.Error.Condition)
		x.changed(r) // with the nick that it still has
	default:
		x.host.countDropped(DroppedUnmatched, 1)
	}
}

// joinRefused decides what a join that was refused means (XEP-0045, 7.2).
func (x *roomList) joinRefused(r *room, j *roomJoin, in *perch.RoomJoinError) {
	e := &in.Error
	why := roomWhy{text: e.Text}
	failed := func(reason string) {
		why.reason = reason
		x.refuse(r, perch.RoomStateFailed, why)
	}
	switch e.Condition {
	case "conflict":
		if j.conflicts++; j.conflicts > nickTries {
			failed(perch.RoomReasonNickConflict)
			return
		}
		j.nick += "_"
		x.sendJoin(r, j)
	case "not-authorized":
		failed(perch.RoomReasonPassword)
	case "registration-required":
		failed(perch.RoomReasonMembersOnly)
	case "forbidden":
		x.refuse(r, perch.RoomStateBanned, why)
	case "gone":
		why.successor = in.Successor
		x.refuse(r, perch.RoomStateDestroyed, why)
	case "item-not-found":
		failed(perch.RoomReasonLocked)
	case "service-unavailable":
		failed(perch.RoomReasonFull)
	case "remote-server-not-found", "remote-server-timeout":
		x.unreachable(r, e.Condition, e.Text)
	case "resource-constraint", "recipient-unavailable", "internal-server-error":
		why.reason = perch.RoomReasonRefused
		why.text = cmp.Or(e.Text, e.Condition)
		x.again(r, why)
	default:
		why.text = cmp.Or(e.Text, e.Condition)
		failed(perch.RoomReasonRefused)
	}
}
