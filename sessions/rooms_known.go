package sessions

import (
	"cmp"

	"github.com/perch-im/perch"
)

// saying is what is known alike of a message of a room by all of its sessions. A node has it once.
type saying struct {
	stanzaID string // in the archive of the room; "": it has none
	wire     string // its id attribute
	nick     string // that its author had; "": the room itself
	corrects string // of a correction: the message that it corrects, by its id in the archive
	text     uint64 // of one without an id in the archive: who says what under which id
	author   uint64 // who may change it; 0: nobody can be known to be that one
	id       uint32
	origin   uint32
}

// knownMessage is one of the last messages of a room that are in the log: what tells a copy of it, and
// what it is found by when a control message is about it.
type knownMessage struct {
	saying
	own     bool
	message bool // it is none that only says something of another one
	hidden  bool // it is not in the log, by what is wanted of the room
}

// identify is what a message of the room is known by.
func (x *roomList) identify(r *room, in *perch.MessageIn) knownMessage {
	m := &in.Message
	k := knownMessage{own: in.Sent, message: in.Relation == nil, saying: saying{
		stanzaID: m.RoomStanzaID, id: short(m.ID), origin: short(m.OriginID), wire: cmp.Or(m.ID, m.OriginID), author: x.authorOf(r, m), nick: m.From.Resource(),
	}}
	if k.stanzaID == "" {
		k.text = roomText(in)
	}
	return k
}

func roomText(in *perch.MessageIn) uint64 {
	said := []string{string(in.From.Bare().Key()), in.From.Resource(), in.ID, in.Body, in.Subject}
	if rel := in.Relation; rel != nil {
		said = append(append(said, string(rel.Kind), rel.Target), rel.Emojis...)
	}
	return hashOf(said...)
}

// authorOf is who has written a message, as far as another one by the same occupant can be known: by
// the id that the room gives its occupants, where it does; else by the nick, until its owner leaves. 0 is
// the room itself.
func (x *roomList) authorOf(r *room, m *perch.Message) uint64 {
	nick := m.From.Resource()
	switch {
	case nick == "":
		return 0
	case m.Room != nil && m.Room.OccupantID != "" && r.row.Features.OccupantIDs:
		return hashOf("occupant", m.Room.OccupantID)
	case m.Source == perch.SourceArchive:
		return 0 // whose nick it was then is not known
	}
	return hashOf("nick", nick)
}
