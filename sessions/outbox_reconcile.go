package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// reconcile decides, at a new login, about what was written and not acknowledged.
//
// On a resumed stream the connection knows what was on it, and writes again what the server
// lacks. What it does not know never left, unless the server has more than the stored state of
// the stream. A server that would not resume may have said how much it got: then what it lacks
// goes out again. On any other new stream the archive is asked, where there is one that keeps
// our messages too: what it has not, is sent again with the same id. Otherwise the message is
// unknown, and never sent again.
func (o *outbox) reconcile(resumed bool) {
	l := o.host.stream()
	k, knows := l.conn.(ResumeReporter)
	var written map[string]uint64
	more := false
	if knows {
		written, more = k.ResumedMessages()
	}
	certain := resumed || written != nil
	carried := false
	var ask []*outEntry
	for _, e := range slices.Clone(o.entries) {
		if e.link == nil && !e.carried || e.link == l {
			continue
		}
		num, on := written[e.ID]
		if o.toRoom(&e.MessageOut) {
			o.reconcileRoom(e, l, resumed, num, on, knows && certain && !more)
			continue
		}
		switch {
		case resumed && !knows:
			e.link, e.num, e.carried = l, 0, true
			carried = true
		case on && num == 0:
			o.done(e, perch.StatusAcked, nil)
		case on:
			e.link, e.num, e.carried = l, num, false
		case certain && !more:
			e.link, e.carried = nil, false
		case l.login.Capabilities.Archive == archivePaged:
			e.link, e.carried = l, true // not to be written, until we know
			ask = append(ask, e)
		default:
			o.done(e, perch.StatusUnknown, nil)
		}
	}
	if carried {
		o.confirmCarried(l)
	}
	if len(ask) > 0 {
		o.lookUp(l, ask)
	}
}

// confirmCarried asks for any answer: then the server has what was written again before.
func (o *outbox) confirmCarried(l *link) {
	o.host.background(func(ctx context.Context) {
		if _, err := l.conn.Ping(ctx); err != nil {
			return // the link is about to be lost, and then it is decided again
		}
		o.host.post(func() {
			for _, e := range slices.Clone(o.entries) {
				if e.link == l && e.carried {
					o.done(e, perch.StatusAcked, nil)
				}
			}
		})
	})
}

const (
	lookUpPages = 10          // for each message
	lookUpSlack = 60_000      // milliseconds that the clocks may differ
	lookUpPage  = catchUpPage // messages
	lookUpTries = 3           // of an archive that does not answer
)

// archiveProbe is what the archive is asked about: messages to one contact. All of them are looked
// for in one pass, because a large archive may take seconds for a page.
type archiveProbe struct {
	to      perch.JID
	since   perch.Time
	entries []*outEntry
}

// archiveProbes are those about some entries, in the order of the outbox.
func archiveProbes(entries []*outEntry) (list []*archiveProbe) {
	byContact := map[perch.JID]*archiveProbe{}
	for _, e := range entries {
		key := e.To.Bare().Key()
		q := byContact[key]
		if q == nil {
			q = &archiveProbe{to: e.To.Bare()}
			if h := e.record.History; len(h) > 0 {
				q.since = max(h[0].Time-lookUpSlack, 1)
			}
			byContact[key] = q
			list = append(list, q)
		}
		q.entries = append(q.entries, e)
	}
	return list
}

// lookUp asks the archive for messages that were written to a stream that is gone. The other
// ones wait meanwhile: order holds.
func (o *outbox) lookUp(l *link, entries []*outEntry) {
	list := archiveProbes(entries)
	o.asking = true
	o.host.background(func(ctx context.Context) {
		for _, q := range list {
			found, sure := q.ask(ctx, l.conn)
			if ended(l.conn) {
				return // it is decided again with the next link
			}
			o.host.post(func() {
				for _, e := range q.entries {
					o.lookedUp(l, e, verdictOn(found[e.ID], sure))
				}
			})
		}
		o.host.post(func() {
			if o.host.stream() == l {
				o.asking = false
				o.flush()
			}
		})
	})
}

func ended(c Conn) bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}

// verdictOn a message that we sent: acked when the archive has it, accepted when it has not,
// unknown when it does not know.
func verdictOn(found, sure bool) perch.MessageStatus {
	switch {
	case found:
		return perch.StatusAcked
	case sure:
		return perch.StatusAccepted
	}
	return perch.StatusUnknown
}

// lookedUp takes the answer for one message.
func (o *outbox) lookedUp(l *link, e *outEntry, st perch.MessageStatus) {
	if o.host.stream() != l || e.link != l || !slices.Contains(o.entries, e) {
		return // it is decided again with the next link, or it is decided
	}
	if st == perch.StatusAccepted {
		e.link, e.carried = nil, false // the same id goes out again
		return
	}
	o.done(e, st, nil)
}

// ask reads the archive until all messages are found or it ends. Sure is false when it could
// not be read that far.
func (q *archiveProbe) ask(ctx context.Context, c Conn) (found map[string]bool, sure bool) {
	found = map[string]bool{}
	at := perch.ArchiveQuery{With: q.to, Start: q.since, Limit: lookUpPage}
	tries := lookUpTries
	for range lookUpPages * len(q.entries) {
		page, err := c.Archive(ctx, at)
		if err != nil {
			if tries--; tries == 0 || ctx.Err() != nil || ended(c) {
				return found, false
			}
			continue
		}
		for _, it := range page.Items {
			if it.Sent && it.ID != "" {
				found[it.ID] = true
			}
		}
		if page.Complete || !slices.ContainsFunc(q.entries, func(e *outEntry) bool { return !found[e.ID] }) {
			return found, true
		}
		if page.Last == "" || page.Last == at.After {
			return found, false
		}
		at.After = page.Last
	}
	return found, false
}
