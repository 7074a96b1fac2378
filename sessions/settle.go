package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// settleOutbox decides, at a new login, about what was written and not acknowledged.
//
// On a resumed stream the connection knows what was on it, and writes again what the server
// lacks. What it does not know never left, unless the server has more than was kept of the
// stream. A server that would not resume may have said how much it got: then what it lacks
// goes out again. On any other new stream the archive is asked, where there is one that keeps
// our messages too: what it has not, is sent again with the same id. Where nobody can tell,
// the message is unknown, and never sent again blindly.
func (s *Session) settleOutbox(resumed bool) {
	k, knows := s.link.conn.(Knower)
	var written map[string]uint64
	more := false
	if knows {
		written, more = k.Known()
	}
	told := resumed || written != nil
	carried := false
	var ask []*outEntry
	for _, e := range slices.Clone(s.out.entries) {
		if e.link == nil && !e.carried || e.link == s.link {
			continue
		}
		num, on := written[e.ID]
		switch {
		case resumed && !knows:
			e.link, e.num, e.carried = s.link, 0, true
			carried = true
		case on && num == 0:
			s.done(e, perch.StatusAcked, nil)
		case on:
			e.link, e.num, e.carried = s.link, num, false
		case told && !more:
			e.link, e.carried = nil, false
		case s.caps.Archive == archivePaged:
			e.link, e.carried = s.link, true // not to be written, until we know
			ask = append(ask, e)
		default:
			s.done(e, perch.StatusUnknown, nil)
		}
	}
	if carried {
		s.confirmCarried(s.link)
	}
	if len(ask) > 0 {
		s.lookUp(s.link, ask)
	}
}

// confirmCarried asks for any answer: then the server has what was written again before.
func (s *Session) confirmCarried(l *link) {
	s.background(func(ctx context.Context) {
		if _, err := l.conn.Ping(ctx); err != nil {
			return // the link is about to be lost, and then it is decided again
		}
		s.tell(func() {
			for _, e := range slices.Clone(s.out.entries) {
				if e.link == l && e.carried {
					s.done(e, perch.StatusAcked, nil)
				}
			}
		})
	})
}

const (
	lookUpPages = 10          // of one message
	lookUpSlack = 60_000      // milliseconds that the clocks may differ
	lookUpPage  = catchUpPage // messages
)

// lookUp asks the archive for messages that were written to a stream that is gone. The other
// ones wait meanwhile: order is kept.
func (s *Session) lookUp(l *link, entries []*outEntry) {
	type question struct {
		e     *outEntry
		id    string
		to    perch.JID
		since perch.Time
	}
	list := make([]question, len(entries))
	for i, e := range entries {
		list[i] = question{e: e, id: e.ID, to: e.To}
		if h := e.record.History; len(h) > 0 {
			list[i].since = max(h[0].Time-lookUpSlack, 1)
		}
	}
	s.out.asking = true
	s.background(func(ctx context.Context) {
		for _, q := range list {
			st := archiveHas(ctx, l.conn, q.id, q.to, q.since)
			s.tell(func() { s.lookedUp(l, q.e, st) })
		}
		s.tell(func() {
			if s.link == l {
				s.out.asking = false
				s.pump()
			}
		})
	})
}

// lookedUp takes the answer for one message.
func (s *Session) lookedUp(l *link, e *outEntry, st perch.MessageStatus) {
	if s.link != l || e.link != l || !slices.Contains(s.out.entries, e) {
		return // it is decided again with the next link, or it is decided
	}
	if st == perch.StatusAccepted {
		e.link, e.carried = nil, false // the same id goes out again
		return
	}
	s.done(e, st, nil)
}

// archiveHas looks for a message that we sent: acked when it is there, accepted when it is not,
// unknown when the archive cannot tell.
func archiveHas(ctx context.Context, c Conn, id string, to perch.JID, since perch.Time) perch.MessageStatus {
	q := perch.ArchiveQuery{With: to.Bare(), Start: since, Limit: lookUpPage}
	for range lookUpPages {
		page, err := c.Archive(ctx, q)
		if err != nil {
			return perch.StatusUnknown
		}
		for _, it := range page.Items {
			if it.Direction == "out" && it.MessageID == id {
				return perch.StatusAcked
			}
		}
		if page.Complete {
			return perch.StatusAccepted
		}
		if page.Last == "" || page.Last == q.After {
			return perch.StatusUnknown
		}
		q.After = page.Last
	}
	return perch.StatusUnknown
}
