package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// posted is what is known of one idempotency key.
type posted struct {
	first, last int64 // of the requests
	id          string
	accepted    bool
	refused     bool // for good
	status      string
	arrived     bool
	copies      []string // message ids in the receiver's archive
}

// finals are the ends of a message's history. A level A upstream can always tell, so
// "unknown" is allowed for messages around a restart of the server alone.
var finals = map[string]bool{"acked": true, "delivered": true, "displayed": true}

// checkOutbound: what was answered with 202 is with the receiver, once, in order, and its
// history ends. A key may be forgotten with Redis: its repetition then is a second stanza
// with the same id.
func checkOutbound(r *Report, entries []Entry, f faults) {
	posts := map[message]*posted{}
	audited := map[string]bool{}
	newest := map[[2]string]message{}
	for _, e := range entries {
		switch e.Op {
		case OpPost:
			notePost(r, posts, e)
		case OpStatus:
			if p := posts[message{e.Account, e.To, e.N}]; p != nil {
				p.status = e.Text
			}
		case OpArrive:
			if p := posts[message{e.Account, e.Who, e.N}]; p != nil {
				p.arrived = true
			}
		case OpStored:
			m := message{e.From, e.Who, e.N}
			p := posts[m]
			if p == nil {
				continue
			}
			p.copies = append(p.copies, e.ID)
			if before := newest[[2]string{m.from, m.to}]; len(p.copies) == 1 && before.n > m.n && !f.lostBetween(p.first, p.last) {
				r.OutDisordered = append(r.OutDisordered, fmt.Sprintf("%s came after %s", m, before))
			} else if before.n < m.n {
				newest[[2]string{m.from, m.to}] = m
			}
		case OpAudited:
			audited[e.Who] = true
		}
	}
	for _, m := range slices.SortedFunc(maps.Keys(posts), byName) {
		posts[m].check(r, f, m, audited[m.to])
	}
}

func notePost(r *Report, posts map[message]*posted, e Entry) {
	m := message{e.Account, e.To, e.N}
	p := posts[m]
	if p == nil {
		p = &posted{first: e.At}
		posts[m] = p
	}
	p.last = e.At
	switch e.Phase {
	case OK:
		if p.accepted && p.id != e.ID {
			r.broken("key %s was answered with the ids %s and %s", e.Key, p.id, e.ID)
		}
		p.accepted, p.id = true, e.ID
	case Fail:
		p.refused = true
		r.broken("%s was refused: %s", m, e.Text)
	}
}

func (p *posted) check(r *Report, f faults, m message, audited bool) {
	if !p.accepted {
		return
	}
	r.Accepted++
	r.Statuses[p.status]++
	forgotten := f.lostBetween(p.first, p.last)
	switch {
	case finals[p.status]:
	case p.status == "unknown" && f.during(FaultServerRestart, p.first, 60_000, around):
	case p.status == "not-found" && f.lostBetween(p.first, 1<<62):
	default:
		r.broken("%s was accepted as %s and ended as %q", m, p.id, p.status)
	}
	if !p.arrived && len(p.copies) == 0 {
		r.OutLost = append(r.OutLost, fmt.Sprintf("%s, accepted as %s, never came; its status is %q", m, p.id, p.status))
	}
	if !audited || len(p.copies) < 2 {
		return
	}
	same := len(slices.Compact(slices.Clone(p.copies))) == 1
	if forgotten && same {
		r.Resent++
		return
	}
	r.OutDoubled = append(r.OutDoubled, fmt.Sprintf("%s came %d times, with the ids %s", m, len(p.copies), strings.Join(p.copies, ", ")))
}
