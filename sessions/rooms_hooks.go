package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// roomsTail is how many events of the end of the log are read for the messages that may come again, or
// be changed, when a session with rooms is opened.
const roomsTail = 512

// restore implements part. What was under way is begun anew by online.
func (x *roomList) restore(ctx context.Context, v *Saved) error {
	for _, row := range v.Rooms {
		x.byKey[row.JID.Key()] = &room{row: *row, known: knownList{shared: x.sayings}}
	}
	if len(v.Rooms) == 0 || v.Tip == 0 {
		return nil
	}
	page, err := x.store.Log(ctx, x.id, v.Tip-min(v.Tip, roomsTail), roomsTail)
	if err != nil {
		return err
	}
	for _, e := range page.Events {
		x.restoreMessage(e)
	}
	return nil
}

// restoreMessage remembers a message of a room that is in the log.
func (x *roomList) restoreMessage(e *perch.Event) {
	if m := messageOf(e); m != nil && m.Kind == perch.GroupchatMessage {
		if r := x.find(m.From); r != nil {
			in := perch.MessageIn{Message: *m, Sent: e.Type == perch.EventMessageSent}
			k := x.identify(r, &in)
			if k.message = true; m.ID == "" {
				k.wire = ""
			}
			r.remember(k)
		}
		return
	}
	if e.Type == perch.EventDropped {
		var d perch.Dropped
		if e.Decode(&d) == nil && d.RoomStanzaID != "" {
			if r := x.find(d.From); r != nil {
				r.remember(knownMessage{saying: saying{stanzaID: d.RoomStanzaID}})
			}
		}
		return
	}
	if l := relationOf(e, x.host.ownJID()); l != nil && l.in.RoomStanzaID != "" {
		if r := x.find(conversationOf(&l.in.Message, l.in.Sent)); r != nil {
			k := knownMessage{saying: saying{stanzaID: l.in.RoomStanzaID}}
			if ref, err := perch.ParseRef(l.ref); err == nil && l.in.Relation.Kind == perch.RelationEdit {
				k.corrects = ref.StanzaID
			}
			r.remember(k)
		}
	}
}

// takes applies what a room says in which the session is, before anything else sees it, and reports
// whether it was that. Besides is what is for the other parts, as what it is to them, which a private
// message of one who is in such a room is, too; nil: nothing. The rooms of a session that uses none take
// nothing.
func (x *roomList) takes(in perch.Inbound, l *link, own perch.JID) (besides perch.Inbound, taken bool) {
	if x == nil {
		return outsideRooms(in, own), false
	}
	x.host.guarded(func() { taken = x.apply(in, l) })
	m, ok := in.(*perch.MessageIn)
	if taken || ok && m.Room != nil && x.find(conversationOf(&m.Message, m.Sent)) != nil {
		return in, taken
	}
	return outsideRooms(in, own), false
}

// apply implements part.
func (x *roomList) apply(in perch.Inbound, l *link) bool {
	switch in := in.(type) {
	case *perch.MessageIn:
		return x.applyMessage(in)
	case *perch.RoomPresenceIn:
		return x.within(in.From, func(r *room) { x.presence(r, in) })
	case *perch.PresenceIn:
		return x.within(in.From, func(r *room) { x.ownPresenceOfRoom(r, in) })
	case *perch.PresenceError:
		return x.within(in.From, func(r *room) {
			x.joinError(r, &perch.RoomJoinError{From: in.From, Error: in.Error})
		})
	case *perch.RoomJoinError:
		return x.within(in.From, func(r *room) { x.joinError(r, in) })
	case *perch.RoomSubjectIn:
		return x.within(in.From, func(r *room) { x.subjectIn(r, in) })
	case *perch.RoomNoticeIn:
		return x.within(in.From, func(r *room) { x.notice(r, in) })
	case *perch.RoomChatStateIn:
		return x.within(in.From, func(r *room) { x.chatState(r, in) })
	case *perch.DroppedIn:
		return in.Of.Kind == perch.GroupchatMessage && x.within(in.Of.From, func(r *room) { x.applyDropped(r, in) })
	case *perch.ReceiptIn:
		return x.applyReceipt(in)
	case *perch.MessageError:
		x.within(in.From, func(r *room) { x.messageError(r, in) })
	case *perch.BookmarksIn:
		x.news++
		x.bookmarks(in)
		return true
	}
	return false
}

// within runs f with the room of an address, if it is one of the session's.
func (x *roomList) within(jid perch.JID, f func(*room)) bool {
	r := x.find(jid)
	if r != nil {
		f(r)
	}
	return r != nil
}

// applyMessage takes what was said in a room. A private message of one who is in it is for the other
// parts, as what it is.
func (x *roomList) applyMessage(in *perch.MessageIn) bool {
	if in.Kind == perch.GroupchatMessage {
		return x.within(in.From, func(r *room) { x.message(r, in) })
	}
	x.markPrivate(in)
	return false
}

