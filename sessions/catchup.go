package sessions

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// archivePaged is the Capabilities.Archive that can tell what we have missed.
const archivePaged = "313"

const (
	catchUpPage  = 50
	catchUpPages = 2000 // 100,000 messages; more than that is a gap

	archiveSlack = 600_000 // ms that the server's clock may be late

	loadTail = 100 // events that are looked at for messages which may come again

	maxHeld = 1000 // live messages that wait while the archive is read
)

// catchupHost is what catching up needs of the session that it belongs to.
type catchupHost interface {
	owner
	// call lets the owner run f and waits until it has run; ifCurrent runs f when l is the
	// connection in use.
	call(ctx context.Context, f func()) error
	ifCurrent(l *link, f func(*link))
	// guarded runs f; a fault of ours costs what f was about, and nothing else.
	guarded(f func())
	// covered says that everything which a link has brought is in the commit that gathers.
	covered(l *link)
	// stream is the connection in use; nil: there is none.
	stream() *link
	// record is the stored state of the session; saveRecord commits it as it is then.
	record() *Record
	saveRecord()
	// stateSince is when the session came to its state.
	stateSince() perch.Time
	// resumesPartly reports whether a stream that was lost before it was online may be resumed.
	resumesPartly() bool
	// rememberAddress notes an address that the server gave.
	rememberAddress(jid perch.JID)
	// giveReceipt tells the sender of a message that it is kept.
	giveReceipt(to perch.JID, id string)
	// leftOut counts what found no room in a budget; dropped makes an event of what is lost.
	leftOut(budget string, from perch.JID)
	dropped(d perch.Dropped)
	// archiveMissing says in the log why the archive could not be read.
	archiveMissing(reason string)
	logDebug(msg string, args ...any)
}

// sentMessages are the messages that we sent, as far as the archive may tell of them.
type sentMessages interface {
	record(id string) *perch.MessageRecord
	advanceTo(r *perch.MessageRecord, st perch.MessageStatus, xe *perch.XMPPError)
}

// logStore is the part of a Store that the log and the records of messages are read from.
type logStore interface {
	recordStore
	Log(ctx context.Context, id ID, after uint64, limit int) (LogPage, error)
}

// catchup is the part of a session that logs messages, each of them once: those of the stream,
// those of the archive that were missed, and those that wait while the archive is read.
type catchup struct {
	host  catchupHost
	log   *eventLog
	sent  sentMessages
	store logStore
	id    ID // of the session

	known        identities  // logged messages of which copies may come
	trim         *time.Timer // of known
	unavailable  bool        // the last login could not read the archive
	silentLogins int         // given up since the archive last answered, see archiveSilent
}

// stop ends the wait for the next trim.
func (cu *catchup) stop() { stop(cu.trim) }

// hold keeps a live message back while the archive is read. When too many wait they are
// dropped: whatever has a stanza-id is in the archive, which is then read once more. One that
// does not page may not have them: then nothing more is held.
func (cu *catchup) hold(d delivery, m *perch.MessageIn) {
	l := d.link
	d.at = cu.host.now()
	if n := messageCost(m); len(l.buffered) < maxHeld && l.bufferedBytes+n <= heldBytes {
		l.bufferedBytes += n
		l.buffered = append(l.buffered, d)
		return
	}
	if !l.paged() {
		l.buffered = append(l.buffered, d)
		cu.releaseBuffered(l)
		return
	}
	rest, bytes := l.buffered[:0], 0
	for _, h := range l.buffered {
		x := h.in.(*perch.MessageIn)
		switch {
		case x == nil || x.StanzaID != "":
		case bytes+messageCost(x) > heldBytes/2:
			cu.host.leftOut("held messages", x.From)
		default:
			bytes += messageCost(x)
			rest = append(rest, h)
		}
	}
	switch {
	case m.StanzaID != "":
	case len(rest) >= maxHeld:
		cu.host.leftOut("held messages", m.From)
	default:
		bytes += messageCost(m)
		rest = append(rest, d)
	}
	clear(l.buffered[len(rest):])
	l.buffered, l.bufferedBytes, l.overflow = rest, bytes, true
}

// releaseBuffered applies the live messages that the archive did not have.
func (cu *catchup) releaseBuffered(l *link) {
	held := l.buffered
	l.buffering, l.buffered, l.bufferedBytes, l.caughtUp = false, nil, 0, cu.host.now()
	if cu.host.stream() != l && l.paged() {
		return // lost meanwhile: the next login reads the archive again
	}
	for _, d := range held {
		cu.host.guarded(func() { cu.release(d) })
	}
	cu.host.covered(l)
}

// release applies one message that was held.
func (cu *catchup) release(d delivery) {
	m := d.in.(*perch.MessageIn)
	switch {
	case d.known:
	case d.entry != 0:
		c, ok := cu.known.remove(d.entry - 1)
		if !ok {
			c = d.link.identify(&m.Message, d.at)
		}
		cu.takeMessage(m, c)
	default:
		cu.applyMessage(m, d.link, d.at)
	}
}

