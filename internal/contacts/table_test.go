package contacts_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// play changes a table and a model alike, as the bytes say, and compares them.
func play(t testing.TB, r *rand.Rand, steps int) {
	m, table := model{}, contacts.Table{}
	if r.IntN(2) == 0 {
		var some []*contacts.Contact
		for range r.IntN(300) {
			c := odd(r)
			some, m[c.Key()] = append(some, c), c
		}
		table = contacts.Of(some)
	}
	var before contacts.Table
	var kept model
	for step := range steps {
		switch c := odd(r); r.IntN(5) {
		case 0, 1:
			table, m[c.Key()] = table.Put(c), c
		case 2:
			table = table.Remove(c.Buddy.JID)
			delete(m, c.Key())
		case 3:
			if got := table.Get(c.Buddy.JID); got != nil && m[c.Key()] != nil {
				same(t, "Get", got, m[c.Key()])
			} else if (got == nil) != (m[c.Key()] == nil) {
				t.Errorf("Get(%s): got %v, want %v", c.Buddy.JID, got, m[c.Key()])
			}
		case 4:
			m.follows(t, table, c.Key())
		}
		if step == steps/2 {
			before, kept = table, maps.Clone(m)
		}
	}
	m.holds(t, table)
	kept.holds(t, before) // what came later has not changed it
}

// follows compares some contacts behind a key.
func (m model) follows(t testing.TB, table contacts.Table, key perch.JID) {
	t.Helper()
	keys := m.keys()
	i, found := slices.BinarySearch(keys, key)
	if found {
		i++
	}
	n := 0
	for c := range table.After(key) {
		if n == 5 {
			return
		}
		if i+n >= len(keys) {
			t.Errorf("After(%s): got %s, want the end", key, c.Buddy.JID)
			return
		}
		same(t, "After", c, m[keys[i+n]])
		n++
	}
	if i+n != len(keys) {
		t.Errorf("After(%s): got the end after %d, want %d", key, n, len(keys)-i)
	}
}

// TestTableIsAMap plays random games.
func TestTableIsAMap(t *testing.T) {
	for seed := range uint64(60) {
		play(t, rand.New(rand.NewPCG(seed, 7)), 400)
	}
}

// FuzzTable plays games that the fuzzer thinks of.
func FuzzTable(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(100))
	f.Fuzz(func(t *testing.T, a, b uint64, steps uint8) { play(t, rand.New(rand.NewPCG(a, b)), int(steps)+1) })
}

// TestEverySpelling: a contact is found by every spelling of its JID, and keeps the one it has.
func TestEverySpelling(t *testing.T) {
	for _, jids := range [][2]perch.JID{
		{"Up.Case@example.net", "up.case@EXAMPLE.net"},
		{"M\u00fcller@example.net", "mu\u0308ller@example.net"},
		{"user name@icq.example.net", "user name@ICQ.example.net"},
		{"icq.Example.net", "icq.example.net"},
	} {
		table := contacts.Of(many(100)).Put(item(jids[0]))
		if c := table.Get(jids[1]); c == nil || c.Buddy.JID != jids[0] {
			t.Errorf("Get(%s): got %v, want %s", jids[1], c, jids[0])
		}
		if table = table.Put(item(jids[1])); table.Len() != 101 || table.Get(jids[0]).Buddy.JID != jids[1] {
			t.Errorf("Put(%s): got %d contacts, want 101 and that spelling", jids[1], table.Len())
		}
		if table = table.Remove(jids[0]); table.Len() != 100 || table.Get(jids[1]) != nil {
			t.Errorf("Remove(%s): got %d contacts, want 100", jids[0], table.Len())
		}
	}
}

// TestLargeTables: thousands of contacts, put in any order and removed again, are in order at
// every size.
func TestLargeTables(t *testing.T) {
	const n = 12_000
	all := many(n)
	var table contacts.Table
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(n) {
		table = table.Put(all[i])
	}
	if chunks, _, groups := table.Size(); groups < chunks/64 {
		t.Errorf("got %d chunks in %d groups, want at most 64 in each", chunks, groups)
	}
	if !table.Equal(contacts.Of(all)) {
		t.Error("put one by one: got another table, want that of all")
	}
	for i := range n {
		if i%100 != 0 {
			table = table.Remove(all[i].Buddy.JID)
		}
	}
	i := 0
	for c := range table.All() {
		same(t, "one of a hundred", c, all[i])
		i += 100
	}
	if i != n || table.Len() != n/100 {
		t.Errorf("got %d contacts to the end and a length of %d, want %d", i/100, table.Len(), n/100)
	}
	if chunks, bytes, _ := table.Size(); bytes/chunks < 256 {
		t.Errorf("after most were removed: got %d bytes in %d chunks, want the small ones joined", bytes, chunks)
	}
}

