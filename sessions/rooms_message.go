package sessions

import (
	"cmp"

	"github.com/perch-im/perch"
)

// message takes a message that a room has sent to all who are in it.
func (x *roomList) message(r *room, in *perch.MessageIn) {
	x.hear(r)
	j := r.join
	switch {
	case in.History && (j == nil || j.step != joinSent):
		x.host.countDropped(DroppedUnmatched, 1) // none was asked for
	case in.History:
		x.history(r, j, in)
	case x.keepsBack(r, in):
	default:
		x.live(r, in)
	}
}

// keepsBack reports whether something that has come live is not to be logged now: of a room that is
// joining the archive is still to be read. Also a stream that is resumed in the middle of a join brings
// such; what has an id of the archive need not even wait then, as it is read there.
func (x *roomList) keepsBack(r *room, in perch.Inbound) bool {
	switch {
	case r.row.State != perch.RoomStateJoining || !r.row.Features.Archive:
		return false
	case r.join != nil:
		x.hold(r, r.join, in)
		return true
	}
	return stanzaOf(in).RoomStanzaID != ""
}

// history takes what a room tells of before the join. Where there is an archive, that tells it.
func (x *roomList) history(r *room, j *roomJoin, in *perch.MessageIn) {
	if r.row.Features.Archive && in.RoomStanzaID != "" || r.row.JoinedAt == 0 || len(j.history) >= maxRoomHeld {
		return
	}
	j.history = append(j.history, in)
}

func (x *roomList) hold(r *room, j *roomJoin, in perch.Inbound) {
	if !j.hold(in) {
		x.host.overBudget("messages of a room that is being joined", r.jid())
	}
}

// live takes a message that has come on the stream, unless it is a copy of one that is in the log.
func (x *roomList) live(r *room, in *perch.MessageIn) {
	if r.has(in.RoomStanzaID) {
		x.host.countDropped(DroppedSuperseded, 1)
		return
	}
	if in.Source == "" {
		in.Source = perch.SourceLive
	}
	x.take(r, in, sentTime(&in.Message, x.host.now()), in.Delay != nil)
}

// take logs a message of a room that is no copy. At is when the room got it, as far as it is known. The
// row that says that it is in the log is put into the commit before the event is made: so both are in
// one commit, and never is it only the row.
func (x *roomList) take(r *room, in *perch.MessageIn, at perch.Time, late bool) {
	m := &in.Message
	x.name(r, in)
	k := x.identify(r, in)
	x.moveTo(r, m.RoomStanzaID, at)
	switch {
	case in.Relation != nil:
		x.relation(r, in, &k, late)
	default:
		m.Ref = perch.RefOf(m, in.Sent)
		k.hidden = !x.show(r, messageEvent(in), m)
	}
	r.remember(k)
	if in.Sent {
		x.outbox.reflected(r.jid(), [2]string{m.ID, m.OriginID}, m.Ref)
	}
}

// name says who has written a message. To is the room: then a message is the same for all who are in it.
func (x *roomList) name(r *room, in *perch.MessageIn) {
	m := &in.Message
	nick := m.From.Resource()
	by := perch.MessageRoom{}
	if m.Room != nil {
		by = *m.Room
	}
	by.Nick = nick
	if !r.row.Features.OccupantIDs {
		by.OccupantID = "" // anybody may have written it
	}
	switch {
	case nick == "":
		by.Own = false
	case by.OccupantID != "" && r.row.OccupantID != "":
		by.Own = by.OccupantID == r.row.OccupantID
	case by.JID != "":
		by.Own = by.JID.Bare().Equal(x.host.ownJID().Bare())
	default:
		by.Own = nick == r.row.Nick
	}
	if m.Source != perch.SourceArchive {
		x.fillAuthor(r, &by)
	}
	in.Sent = by.Own
	m.To, m.Kind, m.Room = r.jid(), perch.GroupchatMessage, &by
}

// moveTo makes a message the place that the archive is read from by the next join.
func (x *roomList) moveTo(r *room, stanzaID string, at perch.Time) {
	if stanzaID != "" && (r.join == nil || r.join.step == joinReading) {
		r.row.ArchiveID, r.row.ArchiveAt = cloned(stanzaID), x.host.now()
	}
	r.row.LastSeenAt = max(r.row.LastSeenAt, min(at, x.host.now())) // a room may say what it likes
	x.put(r)
}

// relation takes a message that is about an earlier one. Who may say so is decided by what is known of
// that one: a message of before the join is nobody's (XEP-0308, 5; XEP-0424, 5).
func (x *roomList) relation(r *room, in *perch.MessageIn, k *knownMessage, late bool) {
	rel := in.Relation
	if rel.Target == "" {
		x.refuseRelation(in, perch.DroppedUnsupported)
		return
	}
	if !x.lookBack(r, in, k, late) {
		x.relate(r, in, k, late)
	}
}

