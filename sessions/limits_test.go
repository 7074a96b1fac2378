package sessions_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// heapInUse is the heap in use after a garbage collection.
func heapInUse() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// TestBudgetsOfAHostileServer: whatever a server sends, what a session stores of it is bounded.
// The bounds are generous: what counts is that they do not grow with what is sent.
func TestBudgetsOfAHostileServer(t *testing.T) {
	inWorld(t, func(w *world) {
		const buddies = 15_000
		w.up.Edit(func(d *fakexmpp.Data) {
			for i := range buddies {
				d.Roster = append(d.Roster, perch.Buddy{JID: perch.JID(fmt.Sprintf("buddy%05d@example.net", i)), Subscription: perch.SubscriptionBoth})
			}
		})
		before := heapInUse()
		s := w.open()
		c := w.conn()
		for i := range buddies {
			from := perch.JID(fmt.Sprintf("buddy%05d@example.net/r", i))
			c.Deliver(&perch.PresenceIn{From: from, Available: true, Status: fmt.Sprint(i) + strings.Repeat("s", 4000)})
		}
		for i := range 5000 { // many resources
			c.Deliver(&perch.PresenceIn{From: perch.JID(fmt.Sprintf("buddy00001@example.net/%d", i)), Available: true, Status: strings.Repeat("t", 4000)})
		}
		for i := range 3000 { // and invitations
			c.Deliver(&perch.SubscriptionIn{From: perch.JID(fmt.Sprintf("s%d@example.net", i)), Type: "subscribe", Nick: strings.Repeat("n", 100_000), Message: strings.Repeat("m", 8000)})
		}
		w.deliver()
		// 4 MiB of statuses, 2 MiB of invitations, a log of 8 MiB twice (its slices grow), and
		// the items; without budgets it is more than 90 MiB of statuses alone.
		grown := heapInUse() - before
		t.Logf("grown by %d KiB", grown>>10)
		if grown > 64<<20 {
			t.Errorf("got a heap that grew by %d MiB, want less than 64", grown>>20)
		}
		if st := s.Info().State; st != perch.StateOnline {
			t.Errorf("Info: got state %s, want online", st)
		}
		if n := len(invitations(s)); n == 0 || n > 1000 {
			t.Errorf("got %d invitations, want some and at most 1000", n)
		}
		list, _ := s.Presences()
		p, texts := list.Items(), 0
		for i := range p {
			if !p[i].Available {
				t.Fatalf("presence of %s: got unavailable, want available", p[i].JID) // only the text may be left out
			}
			for _, r := range p[i].Resources {
				texts += len(r.Status)
			}
		}
		if texts == 0 || texts > 4<<20 {
			t.Errorf("got %d bytes of statuses, want some and at most 4 MiB", texts)
		}
		if got := dropReasons(t, w.durable(s)); len(got) != 1 || got[0] != "over_budget" {
			t.Errorf("event.dropped: got reasons %v, want one over_budget in a minute", got)
		}
	})
}
