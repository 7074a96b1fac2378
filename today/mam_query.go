package today

import (
	"slices"
	"strings"
	"time"
)

// archiveQuery is what of an archive is asked for: a set by the filters, and a page of that.
type archiveQuery struct {
	with              string // "": everybody; a bare JID: with all its resources
	start, end        time.Time
	beforeID, afterID string   // both exclusive
	ids               []string // nil: all
	words             []string // in lower case; all of them must be in the text

	max           int
	before, after string // of the page; both exclusive
	last          bool   // the page is at the end of the set, or of what is before
	flip          bool   // the newest first
}

// archivePage is the answer to a query.
type archivePage struct {
	items    []archived
	index    int // of the first item in the set
	count    int // of the set
	complete bool
}

// query finds a page; ok is false when it names an id that is not in the archive. A page ends early
// when its stanzas have more than maxBytes, but has one message at least.
func (a *archive) query(q archiveQuery, maxBytes int) (p archivePage, ok bool) {
	from, to, ok := a.bounds(q.afterID, q.beforeID)
	if !ok || slices.ContainsFunc(q.ids, func(id string) bool { return a.index(id) < 0 }) {
		return p, false
	}
	pageFrom, pageTo, ok := a.bounds(q.after, q.before)
	if !ok {
		return p, false
	}
	var matches []int
	for i := from; i < to; i++ {
		if !q.matches(&a.list[i]) {
			continue
		}
		if p.count++; i < pageFrom {
			p.index++
		} else if i < pageTo {
			matches = append(matches, i)
		}
	}
	n := a.fit(matches, &q, maxBytes)
	p.complete = n == len(matches)
	if q.last {
		p.index += len(matches) - n
		matches = matches[len(matches)-n:]
	}
	for _, i := range matches[:n] {
		p.items = append(p.items, a.list[i])
	}
	return p, true
}

// bounds are the places between two messages, both exclusive; ids of "" are none.
func (a *archive) bounds(after, before string) (from, to int, ok bool) {
	to = len(a.list)
	if after != "" {
		i := a.index(after)
		if i < 0 {
			return 0, 0, false
		}
		from = i + 1
	}
	if before != "" {
		if to = a.index(before); to < 0 {
			return 0, 0, false
		}
	}
	return from, to, true
}

// fit is how many of the matches go into the page.
func (a *archive) fit(matches []int, q *archiveQuery, maxBytes int) int {
	n, bytes := 0, 0
	for n < len(matches) && n < q.max {
		i := matches[n]
		if q.last {
			i = matches[len(matches)-1-n]
		}
		if bytes += len(a.list[i].stanza); bytes > maxBytes && n > 0 {
			break
		}
		n++
	}
	return n
}

// matches reports whether a message is in the set, its bounds by id left aside.
func (q *archiveQuery) matches(m *archived) bool {
	if q.with != "" && m.with != q.with {
		if bare, _, _ := strings.Cut(m.with, "/"); bare != q.with {
			return false
		}
	}
	if !q.start.IsZero() && m.at.Before(q.start) || !q.end.IsZero() && m.at.After(q.end) {
		return false
	}
	if q.ids != nil && !slices.Contains(q.ids, m.id) {
		return false
	}
	for _, w := range q.words {
		if !strings.Contains(m.text, w) {
			return false
		}
	}
	return true
}
