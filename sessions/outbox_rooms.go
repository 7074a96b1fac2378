package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

// A message to a room is with those who are in it when the room sends it to all of them: that the own
// server has it says nothing. So its entry stays, written, until the room reflects it or refuses it,
// and what was written on a stream that is lost is decided about when the room is joined again and its
// archive was read.

// roomSender says what can be sent to a room.
type roomSender interface {
	// reflects reports whether messages to an address come back from it.
	reflects(to perch.JID) bool
	// mayWrite reports whether they can be written now; mayAccept is why none can be accepted at all.
	mayWrite(to perch.JID) bool
	mayAccept(to perch.JID) error
	// author is who has written a message that one to an address is about, "" when that is not known;
	// false: the address is of no room.
	author(to perch.JID, ref perch.Ref) (perch.JID, bool)
	// wrote says that one was written.
	wrote(to perch.JID)
	// inPrivate reports whether an address is that of one who is in a room, or was. Addressee is for whom a
	// message to it is, who must be want, if that is not "", and else the one who was talked to last under
	// the nick: an error of KindOccupantChanged when another one has it now. Since is when a message was
	// sent, or came, that this one is about; 0: none. WrotePrivate says to whom one was written.
	inPrivate(to perch.JID) bool
	addressee(to perch.JID, want string, since perch.Time) (who string, err error)
	wrotePrivate(to perch.JID, who string)
}

// toRoom reports whether a message is to a room that reflects it.
func (o *outbox) toRoom(m *perch.MessageOut) bool {
	return o.rooms != nil && m.Kind == perch.GroupchatMessage && o.rooms.reflects(m.To)
}

// inPrivate reports whether a message is to one who is in a room.
func (o *outbox) inPrivate(m *perch.MessageOut) bool {
	return o.rooms != nil && m.Kind != perch.GroupchatMessage && o.rooms.inPrivate(m.To)
}

// waitsForRoom reports whether an entry is not to be written before its room is joined.
func (o *outbox) waitsForRoom(e *outEntry) bool {
	return (o.toRoom(&e.MessageOut) || o.inPrivate(&e.MessageOut)) && !o.rooms.mayWrite(e.To)
}

// addressed is what mayAccept asks of a private message.
func (o *outbox) addressed(p *sending) (err error) {
	e := p.entry
	if !o.inPrivate(&e.MessageOut) {
		if e.Occupant != "" {
			return perch.Invalid("/occupant_id", "goes with the address of an occupant of a room of this session, room@service/nick")
		}
		return nil
	}
	if err := o.rooms.mayAccept(e.To); err != nil {
		return err
	}
	e.Occupant, err = o.rooms.addressee(e.To, e.Occupant, p.since)
	return err
}

// misses fails a private message that is about to be written when its room is left, or its nick is another
// one's by now, and reports whether it did.
func (o *outbox) misses(e *outEntry) bool {
	if !o.inPrivate(&e.MessageOut) || e.Sent && e.record.Status != perch.StatusAccepted {
		return false
	}
	if o.rooms.mayAccept(e.To) != nil {
		o.notInRoom(e)
		return true
	}
	if !o.rooms.mayWrite(e.To) {
		return false
	}
	since := perch.Time(0)
	if h := e.record.History; e.Relation != nil && len(h) > 0 {
		since = h[0].Time
	}
	if _, err := o.rooms.addressee(e.To, e.Occupant, since); err != nil {
		o.fail(e, &perch.XMPPError{Condition: "item-not-found", Type: "cancel", Text: "another occupant has this nick now"})
		return true
	}
	return false
}

// reconcileRoom is reconcile for a message to a room: that it is on a stream which is resumed is all
// that can be known here.
func (o *outbox) reconcileRoom(e *outEntry, l *link, resumed bool, num uint64, on, lacks bool) {
	switch {
	case resumed && on:
		e.link, e.num, e.carried, e.received = l, num, false, num == 0
	case resumed && lacks:
		e.link, e.carried = nil, false
	case resumed:
		e.link, e.num, e.carried = l, 0, false
	default:
		e.link, e.carried = l, true // not to be written, until the room is joined
	}
	if resumed && e.link != nil {
		o.rooms.wrote(e.To)
	}
}

// entriesTo are the entries to a room, written or not.
func (o *outbox) entriesTo(room perch.JID) (list []*outEntry) {
	for _, e := range o.entries {
		if e.Kind == perch.GroupchatMessage && e.To.Bare().Equal(room) {
			list = append(list, e)
		}
	}
	return list
}

// reflected implements roomOutbox.
func (o *outbox) reflected(room perch.JID, ids [2]string, ref string) {
	for _, e := range o.entriesTo(room) {
		if e.ID != ids[0] && e.ID != ids[1] {
			continue
		}
		e.record = named(e.record, ref)
		o.done(e, perch.StatusAcked, nil)
		return
	}
	for _, r := range slices.Clone(o.records) {
		if (r.ID == ids[0] || r.ID == ids[1]) && r.To.Bare().Equal(room) {
			o.advanceTo(named(r, ref), perch.StatusAcked, nil)
			return
		}
	}
}

// roomCaughtUp implements roomOutbox: what was written on an earlier stream, or longer ago than a room
// takes, and is not among what the room has, goes out once more under its id; what cannot be known
// stays unknown.
func (o *outbox) roomCaughtUp(room perch.JID, certain bool) {
	for _, e := range o.entriesTo(room) {
		if !e.carried {
			continue
		}
		if !certain || e.repeated {
			o.done(e, perch.StatusUnknown, nil)
			continue
		}
		e.link, e.carried, e.received, e.repeated = nil, false, false, true
	}
	o.flush()
}

// roomIsOver implements roomOutbox.
func (o *outbox) roomIsOver(room perch.JID) {
	for _, e := range o.entriesTo(room) {
		if e.link != nil || e.carried {
			o.done(e, perch.StatusUnknown, nil)
			continue
		}
		o.notInRoom(e)
	}
	o.flush() // private messages to those who are in it fail
}

// notInRoom fails an entry that was not written, because its room is left.
func (o *outbox) notInRoom(e *outEntry) {
	o.fail(e, &perch.XMPPError{Condition: "not-acceptable", Type: "cancel", Text: "the account is not in the room"})
}

// unreflected implements roomOutbox.
func (o *outbox) unreflected(room perch.JID, before perch.Time) bool {
	return slices.ContainsFunc(o.entriesTo(room), func(e *outEntry) bool { return e.owed(before) })
}

// owed reports whether the room has not reflected a message that was written before.
func (e *outEntry) owed(before perch.Time) bool {
	return e.link != nil && !e.carried && e.writtenAt <= before
}

// asked implements roomOutbox: the room is looked through for what it owes.
func (o *outbox) asked(room perch.JID) {
	for _, e := range o.entriesTo(room) {
		if e.link != nil {
			e.carried = true
		}
	}
}
