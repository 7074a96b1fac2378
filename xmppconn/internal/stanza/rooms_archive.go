package stanza

import (
	"cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// readRoomResult reads a message that carries one out of the archive of a room (XEP-0313, 5.1.1). It is as
// it was live: from an occupant of that room, or from the room. A room that has messages of others in its
// archive is not believed.
//
// Who is behind a nick is not read here, though rooms add it: where a room hides that, an occupant could
// have written it.
func (r decoder) readRoomResult(outer, result *xmlstream.Borrowed) *ArchiveResult {
	a, archived := r.openResult(outer, result)
	if archived.el == nil {
		return a
	}
	if from := archived.el.Attr("from"); !archived.isGroupchat() || !peekJID(from).Bare().Equal(a.From) {
		a.Broken = true
		return a
	}
	box, reason, invited := archived.content()
	if box == nil {
		return a
	}
	m := &box.MessageIn
	m.StanzaID, m.RoomStanzaID, m.Source, m.ReceiptRequested = "", result.Attr("id").Copy(), perch.SourceArchive, false
	a.Item = archivedAt(m, delayOf(result.Child(nsForward, "forwarded"), 0), r.now)
	a.Item.Dropped, a.Item.Invited = reason, invited
	return a
}

// archiveID is the id of an item in its archive.
func archiveID(it *perch.ArchiveItem) string { return cmp.Or(it.StanzaID, it.RoomStanzaID) }
