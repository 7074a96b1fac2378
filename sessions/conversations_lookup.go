package sessions

import (
	"context"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

const (
	positionsTime  = 20 * time.Second // how long positions, and the archive, are waited for
	lookedUpAtOnce = 20               // positions of one batch that the archive is asked for
	lookupPage     = 50               // items of the archive at a time
	lookupPages    = 20               // so many pages at most
)

// readLookup is the search for the message of a read position, and what is unread after it. What comes
// meanwhile is counted by the owner, in later; everything else belongs to the search until it ends.
type readLookup struct {
	key    perch.JID
	target *readTarget
	upTo   uint64 // newest event when it began
	named  func(*perch.Message) bool
	// partial says that the log has not all that was said: then the archive is asked in any case.
	partial bool

	later    []laterMessage
	overflow bool // later is full

	found            bool
	inLog            bool
	m                perch.Message
	ref              string
	sent             bool
	at               perch.Time
	unread, mentions int
	seen             map[string]after // by handle, the messages that were looked at
	archived         map[string]bool  // handles of those that were counted in the archive
}

// after is what is unread after a message.
type after struct{ unread, mentions int }

// laterMessage is a received message that came while the search went on.
type laterMessage struct {
	ref   string
	named bool
}

// came counts a message that comes while the search goes on.
func (k *readLookup) came(key perch.JID, ref string, sent, named bool) {
	switch {
	case sent || key != k.key:
	case len(k.later) >= maxLater:
		k.overflow = true
	default:
		k.later = append(k.later, laterMessage{cloned(ref), named})
	}
}

// lookAround is where positions can be looked for, as of one moment.
type lookAround struct {
	committed chan struct{} // closed when all events of before are in the Store
	conn      Conn          // with an archive that can be paged; nil: there is none
	rooms     RoomConn      // with the archives of rooms; nil: there are none
	place     func(context.Context, []perch.ArchiveItem) error
}

func (c *conversationList) lookAround() lookAround {
	w := lookAround{committed: make(chan struct{}), place: func(ctx context.Context, items []perch.ArchiveItem) error {
		return c.host.call(ctx, func() { c.place(items) })
	}}
	c.journal.AfterCommit(func(Result) { close(w.committed) })
	l := c.host.stream()
	if l == nil || !c.host.Online() {
		return w
	}
	if l.paged() {
		w.conn = l.conn
	}
	if c.rooms != nil {
		w.rooms, _ = l.conn.(RoomConn)
	}
	return w
}

// archiveOf is how the archive is asked that has a conversation; nil: there is none.
func (w *lookAround) archiveOf(t *readTarget) func(context.Context, perch.ArchiveQuery) (perch.ArchivePage, error) {
	switch {
	case t.inRoom && w.rooms != nil:
		return func(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
			page, err := w.rooms.RoomArchive(ctx, t.jid, q)
			if err == nil {
				err = w.place(ctx, page.Items)
			}
			return page, err
		}
	case !t.inRoom && w.conn != nil:
		return func(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
			q.With = t.jid
			return w.conn.Archive(ctx, q)
		}
	}
	return nil
}

// locate looks for the messages of some positions: in the log, newest first, once for all; then in the
// archive.
func (c *conversationList) locate(ctx context.Context, w lookAround, list []*readLookup) error {
	select {
	case <-w.committed:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := c.locateLogged(ctx, list); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, positionsTime)
	defer cancel()
	for i, k := range list {
		ask := w.archiveOf(k.target)
		if k.found && !k.partial || i >= lookedUpAtOnce || ask == nil {
			continue
		}
		k.found = false
		err := k.locateArchived(ctx, ask)
		if k.found = k.found || k.inLog; err != nil {
			c.host.logDebug("a read position was not looked for in the archive", "error", err)
			if ctx.Err() != nil {
				break
			}
		}
	}
	return nil
}

// locateLogged reads the log backwards until all are found, or it ends.
func (c *conversationList) locateLogged(ctx context.Context, list []*readLookup) error {
	var end uint64
	for _, k := range list {
		end = max(end, k.upTo)
		k.seen, k.archived = map[string]after{}, map[string]bool{}
	}
	return c.backwards(ctx, end, func(e *perch.Event) bool {
		m := messageOf(e)
		if m == nil {
			return true
		}
		sent := e.Type == perch.EventMessageSent
		jid, kind := conversationWith(m, sent)
		open := kind == ""
		key := jid.Key()
		for _, k := range list {
			if k.found || kind == "" || e.Position.Offset > k.upTo {
				open = open || !k.found
				continue
			}
			if key == k.key {
				k.look(m, handleOf(m, sent), sent, sentTime(m, e.Time))
				k.inLog = k.found
			}
			open = open || !k.found
		}
		return open
	})
}

// backwards reads the messages of the log from an offset back, while f wants more.
func (c *conversationList) backwards(ctx context.Context, end uint64, f func(*perch.Event) bool) error {
	for end > 0 {
		n := min(end, recallPage)
		page, err := c.store.Log(ctx, c.id, end-n, int(n))
		if err != nil {
			return storeError(err)
		}
		for _, e := range slices.Backward(page.Events) {
			if e.Position.Offset <= end && !f(e) {
				return nil
			}
		}
		if page.First > end-n {
			return nil
		}
		end -= n
	}
	return nil
}

// look takes the next older message of the conversation, which the log and the archive may both have.
func (k *readLookup) look(m *perch.Message, ref string, sent bool, at perch.Time) {
	counted, again := k.seen[ref]
	again = again && ref != ""
	switch {
	case k.target.matches(m, ref, sent):
		k.found, k.m, k.ref, k.sent, k.at = true, *m, ref, sent, at
		if again { // the log does not have the name that it has in the archive
			k.unread, k.mentions = counted.unread, counted.mentions
		}
	case !again:
		k.seen[ref] = after{k.unread, k.mentions}
		if sent {
			return
		}
		k.unread++
		if k.named(m) {
			k.mentions++
		}
	}
}

// locateArchived reads the archive of a conversation backwards, as far as the search may go. What the log
// has is counted already.
func (k *readLookup) locateArchived(ctx context.Context, ask func(context.Context, perch.ArchiveQuery) (perch.ArchivePage, error)) error {
	q := perch.ArchiveQuery{Limit: lookupPage}
	for range lookupPages {
		page, err := ask(ctx, q)
		if err != nil {
			return err
		}
		for i := range slices.Backward(page.Items) {
			it := &page.Items[i]
			jid, kind := conversationWith(&it.Message, it.Sent)
			if it.Dropped != "" || it.Relation != nil || kind == "" || !jid.Equal(k.target.jid) {
				continue
			}
			ref := handleOf(&it.Message, it.Sent)
			if _, logged := k.seen[ref]; !logged && !it.Sent {
				k.archived[ref] = true
			}
			if k.look(&it.Message, ref, it.Sent, sentTime(&it.Message, it.Time)); k.found {
				delete(k.archived, ref)
				return nil
			}
		}
		if page.Complete || page.First == "" || page.First == q.Before {
			return nil
		}
		q.Before = page.First
	}
	return nil
}
