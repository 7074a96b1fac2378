package ledger

import (
	"fmt"
	"maps"
	"slices"
)

// mostUnread is the highest count that clients are told.
const mostUnread = 999

// talk is one conversation of an account with somebody who sends to it.
type talk struct{ account, peer string }

// reading is how far a conversation was read.
type reading struct {
	order    map[string]int // places of the received messages in the archive of the account, by id
	done     int            // place of the furthest message up to which it was read; -1: nothing was
	doneAt   int64          // when that was answered first
	answered []answeredRead
	asked    int // the same, of requests without an answer
	listedBy map[string]Entry
}

// answeredRead is a place up to which a conversation was read, and when that was answered.
type answeredRead struct {
	place int
	at    int64
}

// synced is how long after an answer the server has the position, too: what Redis loses before that is
// lost, and comes back with the next read.
const synced = 10_000

// checkReads: in the end every node says how far each conversation was read, which is as far as any
// client ever read, and how many messages came after that.
func checkReads(r *Report, entries []Entry, f faults) {
	talks, nodes := map[talk]*reading{}, map[string]bool{}
	at := func(account, peer string) *reading {
		t := talks[talk{account, peer}]
		if t == nil {
			t = &reading{order: map[string]int{}, done: -1, asked: -1, listedBy: map[string]Entry{}}
			talks[talk{account, peer}] = t
		}
		return t
	}
	for _, e := range entries {
		switch e.Op {
		case OpStored:
			t := at(e.Who, e.From)
			if _, again := t.order[e.ID]; !again {
				t.order[e.ID] = len(t.order)
			}
		case OpUnread:
			nodes[e.Who] = true
			at(e.Account, e.From).listedBy[e.Who] = e
		}
	}
	for _, e := range entries { // when the order is known
		if e.Op == OpReadUpTo {
			t := at(e.Account, e.From)
			place, ok := t.order[e.ID]
			switch {
			case !ok:
			case e.Phase == OK:
				t.answered = append(t.answered, answeredRead{place, e.At})
				if r.Reads.Done++; place > t.done {
					t.done, t.doneAt = place, e.At
				}
			default:
				t.asked = max(t.asked, place)
			}
		}
	}
	if r.Reads.Nodes = len(nodes); len(nodes) == 0 {
		return
	}
	for _, k := range slices.SortedFunc(maps.Keys(talks), func(a, b talk) int { return compareTexts(a.account, b.account, a.peer, b.peer) }) {
		if t := talks[k]; len(t.order) > 0 && len(t.listedBy) > 0 {
			r.Reads.Conversations++
			t.check(r, f, k, slices.Sorted(maps.Keys(nodes)))
		}
	}
}

// compareTexts orders by the first pair, and then by the second.
func compareTexts(a, b, c, d string) int { return slices.Compare([]string{a, c}, []string{b, d}) }

// sure is the furthest place that was read and that no loss of Redis can have taken back.
func (t *reading) sure(f faults) int {
	sure := -1
	for _, a := range t.answered {
		if !f.lostBetween(a.at, a.at+synced) {
			sure = max(sure, a.place)
		}
	}
	return sure
}

// unnamed is the place of a position that has no name any more: the furthest one, or one that was answered
// before and that what is unread fits.
func (t *reading) unnamed(f faults, e Entry) int {
	sure := t.sure(f)
	for _, a := range t.answered {
		if a.place >= sure && min(len(t.order)-1-a.place, mostUnread) == e.N {
			return a.place
		}
	}
	return t.done
}

func (t *reading) check(r *Report, f faults, k talk, nodes []string) {
	wrong := func(format string, args ...any) {
		r.Reads.Wrong = append(r.Reads.Wrong, fmt.Sprintf("%s, with %s: ", k.account, k.peer)+fmt.Sprintf(format, args...))
	}
	for _, node := range nodes {
		e, ok := t.listedBy[node]
		if !ok {
			wrong("%s does not list it", node)
			continue
		}
		place, known := t.order[e.ID]
		least := t.done
		switch {
		case !known && e.ID != "":
			wrong("%s says that it was read up to %s, which did not come", node, e.ID)
			continue
		case !known && f.lostBetween(t.doneAt, e.At):
			place = t.unnamed(f, e) // what the position is called was lost with Redis, and what is unread is not
			least = place
			r.Reads.Forgotten++
		case !known:
			place = -1
		case place < t.done && place >= t.sure(f):
			least = place
			r.Reads.Forgotten++
		}
		if place < least || place > max(t.done, t.asked) {
			wrong("%s says that it was read up to message %d of %d (%s), want %d", node, place+1, len(t.order), e.ID, t.done+1)
			continue
		}
		t.checkUnread(r, wrong, node, e, place)
	}
}

// checkUnread: what a node counts as unread is what came after the place.
func (t *reading) checkUnread(r *Report, wrong func(string, ...any), node string, e Entry, place int) {
	want := min(len(t.order)-1-place, mostUnread)
	if e.Text != "exact" {
		r.Reads.Inexact++
	} else if e.N != want {
		wrong("%s says that %d are unread after message %d of %d, want %d", node, e.N, place+1, len(t.order), want)
	}
}
