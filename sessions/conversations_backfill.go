package sessions

import (
	"cmp"
	"context"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// Bounds of what one call reads of the archive: whichever is reached first ends it, and the next page
// goes on from there.
const (
	backfillConversations = 30
	backfillMessages      = 1000
	backfillTime          = 10 * time.Second
	backfillPage          = 50
	backfillFresh         = time.Minute // what was read may come live, too
	seenMost              = recallEvents + 2*backfillMessages
)

// backfill is what a list was filled with a moment ago. It belongs to the owner.
type backfill struct {
	seen      map[uint64]struct{} // messages that are counted, or are in the log
	positions map[perch.JID]string
	timer     *time.Timer
}

// first notes a message, and reports whether it comes for the first time. Without a backfill nothing
// comes twice.
func (b *backfill) first(key perch.JID, ref string) bool {
	if b == nil || ref == "" {
		return true
	}
	h := hashOf(string(key), ref)
	if _, ok := b.seen[h]; ok {
		return false
	}
	if len(b.seen) < seenMost {
		b.seen[h] = struct{}{}
	}
	return true
}

// older takes a message that is older than all of its conversation that were taken before. It makes the
// conversation, or is counted where it is not known yet how far that was read.
func (c *conversationList) older(m *perch.Message, sent bool, at perch.Time) {
	jid, kind := conversationWith(m, sent)
	if kind == "" {
		return
	}
	key, ref := jid.Key(), handleOf(m, sent)
	if !c.backfill.first(key, ref) {
		return
	}
	s, d, known := c.open(jid, kind)
	at = sentTime(m, at)
	if s.Last == 0 {
		s.At, s.Last, d.Last, s.Open = max(s.At, at), lastHash(ref), preview(m, ref), !known || s.Open
	} else if !s.Open {
		return
	}
	switch {
	case sent, archivedAs(m) != "" && c.backfill.positions[key] == archivedAs(m):
		s.Open, s.Read, s.ReadID, s.ReadAt = false, conversations.Hash(ref), conversations.Hash(archivedAs(m)), at
		d.Read = storedPosition{perch.ReadPosition{Ref: ref, Time: at}, archivedAs(m)}.text()
	default:
		s.Unread = min(s.Unread, ^uint16(0)-1) + 1
		if c.named(m) {
			s.Mentions = min(s.Mentions, ^uint16(0)-1) + 1
		}
	}
	c.put(c.journal.Change(), &s, d)
}

// fill reads more of what is older, and reports whether there was anything to read. It waits for the
// Store and the archive, and for another call that does the same.
func (c *conversationList) fill(ctx context.Context) (more bool, err error) {
	var other chan struct{}
	var own chan struct{}
	var w lookAround
	if err := c.host.call(ctx, func() {
		if other = c.filling; other == nil {
			own = make(chan struct{})
			c.filling = own
			w = c.lookAround()
		}
	}); err != nil {
		return false, err
	}
	if other != nil {
		select {
		case <-other:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	defer func() {
		c.host.post(c.filled)
		close(own) // also when the session has ended
	}()
	short, cancel := context.WithTimeout(ctx, backfillTime)
	defer cancel()
	more, err = c.fillFrom(short, w)
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		return true, nil // time is over
	}
	return more, err
}

// filled ends a fill. What it has seen is remembered for a while.
func (c *conversationList) filled() {
	c.filling = nil
	if b := c.backfill; b != nil {
		stop(b.timer)
		b.timer = c.host.after(backfillFresh, func() {
			if c.backfill == b && c.filling == nil {
				c.backfill = nil
			}
		})
	}
}

// fillFrom reads the log, if that is not done yet, and then the archive.
func (c *conversationList) fillFrom(ctx context.Context, w lookAround) (more bool, err error) {
	var h ConversationHistory
	before := 0
	var upTo uint64
	if err := c.host.call(ctx, func() {
		h, before, upTo = c.history(), c.table.Len(), c.log.next
		if c.backfill != nil {
			stop(c.backfill.timer)
		}
		c.backfill = &backfill{seen: map[uint64]struct{}{}}
	}); err != nil {
		return false, err
	}
	select {
	case <-w.committed:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	positions := c.positions(ctx)
	var rooms roomNews
	if err := c.host.call(ctx, func() { c.backfill.positions, rooms = positions, c.rooms }); err != nil {
		return false, err
	}
	if rooms != nil && !h.LogRead {
		rooms.askBookmarks(ctx)
	}
	if err := c.fillFromLog(ctx, upTo, &h); err != nil {
		return false, err
	}
	if !h.LogRead {
		if err := c.host.call(ctx, func() {
			c.loggedRooms(positions, c.history().Trimmed)
			c.listRooms()
		}); err != nil {
			return false, err
		}
	}
	return c.fillFromArchive(ctx, before)
}

// positions are those of the account's other devices, by key.
func (c *conversationList) positions(ctx context.Context) map[perch.JID]string {
	var conn Conn
	rooms := false
	if c.host.call(ctx, func() {
		rooms = c.rooms != nil
		if l := c.host.stream(); l != nil && c.host.Online() && l.login.Capabilities.ReadSync {
			conn = l.conn
		}
	}) != nil || conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, backfillTime/2)
	defer cancel()
	list, err := conn.ReadPositions(ctx)
	if err != nil {
		c.host.logDebug("read positions were not fetched", "error", err)
		return nil
	}
	byKey := make(map[perch.JID]string, len(list))
	for _, in := range list {
		if in.StanzaID != "" && (!in.InRoom || rooms) {
			byKey[in.Conversation.Bare().Key()] = in.StanzaID
		}
	}
	return byKey
}

// pastMessage is a message of the log.
type pastMessage struct {
	*perch.Message
	sent  bool
	at    perch.Time
	noted bool // it is counted already
}

// fillFromLog takes what the log had when the list began, newest first. What it has later, and all of it
// where that was done before, is only noted.
func (c *conversationList) fillFromLog(ctx context.Context, upTo uint64, h *ConversationHistory) error {
	var list []pastMessage
	noted := func(at perch.Position) bool {
		return h.LogRead || at.Epoch != h.LogTo.Epoch || at.Offset > h.LogTo.Offset
	}
	first := uint64(0)
	later := laterChanges{}
	flush := func() error {
		messages := list
		list = nil
		return c.host.call(ctx, func() {
			for _, m := range messages {
				jid, kind := conversationWith(m.Message, m.sent)
				if !m.noted {
					c.older(m.Message, m.sent, m.at)
				} else if kind != "" {
					c.backfill.first(jid.Key(), handleOf(m.Message, m.sent))
				}
			}
		})
	}
	var ferr error
	if err := c.backwards(ctx, upTo, func(e *perch.Event) bool {
		first = e.Position.Offset
		if later.note(e) {
			return true
		}
		if e.Type == perch.EventSessionGap && !noted(e.Position) {
			ferr = c.host.call(ctx, func() { c.gapAt(e) })
			return ferr == nil
		}
		m := messageOf(e)
		if m == nil {
			return true
		}
		sent := e.Type == perch.EventMessageSent
		if list = append(list, pastMessage{later.merged(m, handleOf(m, sent)), sent, e.Time, noted(e.Position)}); len(list) >= recallPage {
			ferr = flush()
		}
		return ferr == nil
	}); err != nil || ferr != nil {
		return cmp.Or(ferr, err)
	}
	if err := flush(); err != nil {
		return err
	}
	return c.host.call(ctx, func() {
		c.setHistory(func(h *ConversationHistory) {
			if !h.LogRead {
				h.LogRead, h.Trimmed = true, first > 1 || h.LogTo.Epoch != c.log.epoch
			}
		})
	})
}

// gapAt notes a gap of the log: messages of before may be missing.
func (c *conversationList) gapAt(e *perch.Event) {
	var g perch.Gap
	if e.Decode(&g) == nil {
		c.setHistory(func(h *ConversationHistory) { h.GapAt = max(h.GapAt, g.To) })
	}
}

// laterChanges are corrections and retractions, by the handle of the message: who reads backwards meets
// them before it. The newest counts.
type laterChanges map[string]*perch.Message

// note takes an event of the log, and reports whether it was one of these.
func (l laterChanges) note(e *perch.Event) bool {
	var m *perch.Message
	switch e.Type {
	case perch.EventMessageEdited:
		if m = new(perch.Message); e.Decode(m) != nil {
			return true
		}
	case perch.EventMessageRetracted:
		var r perch.MessageRetracted
		if e.Decode(&r) != nil {
			return true
		}
		m = withdrawn(&r, "")
	default:
		return false
	}
	if _, newer := l[m.Ref]; !newer && m.Ref != "" {
		l[m.Ref] = m
	}
	return true
}

// merged is a message with what came later.
func (l laterChanges) merged(m *perch.Message, ref string) *perch.Message {
	change := l[ref]
	if change == nil {
		return m
	}
	c := *m
	c.Body, c.MessageDetails = change.Body, change.MessageDetails
	return &c
}
