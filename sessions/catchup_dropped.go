package sessions

import "github.com/perch-im/perch"

// applyDropped logs that a stream brought a stanza that cannot be shown, unless it is a copy of
// one that was logged. Its stanza-id is a place to read the archive from, as that of a message.
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
	cu.moveTo(&of, l)
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

// logArchivedDropped logs what the archive has of a stanza that cannot be shown, or the invitation to a
// room that it is.
func (cu *catchup) logArchivedDropped(it *perch.ArchiveItem, c identity) {
	if it.Invited != nil {
		cu.logInvitation(it.Invited, &it.Message, c)
		return
	}
	cu.logDropped(perch.Dropped{Reason: it.Dropped, From: it.From, StanzaID: it.StanzaID}, &it.Message, c)
}
