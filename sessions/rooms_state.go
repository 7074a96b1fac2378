package sessions

import (
	"cmp"

	"github.com/perch-im/perch"
)

// roomWhy is why a room is in its state.
type roomWhy struct {
	reason, text, by string
	successor        perch.JID
}

// become moves a room to a state, and makes the event of that.
func (x *roomList) become(r *room, st perch.RoomState, why roomWhy) {
	row := &r.row
	why.text, why.by = clipTo(why.text, maxRoomText), clipTo(why.by, maxRoomText)
	if row.State == st && row.Reason == why.reason && row.Text == why.text && row.By == why.by && row.Successor == why.successor {
		x.wakeIfDecided(r)
		return
	}
	row.State, row.Reason, row.Text, row.By, row.Successor = st, why.reason, cloned(why.text), cloned(why.by), cloned(why.successor)
	switch st {
	case perch.RoomStateJoining, perch.RoomStateJoined, perch.RoomStateLeaving:
	default:
		row.Role = ""
		x.occupantsGone(r)
	}
	x.put(r)
	x.journal.Durable(perch.EventRoomState, x.view(r))
	x.wakeIfDecided(r)
}

// changed commits a room, and makes the event of what has changed of it.
func (x *roomList) changed(r *room) {
	x.put(r)
	x.journal.Durable(perch.EventRoomChanged, x.view(r))
}

// learn takes what a room says of itself.
func (x *roomList) learn(r *room, info *perch.RoomInfo) {
	before := r.row
	r.row.Features = info.Features
	r.row.Name = cloned(clipTo(info.Name, maxName))
	x.mayLook(r)
	if before.Features != r.row.Features || before.Name != r.row.Name {
		x.changed(r)
	}
}

// view is a room as clients see it.
func (x *roomList) view(r *room) perch.Room {
	row := &r.row
	v := perch.Room{
		JID: row.JID, State: row.State, Reason: row.Reason, Text: row.Text, By: row.By, Successor: row.Successor,
		Nick: row.Nick, Role: cmp.Or(row.Role, perch.RoleNone), Affiliation: cmp.Or(row.Affiliation, perch.AffiliationNone),
		Name: row.Name, Subject: row.Subject, Features: row.Features, Missed: row.Missed,
		Delivery: cmp.Or(row.Wanted.Delivery, perch.DeliverAll), Limited: r.limit.on,
		JoinedAt: row.JoinedAt, LastSeenAt: row.LastSeenAt, Occupants: x.occupantsOf(r),
	}
	if row.State == perch.RoomStateJoining {
		v.RetryAt = r.retryAt
	}
	if b := row.Bookmark; b != nil {
		v.Bookmark = &b.Bookmark
		v.Name = cmp.Or(b.Name, v.Name)
	}
	if row.Invited != nil {
		v.Invited = &row.Invited.RoomInvitation
	}
	return v
}

// decided reports whether the end of a join is known.
func (r *room) decided() bool {
	return r.row.State != perch.RoomStateJoining || r.join == nil && r.retry != nil
}

// await registers who waits for the end of a join, unless there is none under way.
func (r *room) await(came chan struct{}) (waits bool) {
	if r.decided() {
		return false
	}
	r.waiters = append(r.waiters, came)
	return true
}

func (x *roomList) wakeIfDecided(r *room) {
	if r.decided() {
		x.wakeWaiters(r)
	}
}

// wakeWaiters lets those who wait for a room know, once that is committed.
func (x *roomList) wakeWaiters(r *room) {
	waiting := r.waiters
	if r.waiters = nil; len(waiting) == 0 {
		return
	}
	x.journal.AfterCommit(func(Result) {
		for _, c := range waiting {
			close(c)
		}
	})
}
