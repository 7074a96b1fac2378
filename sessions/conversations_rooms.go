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

// listedRoom is a room that belongs into the list of conversations, whatever was said in it.
type listedRoom struct {
	jid    perch.JID
	joined bool
	at     perch.Time // of its last message, or 0
}

// listRooms puts the rooms that the account is in, or has in its bookmarks, into the list. What is unread in
// a room that is not joined is not known.
func (c *conversationList) listRooms() {
	if c.rooms == nil {
		return
	}
	for _, r := range c.rooms.listed() {
		if s, d, known := c.open(r.jid, perch.RoomConversation); !known {
			s.At, s.Open = r.at, !r.joined
			c.put(c.journal.Change(), &s, d)
		}
	}
}

// loggedRooms says of rooms that the log has all of them since they were joined, where it has not lost its
// beginning: so everything that is unread in them was counted. Else their read position is looked for.
func (c *conversationList) loggedRooms(positions map[perch.JID]string, trimmed bool) {
	if c.rooms == nil {
		return
	}
	for s := range c.table.All() {
		if s.Kind != perch.RoomConversation || !s.Open || s.Last == 0 {
			continue
		}
		switch id := positions[s.Key()]; {
		case !trimmed:
			s.Open = false
			c.put(c.journal.Change(), &s, nil)
		case id != "":
			c.queued = append(c.queued, c.begin(s.Key(), &readTarget{jid: s.JID, inRoom: true, stanzaID: id}))
		}
	}
	c.lookSoon()
}

// joinedFirst says that a room was joined for the first time: what comes from now on is counted.
func (c *conversationList) joinedFirst(room perch.JID) {
	if s, ok := c.table.Get(room); ok && s.Open && s.Last == 0 {
		s.Open = false
		c.put(c.journal.Change(), &s, nil)
	}
}

// notifyBy takes what a person wants to be told of a room, as another device has said it in the bookmark.
func (c *conversationList) notifyBy(room perch.JID, n perch.Notify) {
	if s, ok := c.table.Get(room); ok && s.Notify != n {
		s.Notify = n
		c.put(c.journal.Change(), &s, nil)
	}
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
