package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch/sessions"
)

var memberCases = []Case{
	{"nodes know each other", nodes},
	{"a later process replaces an earlier one", replaced},
	{"who has left is dead", left},
	{"old entries end", entriesEnd},
	{"released sessions are listed", releasedList},
}

func node(id sessions.NodeID) sessions.Node {
	return sessions.Node{ID: id, URL: "https://" + string(id) + ":8443/ü?a=\"%20\""}
}

func beat(t testing.TB, s sessions.Store, id sessions.NodeID) sessions.Membership {
	t.Helper()
	return beatAs(t, s, node(id))
}

func beatAs(t testing.TB, s sessions.Store, n sessions.Node) sessions.Membership {
	t.Helper()
	membership, err := s.Beat(t.Context(), n)
	if err != nil {
		t.Fatalf("Beat of %s: got error %v, want none", n.ID, err)
	}
	return membership
}

// near reports whether d is about what it should be: a real store has a clock of its own.
func near(d, want time.Duration) bool { return d >= want-50*time.Millisecond && d < want+patience }

// ages checks who has an entry, and for how long.
func ages(t testing.TB, membership sessions.Membership, want map[sessions.NodeID]time.Duration) {
	t.Helper()
	got := map[sessions.NodeID]bool{}
	for _, m := range membership.Members {
		age, ok := want[m.ID]
		if got[m.ID] = true; !ok || m.Age < 0 || !near(m.Age, age) {
			t.Errorf("%s has an entry that is %v old, want %v of it", m.ID, m.Age, age)
		}
	}
	if len(got) != len(want) || len(membership.Members) != len(want) {
		t.Errorf("%v have an entry, want %v", membership.Members, want)
	}
}

func dead(t testing.TB, membership sessions.Membership, want ...sessions.NodeID) {
	t.Helper()
	same(t, "dead", slices.Sorted(slices.Values(membership.Dead)), want)
}

func missed(t testing.TB, membership sessions.Membership, want time.Duration) {
	t.Helper()
	if want < 0 && membership.Missed >= 0 || want >= 0 && !near(membership.Missed, want) {
		t.Errorf("the entry before was %v old, want %v", membership.Missed, want)
	}
}

func nodes(t testing.TB, h Harness) {
	first := beat(t, h.Store, "a/1")
	missed(t, first, -1)
	ages(t, first, map[sessions.NodeID]time.Duration{"a/1": 0})
	h.Advance(5 * time.Second)
	second := beat(t, h.Store, "b/1")
	missed(t, second, -1)
	ages(t, second, map[sessions.NodeID]time.Duration{"a/1": 5 * time.Second, "b/1": 0})
	h.Advance(40 * time.Second)
	third := beat(t, h.Store, "a/1")
	missed(t, third, 45*time.Second)
	ages(t, third, map[sessions.NodeID]time.Duration{"a/1": 0, "b/1": 40 * time.Second})
	dead(t, third)
	missed(t, beat(t, h.Store, "a/1"), 0)
	away := sessions.Node{ID: "a/1", URL: "http://10.0.0.1:1", Away: true}
	beatAs(t, h.Store, away)
	var listed []sessions.Node
	for _, m := range beat(t, h.Store, "b/1").Members {
		listed = append(listed, m.Node)
	}
	same(t, "nodes", listed, []sessions.Node{away, node("b/1")})
	if h.Reopen != nil {
		missed(t, beat(t, h.Reopen(), "a/1"), 0)
	}
}

func replaced(t testing.TB, h Harness) {
	for _, id := range []sessions.NodeID{"a/1", "b/1", "a/b/1", "ab/1", "nameless"} {
		beat(t, h.Store, id)
	}
	membership := beat(t, h.Store, "a/2")
	missed(t, membership, -1)
	dead(t, membership, "a/1")
	all := map[sessions.NodeID]time.Duration{"a/2": 0, "b/1": 0, "a/b/1": 0, "ab/1": 0, "nameless": 0}
	ages(t, membership, all)
	for range 2 { // the one that was replaced learns it, and changes nothing
		membership = beat(t, h.Store, "a/1")
		missed(t, membership, -1)
		dead(t, membership, "a/1")
		ages(t, membership, all)
	}
	membership = beat(t, h.Store, "a/3")
	dead(t, membership, "a/1", "a/2")
	dead(t, beat(t, h.Store, "b/2"), "a/1", "a/2", "b/1")
	beat(t, h.Store, "alone")
	ages(t, beat(t, h.Store, "nameless"), map[sessions.NodeID]time.Duration{
		"a/3": 0, "b/2": 0, "a/b/1": 0, "ab/1": 0, "nameless": 0, "alone": 0,
	})
}

