package sessions

import (
	"cmp"

	"github.com/perch-im/perch"
)

// takeInRoom makes the event of a control message of a room. Who may say it, and of which message, is
// decided.
func (r *relations) takeInRoom(in *perch.MessageIn, of knownMessage, now perch.Time, late bool) {
	room := in.From.Bare()
	ref := perch.Ref{StanzaID: of.stanzaID, Room: true}
	if of.stanzaID == "" {
		ref = perch.Ref{ID: of.wire, Sent: of.own}
	}
	e := r.remembered().newest(room, ref, true)
	e.id = cmp.Or(of.wire, e.id)
	before := e.cost()
	if !e.apply(in, sentTime(&in.Message, now), late) {
		r.table.grown(e, before)
		r.host.countDropped(DroppedSuperseded, 1)
		return
	}
	if in.Relation.Kind == perch.RelationEdit && e.text != nil {
		e.text.RoomStanzaID = of.stanzaID
	}
	typ, data := e.event(in)
	r.table.grown(e, before)
	r.host.durableAt(typ, now, data)
}

// speakerOf is in whose name something is said of a message: an account, or one who is in a room.
func speakerOf(in *perch.MessageIn) perch.JID {
	switch {
	case in.Relation != nil && in.Relation.Moderated && in.Relation.By != "":
		return in.Relation.By
	case in.Kind == perch.GroupchatMessage, in.Room != nil && !in.Sent:
		return in.From
	}
	return in.From.Bare()
}

// archiveIDOf is the id of a message in the archive of the account, or in that of its room.
func archiveIDOf(in *perch.MessageIn) string {
	if in.Kind == perch.GroupchatMessage {
		return in.RoomStanzaID
	}
	return in.StanzaID
}
