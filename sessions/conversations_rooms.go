package sessions

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// addressed is the conversation that an address means: in a room that of one who is in it, if there is
// one with that, else that of the bare JID.
func (c *conversationList) addressed(jid perch.JID) perch.JID {
	if _, private := c.table.Get(jid); private || jid.IsBare() {
		return jid
	}
	return jid.Bare()
}

// kindOf is the kind of a conversation that a client begins.
func (c *conversationList) kindOf(jid perch.JID) perch.ConversationKind {
	if c.rooms != nil && c.rooms.isRoom(jid) {
		return perch.RoomConversation
	}
	return perch.ChatConversation
}

// name is what a conversation is called.
func (c *conversationList) name(s *conversations.State) string {
	switch {
	case s.Kind == perch.PrivateConversation:
		return s.JID.Resource()
	case s.Kind == perch.RoomConversation && c.rooms != nil:
		return c.rooms.nameOfRoom(s.JID)
	}
	return c.host.nameOf(s.JID)
}

// gapIn notes that messages of a room may be missing: what is unread in it is not counted whole any more,
// until the room is read.
func (c *conversationList) gapIn(commit *Commit, room perch.JID) {
	if s, ok := c.table.Get(room); ok && !s.Open {
		s.Open = true
		c.put(commit, &s, nil)
	}
}

// newestOf shows the newest message of a room that was joined for the first time: nothing in it is
// unread.
func (c *conversationList) newestOf(m *perch.Message, at perch.Time) {
	jid, kind := conversationWith(m, false)
	s, d, known := c.open(jid, kind)
	if known && s.Last != 0 {
		return
	}
	ref := handleOf(m, false)
	s.At, s.Last, s.Open = max(s.At, at), lastHash(ref), false
	d.Last = preview(m, ref)
	c.readUpTo(&s, d, m, ref, at)
	c.put(c.journal.Change(), &s, d)
}

// place says of what the archive has whether it is of a room.
func (c *conversationList) place(items []perch.ArchiveItem) {
	for i := range items {
		switch in := &items[i].MessageIn; {
		case c.rooms != nil:
			c.rooms.placeArchived(in, c.host.ownJID())
		case in.Room != nil:
			ofNoRoom(&in.Message, c.host.ownJID())
		}
	}
}
