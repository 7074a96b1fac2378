package sessions

import (
	"slices"
	"testing"

	"github.com/perch-im/perch"
)

// A batch gathers several changes of one row: the last one counts, although a Store
// applies Del before Put.
func TestDeltaLastChangeCounts(t *testing.T) {
	a, b := &perch.Buddy{JID: "a", Name: "1"}, &perch.Buddy{JID: "a", Name: "2"}
	for name, c := range map[string]struct {
		do       func(*Delta[perch.Buddy])
		put, del []string
	}{
		"put":       {func(d *Delta[perch.Buddy]) { put(d, buddyKey, a) }, []string{"1"}, nil},
		"put twice": {func(d *Delta[perch.Buddy]) { put(d, buddyKey, a); put(d, buddyKey, b) }, []string{"2"}, nil},
		"put, del":  {func(d *Delta[perch.Buddy]) { put(d, buddyKey, a); del(d, buddyKey, "a") }, nil, []string{"a"}},
		"del, put":  {func(d *Delta[perch.Buddy]) { del(d, buddyKey, "a"); put(d, buddyKey, b) }, []string{"2"}, nil},
		"del twice": {func(d *Delta[perch.Buddy]) { del(d, buddyKey, "a"); del(d, buddyKey, "a") }, nil, []string{"a"}},
		"del, put, del": {func(d *Delta[perch.Buddy]) {
			del(d, buddyKey, "a")
			put(d, buddyKey, b)
			del(d, buddyKey, "a")
		}, nil, []string{"a"}},
	} {
		var d Delta[perch.Buddy]
		c.do(&d)
		var names []string
		for _, x := range d.Put {
			names = append(names, x.Name)
		}
		if !slices.Equal(names, c.put) || !slices.Equal(d.Del, c.del) {
			t.Errorf("%s: got put %v and del %v, want %v and %v", name, names, d.Del, c.put, c.del)
		}
	}
}
