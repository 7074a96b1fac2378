package conversations_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// TestChangeGathers: of several changes of one conversation the last word about each text counts, and
// what a Store was given is not changed.
func TestChangeGathers(t *testing.T) {
	s := usual(1)
	table := conversations.Of([]conversations.State{s})
	var c conversations.Change
	if !c.Empty() {
		t.Error("Empty of nothing: got false, want true")
	}
	first := &conversations.Details{Last: new("1"), Draft: new("d")}
	c.Note(table, s.Key(), first)
	c.Note(table, s.Key(), &conversations.Details{Last: new("2"), Read: new("")})
	c.Note(table, s.Key(), nil)
	want := []*conversations.Details{{Key: s.Key(), Last: new("2"), Read: new(""), Draft: new("d")}}
	if d := cmp.Diff(want, c.Details); d != "" || len(c.Keys) != 1 || c.Empty() {
		t.Errorf("got %d keys, and details that differ (-want +got):\n%s\nwant 1 key", len(c.Keys), d)
	}
	if *first.Last != "1" {
		t.Errorf("the details of before: got the text %q, want 1", *first.Last)
	}
	c.Removed(table.Remove(s.JID), s.Key())
	if len(c.Details) != 0 || len(c.Keys) != 1 || c.Table.Len() != 0 {
		t.Errorf("after it is gone: got %d details, %d keys, %d states; want 0, 1, 0", len(c.Details), len(c.Keys), c.Table.Len())
	}
}

// TestManyChanges: a large change is written quickly, and its last words count all the same.
func TestManyChanges(t *testing.T) {
	var c conversations.Change
	var table conversations.Table
	for i := range 1000 {
		s := usual(i)
		table = table.Put(&s)
		c.Note(table, s.Key(), &conversations.Details{Last: new(fmt.Sprint(i))})
	}
	s := usual(999)
	c.Note(table, s.Key(), &conversations.Details{Last: new("last")})
	got := map[perch.JID]string{}
	for _, d := range c.Details {
		got[d.Key] = *d.Last
	}
	if len(got) != 1000 || got[s.Key()] != "last" {
		t.Errorf("got %d details, the last one %q; want 1000, last", len(got), got[s.Key()])
	}
}
