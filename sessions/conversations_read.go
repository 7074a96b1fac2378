package sessions

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// readTarget is a message up to which a conversation was read, by one of its names.
type readTarget struct {
	jid      perch.JID
	inRoom   bool // the conversation is with a room
	ref      string
	stanzaID string // in the archive of the account, or in that of the room
	id       string // of a received message
}

func (t *readTarget) matches(m *perch.Message, ref string, sent bool) bool {
	switch {
	case t.ref != "":
		return ref == t.ref
	case t.stanzaID != "":
		return archivedAs(m) == t.stanzaID
	}
	return !sent && t.id != "" && m.ID == t.id
}

// readElsewhere takes what another device of the account has read. The position may come before its
// message: then it waits for that. Of a conversation in which something is unread the message may
// be known already, and is looked for.
func (c *conversationList) readElsewhere(in *perch.ReadIn) {
	jid := in.Conversation.Bare()
	if jid == "" || in.StanzaID == "" && in.ID == "" || in.InRoom && c.rooms == nil {
		return
	}
	if in.StanzaID != "" && !in.InRoom && c.kindOf(jid) == perch.RoomConversation {
		return // of another archive than its messages
	}
	key := jid.Key()
	s, known := c.table.Get(jid)
	if known && in.StanzaID != "" && s.ReadID == conversations.Hash(in.StanzaID) {
		return
	}
	t := &readTarget{jid: cloned(jid), inRoom: in.InRoom, stanzaID: cloned(in.StanzaID), id: cloned(in.ID)}
	c.await(key, t)
	if known && (s.Unread > 0 || s.Open) {
		c.queued = append(c.queued, c.begin(key, t))
		c.lookSoon()
	}
}

// await notes a position whose message may still come. When there are too many, any one goes: the next
// login asks for it again.
func (c *conversationList) await(key perch.JID, t *readTarget) {
	if c.awaited == nil {
		c.awaited = map[perch.JID]*readTarget{}
	}
	c.awaited[cloned(key)] = t
	for other := range c.awaited {
		if len(c.awaited) <= maxAwaitedReads {
			break
		}
		if other != key {
			delete(c.awaited, other)
		}
	}
}

// lookSoon looks for the positions that wait, all at once, and for those that came meanwhile after that.
func (c *conversationList) lookSoon() {
	if c.looking || len(c.queued) == 0 {
		return
	}
	c.looking = true
	batch := c.queued
	c.queued = nil
	w := c.lookAround()
	c.host.background(func(ctx context.Context) {
		err := c.locate(ctx, w, batch)
		c.host.post(func() {
			for _, k := range batch {
				c.end(k)
				if err == nil && k.found {
					c.moved(k, true)
				}
			}
			c.looking = false
			c.lookSoon()
		})
	})
}

// moved moves a position to a message that was found, if that is further, and reports whether it was.
// Told says that the other devices know it.
func (c *conversationList) moved(k *readLookup, told bool) bool {
	s, ok := c.table.Get(k.target.jid)
	if !ok {
		return false
	}
	unread, named := k.counted()
	ref := conversations.Hash(k.ref)
	switch {
	case s.Read == ref && !s.Open:
		return false
	case !s.Open && (unread > int(s.Unread) || unread == int(s.Unread) && k.at <= s.ReadAt):
		return false // it is back
	}
	s.Unread, s.Mentions, s.Open = uint16(min(unread, int(^uint16(0)))), uint16(min(named, int(^uint16(0)))), k.overflow
	stanzaID := archivedAs(&k.m)
	s.Read, s.ReadID, s.ReadAt = ref, conversations.Hash(stanzaID), k.at
	s.Unpublished = !told && stanzaID != ""
	if k.inLog {
		if t := c.awaited[s.Key()]; t != nil && t.matches(&k.m, k.ref, k.sent) {
			delete(c.awaited, s.Key())
		}
	}
	d := &conversations.Details{Read: storedPosition{perch.ReadPosition{Ref: k.ref, Time: k.at}, stanzaID}.text()}
	c.put(c.journal.Change(), &s, d)
	c.tellRead(&s, k.ref)
	return true
}

// tellRead makes the event of a position that has moved.
func (c *conversationList) tellRead(s *conversations.State, ref string) {
	c.journal.Durable(perch.EventConversationRead, conversationRead(s, &perch.ReadPosition{Ref: ref, Time: s.ReadAt}))
}

func conversationRead(s *conversations.State, at *perch.ReadPosition) perch.ConversationRead {
	return perch.ConversationRead{JID: s.JID, Read: at, Unread: shown(s.Unread), Mentions: shown(s.Mentions)}
}

// shown is a counter as clients see it.
func shown(n uint16) int { return min(int(n), maxUnread) }