// gapBefore tells clients that messages of an outage may be missing, when a new login
// follows an earlier one and there is no archive that can tell. Where there is one of the last
// messages, these come first: see catchUpLast.
func (cu *catchup) gapBefore(l *link) {
	switch {
	case l.buffering || l.unread || !cu.host.record().RosterKnown:
	case l.login.Capabilities.Archive == archiveLast && cu.host.record().OfflineSince != 0:
		l.buffering = true
	default:
		cu.gap(perch.GapNoArchive)
	}
}

// paged reports whether the archive has everything, and can be read from a place on.
func (l *link) paged() bool { return l.login.Capabilities.Archive == archivePaged }

func (cu *catchup) gap(reason string) {
	from := cu.host.record().OfflineSince
	if from == 0 {
		from = cu.host.stateSince()
	}
	cu.log.Durable(perch.EventSessionGap, perch.Gap{From: from, To: cu.host.now(), Reason: reason})
}

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
			after, l.overflow = cmp.Or(l.behind.from, cu.host.record().ArchiveID), false
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
	case a.lost != nil && l.behind.from != "":
		l.behind = overlapWindow{} // trimmed so far; the end of the log may still be there
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
		if l.behind.until != "" && it.StanzaID == l.behind.until {
			l.behind = overlapWindow{}
		}
		if it.Time < a.since {
			continue
		}
		cu.host.guarded(func() { cu.applyArchived(it, a.ours[it.ID]) })
	}
	return cu.moveOn(l, a, after) && !a.Complete
}

// moveOn notes the end of a page as the place to read on from; false: there is no progress.
// The last archived stanza need not be a message that is shown, so the page's own end
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
	if l.behind.until != "" && !a.Complete {
		l.behind.from = last
		return true
	}
	l.behind = overlapWindow{}
	cu.host.record().ArchiveID, cu.host.record().ArchiveAt = last, at
	cu.host.saveRecord()
	return true
}

// applyArchived logs one archived message, unless it is a copy of one that is logged. One that
// we sent is in the log already, or is the proof that it arrived. What cannot be shown is the
// event.dropped that it would be live.
func (cu *catchup) applyArchived(it *perch.ArchiveItem, stored *perch.MessageRecord) {
	c := archivedIdentity(it, cu.host.now())
	logged := cu.isCopy(&c)
	if it.Dropped != "" {
		if !logged {
			cu.host.rememberAddress(it.From)
			cu.logDropped(perch.Dropped{Reason: it.Dropped, From: it.From, StanzaID: it.StanzaID}, &it.Message, c)
		}
		return
	}
	r := cu.sent.record(it.ID)
	if r == nil {
		r = stored
	}
	if r != nil && it.Sent && it.ID != "" && writtenAs(r, it) {
		cu.sent.advanceTo(r, perch.StatusAcked, nil)
		if !logged {
			cu.known.add(c)
		}
		return
	}
	if logged {
		return
	}
	cu.host.rememberAddress(it.From)
	cu.host.rememberAddress(it.To)
	m := it.Message
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

// written waits until everything that was queued is kept: a long archive is read no faster
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

// restore implements part. It remembers the last messages of the log: a server whose stream is
// resumed after a crash may send them again. It also finds how long the session was offline
// when the process could not record that.
func (cu *catchup) restore(ctx context.Context, v *Saved) error {
	if v.Tip == 0 {
		return nil
	}
	page, err := cu.store.Log(ctx, cu.id, v.Tip-min(v.Tip, loadTail), loadTail)
	if err != nil {
		return err
	}
	rec := cu.host.record()
	if n := len(page.Events); n > 0 && rec.RosterKnown && rec.OfflineSince == 0 {
		rec.OfflineSince = page.Events[n-1].Time // it was online until the process died
	}
	read, _ := identitiesOf(page.Events, rec.JID, v.Tip)
	cu.known.merge(read)
	return nil
}

// apply implements part.
func (cu *catchup) apply(in perch.Inbound, l *link) bool {
	switch in := in.(type) {
	case *perch.MessageIn:
		cu.host.rememberAddress(in.From)
		cu.host.rememberAddress(in.To)
		cu.applyMessage(in, l, cu.host.now())
	case *perch.DroppedIn:
		cu.applyDropped(in, l, cu.host.now())
	default:
		return false
	}
	return true
}

func (*catchup) online(bool) {}

// offline implements part.
func (cu *catchup) offline(l *link) { cu.releaseBuffered(l) }

// logSent logs a message that was written to the stream in use.
func (cu *catchup) logSent(e *outEntry) {
	m := perch.Message{ID: e.ID, From: cu.host.record().JID, To: e.To, Kind: e.Kind, Body: e.Body,
		Thread: e.Thread, Subject: e.Subject, Source: perch.SourceLive}
	c := identityOf(&m, pathOwn, cu.host.now())
	c.link = cu.host.stream().number
	cu.logMessage(perch.EventMessageSent, &m, c)
}
