package sessions

import (
	"cmp"
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// catchUp reads the archive from the last logged message on (XEP-0313), before live messages
// are applied. The first query of a session finds the place to begin from, and makes servers
// archive that do so only for clients that ask.
func (cu *catchup) catchUp(ctx context.Context, l *link, first bool) error {
	if l.login.Capabilities.Archive == archiveLast {
		return cu.catchUpLast(ctx, l)
	}
	if !cu.catching(ctx, l) {
		return nil
	}
	for round := range catchUpPages {
		var after string
		var since perch.Time
		if err := cu.host.call(ctx, func() {
			after, l.overflow = cmp.Or(l.window.from, cu.host.record().ArchiveID), false
			if after == "" && round == 0 && cu.host.record().RosterKnown && cu.host.record().OfflineSince != 0 {
				since = max(1, cu.host.record().OfflineSince-archiveSlack)
			}
		}); err != nil {
			return err
		}
		if after == "" && since == 0 && !first {
			return nil // still no place to begin from: the live messages will bring one
		}
		asked := cu.host.now()
		page, err := cu.archivePage(ctx, l, after, since)
		if err != nil {
			return cu.archiveSilent(ctx, l, err, asked, after != "" || since != 0)
		}
		more := false
		if err := cu.host.call(ctx, func() {
			cu.host.ifCurrent(l, func(l *link) {
				more = cu.applyArchive(l, page, after) || l.overflow
			})
		}); err != nil || !more {
			return err
		}
		if err := cu.written(ctx); err != nil {
			return err
		}
	}
	return cu.host.call(ctx, func() { cu.gap(perch.GapTooLong) })
}

func (cu *catchup) catching(ctx context.Context, l *link) (yes bool) {
	_ = cu.host.call(ctx, func() { yes = l.buffering && cu.host.stream() == l })
	return yes
}

// archived is a page with what the Store knows of the messages in it that we sent.
type archived struct {
	perch.ArchivePage
	ours map[string]*perch.MessageRecord
	// lost is an answer that is an error: the place to read on from is not in the archive any
	// more, or it cannot be read at all.
	lost error
	// since is what takes the place of an id when no message was logged before the outage:
	// the archive was empty then, or had only what we sent ourselves.
	since perch.Time
}

func (cu *catchup) archivePage(ctx context.Context, l *link, after string, since perch.Time) (archived, error) {
	q := perch.ArchiveQuery{After: after, Start: since, Limit: catchUpPage}
	if after == "" && since == 0 {
		q.Limit = 1
		short, cancel := context.WithTimeout(ctx, firstArchiveTime)
		defer cancel()
		ctx = short
	}
	page, err := l.conn.Archive(ctx, q)
	switch {
	case err == nil:
	case connectionLost(ctx, l, err), perch.KindOf(err) == perch.KindUpstreamTimeout, perch.KindOf(err) == perch.KindTryLater:
		return archived{}, err
	default: // trimmed, or switched off: begin again from the newest message
		return archived{lost: err, since: since}, nil
	}
	a := archived{ArchivePage: page, ours: map[string]*perch.MessageRecord{}, since: since}
	for _, it := range page.Items {
		if it.ID == "" || !it.Sent || after == "" && since == 0 {
			continue
		}
		if r, err := cu.store.Message(ctx, cu.id, it.ID); err == nil {
			a.ours[it.ID] = r
		}
	}
	return a, nil
}

// applyArchive logs a page and reports whether to ask for the next one.
func (cu *catchup) applyArchive(l *link, a archived, after string) (more bool) {
	if a.lost == nil {
		cu.silentLogins = 0
	}
	switch {
	case a.lost != nil && after == "":
		cu.withoutArchive(l, a.lost, a.since != 0) // there is none after all
		return false
	case a.lost != nil && l.window.from != "":
		l.window = overlapWindow{} // trimmed so far; the end of the log may still be there
		return true
	case a.lost != nil:
		if cu.host.record().RosterKnown {
			cu.gap(lostReason(a.lost))
		}
		cu.host.record().ArchiveID = ""
		cu.host.saveRecord()
		return true
	case after == "" && a.since == 0:
		cu.moveOn(l, a, after)
		return false
	}
	if i := slices.IndexFunc(a.Items, func(it perch.ArchiveItem) bool { return it.StanzaID == after }); i >= 0 {
		a.Items = a.Items[i+1:] // an archive that does not page gives the same again
	}
	for i := range a.Items {
		it := &a.Items[i]
		if l.window.until != "" && it.StanzaID == l.window.until {
			l.window = overlapWindow{}
		}
		if it.Time < a.since {
			continue
		}
		cu.host.guarded(func() { cu.applyArchived(it, a.ours[it.ID]) })
	}
	return cu.moveOn(l, a, after) && !a.Complete
}

// moveOn notes the end of a page as the place to read on from; false: there is no progress.
// The last archived stanza need not be a message that clients see, so the page's own end
// counts before that of its items.
func (cu *catchup) moveOn(l *link, a archived, after string) bool {
	last, at := a.Last, cu.host.now()
	if n := len(a.Items); n > 0 {
		last = cmp.Or(last, a.Items[n-1].StanzaID)
		if !a.Complete && (after != "" || a.since != 0) {
			at = min(at, a.Items[n-1].Time) // what was logged since is still to come
		}
	}
	if last == "" || last == after {
		return false
	}
	if l.window.until != "" && !a.Complete {
		l.window.from = last
		return true
	}
	l.window = overlapWindow{}
	cu.host.record().ArchiveID, cu.host.record().ArchiveAt = last, at
	cu.host.saveRecord()
	return true
}

// applyArchived logs one archived message, unless it is a copy of one that is logged. One that
// we sent is in the log already, or is the proof that it arrived. What cannot be shown is the
// event.dropped that it would be live.
func (cu *catchup) applyArchived(it *perch.ArchiveItem, stored *perch.MessageRecord) {
	if cu.rooms != nil && cu.rooms.elsewhere(&it.MessageIn) {
		return
	}
	if cu.rooms != nil {
		cu.rooms.placeArchived(&it.MessageIn, cu.host.record().JID)
	} else if it.Room != nil {
		ofNoRoom(&it.Message, cu.host.record().JID)
	}
	c := archivedIdentity(it, cu.host.now())
	logged := cu.isCopy(&c)
	if it.Dropped != "" {
		if !logged {
			cu.host.rememberAddress(it.From)
			cu.logArchivedDropped(it, c)
		}
		return
	}
	r := cu.sent.record(it.ID)
	if r == nil {
		r = stored
	}
	if r != nil && it.Sent && it.ID != "" && writtenAs(r, it) {
		cu.sent.advanceTo(r, perch.StatusAcked, nil)
		switch {
		case logged:
		case it.Relation != nil && len(r.History) > 0 && cu.relations.behind(&it.MessageIn, r.History[0].Time):
			cu.logRelation(&it.MessageIn, c)
		default:
			cu.known.add(c)
		}
		return
	}
	if logged {
		return
	}
	cu.host.rememberAddress(it.From)
	cu.host.rememberAddress(it.To)
	if it.Relation != nil {
		cu.logRelation(&it.MessageIn, c)
		return
	}
	m := it.Message
	m.Ref = perch.RefOf(&m, it.Sent)
	m.ID = cmp.Or(m.ID, m.StanzaID)
	cu.logMessage(messageEvent(&it.MessageIn), &m, c)
}

// writtenAs reports whether an archived message is the one of a record. Another device may
// use the same id: then it is to another contact, or of another time.
func writtenAs(r *perch.MessageRecord, it *perch.ArchiveItem) bool {
	if !r.To.Bare().Equal(it.To.Bare()) {
		return false
	}
	if it.TimeIsArrival || len(r.History) == 0 {
		return true
	}
	if it.Time < r.History[0].Time-archiveSlack {
		return false
	}
	for _, h := range r.History {
		if h.Status == perch.StatusAcked && it.Time > h.Time+archiveSlack {
			return false
		}
	}
	return true
}

// written waits until everything that was queued is committed: a long archive is read no faster
// than it can be written.
func (cu *catchup) written(ctx context.Context) error {
	done := make(chan struct{})
	if err := cu.host.call(ctx, func() { cu.log.afterDrain(func() { close(done) }) }); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
