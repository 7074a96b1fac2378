package sessions

import (
	"encoding/json"

	"github.com/perch-im/perch"
)

// applyDropped logs that a stream brought a stanza that cannot be shown, unless it is a copy of
// one that was logged. Its stanza-id is a place to read the archive from, as that of a message:
// else an archive of nothing but such stanzas would be read from its beginning after each gap.
func (cu *catchup) applyDropped(in *perch.DroppedIn, l *link, arrived perch.Time) {
	of := in.Of
	if of.From == "" { // it did not arrive whole
		of.From, of.ID = in.From, in.StanzaID
	}
	c := l.identify(&of, arrived)
	c.text = droppedText(in.Reason, of.From)
	if cu.isCopy(&c) {
		return
	}
	cu.host.rememberAddress(in.From)
	cu.logDropped(in.Dropped, &of, c)
	if of.StanzaID != "" && !l.buffering {
		cu.host.record().ArchiveID, cu.host.record().ArchiveAt = of.StanzaID, cu.host.now()
		cu.host.saveRecord()
	}
}

// logDropped logs what is no copy.
func (cu *catchup) logDropped(d perch.Dropped, of *perch.Message, c identity) {
	now := cu.host.now()
	c.added = now
	c.timeOf(of, now)
	cu.host.dropped(d)
	cu.known.add(c)
	cu.trimLater()
}

// archivedIdentity is that of an item of the archive.
func archivedIdentity(it *perch.ArchiveItem, now perch.Time) identity {
	c := identityOf(&it.Message, pathArchive, now)
	if it.Dropped != "" {
		c.text = droppedText(it.Dropped, it.From)
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
	var env struct {
		Data loggedDropped `json:"data"`
	}
	if json.Unmarshal(e.Wire, &env) != nil || env.Data.From == "" {
		return nil
	}
	return &env.Data
}

// arrivedWhole reports whether the stanza_id is certainly one of an archive. Of a stanza that
// was not decoded it may be the id that the sender gave.
func (d *loggedDropped) arrivedWhole() bool {
	switch d.Reason {
	case perch.DroppedEncrypted, perch.DroppedInvitation, perch.DroppedCall, perch.DroppedUnsupported:
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
