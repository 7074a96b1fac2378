package conversations

import (
	"hash/fnv"

	"github.com/perch-im/perch"
)

// State is what a session has of one conversation in memory.
type State struct {
	JID      perch.JID // of the other side, as it was spelled last
	Kind     perch.ConversationKind
	Notify   perch.Notify
	Pinned   bool
	Archived bool
	// Open says that messages before those that were counted may be unread as well: how far the
	// conversation was read is not known.
	Open bool
	// Unpublished says that the account's other devices do not know yet how far it was read here.
	Unpublished bool

	At       perch.Time // of the last message, or of the change that made the conversation
	Last     uint32     // Hash of the ref of the last message
	Unread   uint16     // received after the position Read
	Mentions uint16     // of these, those that name the account

	Read       uint32     // Hash of the ref of the message up to which it was read; 0: none
	ReadID     uint32     // Hash of its id in the archive; 0: not known
	ReadAt     perch.Time // of that message
	PeerRead   uint32     // Hash of the ref of what the other side has seen; 0: nothing
	PeerReadAt perch.Time // of that message
}

// Key is the key of the JID, by which a Table is sorted.
func (s *State) Key() perch.JID { return s.JID.Key() }

// Hash is a short form of a handle or an id, for comparing alone; 0 of none.
func Hash(text string) uint32 {
	if text == "" {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(text))
	return max(h.Sum32(), 1)
}

// Details are what is shown of a conversation and is in the Store alone, as JSON. In a change nil
// leaves a text as it is, and "" removes it.
type Details struct {
	Key      perch.JID // of the conversation
	Last     *string   // the last message
	Read     *string   // the position Read
	PeerRead *string   // the position PeerRead
	Draft    *string
}

// Texts are the places of the texts of d, always in the same order.
func (d *Details) Texts() [4]**string { return [4]**string{&d.Last, &d.Read, &d.PeerRead, &d.Draft} }

// Merge puts what a later change says over d.
func (d *Details) Merge(later *Details) {
	mine, theirs := d.Texts(), later.Texts()
	for i, text := range theirs {
		if *text != nil {
			*mine[i] = *text
		}
	}
}

// Empty reports whether d changes nothing.
func (d *Details) Empty() bool {
	for _, text := range d.Texts() {
		if *text != nil {
			return false
		}
	}
	return true
}
