package sessions

import (
	"cmp"
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// archivePaged is the Capabilities.Archive that can tell what we have missed.
const archivePaged = "313"

const (
	catchUpPage  = 50
	catchUpPages = 2000 // 100,000 messages; more than that is a gap

	archiveSlack = 600_000 // ms that the server's clock may be behind ours

	maxHeld = 1000 // live messages that wait while the archive is read
)

// hold keeps a live message back while the archive is read. When too many wait they are
// dropped: whatever has a stanza-id is in the archive, which is then read once more. One that
// does not page may not have them: then nothing more is held.
func (s *Session) hold(d delivery, m *perch.MessageIn) {
	l := d.link
	d.at = s.now()
	if n := messageCost(m); len(l.held) < maxHeld && l.heldBytes+n <= heldBytes {
		l.heldBytes += n
		l.held = append(l.held, d)
		return
	}
	if !l.paged() {
		l.held = append(l.held, d)
		s.releaseHeld(l)
		return
	}
	rest, bytes := l.held[:0], 0
	for _, h := range l.held {
		x := h.in.(*perch.MessageIn)
		switch {
		case x == nil || x.StanzaID != "":
		case bytes+messageCost(x) > heldBytes/2:
			s.leftOut("held messages", x.From)
		default:
			bytes += messageCost(x)
			rest = append(rest, h)
		}
	}
	switch {
	case m.StanzaID != "":
	case len(rest) >= maxHeld:
		s.leftOut("held messages", m.From)
	default:
		bytes += messageCost(m)
		rest = append(rest, d)
	}
	clear(l.held[len(rest):])
	l.held, l.heldBytes, l.overflow = rest, bytes, true
}

// releaseHeld lets the live messages go on that the archive did not have.
func (s *Session) releaseHeld(l *link) {
	held := l.held
	l.holding, l.held, l.heldBytes, l.caughtUp = false, nil, 0, s.now()
	if s.link != l && l.paged() {
		return // lost meanwhile: the next login reads the archive again
	}
	for _, d := range held {
		s.guarded(func() { s.release(d) })
	}
	s.covered(l)
}

// release applies one message that was held.
func (s *Session) release(d delivery) {
	m := d.in.(*perch.MessageIn)
	switch {
	case d.known:
	case d.entry != 0:
		c, ok := s.known.remove(d.entry - 1)
		if !ok {
			c = d.link.identify(&m.Message, d.at)
		}
		s.takeMessage(m, c)
	default:
		s.applyMessage(m, d.link, d.at)
	}
}

// gapBefore tells clients that messages of an outage may be missing, when a new login
// follows an earlier one and there is no archive that can tell. Where there is one of the last
// messages, these come first: see catchUpLast.
func (s *Session) gapBefore(l *link) {
	switch {
	case l.holding || l.unread || !s.rec.RosterKnown:
	case l.login.Capabilities.Archive == archiveLast && s.rec.OfflineSince != 0:
		l.holding = true
	default:
		s.gap(perch.GapNoArchive)
	}
}

// paged says whether the archive has everything, and can be read from a place on.
func (l *link) paged() bool { return l.login.Capabilities.Archive == archivePaged }

func (s *Session) gap(reason string) {
	from := s.rec.OfflineSince
	if from == 0 {
		from = s.state.since
	}
	s.log.Durable(perch.EventSessionGap, perch.Gap{From: from, To: s.now(), Reason: reason})
}

// catchUp reads the archive from the last logged message on (XEP-0313), before live
// messages go on. The first query of a session finds the place to begin from, and makes
// servers archive that do so only for those who ask.
func (s *Session) catchUp(ctx context.Context, l *link, first bool) error {
	if l.login.Capabilities.Archive == archiveLast {
		return s.catchUpLast(ctx, l)
	}
	if !l.catching(ctx, s) {
		return nil
	}
	for round := range catchUpPages {
		var after string
		var since perch.Time
		if err := s.turn(ctx, func() {
			after, l.overflow = cmp.Or(l.behind.from, s.rec.ArchiveID), false
			if after == "" && round == 0 && s.rec.RosterKnown && s.rec.OfflineSince != 0 {
				since = max(1, s.rec.OfflineSince-archiveSlack)
			}
		}); err != nil {
			return err
		}
		if after == "" && since == 0 && !first {
			return nil // still no place to begin from: the live messages will bring one
		}
		asked := s.now()
		page, err := s.archivePage(ctx, l, after, since)
		if err != nil {
			return s.archiveSilent(ctx, l, err, asked, after != "" || since != 0)
		}
		more := false
		if err := s.turn(ctx, func() {
			s.ifCurrent(l, func(l *link) {
				more = s.applyArchive(l, page, after) || l.overflow
			})
		}); err != nil || !more {
			return err
		}
		if err := s.written(ctx); err != nil {
			return err
		}
	}
	return s.turn(ctx, func() { s.gap(perch.GapTooLong) })
}

func (l *link) catching(ctx context.Context, s *Session) (yes bool) {
	_ = s.turn(ctx, func() { yes = l.holding && s.link == l })
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

func (s *Session) archivePage(ctx context.Context, l *link, after string, since perch.Time) (archived, error) {
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
		if r, err := s.m.o.Store.Message(ctx, s.id, it.ID); err == nil {
			a.ours[it.ID] = r
		}
	}
	return a, nil
}

// applyArchive logs a page and says whether to ask for the next one.
func (s *Session) applyArchive(l *link, a archived, after string) (more bool) {
	if a.lost == nil {
		s.silentLogins = 0
	}
	switch {
	case a.lost != nil && after == "":
		s.withoutArchive(l, a.lost, a.since != 0) // there is none after all
		return false
	case a.lost != nil && l.behind.from != "":
		l.behind = behind{} // trimmed so far; the end of the log may still be there
		return true
	case a.lost != nil:
		if s.rec.RosterKnown {
			s.gap(lostReason(a.lost))
		}
		s.rec.ArchiveID = ""
		s.saveRecord()
		return true
	case after == "" && a.since == 0:
		s.moveOn(l, a, after)
		return false
	}
	if i := slices.IndexFunc(a.Items, func(it perch.ArchiveItem) bool { return it.StanzaID == after }); i >= 0 {
		a.Items = a.Items[i+1:] // an archive that does not page gives the same again
	}
	for i := range a.Items {
		it := &a.Items[i]
		if l.behind.until != "" && it.StanzaID == l.behind.until {
			l.behind = behind{}
		}
		if it.Time < a.since {
			continue
		}
		s.guarded(func() { s.applyArchived(it, a.ours[it.ID]) })
	}
	return s.moveOn(l, a, after) && !a.Complete
}

// moveOn notes the end of a page as the place to read on from; false: there is no progress.
// The last archived stanza need not be a message that is shown, so the page's own end
// counts before that of its items.
func (s *Session) moveOn(l *link, a archived, after string) bool {
	last, at := a.Last, s.now()
	if n := len(a.Items); n > 0 {
		last = cmp.Or(last, a.Items[n-1].StanzaID)
		if !a.Complete && (after != "" || a.since != 0) {
			at = min(at, a.Items[n-1].Time) // what was logged since is still to come
		}
	}
	if last == "" || last == after {
		return false
	}
	if l.behind.until != "" && !a.Complete {
		l.behind.from = last
		return true
	}
	l.behind = behind{}
	s.rec.ArchiveID, s.rec.ArchiveAt = last, at
	s.saveRecord()
	return true
}

// applyArchived logs one archived message, unless it is a copy of one that is logged. One that
// we sent is in the log already, or is the proof that it arrived. What cannot be shown is the
// event.dropped that it would be live.
func (s *Session) applyArchived(it *perch.ArchiveItem, stored *perch.MessageRecord) {
	c := archivedIdentity(it, s.now())
	logged := s.isCopy(&c)
	if it.Dropped != "" {
		if !logged {
			s.rememberAddress(it.From)
			s.logDropped(perch.Dropped{Reason: it.Dropped, From: it.From, StanzaID: it.StanzaID}, &it.Message, c)
		}
		return
	}
	r := s.out.record(it.ID)
	if r == nil {
		r = stored
	}
	if r != nil && it.Sent && it.ID != "" && writtenAs(r, it) {
		s.out.advanceTo(r, perch.StatusAcked, nil)
		if !logged {
			s.known.add(c)
		}
		return
	}
	if logged {
		return
	}
	s.rememberAddress(it.From)
	s.rememberAddress(it.To)
	m := it.Message
	m.ID = cmp.Or(m.ID, m.StanzaID)
	s.logMessage(messageEvent(&it.MessageIn), &m, c)
}

// writtenAs reports whether an archived message is the one of a record. Another device may
// use the same id: then it is to somebody else, or of another time.
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

// written waits until everything that was queued is kept: a long archive is read no faster
// than it can be written.
func (s *Session) written(ctx context.Context) error {
	done := make(chan struct{})
	if err := s.turn(ctx, func() { s.log.afterDrain(func() { close(done) }) }); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
