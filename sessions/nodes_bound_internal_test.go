package sessions

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestDeadNodesAreBounded: every restart of a node leaves a dead one, for as long as this
// process lives.
func TestDeadNodesAreBounded(t *testing.T) {
	for _, looked := range []bool{true, false} {
		n := &nodes{dead: map[NodeID]bool{}, members: map[NodeID]Node{}}
		last := NodeID("")
		for i := range 3*4096 + 1 {
			last = NodeID(fmt.Sprint("node/", i))
			n.markDead(last)
			if looked && i%2 == 0 {
				n.dead[last] = true
			}
			if len(n.dead) > 4096 {
				t.Fatalf("got %d dead nodes remembered, want at most %d", len(n.dead), 4096)
			}
		}
		if _, st, sure := n.look(last); st != isDead || !sure {
			t.Errorf("look, the last dead node: got %v, sure %v, want dead and sure", st, sure)
		}
		if !n.rescan && !looked {
			t.Error("dead nodes forgotten whose sessions may be left: got no next look, want it due")
		}
	}
}

// TestReleasedSessionsEdge: 100,000 released sessions that cannot be adopted here are not looked at again
// for ten minutes; with one more the oldest is.
func TestReleasedSessionsEdge(t *testing.T) {
	const most = 100_000
	synctest.Test(t, func(t *testing.T) {
		n := newNodes(&Manager{o: Options{Observer: unobserved{}}}, Node{ID: "self/1"}, DefaultLease)
		for i := range most + 1 {
			n.pass(ID(fmt.Sprint(i)))
		}
		offered := func(want ...ID) {
			t.Helper()
			if n.released([]ID{"0", "1", ID(fmt.Sprint(most))}, time.Now()); !slices.Equal(n.offered, want) {
				t.Errorf("got %q looked at, want %q", n.offered, want)
			}
		}
		offered("0")
		time.Sleep(10*time.Minute - time.Nanosecond)
		offered("0")
		time.Sleep(time.Nanosecond)
		offered("0", "1", ID(fmt.Sprint(most)))
	})
}
