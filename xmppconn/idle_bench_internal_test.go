package xmppconn

import (
	"context"
	"runtime"
	"testing"

	"github.com/perch-im/perch"
)

// BenchmarkIdleConn reports what an idle connection keeps: heap and stack in use, both ends
// and the kernel's part left out as far as one process can tell. The scripted server's side
// is in the figure, so it is an upper bound; compare runs, not machines.
func BenchmarkIdleConn(b *testing.B) {
	up, stop := loopbackServer(b)
	defer stop()
	d, err := NewDialer(up, Options{})
	if err != nil {
		b.Fatalf("NewDialer(): got error %v, want none", err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	conns := make([]*Conn, 0, b.N)
	for b.Loop() {
		c, err := d.Dial(context.Background(), tokenAccount, nil)
		if err != nil {
			b.Fatalf("d.Dial(): got error %v, want none", err)
		}
		c.Start(func(uint64, perch.Inbound) {}, func() {})
		conns = append(conns, c)
	}
	for range 3 { // stacks shrink with the collection after the one that saw them idle
		runtime.GC()
	}
	runtime.ReadMemStats(&after)
	n := float64(len(conns))
	b.ReportMetric((float64(after.HeapInuse)-float64(before.HeapInuse))/n, "heap-B/conn")
	b.ReportMetric((float64(after.StackInuse)-float64(before.StackInuse))/n, "stack-B/conn")
	for _, c := range conns {
		c.Abort()
		_ = c.join(context.Background())
	}
}
