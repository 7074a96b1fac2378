package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// changedConversation is the data of conversation.changed: the last message is left out, which has an
// event of its own.
type changedConversation struct {
	perch.Conversation
	LastMessage *struct{} `json:"last_message,omitempty"`
}

// touched lets the subscribers know of a change, soon: of several changes of a conversation they hear
// once. What only the Store has is read then.
func (c *conversationList) touched(key perch.JID) {
	if !c.host.watched() {
		return
	}
	if c.dirty == nil {
		c.dirty = map[perch.JID]struct{}{}
	}
	c.dirty[key] = struct{}{}
	if c.changing == nil {
		c.changing = c.host.after(changedSoon, c.tellChanged)
	}
}

// tellChanged makes the events of what has changed, once that is committed.
func (c *conversationList) tellChanged() {
	keys := make([]perch.JID, 0, len(c.dirty))
	for key := range c.dirty {
		keys = append(keys, key)
	}
	c.dirty = nil
	c.journal.AfterCommit(func(Result) {
		c.host.background(func(ctx context.Context) {
			list, err := c.store.Conversations(ctx, c.id, keys)
			c.host.post(func() {
				for i := range list {
					if s, ok := c.table.Get(list[i].Key); ok {
						item := c.item(&s, &list[i])
						c.journal.Ephemeral(perch.EventConversationChanged, string(s.JID), changedConversation{Conversation: item})
					}
				}
				if c.changing = nil; err == nil && len(c.dirty) > 0 {
					c.changing = c.host.after(changedSoon, c.tellChanged)
				}
			})
		})
	})
}