// mergePositions asks, after a new bind, how far the other devices have read.
func (c *conversationList) mergePositions(l *link) {
	c.host.background(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, positionsTime)
		defer cancel()
		list, err := l.conn.ReadPositions(ctx)
		if err != nil {
			c.host.logDebug("read positions were not fetched", "error", err)
			return
		}
		c.host.post(func() {
			for i := range list[:min(len(list), maxConversations)] {
				c.readElsewhere(&list[i])
			}
		})
	})
}

// Read says that the user has read a conversation up to a message, which the event log or the archive
// has: forward only. An earlier one changes nothing, and the answer is what holds. With receipts the
// other side is told, if the message asked for that (XEP-0333). The account's other devices are told
// where the upstream can do so (XEP-0490). It waits for the Store, and for the archive when the log does
// not have the message. Errors: KindNotFound for a conversation or a message that is not known,
// KindStorageUnavailable.
func (x Conversations) Read(ctx context.Context, jid perch.JID, ref perch.Ref, receipts bool) (perch.ConversationRead, error) {
	c, _, _, err := x.list(ctx)
	if err != nil {
		return perch.ConversationRead{}, err
	}
	k, w, err := c.beginRead(ctx, jid, ref, receipts)
	if err != nil {
		return perch.ConversationRead{}, err
	}
	if k != nil {
		err = c.locate(ctx, w, []*readLookup{k})
		terr := c.host.callErr(ctx, func() error {
			c.end(k)
			switch {
			case err != nil:
				return err
			case !k.found:
				return errNoMessage
			}
			if c.moved(k, false) {
				c.publishSoon(k)
			}
			if receipts {
				c.tellPeer(k)
			}
			return nil
		})
		if terr != nil {
			c.host.post(func() { c.end(k) }) // it may not have run
			return perch.ConversationRead{}, terr
		}
	}
	if err := c.committed(ctx); err != nil {
		return perch.ConversationRead{}, err
	}
	return c.currentRead(ctx, jid)
}

// beginRead begins the search for a message; no lookup: the conversation is read up to it already.
func (c *conversationList) beginRead(ctx context.Context, jid perch.JID, ref perch.Ref, receipts bool) (k *readLookup, w lookAround, err error) {
	err = c.host.callErr(ctx, func() error {
		jid := c.addressed(jid)
		s, ok := c.table.Get(jid)
		switch {
		case !ok:
			return errNoConversation
		case !receipts && !s.Open && s.Read == conversations.Hash(ref.String()):
			return nil
		}
		k = c.begin(jid.Key(), &readTarget{jid: jid, inRoom: s.Kind == perch.RoomConversation, ref: ref.String()})
		w = c.lookAround()
		return nil
	})
	return k, w, err
}

// currentRead is what holds of a conversation.
func (c *conversationList) currentRead(ctx context.Context, jid perch.JID) (perch.ConversationRead, error) {
	var s conversations.State
	if err := c.host.callErr(ctx, func() (err error) {
		var ok bool
		if s, ok = c.table.Get(c.addressed(jid)); !ok {
			return errNoConversation
		}
		return nil
	}); err != nil {
		return perch.ConversationRead{}, err
	}
	d, err := c.store.Conversations(ctx, c.id, []perch.JID{s.Key()})
	if err != nil {
		return perch.ConversationRead{}, storeError(err)
	}
	return conversationRead(&s, positionOf(d[0].Read)), nil
}

// positionOf reads a position as it is stored; nil: there is none.
func positionOf(text *string) *perch.ReadPosition {
	var p perch.ReadPosition
	if text == nil || json.Unmarshal([]byte(*text), &p) != nil {
		return nil
	}
	return &p
}

// begin counts, from now on, what comes in a conversation, until end.
func (c *conversationList) begin(key perch.JID, t *readTarget) *readLookup {
	k := &readLookup{key: key, target: t, upTo: c.log.next, named: c.namer(t.jid), partial: t.inRoom && c.rooms != nil && c.rooms.partial(t.jid)}
	c.lookups = append(c.lookups, k)
	return k
}

func (c *conversationList) end(k *readLookup) {
	c.lookups = slices.DeleteFunc(c.lookups, func(x *readLookup) bool { return x == k })
}

// counted is what is unread after a message that was found: what the search has counted, and what came
// while it went on.
func (k *readLookup) counted() (unread, named int) {
	unread, named = k.unread, k.mentions
	for _, later := range k.later {
		if _, logged := k.seen[later.ref]; k.archived[later.ref] || logged && later.ref != "" {
			continue // also of a log that was lost meanwhile, and began anew with lower offsets
		}
		unread++
		if later.named {
			named++
		}
	}
	return unread, named
}
