package sessions

import (
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/copies"
)

// knownList has the last messages of a room that are in the log of a session, in the order of the room.
type knownList struct {
	rows   []knownRow
	shared *copies.Of[saying] // of the node; nil: there is none
}

// knownRow is a message of it. A thousand sessions in one room have a hundred each: what they know alike
// is once in memory.
type knownRow struct {
	*saying
	tag                  uint32 // of the id in the archive, so that most are told apart without a look at that
	own, message, hidden bool
	over                 bool // nobody can be known to be its author any more
}

// sayingsOfNode is how many messages a node knows again. The sessions of a room get one within moments.
const sayingsOfNode = 4096

func newSayings() *copies.Of[saying] {
	return &copies.Of[saying]{Max: sayingsOfNode, Keep: func(s saying) saying {
		s.stanzaID, s.wire, s.nick = cloned(s.stanzaID), cloned(s.wire), cloned(s.nick)
		s.corrects = cloned(s.corrects)
		return s
	}}
}

// row is how a message is kept.
func (l *knownList) row(k knownMessage) knownRow {
	if l.shared == nil {
		l.shared = newSayings()
	}
	return knownRow{saying: l.shared.One(k.saying), tag: short(k.stanzaID), own: k.own, message: k.message, hidden: k.hidden}
}

// whole is a message as it is known now.
func (w *knownRow) whole() *knownMessage {
	k := &knownMessage{*w.saying, w.own, w.message, w.hidden}
	if w.over {
		k.author = 0
	}
	return k
}

// add notes a message that is in the log.
func (l *knownList) add(k knownMessage) {
	if len(l.rows) >= knownMessages {
		l.rows = slices.Delete(l.rows, 0, len(l.rows)-knownMessages+1)
	}
	l.rows = append(l.rows, l.row(k))
}

// addFirst notes one that is older than all others, until trim.
func (l *knownList) addFirst(k knownMessage) { l.rows = slices.Insert(l.rows, 0, l.row(k)) }

// trim forgets the oldest ones that are too many.
func (l *knownList) trim() {
	if n := len(l.rows); n > knownMessages {
		l.rows = slices.Delete(l.rows, 0, n-knownMessages)
	}
}

// replace says of a message what is known of it now.
func (l *knownList) replace(k knownMessage) {
	for i := range l.rows {
		if k.stanzaID != "" && l.rows[i].stanzaID == k.stanzaID {
			l.rows[i] = l.row(k)
		}
	}
}

// remember notes a message that is in the log.
func (r *room) remember(k knownMessage) { r.known.add(k) }

// nickIsOver says that the owner of a nick has left, or has another one: who has it next is another
// one.
func (r *room) nickIsOver(nick string) {
	author := hashOf("nick", nick)
	for i := range r.known.rows {
		if w := &r.known.rows[i]; w.author == author && !w.own {
			w.over = true
		}
	}
}

// nicksAreOver is nickIsOver of all: the account was not there to see who left.
func (r *room) nicksAreOver(x *roomList) {
	for i := range r.known.rows {
		if w := &r.known.rows[i]; !r.row.Features.OccupantIDs && !w.own {
			w.over = true
		}
	}
}

// has reports whether a message with an id of the room is in the log, among the last ones.
func (r *room) has(stanzaID string) bool { return stanzaID != "" && r.known.find(stanzaID) >= 0 }

// find is the place of the newest message with an id in the archive; -1: there is none.
func (l *knownList) find(stanzaID string) int {
	tag := short(stanzaID)
	for i := range slices.Backward(l.rows) {
		if l.rows[i].tag == tag && l.rows[i].stanzaID == stanzaID {
			return i
		}
	}
	return -1
}

// original is the id of the message that one with an id in the archive is about: of a correction, what it
// corrects. Some clients name a corrected message by its last text.
func (r *room) original(target string) string {
	if i := r.known.find(target); i >= 0 && target != "" && r.known.rows[i].corrects != "" {
		return r.known.rows[i].corrects
	}
	return target
}

// byArchive is the message with an id in the archive of the room, or nil; some clients name it by its
// id attribute.
func (r *room) byArchive(target string) *knownMessage {
	if i := r.known.find(target); i >= 0 && target != "" {
		return r.known.rows[i].whole()
	}
	return r.byID(target, 0)
}

// byID is the newest message with an id attribute, of an author if there is one of that; nil: there is
// none.
func (r *room) byID(target string, author uint64) (found *knownMessage) {
	want := short(target)
	for i := range slices.Backward(r.known.rows) {
		w := &r.known.rows[i]
		if want == 0 || !w.message || w.id != want && w.origin != want {
			continue
		}
		k := w.whole()
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
	for _, w := range slices.Backward(r.known.rows) {
		for i, in := range slices.Backward(list) {
			if w.stanzaID != "" && w.stanzaID == in.RoomStanzaID || w.stanzaID == "" && w.text == roomText(in) {
				return i + 1
			}
		}
	}
	if i := slices.IndexFunc(list, func(in *perch.MessageIn) bool { return sentTime(&in.Message, since) >= since }); i >= 0 {
		return i
	}
	return len(list)
}
