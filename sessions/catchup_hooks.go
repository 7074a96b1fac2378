package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// restore implements part. It remembers the last messages of the log: a server whose stream is
// resumed after a crash may send them again. It also finds how long the session was offline
// when the process could not record that.
func (cu *catchup) restore(ctx context.Context, v *Saved) error {
	if v.Tip == 0 {
		return nil
	}
	rec := cu.host.record()
	tail := uint64(loadTail)
	if since := rec.RelatedSince; since != 0 && since <= v.Tip {
		tail = min(max(tail, v.Tip-since+1), relatedTail)
	}
	page, err := cu.store.Log(ctx, cu.id, v.Tip-min(v.Tip, tail), int(tail))
	if err != nil {
		return err
	}
	if n := len(page.Events); n > 0 && rec.RosterKnown && rec.OfflineSince == 0 {
		rec.OfflineSince = page.Events[n-1].Time // it was online until the process died
	}
	read, _ := identitiesOf(page.Events[max(0, len(page.Events)-loadTail):], rec.JID, v.Tip)
	cu.known.merge(read)
	cu.relations.restore(page.Events, rec.JID)
	return nil
}

// apply implements part.
func (cu *catchup) apply(in perch.Inbound, l *link) bool {
	switch in := in.(type) {
	case *perch.MessageIn:
		cu.host.rememberAddress(in.From)
		cu.host.rememberAddress(in.To)
		cu.applyMessage(in, l, cu.host.now())
	case *perch.DroppedIn:
		cu.applyDropped(in, l, cu.host.now())
	case *perch.RoomInvitedIn:
		cu.applyInvitation(in, l, cu.host.now())
	default:
		return false
	}
	return true
}

func (*catchup) online(bool) {}

// offline implements part.
func (cu *catchup) offline(l *link) { cu.releaseBuffered(l) }

// stop ends the wait for the next trim.
func (cu *catchup) stop() { stop(cu.trim) }

// logSent logs a message that was written, to the stream in use or to one before it.
func (cu *catchup) logSent(e *outEntry) {
	in := perch.MessageIn{Sent: true, Relation: e.Relation, Message: perch.Message{ID: e.ID, From: cu.host.record().JID, To: e.To,
		Kind: e.Kind, Body: e.Body, Thread: e.Thread, Subject: e.Subject, Source: perch.SourceLive, MessageDetails: e.Details}}
	if id := occupantIDOf(e.Occupant); id != "" {
		in.Room = &perch.MessageRoom{OccupantID: id}
	}
	if cu.rooms != nil {
		cu.rooms.markPrivate(&in)
	}
	c := identityOf(&in.Message, pathOwn, cu.host.now())
	if l := cu.host.stream(); l != nil {
		c.link = l.number
	}
	if in.Relation != nil {
		c.text = relationText(&in)
		cu.logRelation(&in, c)
		return
	}
	cu.logMessage(perch.EventMessageSent, &in.Message, c)
}
