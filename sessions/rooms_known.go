package sessions

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
)

// knownMessage is one of the last messages of a room that are in the log: what tells a copy of it, and
// what it is found by when a control message is about it.
type knownMessage struct {
	stanzaID string // in the archive of the room; "": it has none
	text     uint64 // of one without that: who says what under which id
	author   uint64 // who may change it; 0: nobody can be known to be that one
	id       uint32
	origin   uint32
	own      bool
	wire     string // its id attribute
	message  bool   // it is none that only says something of another one
	hidden   bool   // it is not in the log, by what is wanted of the room
}

// identify is what a message of the room is known by.
func (x *roomList) identify(r *room, in *perch.MessageIn) knownMessage {
	m := &in.Message
	k := knownMessage{stanzaID: cloned(m.RoomStanzaID), id: short(m.ID), origin: short(m.OriginID), wire: cloned(cmp.Or(m.ID, m.OriginID)),
		author: x.authorOf(r, m), own: in.Sent, message: in.Relation == nil}
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

// nickIsOver says that the owner of a nick has left, or has another one: who has it next is another
// one.
func (r *room) nickIsOver(nick string) {
	author := hashOf("nick", nick)
	for i := range r.known {
		if k := &r.known[i]; k.author == author && !k.own {
			k.author = 0
		}
	}
}

// nicksAreOver is nickIsOver of all: the account was not there to see who left.
func (r *room) nicksAreOver(x *roomList) {
	for i := range r.known {
		if k := &r.known[i]; k.author != 0 && !r.row.Features.OccupantIDs && !k.own {
			k.author = 0
		}
	}
}

// remember notes a message that is in the log.
func (r *room) remember(k knownMessage) {
	if len(r.known) >= knownMessages {
		r.known = slices.Delete(r.known, 0, len(r.known)-knownMessages+1)
	}
	r.known = append(r.known, k)
}

// has reports whether a message with an id of the room is in the log, among the last ones.
func (r *room) has(stanzaID string) bool {
	return stanzaID != "" && slices.ContainsFunc(r.known, func(k knownMessage) bool { return k.stanzaID == stanzaID })
}

// byArchive is the message with an id in the archive of the room, or nil; some clients name it by its
// id attribute.
func (r *room) byArchive(target string) *knownMessage {
	for i := range slices.Backward(r.known) {
		if k := &r.known[i]; k.stanzaID == target && target != "" {
			return k
		}
	}
	return r.byID(target, 0)
}

// byID is the newest message with an id attribute, of an author if there is one of that; nil: there is
// none.
func (r *room) byID(target string, author uint64) (found *knownMessage) {
	want := short(target)
	for i := range slices.Backward(r.known) {
		k := &r.known[i]
		if want == 0 || !k.message || k.id != want && k.origin != want {
			continue
		}
		if author == 0 || k.author == author {
			return k
		}
		if found == nil {
			found = k
		}
	}
	return found
}

// after is the index behind the last of these messages that is in the log: what comes from there on is
// new. They are in the order of the room, as those that are known.
func (r *room) after(list []*perch.MessageIn, since perch.Time) int {
	for _, k := range slices.Backward(r.known) {
		for i, in := range slices.Backward(list) {
			if k.stanzaID != "" && k.stanzaID == in.RoomStanzaID || k.stanzaID == "" && k.text == roomText(in) {
				return i + 1
			}
		}
	}
	return max(0, slices.IndexFunc(list, func(in *perch.MessageIn) bool { return sentTime(&in.Message, since) >= since }))
}
