package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// fillFromArchive reads the archive on from where the list begins, back, within the bounds of one call,
// and reports whether it has read anything. Before is how many conversations there were.
func (c *conversationList) fillFromArchive(ctx context.Context, before int) (read bool, err error) {
	var conn Conn
	kind := ""
	if err := c.host.call(ctx, func() {
		kind = c.host.archiveKind()
		if l := c.host.stream(); l != nil && c.host.Online() {
			conn, kind = l.conn, l.login.Capabilities.Archive
		}
		if conn != nil && kind == "" {
			c.complete(!c.history().Trimmed)
		}
	}); err != nil || conn == nil {
		return false, err
	}
	switch kind {
	case archivePaged:
		return c.fillPaged(ctx, conn, before)
	case archiveLast:
		return c.fillLast(ctx, conn, before)
	}
	return false, nil
}

// enough reports whether a call has brought as much as it may.
func (c *conversationList) enough(before, messages int) bool {
	if c.table.Len() >= maxConversations {
		c.complete(false) // older ones would have no room
	}
	return c.history().Complete || c.table.Len() >= before+backfillConversations || messages >= backfillMessages
}

// complete notes that there is nothing older. Counted says that so everything was counted.
func (c *conversationList) complete(counted bool) {
	h := c.history()
	if h.Complete {
		return
	}
	c.setHistory(func(h *ConversationHistory) { h.Complete = true })
	if h.Evicted || !counted {
		return
	}
	for s := range c.table.All() {
		if s.Open && s.Kind != perch.RoomConversation { // those have archives of their own
			s.Open = false
			c.put(c.journal.Change(), &s, nil)
		}
	}
}

// fillPaged reads an archive that has pages (XEP-0313).
func (c *conversationList) fillPaged(ctx context.Context, conn Conn, before int) (read bool, err error) {
	var h ConversationHistory
	var own perch.JID
	late := false
	if err := c.host.call(ctx, func() {
		h, own = c.history(), c.host.ownJID()
		late = c.host.now()-h.Since > perch.Time(backfillFresh.Milliseconds())
	}); err != nil {
		return false, err
	}
	q := perch.ArchiveQuery{Before: h.Before, Limit: backfillPage}
	if late && q.Before == "" {
		q.End = h.Since // what came later was counted as it came
	}
	var later []perch.ArchiveItem // what was said of messages that are still to come
	for messages, done := 0, false; !done; read = true {
		page, err := conn.Archive(ctx, q)
		if err != nil && perch.KindOf(err) != perch.KindItemNotFound {
			c.host.logDebug("the archive was not read for the list of chats", "error", err)
			return read, ctx.Err()
		}
		messages += len(page.Items)
		if terr := c.host.call(ctx, func() { c.place(page.Items) }); terr != nil {
			return read, terr
		}
		var items []perch.ArchiveItem
		items, later = MergeArchive(slices.Concat(page.Items, later), own)
		if terr := c.host.call(ctx, func() {
			c.olderPage(items)
			if err != nil || page.Complete || page.First == "" || page.First == q.Before {
				c.complete(true) // an archive that has lost the place has nothing older
			} else {
				c.setHistory(func(h *ConversationHistory) { h.Before = page.First })
			}
			done = c.enough(before, messages)
		}); terr != nil {
			return read, terr
		}
		q.Before, q.End = page.First, 0
	}
	return read, nil
}

// olderPage takes a page of an archive, newest first.
func (c *conversationList) olderPage(items []perch.ArchiveItem) {
	for i := range slices.Backward(items) {
		if it := &items[i]; it.Dropped == "" {
			m := it.Message
			m.Ref = perch.RefOf(&m, it.Sent)
			c.older(&m, it.Sent, it.Time)
		}
	}
}

// fillLast asks an archive that has the last messages with each account (XEP-0136 as the Messenger
// service knew it), for one contact after the other. It has no ids, so a conversation that the log has
// is left as it is.
func (c *conversationList) fillLast(ctx context.Context, conn Conn, before int) (read bool, err error) {
	asked := 0
	for done := false; !done; read = true {
		var next []perch.JID
		known := false
		if err := c.host.call(ctx, func() {
			if next = c.host.contactsAfter(perch.JID(c.history().Before), 1); len(next) == 0 {
				c.complete(false)
				return
			}
			_, known = c.table.Get(next[0])
		}); err != nil || len(next) == 0 {
			return read, err
		}
		var page perch.ArchivePage
		if !known {
			if asked++; asked > backfillConversations {
				return read, nil
			}
			page, err = conn.Archive(ctx, perch.ArchiveQuery{With: next[0]})
		}
		if err != nil {
			c.host.logDebug("the archive was not read for the list of chats", "error", err)
			return read, ctx.Err()
		}
		if terr := c.host.call(ctx, func() {
			c.olderPage(page.Items)
			if s, ok := c.table.Get(next[0]); ok && !known && page.Complete && s.Open {
				s.Open = false
				c.put(c.journal.Change(), &s, nil)
			}
			c.setHistory(func(h *ConversationHistory) { h.Before = string(next[0].Key()) })
			done = c.enough(before, 0)
		}); terr != nil {
			return read, terr
		}
	}
	return read, nil
}
