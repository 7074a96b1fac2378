package sessions

import (
	"cmp"

	"github.com/perch-im/perch"
)

// The messages of a room in an archive: a control message names them by the id of the room, and a
// correction by the id that its author gave. Whose nick one was then is not known from an archive, so a
// message is changed by its author only where the room tells occupants apart (XEP-0421), or in its own
// name (XEP-0425).

// addInRoom notes the names of a message of a room.
func (p *archiveMerge) addInRoom(it *perch.ArchiveItem) {
	if it.RoomStanzaID != "" {
		name := inRoomName(it, it.RoomStanzaID)
		p.places[name] = append(p.places[name], len(p.merged))
	}
	if id := cmp.Or(it.ID, it.OriginID); id != "" {
		name := inRoomName(it, "id "+id)
		p.places[name] = append(p.places[name], len(p.merged))
	}
}

func inRoomName(it *perch.ArchiveItem, id string) string {
	return "room " + string(it.From.Bare().Key()) + " " + id
}

// relateInRoom takes a control message of a room.
func (p *archiveMerge) relateInRoom(it perch.ArchiveItem) {
	rel := it.Relation
	target := rel.Target
	if rel.Kind == perch.RelationEdit {
		target = "id " + target
	} else {
		it.Ref = perch.Ref{StanzaID: rel.Target, Room: true}.String()
	}
	place := -1
	for _, i := range p.places[inRoomName(&it, target)] {
		if m := &p.merged[i]; m.Time <= it.Time && p.mayInRoom(&it, m) {
			place = i
		}
	}
	if place < 0 {
		p.relations = append(p.relations, it)
		return
	}
	if p.states[place] == nil {
		p.states[place] = &relationState{}
	}
	p.states[place].apply(&it.MessageIn, sentTime(&it.Message, it.Time), false)
	if rel.Kind == perch.RelationEdit && it.RoomStanzaID != "" { // some clients name the message by its last text
		name := inRoomName(&it, it.RoomStanzaID)
		p.places[name] = append(p.places[name], place)
	}
}

// mayInRoom reports whether the sender of a control message may say that of a message.
func (p *archiveMerge) mayInRoom(it, of *perch.ArchiveItem) bool {
	switch {
	case it.Relation.Kind == perch.RelationReactions:
		return true
	case it.Relation.Moderated:
		return it.From.IsBare()
	}
	return it.Room != nil && of.Room != nil && it.Room.OccupantID != "" && it.Room.OccupantID == of.Room.OccupantID
}
