package sessions

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// bigRoster is a roster of n buddies, u000000 to the last.
func bigRoster(n int) *roster {
	ro := newRosterWorld().ro
	list := make([]*contacts.Contact, n)
	for i := range list {
		list[i] = &contacts.Contact{Buddy: perch.Buddy{JID: perch.JID(fmt.Sprintf("u%06d@example.net", i)), Name: fmt.Sprint(i)}}
	}
	ro.setContacts(contacts.Of(list))
	return ro
}

// TestPagesOfTheRoster: every buddy is on one page, also when the last one of a page goes before
// the next page is asked for.
func TestPagesOfTheRoster(t *testing.T) {
	even := func(b *perch.Buddy) bool { return b.JID[6] == '0' || b.JID[6] == '5' }
	for _, tt := range []struct {
		name   string
		match  func(*perch.Buddy) bool
		remove bool
		want   int
	}{{"all", nil, false, 100}, {"some", even, false, 20}, {"the last one goes", nil, true, 100}} {
		t.Run(tt.name, func(t *testing.T) {
			ro := bigRoster(100)
			seen := map[perch.JID]bool{}
			q := BuddyQuery{Limit: 7, Match: tt.match}
			for range 100 {
				items, more := ro.view().page(q, nil)
				for _, b := range items {
					if seen[b.JID] {
						t.Errorf("got %s on two pages, want one", b.JID)
					}
					seen[b.JID] = true
				}
				if !more {
					break
				}
				last := items[len(items)-1].JID
				q.After = string(last.Key())
				if tt.remove {
					ro.setContacts(ro.contacts.Remove(last))
				}
			}
			if len(seen) != tt.want {
				t.Errorf("got %d buddies on all pages, want %d", len(seen), tt.want)
			}
		})
	}
}

// BenchmarkBuddyPage is one page in the middle of 40,000 buddies.
func BenchmarkBuddyPage(b *testing.B) {
	ro := bigRoster(40_000)
	q := BuddyQuery{After: "u020000@example.net", Limit: 200}
	b.ReportAllocs()
	for b.Loop() {
		if items, more := ro.view().page(q, nil); len(items) != 200 || !more {
			b.Fatalf("page: got %d items, more %v, want 200, true", len(items), more)
		}
	}
}
