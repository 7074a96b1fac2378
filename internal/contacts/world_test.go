package contacts_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// usual is buddy i of a usual session: with a device online.
func usual(i int) *contacts.Contact {
	c := item(perch.JID(fmt.Sprintf("%010d.%06d@messenger.example", 1_000_000_000+i*7919, i)))
	c.Buddy.Name = fmt.Sprint("Buddy Number ", i)
	c.Presence = contacts.Aggregate(c.Buddy.JID, []perch.Resource{{
		Resource: "phone.4f3a2b", Show: perch.ShowAway, Status: fmt.Sprint("In meeting ", i), UpdatedAt: 1_700_000_000_000,
	}}, "", 1_700_000_000_000)
	return c
}

// item is a contact without a presence.
func item(jid perch.JID) *contacts.Contact {
	return &contacts.Contact{Buddy: perch.Buddy{JID: jid, Groups: []string{"Friends"}, Subscription: perch.SubscriptionBoth}}
}

// many is the first n usual contacts.
func many(n int) []*contacts.Contact {
	list := make([]*contacts.Contact, n)
	for i := range list {
		list[i] = usual(i)
	}
	return list
}

// list is a copy of all that a table has.
func list(t contacts.Table) []*contacts.Contact {
	all := []*contacts.Contact{}
	for c := range t.All() {
		all = append(all, clone(c))
	}
	return all
}

func clone(c *contacts.Contact) *contacts.Contact {
	k := *c
	if c.Presence != nil {
		p := *c.Presence
		k.Presence = &p
	}
	return &k
}

// odd draws a contact that uses every part of the encoding sooner or later.
func odd(r *rand.Rand) *contacts.Contact {
	text := func(list ...string) string { return list[r.IntN(len(list))] }
	c := item(perch.JID(fmt.Sprintf("%s%d@%s", text("b", "B", "ü", "b b"), r.IntN(60), text("example.net", "Example.NET", "other.example"))))
	b := &c.Buddy
	b.Name, b.Subscription, b.Ask = text("", "Bob", strings.Repeat("long ", 100)), perch.Subscription(r.IntN(6)), perch.Ask(r.IntN(2))
	b.Approved, b.Mutual = r.IntN(2) == 0, r.IntN(2) == 0
	b.Groups = [][]string{{}, {"Friends"}, {"Friends"}, {"A", "B"}, {"A", "B", "C", ""}}[r.IntN(5)]
	c.Photo = text("", "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff", "0F", "odd", "123")
	c.CardName, c.Nick = text("", "", "Robert"), text("", "", "Rob")
	if r.IntN(4) > 0 {
		c.Presence = oddPresence(r, b.JID)
	}
	return c
}

func oddPresence(r *rand.Rand, jid perch.JID) *perch.Presence {
	rs := make([]perch.Resource, []int{0, 1, 1, 1, 2, 5}[r.IntN(6)])
	for i := range rs {
		rs[i] = perch.Resource{Resource: fmt.Sprint("r", i), UpdatedAt: perch.Time(r.IntN(5)) * 1_000_000_000}
		if r.IntN(2) == 0 {
			rs[i].Show, rs[i].Priority, rs[i].Status = perch.Show(r.IntN(5)), int8(r.IntN(256)-128), fmt.Sprint(r.IntN(3))
		}
	}
	if r.IntN(3) > 0 {
		return contacts.Aggregate(jid, rs, fmt.Sprint(r.IntN(2)), perch.Time(r.IntN(3))*1_000_000_000)
	}
	return &perch.Presence{JID: jid, Available: r.IntN(2) == 0, Show: perch.Show(r.IntN(5)), Priority: int8(r.IntN(256) - 128),
		Stale: r.IntN(2) == 0, Status: fmt.Sprint(r.IntN(3)), Resources: rs, UpdatedAt: perch.Time(r.IntN(3))}
}

// same compares what a table gave with what was put into it.
func same(t testing.TB, what string, got, want *contacts.Contact) {
	t.Helper()
	if reflect.DeepEqual(want, got) { // a difference takes longer to look for
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: got what differs (-want +got):\n%s", what, d)
	}
}

// model is a table as anybody would write it.
type model map[perch.JID]*contacts.Contact

func (m model) keys() []perch.JID {
	var keys []perch.JID
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// holds checks that a table has what the model has, in order.
func (m model) holds(t testing.TB, table contacts.Table) {
	t.Helper()
	if table.Len() != len(m) {
		t.Errorf("Len: got %d, want %d", table.Len(), len(m))
	}
	all := list(table)
	keys := m.keys()
	if len(all) != len(keys) {
		t.Fatalf("All: got %d contacts, want %d", len(all), len(keys))
	}
	for i, key := range keys {
		same(t, string(key), all[i], m[key])
	}
}
