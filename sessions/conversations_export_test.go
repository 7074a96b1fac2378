package sessions

import (
	"runtime"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// MakeEvent makes a durable event of a session, as one of its parts would.
func MakeEvent(s *Session, typ perch.EventType, data any) {
	s.query(func() { s.log.Durable(typ, data) })
}

// HasConversations reports whether a session keeps a list of chats.
func HasConversations(s *Session) (has bool) {
	s.query(func() { has = conversationsOf(s) != nil && s.log.noted != nil })
	return has
}

// ConversationMemory is what a list of chats takes for each of these conversations, in bytes.
func ConversationMemory(list []conversations.State) float64 {
	const many = 100
	kept := make([]*conversationList, many)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range kept {
		kept[i] = &conversationList{table: conversations.Of(list)}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / many / float64(len(list))
	runtime.KeepAlive(kept)
	return each
}
