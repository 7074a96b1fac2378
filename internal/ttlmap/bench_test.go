package ttlmap_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/ttlmap"
)

// BenchmarkMap is one call of a full map, of the size that most tables of the gateway have, and
// what it keeps in memory for each entry.
func BenchmarkMap(b *testing.B) {
	const n, life = 50_000, time.Minute
	keys := make([]string, 2*n)
	for i := range keys {
		keys[i] = fmt.Sprintf("192.0.%d.%d", i>>8, i&255)
	}
	calls := map[string]func(m *ttlmap.Map[string, *int], i int){
		"get":           func(m *ttlmap.Map[string, *int], i int) { m.Get(keys[i*7919%n], time.Now()) },
		"renew":         func(m *ttlmap.Map[string, *int], i int) { m.Renew(keys[i*7919%n], time.Now(), life) },
		"put-and-evict": func(m *ttlmap.Map[string, *int], i int) { m.Put(keys[(n+i)%(2*n)], nil, time.Now(), life) },
	}
	for name, call := range calls {
		b.Run(name, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			m := &ttlmap.Map[string, *int]{Max: n}
			for i := range n {
				m.Put(keys[i], nil, time.Now(), life)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				call(m, i)
				i++
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/entry")
			runtime.KeepAlive(m)
		})
	}
}