// relate is relation for what can be decided now.
func (x *roomList) relate(r *room, in *perch.MessageIn, k *knownMessage, late bool) {
	rel := in.Relation
	target := r.original(rel.Target)
	var of *knownMessage
	may := true
	switch {
	case rel.Kind == perch.RelationEdit:
		if of = r.byID(rel.Target, k.author); of == nil || (of.author == 0 || k.author == 0) && !(of.own && k.own) {
			x.showEdit(r, in, k)
			return
		}
		may = of.author == k.author || of.own && k.own
	case rel.Kind == perch.RelationRetraction && rel.Moderated:
		of, may = r.byArchive(target), in.From.Resource() == ""
	case rel.Kind == perch.RelationRetraction:
		of = r.byArchive(target)
		may = of != nil && (k.author != 0 && of.author == k.author || of.own && k.own)
	default:
		of = r.byArchive(target)
	}
	if !may {
		x.refuseRelation(in, perch.DroppedNotAuthor)
		return
	}
	if of != nil && of.hidden {
		return // its message is not in the log either
	}
	about := knownMessage{saying: saying{stanzaID: target}}
	if of != nil {
		about = *of
	}
	if rel.Kind == perch.RelationEdit {
		k.corrects = about.stanzaID
	}
	x.log.logRoomRelation(in, about, late)
}

// showEdit shows a correction of a message that is not known as what it is: a message, which says that
// it was corrected.
func (x *roomList) showEdit(r *room, in *perch.MessageIn, k *knownMessage) {
	m := in.Message
	d := perch.MessageDetails{}
	if m.MessageDetails != nil {
		d = *m.MessageDetails
	}
	d.Edited = &perch.Edited{Count: 1, At: sentTime(&m, x.host.now()), StanzaID: cloned(m.RoomStanzaID), OriginID: cloned(m.ID)}
	m.MessageDetails = &d
	m.Ref = perch.RefOf(&m, in.Sent)
	k.message = true
	k.hidden = !x.show(r, messageEvent(in), &m)
}

func (x *roomList) refuseRelation(in *perch.MessageIn, reason string) {
	x.host.dropped(perch.Dropped{Reason: reason, From: in.From, RoomStanzaID: in.RoomStanzaID})
}

// unshown takes a stanza of a room that cannot be shown.
func (x *roomList) unshown(r *room, in *perch.DroppedIn) {
	if r.has(in.Of.RoomStanzaID) {
		return
	}
	x.moveTo(r, in.Of.RoomStanzaID, sentTime(&in.Of, x.host.now()))
	d := in.Dropped
	d.StanzaID, d.RoomStanzaID = "", cloned(in.Of.RoomStanzaID)
	x.host.dropped(d)
	r.remember(knownMessage{saying: saying{stanzaID: in.Of.RoomStanzaID}})
}

// archivedUnshown is unshown for what the archive has.
func (x *roomList) archivedUnshown(r *room, it *perch.ArchiveItem) {
	x.unshown(r, &perch.DroppedIn{Dropped: perch.Dropped{Reason: it.Dropped, From: it.From}, Of: it.Message})
}

// subjectIn takes the subject of a room, which ends a join.
func (x *roomList) subjectIn(r *room, in *perch.RoomSubjectIn) {
	x.hear(r)
	at := perch.Time(0)
	if in.Delay != nil {
		at = in.Delay.Stamp
	}
	if j := r.join; j != nil && j.step == joinSent && j.self {
		x.setSubject(r, in.From, in.Text, at)
		x.said(r, j)
		return
	}
	if r.refreshing {
		x.occupantsComplete(r)
	}
	if r.has(in.StanzaID) {
		return
	}
	if in.StanzaID != "" && r.row.State == perch.RoomStateJoined {
		x.moveTo(r, in.StanzaID, x.host.now())
		r.remember(knownMessage{saying: saying{stanzaID: in.StanzaID}})
	}
	x.subject(r, in.From, in.Text, cmp.Or(at, x.host.now()))
}

// subject takes another subject.
func (x *roomList) subject(r *room, by perch.JID, text string, at perch.Time) {
	if x.setSubject(r, by, text, at) {
		x.changed(r)
	}
}

// setSubject reports whether the subject is another one.
func (x *roomList) setSubject(r *room, by perch.JID, text string, at perch.Time) bool {
	before := r.row.Subject
	text = clipTo(text, maxSubject)
	switch {
	case text == "":
		r.row.Subject = nil
		return before != nil
	case before != nil && before.Text == text:
		return false
	}
	r.row.Subject = &perch.RoomSubject{Text: cloned(text), By: cloned(by.Resource()), At: at}
	return true
}

// notice takes what a room says of itself (XEP-0045, 10.2.1 and 9).
func (x *roomList) notice(r *room, in *perch.RoomNoticeIn) {
	x.hear(r)
	if in.Affiliation != "" {
		x.affiliationOf(r, in)
		return
	}
	if in.Codes.Has(perch.CodeConfigChanged | perch.CodeLogged | perch.CodeNotLogged | perch.CodeNonAnonymous | perch.CodeSemiAnonymous) {
		x.lookAgain(r)
	}
}

// affiliationOf takes the affiliation of one who is not in the room. Others than the account's own are
// for those who run the room.
func (x *roomList) affiliationOf(r *room, in *perch.RoomNoticeIn) {
	if in.Account.Bare().Equal(x.host.ownJID().Bare()) {
		x.ownAffiliation(r, in.Affiliation, in.Reason, in.Actor)
		return
	}
	if r.row.Role == perch.RoleModerator {
		x.journal.Durable(perch.EventRoomAffiliation, perch.RoomAffiliationChange{JID: r.jid(), Account: in.Account.Bare(),
			Affiliation: in.Affiliation, Reason: clipTo(in.Reason, maxRoomText), By: in.Actor})
	}
}