func left(t testing.TB, h Harness) {
	beat(t, h.Store, "a/1")
	beat(t, h.Store, "b/1")
	for range 2 { // leaving twice is no error
		if err := h.Store.Leave(t.Context(), "a/1"); err != nil {
			t.Errorf("Leave: got error %v, want none", err)
		}
	}
	if err := h.Store.Leave(t.Context(), "c/1"); err != nil { // nor is not having been there
		t.Errorf("Leave: got error %v, want none", err)
	}
	for _, id := range []sessions.NodeID{"b/1", "a/1", "c/1", "b/1"} { // a late beat of a/1 does not bring it back
		membership := beat(t, h.Store, id)
		dead(t, membership, "a/1", "c/1")
		ages(t, membership, map[sessions.NodeID]time.Duration{"b/1": 0})
	}
	missed(t, beat(t, h.Store, "a/1"), -1)
	membership := beat(t, h.Store, "a/2")
	missed(t, membership, -1)
	ages(t, membership, map[sessions.NodeID]time.Duration{"a/2": 0, "b/1": 0})
}

// entriesEnd: no node is listed for ever, and one without a beat for an hour is not dead for
// that: the store may have been away.
func entriesEnd(t testing.TB, h Harness) {
	beat(t, h.Store, "a/1")
	beat(t, h.Store, "b/1")
	beat(t, h.Store, "b/2")
	h.Advance(50 * time.Minute)
	membership := beat(t, h.Store, "c/1")
	ages(t, membership, map[sessions.NodeID]time.Duration{"a/1": 50 * time.Minute, "b/2": 50 * time.Minute, "c/1": 0})
	dead(t, membership, "b/1")
	h.Advance(15 * time.Minute)
	membership = beat(t, h.Store, "c/1")
	missed(t, membership, 15*time.Minute)
	ages(t, membership, map[sessions.NodeID]time.Duration{"c/1": 0})
	dead(t, membership)
	membership = beat(t, h.Store, "a/1")
	missed(t, membership, -1)
	ages(t, membership, map[sessions.NodeID]time.Duration{"a/1": 0, "c/1": 0})
	dead(t, beat(t, h.Store, "b/1"), "b/1") // only the replaced node itself still learns it
	membership = beat(t, h.Store, "c/1")
	dead(t, membership)
	ages(t, membership, map[sessions.NodeID]time.Duration{"a/1": 0, "c/1": 0})
	h.Advance(20 * time.Hour)
	beat(t, h.Store, "d/1")
	beat(t, h.Store, "d/2") // the list of the dead lives on
	dead(t, beat(t, h.Store, "b/1"), "b/1", "d/1")
	h.Advance(4 * time.Hour)
	beat(t, h.Store, "d/2")
	// After a day it is not remembered any more, and all its sessions were taken long ago.
	ages(t, beat(t, h.Store, "b/1"), map[sessions.NodeID]time.Duration{"d/2": 0, "b/1": 0})
	dead(t, beat(t, h.Store, "d/1"), "d/1")
}

// releasedList gives many sessions up at once. A beat after the last commit is done lists
// 256 of them, the oldest first.
func releasedList(t testing.TB, h Harness) {
	const n = 300
	var answers []<-chan sessions.Result
	for i := range n {
		o := openBy(t, h.Store, sessions.ID(fmt.Sprintf("a%03d", i)), "a/1", "")
		if i == 100 { // those before it are older
			for _, ch := range answers {
				await(t, ch)
			}
			answers = nil
			h.Advance(time.Minute)
		}
		answers = append(answers, o.start(&sessions.Commit{Release: true}))
	}
	for _, ch := range answers {
		if r := await(t, ch); r.Err != nil {
			t.Fatalf("Commit: got error %v, want none", r.Err)
		}
	}
	listed := map[sessions.ID]bool{}
	membership := beat(t, h.Store, "b/1")
	for i, id := range membership.Released {
		listed[id] = true
		if old := i < 100; old != (id < "a100") {
			t.Errorf("%s is listed in place %d: got %v, want %v", id, i, old, id < "a100")
		}
	}
	if len(listed) != 256 || len(membership.Released) != 256 {
		t.Errorf("%d sessions are listed, %d different ones; want 256", len(membership.Released), len(listed))
	}
	for i := range n {
		if id := sessions.ID(fmt.Sprintf("a%03d", i)); i != 50 && i != 200 {
			openBy(t, h.Store, id, "b/1", "")
		}
	}
	unowned(t, h.Store, "a050", "a200")
	h.Advance(9*time.Minute + 30*time.Second)
	unowned(t, h.Store, "a200")
	h.Advance(time.Minute)
	unowned(t, h.Store)
}
