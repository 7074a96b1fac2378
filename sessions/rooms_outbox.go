package sessions

import (
	"cmp"
	"time"

	"github.com/perch-im/perch"
)

// reflectTime is how long a room may take to send a message of ours to everybody. Then it is looked for
// in what the room has.
const reflectTime = time.Minute

// reflects implements roomSender.
func (x *roomList) reflects(to perch.JID) bool { return to.IsBare() && x.find(to) != nil }

// mayWrite implements roomSender.
func (x *roomList) mayWrite(to perch.JID) bool {
	r := x.find(to)
	return r != nil && r.row.State == perch.RoomStateJoined
}

// mayAccept implements roomSender. What is accepted while a room is joined goes out after that.
func (x *roomList) mayAccept(to perch.JID) error {
	r := x.find(to)
	if r != nil && (r.row.State == perch.RoomStateJoined || r.row.State == perch.RoomStateJoining) {
		return nil
	}
	return errNotJoined
}

// author implements roomSender. A private message is of the account or of the one that it is with.
func (x *roomList) author(to perch.JID, ref perch.Ref) (perch.JID, bool) {
	r := x.find(to)
	if r == nil {
		return "", false
	}
	switch {
	case ref.Sent:
		return r.occupant(r.row.Nick), true
	case !to.IsBare():
		return to, true
	}
	k := r.byArchive(cmp.Or(ref.StanzaID, ref.ID))
	if k == nil || k.nick == "" {
		return "", true
	}
	return r.occupant(k.nick), true
}

// occupant is the address of a nick in the room.
func (r *room) occupant(nick string) perch.JID { return r.jid() + "/" + perch.JID(nick) }

var errNotJoined error = perch.Errorf(perch.KindRoomNotJoined, "the account is not in this room; join it first")

// wrote implements roomSender.
func (x *roomList) wrote(to perch.JID) {
	if r := x.find(to); r != nil && r.owed == nil {
		x.awaitReflections(r)
	}
}

// awaitReflections looks for what the room owes, once it is late.
func (x *roomList) awaitReflections(r *room) {
	r.owed = x.host.after(reflectTime, func() {
		r.owed = nil
		now := x.host.now()
		switch {
		case !x.outbox.unreflected(r.jid(), now):
		case r.join != nil || r.row.State != perch.RoomStateJoined || !x.host.Online():
			// the end of the join decides
		case x.outbox.unreflected(r.jid(), now-perch.Time(reflectTime.Milliseconds())):
			x.outbox.asked(r.jid())
			x.begin(r, &roomJoin{resync: true}, roomWhy{})
		default:
			x.awaitReflections(r)
		}
	})
}

// messageError takes a refusal of a message to a room. The outbox takes it, too: this is about what it
// says of the account, that it is not in the room.
func (x *roomList) messageError(r *room, in *perch.MessageError) {
	x.hear(r)
	if in.Error.Condition == "not-acceptable" && in.From.IsBare() && r.join == nil && r.row.State == perch.RoomStateJoined {
		x.begin(r, &roomJoin{}, roomWhy{reason: perch.RoomReasonService})
	}
}
