package sessions

import (
	"errors"
	"testing"

	"github.com/perch-im/perch"
)

// TestElsewhere: a session that was evicted is left to one of the others, always the same and never one
// that drains, until it is kept here.
func TestElsewhere(t *testing.T) {
	m := &Manager{}
	n := newNodes(m, Node{ID: "a/1"}, DefaultLease)
	m.nodes = n
	n.members = map[NodeID]Node{"b/1": {ID: "b/1", Away: true}, "c/1": {ID: "c/1"}, "d/1": {ID: "d/1"}}
	if err := n.elsewhere("s"); err != nil {
		t.Errorf("before: got %v, want nothing", err)
	}
	n.leaveToOthers("s")
	first, ok := errors.AsType[*NotOwnerError](n.elsewhere("s"))
	if !ok || first.Node.ID == "b/1" || first.Evicted != "s" {
		t.Fatalf("got %+v, want c or d, and the session", first)
	}
	for range 20 {
		if again, _ := errors.AsType[*NotOwnerError](n.elsewhere("s")); again == nil || again.Node != first.Node {
			t.Fatalf("got %+v, want %v each time", again, first.Node)
		}
	}
	if err := n.elsewhere("t"); err != nil {
		t.Errorf("another session: got %v, want nothing", err)
	}
	m.KeepHere("s")
	if err := n.elsewhere("s"); err != nil {
		t.Errorf("kept here: got %v, want nothing", err)
	}
	n.leaveToOthers("s")
	n.members = map[NodeID]Node{"b/1": {ID: "b/1", Away: true}}
	if err := n.elsewhere("s"); err != nil {
		t.Errorf("when all others drain: got %v, want nothing", err)
	}
}

// TestFilterPasses by what a session says of itself.
func TestFilterPasses(t *testing.T) {
	o := Overview{SessionInfo: perch.SessionInfo{JID: "alice@example.net", State: perch.StateOnline}}
	for _, tt := range []struct {
		f    Filter
		want bool
	}{
		{Filter{}, true}, {Filter{JID: "alice@example.net/phone"}, true}, {Filter{JID: "ALICE@example.net"}, true}, {Filter{JID: "bob@example.net"}, false},
		{Filter{State: perch.StateOnline}, true}, {Filter{State: perch.StateSuspended}, false},
	} {
		if got := tt.f.passes(o); got != tt.want {
			t.Errorf("%+v: got %v, want %v", tt.f, got, tt.want)
		}
	}
}
