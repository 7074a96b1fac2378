package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// sent is what is known of an inbound message on its way to the server.
type sent struct {
	at      int64
	acked   bool // by the sender's stream management
	bounced bool
	stored  bool // in the server's archive of the account
}

// reader is what one client has had.
type reader struct {
	account  string
	resets   map[string]bool // cursors that were refused
	unproved int             // of these, because the log could not be proved
	had      map[message]bool
	events   map[string]bool               // ids
	logs     map[string]map[message]string // by epoch: under which id
	newest   map[string]Entry              // by epoch and sender
}

// around is how many milliseconds before and after its restart a server may forget what it
// has taken: it acknowledges what it has not written to its disk yet.
const around = 3000

// checkInbound: each client of an account gets every message that the server had, once in
// each log, in the order of its sender.
func checkInbound(r *Report, entries []Entry, f faults) {
	sends, audited, readers := map[message]*sent{}, map[string]bool{}, map[string]*reader{}
	s, unproved := streamsIn(entries), unprovedIn(entries)
	for _, e := range entries {
		switch e.Op {
		case OpSend:
			noteSend(sends, e)
		case OpStored:
			if sent := sends[message{e.From, e.Who, e.N}]; sent != nil {
				sent.stored = true
			}
		case OpAudited:
			audited[e.Who] = e.Text != auditedRelations
		case OpHello:
			readerOf(readers, e).hello(r, e, f, unproved)
		case OpRead:
			readerOf(readers, e).had[message{e.From, e.Account, e.N}] = true
		case OpRecv:
			readerOf(readers, e).recv(r, e, s)
		}
	}
	r.Shuffled = len(s.shuffled)
	checkLost(r, f, sends, audited, readers)
}

func noteSend(sends map[message]*sent, e Entry) {
	m := message{e.Who, e.Account, e.N}
	s := sends[m]
	if s == nil {
		s = &sent{at: e.At}
		sends[m] = s
	}
	switch e.Phase {
	case OK:
		s.acked = true
	case Fail:
		s.bounced = true
	}
}

func readerOf(readers map[string]*reader, e Entry) *reader {
	c := readers[e.Who]
	if c == nil {
		c = &reader{account: e.Account, had: map[message]bool{}, events: map[string]bool{}, resets: map[string]bool{},
			logs: map[string]map[message]string{}, newest: map[string]Entry{}}
		readers[e.Who] = c
	}
	return c
}

// hello: a cursor is refused only when Redis has lost the log, so once for each time, or when
// it was started again and the session had no owner that could prove its log: the node says
// so then.
func (c *reader) hello(r *Report, e Entry, f faults, unproved map[string]bool) {
	if e.Text == "resumed" || e.Text == "first" || c.resets[e.ID] {
		return
	}
	r.Resets++
	c.resets[e.ID] = true
	epoch, _, _ := strings.Cut(e.ID, "-")
	if unproved[epoch] && f.count(FaultRedisKill, e.At) > 0 {
		c.unproved++
		return
	}
	if len(c.resets)-c.unproved > f.lost(e.At) {
		r.broken("%s was reset (%s) at %d ms with the cursor %s, and nothing had been lost", e.Who, e.Text, e.At, e.ID)
	}
}

func (c *reader) recv(r *Report, e Entry, s *streams) {
	m := message{e.From, e.Account, e.N}
	epoch, _, _ := strings.Cut(e.ID, "-")
	c.had[m] = true
	if c.events[e.ID] {
		r.Doubled = append(r.Doubled, fmt.Sprintf("%s got event %s twice (%s)", e.Who, e.ID, m))
		return
	}
	c.events[e.ID] = true
	if c.logs[epoch] == nil {
		c.logs[epoch] = map[message]string{}
	}
	if other, ok := c.logs[epoch][m]; ok {
		r.Doubled = append(r.Doubled, fmt.Sprintf("%s got %s as %s and as %s", e.Who, m, other, e.ID))
		return
	}
	c.logs[epoch][m] = e.ID
	key := epoch + " " + e.From
	if before := c.newest[key]; before.N > e.N {
		if !s.shuffles(before, e) {
			r.Disordered = append(r.Disordered, fmt.Sprintf("%s got %s after %s", e.Who, m, message{e.From, e.Account, before.N}))
		}
		return
	}
	c.newest[key] = e
}

func checkLost(r *Report, f faults, sends map[message]*sent, audited map[string]bool, readers map[string]*reader) {
	for _, m := range slices.SortedFunc(maps.Keys(sends), byName) {
		s := sends[m]
		if s.bounced {
			r.Bounces++
			if !f.during(FaultServerRestart, s.at, around, around) {
				r.broken("%s came back to its sender as an error", m)
			}
			continue
		}
		forgotten := audited[m.to] && !s.stored
		switch {
		case !s.acked && !s.stored, forgotten && f.during(FaultServerRestart, s.at, around, around):
			r.Untaken++
			continue
		case forgotten:
			r.Lost = append(r.Lost, m.String()+" was taken by the server and is not in its archive")
			continue
		}
		r.Messages++
		if missing := missingAt(m, readers); len(missing) > 0 {
			r.Lost = append(r.Lost, fmt.Sprintf("%s, sent at %d ms, never came to %s", m, s.at, strings.Join(missing, ", ")))
		}
	}
}

func missingAt(m message, readers map[string]*reader) (names []string) {
	for name, c := range readers {
		if c.account == m.to && !c.had[m] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func byName(a, b message) int {
	if c := strings.Compare(a.from+" "+a.to, b.from+" "+b.to); c != 0 {
		return c
	}
	return a.n - b.n
}
