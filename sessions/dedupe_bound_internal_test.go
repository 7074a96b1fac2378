package sessions

import "testing"

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
