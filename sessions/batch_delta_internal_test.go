package sessions

import (
	"slices"
	"testing"

	"github.com/perch-im/perch"
)

// A batch gathers several changes of one row: the last one counts, although a Store
// applies Del before Put.
func TestDeltaLastChangeCounts(t *testing.T) {
	a, b := &perch.Invitation{JID: "a", Nick: "1"}, &perch.Invitation{JID: "a", Nick: "2"}
	for name, c := range map[string]struct {
		do       func(*Delta[perch.Invitation])
		put, del []string
	}{
		"put":       {func(d *Delta[perch.Invitation]) { put(d, invitationKey, a) }, []string{"1"}, nil},
		"put twice": {func(d *Delta[perch.Invitation]) { put(d, invitationKey, a); put(d, invitationKey, b) }, []string{"2"}, nil},
		"put, del":  {func(d *Delta[perch.Invitation]) { put(d, invitationKey, a); del(d, invitationKey, "a") }, nil, []string{"a"}},
		"del, put":  {func(d *Delta[perch.Invitation]) { del(d, invitationKey, "a"); put(d, invitationKey, b) }, []string{"2"}, nil},
		"del twice": {func(d *Delta[perch.Invitation]) { del(d, invitationKey, "a"); del(d, invitationKey, "a") }, nil, []string{"a"}},
		"del, put, del": {func(d *Delta[perch.Invitation]) {
			del(d, invitationKey, "a")
			put(d, invitationKey, b)
			del(d, invitationKey, "a")
		}, nil, []string{"a"}},
	} {
		var d Delta[perch.Invitation]
		c.do(&d)
		var nicks []string
		for _, x := range d.Put {
			nicks = append(nicks, x.Nick)
		}
		if !slices.Equal(nicks, c.put) || !slices.Equal(d.Del, c.del) {
			t.Errorf("%s: got put %v and del %v, want %v and %v", name, nicks, d.Del, c.put, c.del)
		}
	}
}
