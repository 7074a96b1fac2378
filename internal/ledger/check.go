package ledger

import "slices"

// Check holds a history against everything that is promised. It knows nothing else of the
// run: a history that was made up is judged the same way.
func Check(entries []Entry) *Report {
	r := &Report{Statuses: map[string]int{}}
	f := faultsIn(entries)
	r.Faults, r.Kinds = f.healed, len(f.kinds)
	checkInbound(r, entries, f)
	checkLate(r, entries)
	checkOutbound(r, entries, f)
	checkRelations(r, entries, f)
	checkReads(r, entries, f)
	checkRooms(r, entries, f)
	checkOwners(r, entries)
	checkDrains(r, entries, f)
	checkLeft(r, entries)
	checkRosters(r, entries)
	for _, e := range entries {
		switch {
		case e.Op == OpDamaged:
			r.broken("%s got a body that was not sent: %s", e.Who, e.Text)
		case e.Op == OpStop && !f.during(FaultToken, e.At, 0, tokenAfter):
			r.broken("%s of %s was refused for good: %s", e.Who, e.Account, e.Text)
		case e.Op == OpBroken:
			r.broken("%s: %s", e.Who, e.Text)
		}
	}
	return r
}

// tokenAfter is how long, in milliseconds, a client may still be refused for a bad token after
// it was replaced: its request was on the way.
const tokenAfter = 3000

// faults is when which fault was there.
type faults struct {
	healed int
	kinds  map[string]bool
	spans  map[string][]span // by kind
}

// span is a time in milliseconds of the history, both ends included.
type span struct{ from, to int64 }

func faultsIn(entries []Entry) faults {
	f := faults{kinds: map[string]bool{}, spans: map[string][]span{}}
	begun := map[string]int64{}
	for _, e := range entries {
		if e.Op != OpFault {
			continue
		}
		if e.Phase == Invoke {
			begun[e.Text] = e.At
			continue
		}
		f.healed++
		f.kinds[e.Text] = true
		f.spans[e.Text] = append(f.spans[e.Text], span{begun[e.Text], e.At})
	}
	return f
}

// during reports whether a fault of the kind was there at that time, or up to so many
// milliseconds before or after it.
func (f faults) during(kind string, at, before, after int64) bool {
	for _, s := range f.spans[kind] {
		if at >= s.from-before && at <= s.to+after {
			return true
		}
	}
	return false
}

// count is how many faults of the kind began before a time.
func (f faults) count(kind string, before int64) (n int) {
	for _, s := range f.spans[kind] {
		if s.from <= before {
			n++
		}
	}
	return n
}

// lostData are the faults after which Redis has less than it has answered for.
var lostData = []string{FaultRedisFlush, FaultRedisRestore}

// lost is how many times Redis lost data before a time.
func (f faults) lost(before int64) (n int) {
	for _, kind := range lostData {
		n += f.count(kind, before)
	}
	return n
}

// lostBetween reports whether Redis lost data in a time.
func (f faults) lostBetween(from, to int64) bool {
	return slices.ContainsFunc(lostData, func(kind string) bool { return f.between(kind, from, to) })
}

// between reports whether a fault of the kind fell into a time.
func (f faults) between(kind string, from, to int64) bool {
	for _, s := range f.spans[kind] {
		if s.from <= to && s.to >= from {
			return true
		}
	}
	return false
}

// checkOwners: a fence of a log has one owner, and what a node gets only grows. The lines of
// two nodes are not compared by time: a node may be stopped between taking and saying it.
func checkOwners(r *Report, entries []Entry) {
	type lease struct {
		session, epoch string
		fence          int
	}
	type holder struct{ session, epoch, node string }
	owners := map[lease]string{}
	last := map[holder]int{}
	for _, e := range entries {
		if e.Op != OpOwner {
			continue
		}
		l := lease{e.ID, e.Text, e.N}
		if other, ok := owners[l]; ok {
			r.broken("session %s, epoch %s, fence %d has two owners: %s and %s", e.ID, e.Text, e.N, other, e.Who)
		}
		owners[l] = e.Who
		h := holder{e.ID, e.Text, e.Who}
		if before, ok := last[h]; ok && e.N <= before {
			r.broken("session %s, epoch %s: %s got fence %d after %d", e.ID, e.Text, e.Who, e.N, before)
		}
		last[h] = e.N
	}
}

// checkDrains: while a node stops as operators stop it, no buddy sees an account go offline.
func checkDrains(r *Report, entries []Entry, f faults) {
	away := map[[2]string]bool{} // accounts that have left a room by themselves
	for _, e := range entries {
		switch place := [2]string{e.Account, e.To}; {
		case e.Op == OpLeave, e.Op == OpEnter:
			away[place] = e.Op == OpLeave
		case e.Op == OpGone && !away[place] && f.during(FaultDrain, e.At, 0, 0):
			r.SeenOffline++
			r.broken("%s saw %s leave %s while a node was drained", e.Who, e.Account, e.To)
		}
		if e.Op == OpPresence && e.Text == "unavailable" && f.during(FaultDrain, e.At, 0, 0) {
			r.SeenOffline++
			r.broken("%s saw %s go while a node was drained", e.Who, e.Account)
		}
	}
}
