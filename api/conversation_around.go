package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// aroundMessage reads the archive on both sides of a message. Nothing is asked of an upstream that gives
// the last messages only.
func aroundMessage(ctx context.Context, s *sessions.Session, t messageTarget, limit int) (foundMessages, error) {
	if info := s.Info(); !t.ref.Room && slices.Contains(info.Features, "archive") && !pagedArchive(info) {
		return foundMessages{}, perch.Errorf(perch.KindFeatureUnsupported, "the archive of this upstream has the last messages only")
	}
	m, at, err := sessions.MessagesOf(s).ByRef(ctx, t.conversation, t.ref)
	if err != nil {
		return foundMessages{}, err
	}
	before, err := beforeMessage(ctx, s, t, m, at, max(1, limit/2))
	if err != nil {
		return foundMessages{}, err
	}
	after, err := s.Archive(ctx, afterQuery(t, m, at, before, limit-len(before.Items)))
	if err != nil {
		return foundMessages{}, err
	}
	items := slices.Concat(before.Items, after.Items)
	if !slices.ContainsFunc(items, func(it perch.ArchiveItem) bool { return isTarget(&it, t, m) }) {
		own := m.From.Bare().Equal(s.Info().JID) || m.Room != nil && m.Room.Own
		target := perch.ArchiveItem{MessageIn: perch.MessageIn{Message: *m, Sent: own}, Time: at}
		items = slices.Insert(items, len(before.Items), target)
	}
	page := foundMessages{next: cursorUnless(after.Complete, after.Last), prev: cursorUnless(before.Complete, before.First)}
	if limit == 1 && len(before.Items) > 0 { // which is before it
		items, page.prev = items[1:], &after.First
	}
	if len(items) > limit {
		items = items[:limit]
		page.next = cursorUnless(false, archiveID(&items[limit-1]))
	}
	page.ArchivePage = perch.ArchivePage{Items: items, Complete: page.next == nil && page.prev == nil}
	return page, nil
}

// idInArchive is the id of a message in the archive of its conversation, which is that of the room where
// the handle is of one; "": it is not known.
func idInArchive(t messageTarget, m *perch.Message) string {
	if t.ref.Room {
		return t.ref.StanzaID
	}
	return m.StanzaID
}

// cursorUnless is the cursor of the page beside this one; nil: there is none.
func cursorUnless(complete bool, cursor string) *string {
	if complete || cursor == "" {
		return nil
	}
	return &cursor
}

// pagedArchive reports whether an archive can be read from any message on (XEP-0313).
func pagedArchive(info perch.SessionInfo) bool { return info.Delivery == "A" || info.Delivery == "B" }

// beforeMessage reads what is before a message: by its id in the archive, or, where that is not known
// here or there, by its time.
func beforeMessage(ctx context.Context, s *sessions.Session, t messageTarget, m *perch.Message, at perch.Time, limit int) (perch.ArchivePage, error) {
	if id := idInArchive(t, m); id != "" {
		page, err := s.Archive(ctx, perch.ArchiveQuery{With: t.conversation, Before: id, Limit: limit})
		if err == nil || !isMissing(err) {
			return page, err
		}
	}
	return s.Archive(ctx, perch.ArchiveQuery{With: t.conversation, End: at, Limit: limit})
}

// sendTime is within what a message that was sent here is in the archive of the server.
const sendTime = perch.Time(time.Minute / time.Millisecond)

// afterQuery asks for what comes after the page before a message, which is the message first.
func afterQuery(t messageTarget, m *perch.Message, at perch.Time, before perch.ArchivePage, limit int) perch.ArchiveQuery {
	q := perch.ArchiveQuery{With: t.conversation, Limit: max(1, limit)}
	switch {
	case before.Last != "":
		q.After = before.Last
	case idInArchive(t, m) != "": // it is the first message of the archive
		q.After = idInArchive(t, m)
	default: // likewise, and its time there is not known to the millisecond
		q.End = at + sendTime
	}
	return q
}

// isMissing reports whether the archive does not know the id that it was asked for.
func isMissing(err error) bool {
	e, ok := errors.AsType[*perch.Error](err)
	return ok && (e.Kind == perch.KindItemNotFound || e.XMPP != nil && e.XMPP.Condition == "item-not-found")
}

// isTarget reports whether an item is the message.
func isTarget(it *perch.ArchiveItem, t messageTarget, m *perch.Message) bool {
	if it.Relation != nil || it.Dropped != "" {
		return false
	}
	if id := idInArchive(t, m); id != "" {
		return archiveID(it) == id
	}
	return t.ref.ID != "" && it.ID == t.ref.ID && it.Sent == t.ref.Sent
}
