package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// restore implements part.
func (c *conversationList) restore(_ context.Context, v *Saved) error {
	c.table = v.Conversations
	return nil
}

// apply implements part.
func (c *conversationList) apply(in perch.Inbound, _ *link) bool {
	read, ok := in.(*perch.ReadIn)
	if ok {
		c.readElsewhere(read)
	}
	return ok
}

// online implements part: a resumed stream brings what the other devices have read meanwhile, and for
// another one it is asked.
func (c *conversationList) online(resumed bool) {
	l := c.host.stream()
	c.sendMarkers()
	if !l.login.Capabilities.ReadSync {
		return
	}
	if !resumed {
		c.mergePositions(l)
	}
	c.publishRest()
}

func (*conversationList) offline(*link) {}

// stop ends what waits.
func (c *conversationList) stop() {
	stop(c.changing)
	stop(c.out.timer)
	if c.backfill != nil {
		stop(c.backfill.timer)
	}
}

// writeAll puts all states into a commit that begins the table anew. Of their details the Store has
// what it has.
func (c *conversationList) writeAll(commit *Commit) { commit.Conversations.Replace(c.table) }

// noted is called for every durable event, where it is made. What changes by it is in its commit.
func (c *conversationList) noted(commit *Commit, typ perch.EventType, at perch.Time, data any) {
	switch typ {
	case perch.EventMessageReceived, perch.EventMessageSent:
		if m, ok := data.(*perch.Message); ok {
			c.message(commit, m, typ == perch.EventMessageSent, at)
		}
	case perch.EventMessageEdited:
		if m, ok := data.(*perch.Message); ok {
			c.edited(commit, m)
		}
	case perch.EventMessageRetracted:
		if d, ok := data.(perch.MessageRetracted); ok {
			c.retracted(commit, &d)
		}
	case perch.EventMessageRead:
		if d, ok := data.(perch.MessageRead); ok {
			c.peerRead(commit, &d, at)
		}
	case perch.EventSessionGap:
		if g, ok := data.(perch.Gap); ok && g.Room != "" {
			c.gapIn(commit, g.Room)
			return
		}
		c.setHistory(func(h *ConversationHistory) { h.GapAt = c.host.now() })
	}
}
