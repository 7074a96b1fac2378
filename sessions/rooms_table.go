package sessions

import (
	"cmp"
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/occupants"
)

// Who is in a room is known by the sessions of a node together (internal/occupants). Here is the part of
// one session in that: it tells what its own stream says.

// occupantTables are those of the node.
type occupantTables interface {
	Join(upstream string, room perch.JID, member string) *occupants.Handle
}

// table is the part of the session in the table of a room.
func (x *roomList) tableOf(r *room) *occupants.Handle {
	if r.table == nil {
		r.table = x.tables.Join(x.upstream, r.jid(), string(x.id))
		x.mayLook(r)
	}
	return r.table
}

// mayLook says whether the room shows the account the real addresses of all.
func (x *roomList) mayLook(r *room) {
	if r.table != nil {
		r.table.SeeAddresses(r.row.Features.RealJIDs || r.row.Role == perch.RoleModerator)
	}
}

// occupantsBegin says that a join is sent.
func (x *roomList) occupantsBegin(r *room, resync bool) {
	if r.table != nil && resync {
		r.table.Refresh()
	} else {
		x.tableOf(r).Begin()
	}
}

// occupantsComplete says that a room has told of all who are in it.
func (x *roomList) occupantsComplete(r *room) {
	if r.table != nil {
		r.table.Listed()
		r.refreshing = false
		x.countWanted(r)
	}
}

// occupantsGone says that the account is not in a room any more.
func (x *roomList) occupantsGone(r *room) {
	if r.table != nil {
		r.table.Leave()
		r.table, r.refreshing = nil, false
	}
}

// occupantsOf is how many are in a room.
func (x *roomList) occupantsOf(r *room) perch.OccupantSummary {
	s := perch.OccupantSummary{Events: cmp.Or(r.row.Wanted.Occupants, perch.OccupantEventsNone)}
	if r.table != nil {
		s.Count, s.Complete = r.table.Count()
	}
	return s
}

// note tells the table what the room says of one occupant, and returns what has changed for those who
// want to know that; "": nothing.
func (x *roomList) note(r *room, in *perch.RoomPresenceIn) (change string) {
	nick := in.From.Resource()
	if r.table == nil && !r.inside() {
		return ""
	}
	t := x.tableOf(r)
	switch {
	case !in.Available && in.Codes.Has(perch.CodeNickChanged) && in.NewNick != "":
		t.Rename(nick, in.NewNick)
		return perch.OccupantRenamed
	case !in.Available:
		if !t.Remove(nick) {
			return ""
		}
		return perch.OccupantLeft
	}
	o := occupantIn(r, in)
	before, had := perch.Occupant{}, false
	if r.row.Wanted.Occupants == perch.OccupantEventsLive {
		before, had = t.Find(nick)
	}
	if t.Put(o) {
		return perch.OccupantJoined
	}
	if had && before == o {
		return ""
	}
	return perch.OccupantChanged
}

// occupantIn is what a presence says of an occupant.
func occupantIn(r *room, in *perch.RoomPresenceIn) perch.Occupant {
	o := perch.Occupant{Nick: in.From.Resource(), Affiliation: in.Affiliation, Role: in.Role, Show: in.Show, Status: in.Status,
		JID: in.JID.Bare(), Own: in.Codes.Has(perch.CodeSelf)}
	if r.row.Features.OccupantIDs {
		o.OccupantID = in.OccupantID
	}
	if in.PhotoHash != nil {
		o.PhotoHash = *in.PhotoHash
	}
	return o
}

// fillAuthor says of a live message what the room says of who is in it under that nick now.
func (x *roomList) fillAuthor(r *room, by *perch.MessageRoom) {
	if r.table == nil || by.Nick == "" {
		return
	}
	if o, ok := r.table.Find(by.Nick); ok {
		by.Affiliation, by.JID = o.Affiliation, cmp.Or(by.JID, o.JID)
	}
}

// OccupantQuery says which occupants a page has.
type OccupantQuery struct {
	Text   string     // in the nick; "": any
	Role   perch.Role // "": any
	Limit  int        // of items; 100 when it is 0, at most 1,000
	Cursor string     // Next of the page before; "": from the beginning
}

const (
	usualOccupants = 100
	mostOccupants  = 1000
)

// Occupants returns a page of those who are in a room that is joined. Nothing is waited for: where the
// list is not known whole, as after another node had the session, the room is asked for it, and Complete
// is false until it has answered. Errors: KindNotFound, KindConflict when the room is not joined.
func (rs Rooms) Occupants(ctx context.Context, jid perch.JID, q OccupantQuery) (perch.OccupantPage, error) {
	var t *occupants.Handle
	if err := rs.use(ctx, func(x *roomList) error {
		r, err := x.joinedRoom(jid)
		if err != nil {
			return err
		}
		if t = x.tableOf(r); t.ClaimRefresh() {
			x.refresh(r)
		}
		return nil
	}); err != nil {
		return perch.OccupantPage{}, err
	}
	if q.Limit <= 0 {
		q.Limit = usualOccupants
	}
	p := t.Page(occupants.Query{Text: q.Text, Role: q.Role, Limit: min(q.Limit, mostOccupants), After: q.Cursor})
	page := perch.OccupantPage{Items: p.Items, Count: p.Count, Complete: p.Complete, AsOf: p.AsOf}
	if page.Items == nil {
		page.Items = []perch.Occupant{}
	}
	if p.Next != "" {
		page.Next = &p.Next
	}
	return page, nil
}

// refresh has a room tell once more who is in it: a presence that joins again changes nothing else.
func (x *roomList) refresh(r *room) {
	if r.refreshing || r.join != nil {
		return
	}
	r.refreshing = true
	r.table.Refresh()
	_ = x.host.Send(&perch.RoomJoinOut{Room: r.jid(), Nick: r.row.Nick, ID: x.newID(), Password: x.passwordOf(r), Presence: x.host.record().Own})
}
