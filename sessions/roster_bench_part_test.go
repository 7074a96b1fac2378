package sessions

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/perch-im/perch"
)

// signedIn is a roster of n buddies after a login: each has a device online. Nth says whose they
// are: no two sessions with different numbers have a buddy, or a text, in common.
func signedIn(n, nth int) *rosterWorld {
	w := newRosterWorld()
	items := make([]perch.Buddy, n)
	for i := range items {
		items[i] = perch.Buddy{JID: perch.JID(fmt.Sprintf("%05d.%06d@messenger.example", i, nth)), Name: fmt.Sprintf("Buddy %d of %d", i, nth),
			Groups: []string{"Friends"}, Subscription: perch.SubscriptionBoth}
	}
	w.ro.applyRoster(perch.RosterResult{Items: items})
	for i := range items {
		w.ro.applyPresence(&perch.PresenceIn{From: items[i].JID + "/phone.4f3a2b", Available: true, Status: fmt.Sprintf("Status %d of %d", i, nth)})
	}
	w.commit, w.did = Commit{}, nil
	return w
}

// BenchmarkRosterMemory is what a roster of 50 buddies with presence costs: bytes and objects of
// the heap. Shared, all sessions have the same buddies.
func BenchmarkRosterMemory(b *testing.B) {
	for _, tt := range []struct {
		name string
		nth  func(i int) int
	}{{"shared", func(int) int { return 0 }}, {"different", func(i int) int { return i }}} {
		b.Run(tt.name, func(b *testing.B) {
			rosters := make([]*roster, b.N)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := range rosters {
				rosters[i] = &roster{contacts: signedIn(50, tt.nth(i)).ro.contacts}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(int64(after.HeapAlloc-before.HeapAlloc))/float64(b.N), "B/session")
			b.ReportMetric(float64(int64(after.HeapObjects-before.HeapObjects))/float64(b.N), "objects/session")
			runtime.KeepAlive(rosters)
		})
	}
}

// BenchmarkRosterPresence is the presence of one buddy after the other, and each is another one
// than before.
func BenchmarkRosterPresence(b *testing.B) {
	for _, n := range []int{50, 40_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := signedIn(n, 0)
			in := make([]*perch.PresenceIn, n)
			for i := range in {
				in[i] = &perch.PresenceIn{From: perch.JID(fmt.Sprintf("%05d.000000@messenger.example/phone.4f3a2b", i*7919%n)), Available: true}
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				x := in[i%n]
				x.Priority++
				w.ro.applyPresence(x)
				if i++; i%100 == 0 {
					w.commit, w.did = Commit{}, nil
				}
			}
		})
	}
}

// BenchmarkRosterListing is the presence of everybody, as GET /v1/presence and a new event stream
// take it.
func BenchmarkRosterListing(b *testing.B) {
	for _, n := range []int{50, 40_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := signedIn(n, 0)
			b.ReportAllocs()
			for b.Loop() {
				items := make([]perch.Presence, 0, n)
				for p := range w.ro.view().presences() {
					items = append(items, p)
				}
				if len(items) != n {
					b.Fatalf("got %d presences, want %d", len(items), n)
				}
			}
		})
	}
}

// BenchmarkRosterLogin is the roster and the presence of a login.
func BenchmarkRosterLogin(b *testing.B) {
	for _, n := range []int{50, 40_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				signedIn(n, 0)
			}
		})
	}
}
