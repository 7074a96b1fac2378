package sessions

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// What is unread, is counted like this: every received message after the read position is one, once,
// when it becomes an event, unless the account blocks its sender. A message of the account, from
// whatever device, moves the position to itself. Corrections, reactions and retractions are no messages: a message that was retracted
// still counts, until the conversation is read.

// conversationWith is the conversation that a message belongs to; no kind: to none.
func conversationWith(m *perch.Message, sent bool) (jid perch.JID, kind perch.ConversationKind) {
	switch jid = conversationOf(m, sent); {
	case jid == "" || m.Kind == perch.HeadlineMessage:
		return "", ""
	case m.Kind == perch.GroupchatMessage:
		return jid, perch.RoomConversation
	case m.Room != nil:
		return jid, perch.PrivateConversation
	}
	return jid, perch.ChatConversation
}

// handleOf is the handle of a message.
func handleOf(m *perch.Message, sent bool) string { return cmp.Or(m.Ref, perch.RefOf(m, sent)) }

// lastHash stands for a last message, also for one without a handle.
func lastHash(ref string) uint32 { return max(conversations.Hash(ref), 1) }

// sentTime is when a message, or a control message, was sent, as far as it is known.
func sentTime(m *perch.Message, arrived perch.Time) perch.Time {
	if m.Delay != nil && m.Delay.Stamp != 0 {
		return m.Delay.Stamp
	}
	return arrived
}

// mentions reports whether a message names an account.
func mentions(m *perch.Message, own perch.JID) bool {
	return m.MessageDetails != nil && slices.ContainsFunc(m.Mentions, func(x perch.Mention) bool { return x.JID.Bare().Equal(own.Bare()) })
}

// named is mentions for the account, whose name in a room is another one.
func (c *conversationList) named(m *perch.Message) bool { return c.namer(m.From.Bare())(m) }

// namer is named for the messages of one conversation, for any goroutine.
func (c *conversationList) namer(jid perch.JID) func(*perch.Message) bool {
	if c.rooms != nil && c.rooms.isRoom(jid) {
		return c.rooms.namer(jid)
	}
	own := c.host.ownJID()
	return func(m *perch.Message) bool { return mentions(m, own) }
}

// archivedAs is the id of a message in the archive by which devices tell each other how far a
// conversation was read: in that of the account, or of the room (XEP-0490, 3).
func archivedAs(m *perch.Message) string {
	if m.Kind == perch.GroupchatMessage {
		return m.RoomStanzaID
	}
	return m.StanzaID
}

// message takes a new message.
func (c *conversationList) message(commit *Commit, m *perch.Message, sent bool, at perch.Time) {
	jid, kind := conversationWith(m, sent)
	if kind == "" {
		return
	}
	key, ref := jid.Key(), handleOf(m, sent)
	if !c.backfill.first(key, ref) {
		return // the archive has brought it already
	}
	named := !sent && c.named(m)
	for _, k := range c.lookups {
		k.came(key, ref, sent, named)
	}
	s, d, _ := c.open(jid, kind)
	at = sentTime(m, at)
	s.At, s.Last, s.Archived = max(s.At, at), lastHash(ref), false
	d.Last = preview(m, ref)
	target := c.awaited[key]
	switch elsewhere := target != nil && target.matches(m, ref, sent); {
	case sent || elsewhere:
		news := elsewhere || s.Unread > 0
		if elsewhere {
			delete(c.awaited, key)
		}
		c.readUpTo(&s, d, m, ref, at)
		c.put(commit, &s, d)
		if news {
			c.tellRead(&s, ref)
		}
	case c.host.blocks(m.From): // it is shown, and nothing to be called for
		c.put(commit, &s, d)
	default:
		s.Unread = min(s.Unread, ^uint16(0)-1) + 1
		if named {
			s.Mentions = min(s.Mentions, ^uint16(0)-1) + 1
		}
		c.put(commit, &s, d)
	}
}

