package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// roomLog is what one log of an account has of one room.
type roomLog struct {
	seen      map[string]string // which event brought a message, by its key
	index     map[int]int       // how many came before it, by the place of a message in the room
	count     int
	last      int // the latest place in the room
	lastEntry Entry
	gaps      []roomGap
}

// roomGap is what the log says of messages that may be missing.
type roomGap struct {
	Entry
	index    int  // how many messages came before
	joining  bool // while the room was being joined
	from, to int64
}

func (l *roomLog) gap(e Entry, joining bool) {
	g := roomGap{Entry: e, index: l.count, joining: joining}
	_, _ = fmt.Sscan(e.Key, &g.from, &g.to)
	l.gaps = append(l.gaps, g)
}

// checkLog: between its first and its last message of a room a log has all that was said, or says what is
// missing; and it says so of nothing else. Only a room without an archive may leave a gap, and only where the
// account had to join it again.
func (c *roomCheck) checkLog(t *roomTruth, x *roomReader, epoch string, told map[int]bool) {
	l, found := x.logs[epoch], &c.r.Rooms
	first := l.first()
	for at := first; at >= 0 && at < l.last; at++ {
		if _, ok := l.index[at]; ok || c.isAway(t, x.account, at) {
			continue
		}
		m := t.list[at].from()
		if l.isTold(at, c.said[m]) {
			told[at] = true
			found.Gapped++
			continue
		}
		found.Lost = append(found.Lost, fmt.Sprintf("%s (%s) is not in log %s of %s, which has what came before and after", m, t.list[at].Key, epoch, x.client))
	}
	for _, g := range l.gaps {
		switch found.Gaps++; {
		case t.archive && !c.leaving(t, x.account, g.At):
			found.Wrong = append(found.Wrong, fmt.Sprintf("%s is told of a gap (%s) by %s in %s, which has an archive", x.client, g.Text, g.ID, x.room))
		case !t.archive && (g.Text != "no_archive" || !g.joining && !c.wasJoining(x, g.ID)):
			found.Wrong = append(found.Wrong, fmt.Sprintf("%s is told of a gap (%s) by %s in %s, which it did not have to join again", x.client, g.Text, g.ID, x.room))
		}
	}
}

// statesIn has the states of a room that any client of the account was told by the log of an event, and the number
// of the event in it.
func (c *roomCheck) statesIn(x *roomReader, id string) (states map[int]string, n int) {
	epoch, number, _ := strings.Cut(id, "-")
	_, _ = fmt.Sscan(number, &n)
	key := x.account + " " + x.room + " " + epoch
	if c.states[key] == nil {
		c.states[key] = map[int]string{}
	}
	return c.states[key], n
}

// wasJoining reports whether the log had said that the room is being joined: a client whose stream begins after that
// has it from a snapshot.
func (c *roomCheck) wasJoining(x *roomReader, id string) bool {
	states, before := c.statesIn(x, id)
	last := 0
	for n := range states {
		if n < before {
			last = max(last, n)
		}
	}
	return states[last] == "joining"
}

// leaving reports whether an account was leaving a room, or away from it: what it is sent then may be
// behind a gap.
func (c *roomCheck) leaving(t *roomTruth, account string, at int64) bool {
	for _, s := range t.away[account] {
		if s.from <= at && at <= s.to+around {
			return true
		}
	}
	return false
}

// first is the earliest place in the room of what the log has; -1: it has nothing.
func (l *roomLog) first() int {
	first := -1
	for at := range l.index {
		if first < 0 || at < first {
			first = at
		}
	}
	return first
}

// isTold reports whether a missing message falls into a gap, by its place and by its time.
func (l *roomLog) isTold(at int, said span) bool {
	next := l.count
	for other, index := range l.index {
		if other > at {
			next = min(next, index)
		}
	}
	return slices.ContainsFunc(l.gaps, func(g roomGap) bool { return g.index <= next && said.from <= g.to && said.to >= g.from })
}
