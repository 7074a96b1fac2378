package sessions

import (
	"fmt"
	"testing"
)

// TestDeadNodesAreBounded: every restart of a node leaves a dead one, for as long as this
// process lives.
func TestDeadNodesAreBounded(t *testing.T) {
	for _, looked := range []bool{true, false} {
		n := &nodes{dead: map[NodeID]bool{}, members: map[NodeID]Node{}}
		last := NodeID("")
		for i := range 3*4096 + 1 {
			last = NodeID(fmt.Sprint("node/", i))
			n.bury(last)
			if looked && i%2 == 0 {
				n.dead[last] = true
			}
			if len(n.dead) > 4096 {
				t.Fatalf("%d dead nodes are remembered, want at most %d", len(n.dead), 4096)
			}
		}
		if _, st, sure := n.look(last); st != isDead || !sure {
			t.Errorf("the last one is %v, sure %v, want dead and sure", st, sure)
		}
		if !n.rescan && !looked {
			t.Error("some went of which sessions may be left, and the next look is not due")
		}
	}
}
