package sessions

import (
	"context"
	"encoding/json"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

const (
	publishAfter = 2 * time.Second // a reader that scrolls makes one publication
	publishTime  = 20 * time.Second
	publishMost  = time.Minute // between two tries
	publishTries = 8
	maxMarkers   = 256 // that wait for a stream
)

// readPublisher is what others are to know of read positions: the other devices of the account
// (XEP-0490), and the other sides (XEP-0333).
type readPublisher struct {
	waiting map[perch.JID]perch.ReadIn // by key
	timer   *time.Timer
	busy    bool
	tries   int
	markers map[perch.JID]*perch.DisplayedOut // by key, while there is no stream
}

// publishSoon publishes the position of a message that was found.
func (c *conversationList) publishSoon(k *readLookup) {
	if stanzaID := archivedAs(&k.m); stanzaID != "" {
		c.publishPosition(k.key, perch.ReadIn{Conversation: k.target.jid, StanzaID: stanzaID, InRoom: k.target.inRoom})
	}
}

func (c *conversationList) publishPosition(key perch.JID, p perch.ReadIn) {
	if l := c.host.stream(); l == nil || !l.login.Capabilities.ReadSync {
		return // a later login sees that it was not published
	}
	if c.out.waiting == nil {
		c.out.waiting = map[perch.JID]perch.ReadIn{}
	}
	c.out.waiting[key] = p
	c.publishIn(publishAfter)
}

func (c *conversationList) publishIn(d time.Duration) {
	if c.out.timer == nil && !c.out.busy {
		c.out.timer = c.host.after(d, c.publish)
	}
}

// publish publishes what waits. What fails is tried again, and by the next login.
func (c *conversationList) publish() {
	c.out.timer = nil
	l := c.host.stream()
	if l == nil || !c.host.Online() || !l.login.Capabilities.ReadSync || len(c.out.waiting) == 0 {
		c.out.waiting = nil
		return
	}
	batch := c.out.waiting
	c.out.waiting, c.out.busy = nil, true
	c.host.background(func(ctx context.Context) {
		failed := map[perch.JID]perch.ReadIn{}
		for key, p := range batch {
			short, cancel := context.WithTimeout(ctx, publishTime)
			err := l.conn.PublishRead(short, p)
			cancel()
			if err != nil {
				c.host.logDebug("a read position was not published", "error", err)
				failed[key] = p
				continue
			}
			c.host.post(func() { c.published(key, p.StanzaID) })
		}
		c.host.post(func() { c.publishAgain(failed) })
	})
}

// publishAgain tries again later what failed, unless something newer waits.
func (c *conversationList) publishAgain(failed map[perch.JID]perch.ReadIn) {
	c.out.busy = false
	if len(failed) == 0 {
		c.out.tries = 0
	} else {
		c.out.tries++
	}
	if c.out.tries >= publishTries {
		c.out.tries, failed = 0, nil
	}
	for key, p := range failed {
		if _, newer := c.out.waiting[key]; !newer {
			if c.out.waiting == nil {
				c.out.waiting = map[perch.JID]perch.ReadIn{}
			}
			c.out.waiting[key] = p
		}
	}
	if len(c.out.waiting) > 0 {
		c.publishIn(min(publishAfter<<c.out.tries, publishMost))
	}
}

// published notes that the other devices know a position.
func (c *conversationList) published(key perch.JID, stanzaID string) {
	if s, ok := c.table.Get(key); ok && s.Unpublished && s.ReadID == conversations.Hash(stanzaID) {
		s.Unpublished = false
		c.put(c.journal.Change(), &s, nil)
	}
}

// publishRest publishes, after a login, the positions that an earlier one did not get rid of.
func (c *conversationList) publishRest() {
	var keys []perch.JID
	for s := range c.table.All() {
		if s.Unpublished {
			keys = append(keys, s.Key())
		}
	}
	if len(keys) == 0 {
		return
	}
	c.host.background(func(ctx context.Context) {
		list, err := c.store.Conversations(ctx, c.id, keys)
		if err != nil {
			return // the log says by itself that the Store cannot be read
		}
		c.host.post(func() {
			for _, d := range list {
				var p storedPosition
				if d.Read == nil || json.Unmarshal([]byte(*d.Read), &p) != nil || p.StanzaID == "" {
					continue
				}
				if s, ok := c.table.Get(d.Key); ok && s.ReadID == conversations.Hash(p.StanzaID) {
					c.publishPosition(d.Key, perch.ReadIn{Conversation: s.JID, StanzaID: p.StanzaID, InRoom: s.Kind == perch.RoomConversation})
				}
			}
		})
	})
}

// tellPeer tells the other side what was read, if the message asks for that, once it is committed.
func (c *conversationList) tellPeer(k *readLookup) {
	if k.sent || k.m.ID == "" || k.m.MessageDetails == nil || !k.m.Markable || c.host.chatOnly() || k.m.Room != nil {
		return
	}
	out := &perch.DisplayedOut{To: k.m.From.Bare(), ID: k.m.ID}
	c.journal.AfterCommit(func(Result) {
		if c.host.Send(out) == nil {
			return
		}
		if c.out.markers == nil {
			c.out.markers = map[perch.JID]*perch.DisplayedOut{}
		}
		if _, ok := c.out.markers[k.key]; ok || len(c.out.markers) < maxMarkers {
			c.out.markers[k.key] = out
		}
	})
}

// sendMarkers tells the other sides what was read while there was no stream.
func (c *conversationList) sendMarkers() {
	for key, out := range c.out.markers {
		if c.host.Send(out) != nil {
			return
		}
		delete(c.out.markers, key)
	}
}
