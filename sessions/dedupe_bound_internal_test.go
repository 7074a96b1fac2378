package sessions

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/perch-im/perch"
)

// TestIdentitiesAreBounded: however many messages are read, the last ones are remembered and
// can be taken back.
func TestIdentitiesAreBounded(t *testing.T) {
	var table identities
	of := func(i int) identity {
		return identity{text: uint64(i + 1), account: uint64(i + 1), sender: 1, paths: pathStream}
	}
	numbers := []int{}
	const n = 3*65_536 + 7
	for i := range n {
		numbers = append(numbers, table.add(of(i)))
		if len(table.list) > 65_536 {
			t.Fatalf("got %d identities after %d, want at most %d", len(table.list), i+1, 65_536)
		}
	}
	find := func(i int) bool {
		c := of(i)
		c.paths = pathArchive
		return table.take(&c, overlap{}) != nil
	}
	if find(0) {
		t.Error("take: got the first of all, want it evicted")
	}
	for _, i := range []int{n - 1, n - 1<<15} {
		if !find(i) {
			t.Errorf("take, number %d of %d: got nothing, want it remembered", i, n)
		}
	}
	if c, ok := table.remove(numbers[0]); ok {
		t.Errorf("remove of an evicted one: got %+v, want nothing", c)
	}
	if c, ok := table.remove(numbers[n-1]); !ok || c.account != of(n-1).account {
		t.Errorf("remove: got %+v, %v, want account %d", c, ok, of(n-1).account)
	}
	if find(n - 1) {
		t.Error("take after remove: got what was removed, want nothing")
	}
}

// TestLongTableFindsWhatAShortOneDoes: a table that is searched by its indexes finds a copy where
// one that is searched from end to end does, and one that is as near in time.
func TestLongTableFindsWhatAShortOneDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	paths := []copyPath{pathStream, pathRepeat, pathArchive, pathOwn}
	random := func() identity {
		c := identity{text: 1 + r.Uint64N(600), sender: 1, id: r.Uint32N(3), origin: r.Uint32N(2), device: r.Uint32N(2), link: uint16(r.Uint32N(3)),
			at: perch.Time(r.Int64N(4 * lastSlack)), added: perch.Time(r.Int64N(1000)), paths: paths[r.IntN(len(paths))], vague: r.IntN(20) == 0}
		if r.IntN(3) == 0 {
			c.account = 1 + r.Uint64N(600)
		}
		return c
	}
	found := 0
	for range 40 {
		var list []identity
		for i := range longTable + 100 {
			list = append(list, random())
			if i%10 == 0 {
				list[i].room = uint64(i + 1)
			}
		}
		for range 100 {
			short, long := identities{list: slices.Clone(list)}, identities{}
			long.replace(slices.Clone(list))
			c, o := random(), overlap{since: perch.Time(r.Int64N(1000)), fresh: r.IntN(2) == 0}
			if r.IntN(10) == 0 { // by the id of its room, and by no other
				e := &list[10*r.IntN(len(list)/10)]
				c.text, c.room, c.account = e.text, e.room, 0
			}
			want, got := short.take(&c, o), long.take(&c, o)
			if (got == nil) != (want == nil) || got != nil && c.account == 0 && c.apart(got) != c.apart(want) {
				t.Fatalf("take %+v: got %+v, want %+v as in a short table", c, got, want)
			}
			if got != nil {
				found++
			}
		}
	}
	if found < 500 {
		t.Errorf("got %d copies, want more: this test looks at nothing", found)
	}
}