// readUpTo moves the position to a message after which there is none.
func (c *conversationList) readUpTo(s *conversations.State, d *conversations.Details, m *perch.Message, ref string, at perch.Time) {
	s.Unread, s.Mentions, s.Open, s.Unpublished = 0, 0, false, false
	s.Read, s.ReadID, s.ReadAt = conversations.Hash(ref), conversations.Hash(archivedAs(m)), at
	d.Read = storedPosition{perch.ReadPosition{Ref: ref, Time: at}, archivedAs(m)}.text()
}

// edited takes a correction: it changes what is shown of a last message, and counts nothing.
func (c *conversationList) edited(commit *Commit, m *perch.Message) {
	jid, kind := conversationWith(m, m.From.Bare().Equal(c.host.ownJID().Bare()))
	s, ok := c.table.Get(jid)
	if kind == "" || !ok || m.Ref == "" || s.Last != conversations.Hash(m.Ref) {
		return
	}
	c.put(commit, &s, &conversations.Details{Last: preview(m, m.Ref)})
}

// retracted takes a retraction: nothing of the text of a last message is shown any more.
func (c *conversationList) retracted(commit *Commit, r *perch.MessageRetracted) {
	s, ok := c.table.Get(r.Conversation)
	if !ok || s.Last != conversations.Hash(r.Ref) {
		return
	}
	c.put(commit, &s, &conversations.Details{Last: preview(withdrawn(r, c.host.ownJID().Bare()), r.Ref)})
}

// withdrawn is what is left of a message that was retracted.
func withdrawn(r *perch.MessageRetracted, own perch.JID) *perch.Message {
	m := &perch.Message{ID: r.ID, Ref: r.Ref, From: r.Conversation, To: own, Kind: perch.ChatMessage, Source: perch.SourceLive,
		MessageDetails: &perch.MessageDetails{Retracted: &r.Retracted}}
	if ref, err := perch.ParseRef(r.Ref); err == nil && ref.Sent {
		m.From, m.To = own, r.Conversation
	}
	return m
}

// peerRead takes what the other side has seen.
func (c *conversationList) peerRead(commit *Commit, r *perch.MessageRead, at perch.Time) {
	s, ok := c.table.Get(r.Conversation)
	if !ok || s.PeerRead == conversations.Hash(r.Ref) {
		return
	}
	s.PeerRead, s.PeerReadAt = conversations.Hash(r.Ref), at
	c.put(commit, &s, &conversations.Details{PeerRead: storedPosition{ReadPosition: perch.ReadPosition{Ref: r.Ref, Time: at}}.text()})
}

// storedPosition is a position as the Store keeps it, with what other devices know it by.
type storedPosition struct {
	perch.ReadPosition
	StanzaID string `json:"stanza_id,omitempty"`
}

func (p storedPosition) text() *string { return encoded(p) }

// encoded is v as JSON. Of plain fields: it cannot fail.
func encoded(v any) *string {
	b, _ := json.Marshal(v)
	text := string(b)
	return &text
}

// preview is what the list shows of a message: the beginning of its text, and what it is beside that,
// within bounds.
func preview(m *perch.Message, ref string) *string {
	p := *m
	p.Ref, p.Body, p.Subject, p.Thread = ref, clipTo(p.Body, maxPreview), clipTo(p.Subject, maxPreview), ""
	p.MessageDetails = previewDetails(m.MessageDetails)
	text := string(p.AppendJSON(nil))
	return &text
}

func previewDetails(d *perch.MessageDetails) *perch.MessageDetails {
	if d == nil {
		return nil
	}
	p := perch.MessageDetails{Edited: d.Edited, Retracted: d.Retracted, Markable: d.Markable, Spoiler: d.Spoiler,
		Encryption: d.Encryption, Fallback: clipTo(d.Fallback, maxPreview)}
	if len(d.Attachments) > 0 {
		a := d.Attachments[0]
		a.Name, a.Description = clipTo(a.Name, maxPreview), clipTo(a.Description, maxPreview)
		p.Attachments = []perch.Attachment{a}
	}
	const most = 2 << 10
	if b, err := json.Marshal(p); err != nil || len(b) > most {
		return &perch.MessageDetails{Edited: d.Edited, Markable: d.Markable}
	}
	return &p
}
