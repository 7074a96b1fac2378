package conversations_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// TestTableIsAMap plays with a table and a map, and compares them.
func TestTableIsAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	want := map[perch.JID]conversations.State{}
	var table conversations.Table
	for range 5000 {
		s := odd(r)
		if r.IntN(3) == 0 {
			table = table.Remove(s.JID)
			delete(want, s.Key())
		} else {
			table = table.Put(&s)
			want[s.Key()] = s
		}
		got, ok := table.Get(s.JID)
		if there, wanted := want[s.Key()]; ok != wanted || ok && got != there {
			t.Fatalf("Get: got %+v, %v; want %+v, %v", got, ok, there, wanted)
		}
		if table.Len() != len(want) {
			t.Fatalf("Len: got %d, want %d", table.Len(), len(want))
		}
	}
	keys := make([]perch.JID, 0, len(want))
	for s := range table.All() {
		keys = append(keys, s.Key())
		if s != want[s.Key()] {
			t.Errorf("All: got %+v, want %+v", s, want[s.Key()])
		}
	}
	if len(keys) != len(want) || !slices.IsSorted(keys) {
		t.Errorf("All: got %d states, sorted %v; want %d, true", len(keys), slices.IsSorted(keys), len(want))
	}
	for _, key := range keys {
		table = table.Remove(key)
	}
	if chunks, bytes := table.Size(); table.Len() != 0 || chunks != 0 || bytes != 0 {
		t.Errorf("after all are gone: got %d states, %d chunks of %d bytes, want none", table.Len(), chunks, bytes)
	}
}

// TestTableNeverChanges: what is made of a table leaves it as it is.
func TestTableNeverChanges(t *testing.T) {
	var list []conversations.State
	for i := range 100 {
		list = append(list, usual(i))
	}
	before := conversations.Of(list)
	want := slices.Collect(before.All())
	for i := range 100 {
		s := usual(i)
		s.Unread = 999
		before.Put(&s)
		before.Remove(s.JID)
	}
	other := usual(0)
	other.Unread++
	if !before.Equal(conversations.Of(list)) || before.Equal(before.Put(&other)) || before.Equal(before.Remove(other.JID)) {
		t.Error("Equal: got true of another table, or false of the same, want the same alone")
	}
	if d := cmp.Diff(want, slices.Collect(before.All())); d != "" {
		t.Errorf("a table that others were made of: got what differs (-want +got):\n%s", d)
	}
}

// TestLongAddresses: a state of more than a chunk has one of its own.
func TestLongAddresses(t *testing.T) {
	var table conversations.Table
	for _, c := range "bacedf" {
		s := usual(1)
		s.JID = perch.JID(strings.Repeat(string(c), 1000) + "@example.net")
		table = table.Put(&s)
	}
	n := 0
	for s := range table.All() {
		if _, ok := table.Get(s.JID); !ok {
			t.Errorf("Get(%.5s...): got none, want the state", s.JID)
		}
		n++
	}
	if n != 6 || table.Len() != 6 {
		t.Errorf("got %d states, Len %d; want 6 and 6", n, table.Len())
	}
}

// TestMemoryOfAConversation: the promise of the guides, with all that a state can have.
func TestMemoryOfAConversation(t *testing.T) {
	const n, tables, most = 200, 100, 80
	var list []conversations.State
	for i := range n {
		list = append(list, usual(i))
	}
	kept := make([]conversations.Table, tables)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range kept {
		kept[i] = conversations.Of(list)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / tables / n
	t.Logf("%.1f bytes a conversation", each)
	if each > most {
		t.Errorf("got %.1f bytes a conversation, want at most %d", each, most)
	}
	runtime.KeepAlive(kept)
}

// BenchmarkPut changes one of many conversations after the other, as messages do.
func BenchmarkPut(b *testing.B) {
	for _, n := range []int{200, 2000} {
		b.Run(map[int]string{200: "200", 2000: "2000"}[n], func(b *testing.B) {
			var list []conversations.State
			for i := range n {
				list = append(list, usual(i))
			}
			table, i := conversations.Of(list), 0
			b.ReportAllocs()
			for b.Loop() {
				s := list[i*7919%n]
				s.Unread = uint16(i % 900)
				table = table.Put(&s)
				i++
			}
		})
	}
}
