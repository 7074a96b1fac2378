package occupants_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/occupants"
)

// people are occupants as a room of a server of today has them, each with texts of its own.
func people(n int, addresses bool) []perch.Occupant {
	list := make([]perch.Occupant, n)
	for i := range list {
		id := sha256.Sum256(fmt.Append(nil, i))
		photo := sha1.Sum(fmt.Append(nil, i))
		list[i] = perch.Occupant{
			Nick: fmt.Sprintf("Person %d", i), OccupantID: base64.StdEncoding.EncodeToString(id[:]), PhotoHash: hex.EncodeToString(photo[:]),
			Affiliation: perch.AffiliationMember, Role: perch.RoleParticipant, Show: perch.Show(i % 3), Status: []string{"", "", "away", "at work"}[i%4],
		}
		if addresses {
			list[i].JID = perch.JID(fmt.Sprintf("person.%d@example.net/phone", i))
		}
	}
	return list
}

// measured is what a table of these takes, in bytes of memory for each of them.
func measured(list []perch.Occupant) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ts := occupants.New(occupants.Options{})
	h := joined(ts, "me", list...)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(h)
	return float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / float64(len(list))
}

// TestMemoryOfAnOccupant: the table of a large room takes what it promises, and counts it about so.
func TestMemoryOfAnOccupant(t *testing.T) {
	for _, n := range []int{1_000, 20_000} {
		for _, addresses := range []bool{false, true} {
			most := map[bool]float64{false: 170, true: 210}[addresses]
			got := measured(people(n, addresses))
			t.Logf("%d occupants, addresses %v: %.0f bytes each", n, addresses, got)
			if got > most {
				t.Errorf("%d occupants, addresses %v: got %.0f bytes each, want at most %.0f", n, addresses, got, most)
			}
		}
	}
}

// Sessions that join a room of 1,000: the first one fills the table, the others compare.
func BenchmarkJoin(b *testing.B) {
	list := people(1000, true)
	b.Run("first", func(b *testing.B) {
		for range b.N {
			joined(occupants.New(occupants.Options{}), "me", list...).Leave()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(list)), "ns/occupant")
	})
	b.Run("1000 sessions", func(b *testing.B) {
		for range b.N {
			ts := occupants.New(occupants.Options{})
			for i := range 1000 {
				joined(ts, fmt.Sprint("me", i), list...)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000*len(list)), "ns/occupant")
	})
	b.Run("1000 sessions at once", func(b *testing.B) {
		for range b.N {
			ts := occupants.New(occupants.Options{})
			var wg sync.WaitGroup
			for i := range 1000 {
				wg.Go(func() { joined(ts, fmt.Sprint("me", i), list...) })
			}
			wg.Wait()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000*len(list)), "ns/occupant")
	})
}

// A report that says nothing new, in a room of 20,000.
func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{1000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			list := people(n, true)
			h := joined(occupants.New(occupants.Options{}), "me", list...)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				h.Put(list[i*7919%n])
			}
		})
	}
}

func BenchmarkPage(b *testing.B) {
	h := joined(occupants.New(occupants.Options{}), "me", people(20_000, true)...)
	for name, q := range map[string]occupants.Query{"100": {Limit: 100, After: "Person 5"}, "search": {Limit: 100, Text: "nobody"}} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				h.Page(q)
			}
		})
	}
}
