package conversations_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// usual is a conversation as most are: with an account whose address is not short, read a while ago,
// with some unread messages, and seen by the other side.
func usual(i int) conversations.State {
	at := perch.Time(1_700_000_000_000 + i*60_000)
	return conversations.State{
		JID: perch.JID(fmt.Sprintf("user.number.%04d@messenger.example", i)), Kind: perch.ChatConversation, Notify: perch.NotifyAll,
		At: at, Last: conversations.Hash(fmt.Sprint("last", i)), Unread: uint16(i % 20),
		Read: conversations.Hash(fmt.Sprint("read", i)), ReadID: conversations.Hash(fmt.Sprint("id", i)), ReadAt: at - 3_600_000,
		PeerRead: conversations.Hash(fmt.Sprint("peer", i)), PeerReadAt: at - 7_200_000,
	}
}

// odd is any state at all.
func odd(r *rand.Rand) conversations.State {
	s := conversations.State{
		JID:    perch.JID(fmt.Sprintf("%s%d@example.net", []string{"u", "Ü", "A", ""}[r.IntN(4)], r.IntN(500))),
		Kind:   []perch.ConversationKind{perch.ChatConversation, perch.RoomConversation, perch.PrivateConversation}[r.IntN(3)],
		Notify: []perch.Notify{perch.NotifyAll, perch.NotifyMentions, perch.NotifyNone}[r.IntN(3)],
		Pinned: r.IntN(2) == 0, Archived: r.IntN(2) == 0, Open: r.IntN(2) == 0, Unpublished: r.IntN(2) == 0,
		At: perch.Time(r.Int64N(1 << 42)), Last: r.Uint32(), Unread: uint16(r.IntN(1 << 16)), Mentions: uint16(r.IntN(3)),
	}
	if r.IntN(2) == 0 {
		s.Read, s.ReadAt = r.Uint32()|1, perch.Time(r.Int64N(1<<42))
		if r.IntN(2) == 0 {
			s.ReadID = r.Uint32() | 1
		}
	}
	if r.IntN(2) == 0 {
		s.PeerRead, s.PeerReadAt = r.Uint32()|1, perch.Time(r.Int64N(1<<42))
	}
	return s
}
