package sessions

import (
	"github.com/perch-im/perch"
)

// occupant takes what a room says of one who is in it, or was, the account itself included.
func (x *roomList) occupant(r *room, in *perch.RoomPresenceIn) {
	change := x.note(r, in)
	if !in.Available {
		r.nickIsOver(in.From.Resource())
		x.partnerGone(r, in.From.Resource(), in.Codes.Has(perch.CodeNickChanged))
	}
	if change == "" || r.join != nil || !x.host.watched() {
		return
	}
	x.countWanted(r)
	if r.row.Wanted.Occupants == perch.OccupantEventsLive {
		x.journal.Ephemeral(perch.EventRoomOccupant, string(in.From), occupantChange(r, in, change))
	}
}

// occupantChange is what event streams get of a change.
func occupantChange(r *room, in *perch.RoomPresenceIn, change string) perch.RoomOccupantChange {
	c := perch.RoomOccupantChange{JID: r.jid(), Change: change, Occupant: occupantIn(r, in), Reason: clipTo(in.Reason, maxRoomText), By: in.Actor}
	if change == perch.OccupantRenamed {
		c.Previous, c.Occupant.Nick = c.Occupant.Nick, in.NewNick
	}
	return c
}

// occupantNews are the rooms whose number of occupants has changed.
type occupantNews struct {
	rooms map[*room]struct{}
	timer stopper
}

type stopper interface{ Stop() bool }

// countWanted tells the number of occupants soon, once for many changes, to streams that want it.
func (x *roomList) countWanted(r *room) {
	if r.row.Wanted.Occupants == perch.OccupantEventsNone || r.row.Wanted.Occupants == "" || !x.host.watched() {
		return
	}
	if x.deferred == nil {
		x.deferred = &occupantNews{rooms: map[*room]struct{}{}}
		x.deferred.timer = x.host.after(changedSoon, x.tellCounts)
	}
	x.deferred.rooms[r] = struct{}{}
}

func (x *roomList) tellCounts() {
	news := x.deferred
	x.deferred = nil
	if news == nil {
		return
	}
	for _, r := range x.sorted() {
		if _, is := news.rooms[r]; is {
			n := x.occupantsOf(r)
			x.journal.Ephemeral(perch.EventRoomOccupants, string(r.jid()), perch.RoomOccupants{JID: r.jid(), Count: n.Count, Complete: n.Complete})
		}
	}
}

func (x *roomList) stopNews() {
	if x.deferred != nil && x.deferred.timer != nil {
		x.deferred.timer.Stop()
	}
}
