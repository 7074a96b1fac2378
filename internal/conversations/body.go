package conversations

import (
	"encoding/binary"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// A state is encoded alike in a chunk and in a row:
//
//	text    in a chunk: the key. In a row: an octet with the version
//	octet   kind, notify, pinned, archived, open, unpublished
//	octet   what of the rest there is
//	text    the JID, if it is not its own key
//	number  at
//	4       last
//	number  unread
//	number  mentions
//	4, number, 4   read, read at, and its id in the archive where that is known
//	4, number      peer read, peer read at
//
// Times of positions are written as what they are before At. A text has its length before it; that,
// and a number, is a varint.

const rowVersion = 1

// The first octet.
const (
	kindBits    = 0x03
	notifyBits  = 0x0c
	pinned      = 0x10
	archived    = 0x20
	open        = 0x40
	unpublished = 0x80
)

// The second octet.
const (
	spelled      = 0x01
	hasLast      = 0x02
	hasUnread    = 0x04
	hasMentions  = 0x08
	hasRead      = 0x10
	hasReadID    = 0x20
	hasPeerRead  = 0x40
	unusedSecond = 0x80
)

var (
	kinds    = [...]perch.ConversationKind{perch.ChatConversation, perch.RoomConversation, perch.PrivateConversation}
	notifies = [...]perch.Notify{perch.NotifyAll, perch.NotifyMentions, perch.NotifyNone}
)

// indexOf is the place of a value in its list; one that is not there is the first.
func indexOf[T comparable](list []T, v T) byte {
	for i, x := range list {
		if x == v {
			return byte(i)
		}
	}
	return 0
}

func bit(is bool, b byte) byte {
	if is {
		return b
	}
	return 0
}

// appendBody encodes all but the key.
func appendBody(dst []byte, s *State, key perch.JID) []byte {
	first := indexOf(kinds[:], s.Kind) | indexOf(notifies[:], s.Notify)<<2 |
		bit(s.Pinned, pinned) | bit(s.Archived, archived) | bit(s.Open, open) | bit(s.Unpublished, unpublished)
	second := bit(s.JID != key, spelled) | bit(s.Last != 0, hasLast) | bit(s.Unread != 0, hasUnread) |
		bit(s.Mentions != 0, hasMentions) | bit(s.Read != 0, hasRead) | bit(s.Read != 0 && s.ReadID != 0, hasReadID) |
		bit(s.PeerRead != 0, hasPeerRead)
	dst = append(dst, first, second)
	if second&spelled != 0 {
		dst = packed.AppendText(dst, s.JID)
	}
	dst = binary.AppendUvarint(dst, uint64(s.At))
	if s.Last != 0 {
		dst = binary.BigEndian.AppendUint32(dst, s.Last)
	}
	if s.Unread != 0 {
		dst = binary.AppendUvarint(dst, uint64(s.Unread))
	}
	if s.Mentions != 0 {
		dst = binary.AppendUvarint(dst, uint64(s.Mentions))
	}
	if s.Read != 0 {
		dst = binary.AppendVarint(binary.BigEndian.AppendUint32(dst, s.Read), int64(s.At-s.ReadAt))
	}
	if second&hasReadID != 0 {
		dst = binary.BigEndian.AppendUint32(dst, s.ReadID)
	}
	if s.PeerRead != 0 {
		dst = binary.AppendVarint(binary.BigEndian.AppendUint32(dst, s.PeerRead), int64(s.At-s.PeerReadAt))
	}
	return dst
}

// decodeBody reads all but the key.
func decodeBody(r *packed.Reader, key perch.JID) State {
	first, second := r.Octet(), r.Octet()
	s := State{
		JID: key, Pinned: first&pinned != 0, Archived: first&archived != 0, Open: first&open != 0, Unpublished: first&unpublished != 0,
	}
	kind, notify := first&kindBits, first&notifyBits>>2
	if int(kind) >= len(kinds) || int(notify) >= len(notifies) || second&unusedSecond != 0 || second&hasReadID != 0 && second&hasRead == 0 {
		r.Fail()
		return s
	}
	s.Kind, s.Notify = kinds[kind], notifies[notify]
	if second&spelled != 0 {
		s.JID = perch.JID(r.Text())
	}
	s.At = perch.Time(r.Number())
	if second&hasLast != 0 {
		s.Last = readHash(r)
	}
	if second&hasUnread != 0 {
		s.Unread = readCounter(r)
	}
	if second&hasMentions != 0 {
		s.Mentions = readCounter(r)
	}
	if second&hasRead != 0 {
		s.Read, s.ReadAt = readHash(r), s.At-perch.Time(r.Signed())
	}
	if second&hasReadID != 0 {
		s.ReadID = readHash(r)
	}
	if second&hasPeerRead != 0 {
		s.PeerRead, s.PeerReadAt = readHash(r), s.At-perch.Time(r.Signed())
	}
	return s
}