// markPrivate says of a message whether it is a private one of a room, or to one who is in it.
func (x *roomList) markPrivate(in *perch.MessageIn) {
	other := in.From
	if in.Sent {
		other = in.To
	}
	if other.IsBare() || in.Kind == perch.GroupchatMessage {
		return
	}
	r := x.find(other)
	if r == nil {
		return
	}
	by := perch.MessageRoom{}
	if in.Room != nil {
		by = *in.Room
	}
	if !r.row.Features.OccupantIDs {
		by.OccupantID = ""
	}
	by.Nick, by.Own = other.Resource(), in.Sent
	in.Room = &by
	if in.Sent || in.Relation != nil {
		return // to whom it went is noted when it is written
	}
	who, archived := whoIs(by.OccupantID, ""), in.Source == perch.SourceArchive
	if who == "" && !archived {
		who, _ = r.occupantNow(by.Nick)
	}
	if who != "" || !archived {
		x.talked(r, by.Nick, who)
	}
}

// elsewhere implements roomMessages: a server that archives what was said in rooms for the account, too,
// gives nothing that the room does not give.
func (x *roomList) elsewhere(in *perch.MessageIn) bool {
	if in.Kind != perch.GroupchatMessage {
		return false
	}
	r := x.find(in.From)
	return r != nil && r.row.Features.Archive
}

func (x *roomList) applyDropped(r *room, in *perch.DroppedIn) {
	x.hear(r)
	if !x.keepsBack(r, in) {
		x.unshown(r, in)
	}
}

// applyReceipt takes markers and receipts of those who are in a room: they say nothing of a message to
// all of them. Those of a private message are for the outbox.
func (x *roomList) applyReceipt(in *perch.ReceiptIn) bool {
	r := x.find(in.From)
	if r == nil {
		return false
	}
	return in.From.IsBare() || r.knows(in.ID)
}

// knows reports whether a message of the room has an id, by whichever of its names.
func (r *room) knows(id string) bool { return r.has(id) || r.byID(id, 0) != nil }

// online implements part. A stream that was resumed is in its rooms still; one that was bound is in
// none, and joins them again.
func (x *roomList) online(resumed bool) {
	now := x.host.now()
	for _, s := range x.services {
		s.heard, s.pinged = now, 0
	}
	x.gathers = true
	for _, r := range x.sorted() {
		if resumed {
			x.resumed(r)
		} else {
			x.bound(r)
		}
	}
	x.gathers = false
	for _, r := range x.byKey {
		s := x.serviceOf(r)
		x.advance(s)
		x.watch(s)
	}
	if !resumed {
		x.fetchBookmarks()
		x.learnServices()
	}
}

// resumed continues with a room.
func (x *roomList) resumed(r *room) {
	switch r.row.State {
	case perch.RoomStateJoined:
		x.tableOf(r).Resume(r.row.Nick)
		r.row.AnchorID = r.row.ArchiveID // what comes now may come in another order
		x.put(r)
	case perch.RoomStateJoining:
		x.begin(r, &roomJoin{resync: true, doubtful: true}, roomWhy{reason: r.row.Reason, text: r.row.Text})
	case perch.RoomStateLeaving:
		x.sendLeave(r)
	}
}

// bound joins a room again, if it is one that was joined or is to be.
func (x *roomList) bound(r *room) {
	x.occupantsGone(r)
	switch st := r.row.State; {
	case st == perch.RoomStateLeaving:
		x.refuse(r, perch.RoomStateLeft, roomWhy{})
	case !r.wanted():
	case st == perch.RoomStateJoined:
		x.begin(r, &roomJoin{}, roomWhy{reason: perch.RoomReasonLinkLost})
	case st == perch.RoomStateJoining:
		x.begin(r, &roomJoin{}, roomWhy{reason: r.row.Reason, text: r.row.Text})
	case st == perch.RoomStateLeft && r.row.Reason == perch.RoomReasonUnavailable:
		x.begin(r, &roomJoin{}, roomWhy{})
	}
}

// offline implements part: what was asked on the link is not answered. Whether the account is still in
// its rooms is decided by online.
func (x *roomList) offline(*link) {
	for _, r := range x.sorted() {
		if r.join != nil {
			x.abandon(r)
		}
		switch r.refreshing = false; {
		case r.table == nil:
		case r.row.State == perch.RoomStateJoined:
			r.table.Suspend()
		default:
			x.occupantsGone(r)
		}
	}
	for _, s := range x.services {
		stop(s.silence)
		s.silence = nil
	}
}

// stop ends what waits.
func (x *roomList) stop() {
	for _, r := range x.byKey {
		stop(r.retry)
		stop(r.leaving)
		stop(r.owed)
		stop(r.limit.timer)
		if r.join != nil {
			stop(r.join.deadline)
		}
		x.occupantsGone(r)
	}
	for _, s := range x.services {
		stop(s.timer)
		stop(s.silence)
	}
	x.stopNews()
	stop(x.publishTimer)
}

// writeAll puts all rooms into a commit that begins the table anew.
func (x *roomList) writeAll(c *Commit) {
	c.Rooms.Reset = true
	for _, r := range x.sorted() {
		x.put(r)
	}
}
