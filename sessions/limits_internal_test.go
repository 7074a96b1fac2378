package sessions

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
)

// TestHistoryEdge: a message keeps 32 steps, the first and the last ones.
func TestHistoryEdge(t *testing.T) {
	r := &perch.MessageRecord{ID: "m"}
	for i := range perch.Time(31) {
		r.History = append(r.History, perch.StatusChange{Status: perch.StatusSent, Time: i + 1})
	}
	s := &Session{}
	s.log.host = s
	for step, want := range []struct {
		n      int
		second perch.Time
	}{{32, 2}, {32, 3}, {32, 4}} {
		r = s.advance(r, perch.StatusAcked, nil)
		if h := r.History; len(h) != want.n || h[0].Time != 1 || h[1].Time != want.second || h[len(h)-1].Status != perch.StatusAcked {
			t.Errorf("step %d: %d steps, the first of %d and %d; want %d, 1 and %d", step, len(h), h[0].Time, h[1].Time, want.n, want.second)
		}
	}
}

// TestRoutesEdge: 50,000 tokens of other nodes are remembered; with one more they begin anew.
func TestRoutesEdge(t *testing.T) {
	const most = 50_000
	var r routes
	for i := range most {
		r.put(numbered(i), Node{ID: NodeID(fmt.Sprint(i))})
	}
	if n := len(r.to); n != most {
		t.Fatalf("%d are remembered, want %d", n, most)
	}
	r.put(numbered(most), Node{ID: "last"})
	if n := len(r.to); n > most || r.get(numbered(most), routeFor) == nil {
		t.Errorf("%d are remembered with one more, want at most %d, and the newest", n, most)
	}
}