// TestHeadsFollow: what the contacts of a chunk share is what most of them have, also when those
// came first that do not.
func TestHeadsFollow(t *testing.T) {
	all := many(300)
	table := contacts.Table{}.Put(item("a@elsewhere.example")).Put(item("z@elsewhere.example"))
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(all)) {
		table = table.Put(all[i])
	}
	_, got, _ := table.Size()
	if _, want, _ := contacts.Of(all).Size(); got > want*11/10 {
		t.Errorf("got %d bytes, want about the %d of a table that was made at once", got, want)
	}
}

// TestLargeContacts: a contact may be larger than a chunk.
func TestLargeContacts(t *testing.T) {
	table, m := contacts.Of(many(50)), model{}
	for _, c := range many(50) {
		m[c.Key()] = c
	}
	for i := range 40 {
		c := usual(i)
		c.Buddy.Name = strings.Repeat("x", i*300)
		table, m[c.Key()] = table.Put(c), c
	}
	m.holds(t, table)
}

// TestJIDsAreFree: a JID that was decoded does not keep the chunk in memory.
func TestJIDsAreFree(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const size = 32 << 20
	before := heap()
	jids := func() (jids []perch.JID) {
		large := item("icq.example.net")
		large.Buddy.Name = strings.Repeat("x", size)
		table := contacts.Of([]*contacts.Contact{large})
		for c := range table.All() {
			jids = append(jids, c.Buddy.JID)
		}
		return append(jids, table.Get("icq.example.net").Buddy.JID)
	}()
	if after := heap(); after > before+size/2 {
		t.Errorf("got %d bytes in use with %q, want no chunk among them", after-before, jids)
	}
	runtime.KeepAlive(jids)
}

// TestEqual: tables are equal when their contacts are, however they came to be.
func TestEqual(t *testing.T) {
	all := contacts.Of(many(200))
	other := all.Put(usual(7))
	if !all.Equal(other) {
		t.Error("a contact that was put again: got another table, want an equal one")
	}
	changed := usual(7)
	changed.Presence.Status = "other"
	for name, u := range map[string]contacts.Table{
		"a status": all.Put(changed), "one less": all.Remove(usual(7).Buddy.JID), "none": {}, "one more": all.Put(item("z@z")),
		"another": all.Remove(usual(7).Buddy.JID).Put(item("z@z")),
	} {
		if all.Equal(u) {
			t.Errorf("%s: got equal tables, want different ones", name)
		}
	}
}

// TestChange: a change knows the keys once, and has the table as it was last.
func TestChange(t *testing.T) {
	var c contacts.Change
	if !c.Empty() {
		t.Error("a change of nothing: got one of something, want it empty")
	}
	table := contacts.Table{}
	for i := range 300 {
		for range 2 {
			table = table.Put(usual(i % 100))
			c.Note(table, usual(i%100).Key())
		}
	}
	if c.Empty() || len(c.Keys) != 100 || c.Table.Len() != 100 || c.Whole {
		t.Errorf("got %d keys, a table of %d, whole %v; want 100 of each, and not whole", len(c.Keys), c.Table.Len(), c.Whole)
	}
	c.Replace(contacts.Table{})
	if c.Empty() || !c.Whole || len(c.Keys) != 0 || c.Table.Len() != 0 {
		t.Errorf("Replace: got %+v, want an empty table as a whole", c)
	}
	c.Note(table, "a@b")
	if !c.Whole || len(c.Keys) != 0 || c.Table.Len() != 100 {
		t.Errorf("after Replace: got %d keys and a table of %d, whole %v; want no keys, that table, and whole", len(c.Keys), c.Table.Len(), c.Whole)
	}
	c = contacts.Change{}
	for i := range 400 { // beyond some hundred a key may be there twice
		c.Note(table, perch.JID(fmt.Sprint(i, "@example.net")))
	}
	if c.Note(table, "399@example.net"); len(c.Keys) != 401 {
		t.Errorf("got %d keys, want 401", len(c.Keys))
	}
}
