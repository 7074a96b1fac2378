package contacts_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

var sizes = []int{50, 40_000}

func each(b *testing.B, f func(b *testing.B, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			f(b, n)
		})
	}
}

// BenchmarkPut changes the presence of one contact after the other.
func BenchmarkPut(b *testing.B) {
	each(b, func(b *testing.B, n int) {
		all := many(n)
		table, i := contacts.Of(all), 0
		for b.Loop() {
			c := all[i*7919%n]
			c.Presence.Resources[0].Status = "out"
			table = table.Put(c)
			i++
		}
	})
}

func BenchmarkGet(b *testing.B) {
	each(b, func(b *testing.B, n int) {
		all := many(n)
		table, i := contacts.Of(all), 0
		for b.Loop() {
			if table.Get(all[i*7919%n].Buddy.JID) == nil {
				b.Fatal("Get: got none, want the contact")
			}
			i++
		}
	})
}

func BenchmarkAll(b *testing.B) {
	each(b, func(b *testing.B, n int) {
		table := contacts.Of(many(n))
		for b.Loop() {
			var at perch.Time
			for c := range table.All() {
				at = max(at, c.Presence.UpdatedAt)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/contact")
	})
}

func BenchmarkOf(b *testing.B) {
	each(b, func(b *testing.B, n int) {
		all := many(n)
		for b.Loop() {
			contacts.Of(all)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/contact")
	})
}

// BenchmarkPresences is what a login makes of a table: the roster, and then a presence of each.
func BenchmarkPresences(b *testing.B) {
	const n = 50
	all := many(n)
	bare := make([]*contacts.Contact, n)
	for i, c := range all {
		bare[i] = &contacts.Contact{Buddy: c.Buddy}
	}
	b.ReportAllocs()
	for b.Loop() {
		table := contacts.Of(bare)
		for _, c := range all {
			table = table.Put(c)
		}
	}
}

// BenchmarkMemory is what a table costs: bytes and objects of the heap.
func BenchmarkMemory(b *testing.B) {
	each(b, func(b *testing.B, n int) {
		all := many(n)
		tables := make([]contacts.Table, b.N)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range tables {
			tables[i] = contacts.Of(all)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N)/float64(n), "B/contact")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/table")
		b.ReportMetric(float64(after.HeapObjects-before.HeapObjects)/float64(b.N), "objects/table")
		runtime.KeepAlive(tables)
	})
}
