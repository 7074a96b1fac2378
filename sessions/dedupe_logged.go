package sessions

import (
	"github.com/perch-im/perch"
)

// archivedIdentity is that of an item of the archive.
func archivedIdentity(it *perch.ArchiveItem, now perch.Time) identity {
	c := identityOf(&it.Message, pathArchive, now)
	switch {
	case it.Dropped != "":
		c.text = droppedText(it.Dropped, it.From)
	case it.Relation != nil:
		c.text = relationText(&it.MessageIn)
	}
	return c
}

// droppedText stands for the text of what cannot be shown. The receiver is not in it: the log
// does not have it.
func droppedText(reason string, from perch.JID) uint64 {
	return hashOf(string(perch.EventDropped), reason, string(from.Bare().Key()), "")
}

// loggedDropped is an event.dropped in the log that may be about a message.
type loggedDropped perch.Dropped

// droppedOf is the event.dropped about a stanza in an event, or nil. Others are about the
// session: they have no sender.
func droppedOf(e *perch.Event) *loggedDropped {
	if e.Type != perch.EventDropped {
		return nil
	}
	var d loggedDropped
	if e.Decode(&d) != nil || d.From == "" {
		return nil
	}
	return &d
}

// arrivedWhole reports whether the stanza_id is certainly one of an archive. Of a stanza that
// was not decoded it may be the id that the sender gave.
func (d *loggedDropped) arrivedWhole() bool {
	switch d.Reason {
	case perch.DroppedEncrypted, perch.DroppedInvitation, perch.DroppedCall, perch.DroppedUnsupported,
		perch.DroppedNotAuthor:
		return true
	}
	return false
}

func (d *loggedDropped) of() *perch.Message {
	return &perch.Message{From: d.From, StanzaID: d.StanzaID}
}

// loggedDrop is the identity of a dropped stanza in the log: where its id may be of either
// kind there are two, and a copy finds the right one.
func loggedDrop(d *loggedDropped, at perch.Time) []identity {
	list := []identity{identityOf(d.of(), pathStream, at)}
	if !d.arrivedWhole() && d.StanzaID != "" {
		list = append(list, identityOf(&perch.Message{From: d.From, ID: d.StanzaID}, pathStream, at))
	}
	for i := range list {
		list[i].text = droppedText(d.Reason, d.From)
	}
	return list
}

// identitiesOf are the messages among these events, oldest first, and the ids in the own
// archive of the last ones.
func identitiesOf(events []*perch.Event, own perch.JID, tip uint64) (list []identity, ids []place) {
	for _, e := range events {
		if c, ok := loggedInvitation(e); ok {
			list = append(list, c)
			continue
		}
		m := messageOf(e)
		d, l := droppedOf(e), relationOf(e, own)
		switch {
		case l != nil:
			list = append(list, loggedRelated(l, e, own))
			m = &l.in.Message
		case d != nil:
			list = append(list, loggedDrop(d, e.Time)...)
			if m = d.of(); !d.arrivedWhole() {
				continue
			}
		case m == nil:
			continue
		default:
			list = append(list, loggedIdentity(m, e, own))
		}
		if m.StanzaID != "" && e.Position.Offset+overlapEvents > tip {
			ids = append(ids, place{m.StanzaID, e.Time})
		}
	}
	return list, ids
}

// place is a message in the archive, and when it was logged.
type place struct {
	id string
	at perch.Time
}

// messageOf is the message in an event, or nil.
func messageOf(e *perch.Event) *perch.Message {
	if e.Type != perch.EventMessageReceived && e.Type != perch.EventMessageSent {
		return nil
	}
	var m perch.Message
	if e.Decode(&m) != nil {
		return nil
	}
	return &m
}

// loggedIdentity is that of a message in the log, which does not say by what path it came but
// for what shows in the message.
func loggedIdentity(m *perch.Message, e *perch.Event, own perch.JID) identity {
	path := pathStream
	switch {
	case m.Source == perch.SourceArchive:
		path = pathArchive
	case m.Delay != nil:
		path = pathRepeat
	case e.Type == perch.EventMessageSent && m.From.Equal(own):
		path = pathOwn
	}
	if path == pathArchive && m.ID == m.StanzaID {
		m.ID = "" // the archive had none
	}
	return identityOf(m, path, e.Time)
}
