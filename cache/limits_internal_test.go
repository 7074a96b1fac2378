package cache

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// The tests of this file use limits up to their edge, with numbers that are written out.

// TestRedisOptionsEdge: what an option is that was left out, as docs/redis.md promises.
func TestRedisOptionsEdge(t *testing.T) {
	o := RedisOptions{}.withDefaults()
	got := []any{o.Prefix, o.StateTTL, o.Timeout, o.RetryFor, o.MaxQueue, o.MaxBytes, o.Retention}
	want := []any{"perch", 7 * 24 * time.Hour, time.Second, 3 * time.Second, 16_384, 67_108_864,
		sessions.Retention{Events: 10_000, Bytes: 8_388_608, Age: 24 * time.Hour}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("got %v, want %q", diff, "")
	}
}

// TestBatchEdge: one round trip carries 256 commits, or 1 MiB of them.
func TestBatchEdge(t *testing.T) {
	for _, tt := range []struct{ size, want int }{{100, 256}, {1 << 16, 16}, {1<<16 + 1, 15}, {2 << 20, 1}} {
		w := &writer{}
		for range 300 {
			w.queue = append(w.queue, &job{size: tt.size})
		}
		if batch, _ := w.nextBatch(); len(batch) != tt.want {
			t.Errorf("%d commits of %d bytes go in one round trip, want %d", len(batch), tt.size, tt.want)
		}
	}
}

// TestWatchEdges: Redis is asked every second which server it is; all logs are proved again
// after ten minutes, and after five seconds when that was refused.
func TestWatchEdges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{ended: make(chan struct{})}
		asked := 0
		proved := make(chan time.Time, 10)
		began := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.proveDue(func() bool { asked++; return false }, func() { proved <- time.Now() })
		}()
		first := <-proved
		if took := first.Sub(began); took != 10*time.Minute+time.Second || asked != 601 {
			t.Errorf("proved after %v and %d questions, want 10 min 1 s and 601", took, asked)
		}
		w.proveFailed.Store(true)
		if took := (<-proved).Sub(first); took != 6*time.Second {
			t.Errorf("proved again after %v, want 6 s", took)
		}
		close(w.ended)
		<-done
	})
}

// TestServersEdge: 1,024 servers are remembered, and then the memory begins anew.
func TestServersEdge(t *testing.T) {
	known := map[string]bool{}
	for i := range 1025 {
		note(known, []string{fmt.Sprint(i)})
	}
	if note(known, []string{"0"}); len(known) != 1 {
		t.Errorf("%d servers are remembered after more than 1,024, want the newest alone", len(known))
	}
}

// TestCountersEdge: a memory store keeps 65,536 counters of attempts.
func TestCountersEdge(t *testing.T) {
	const most = 65_536
	m := NewMemory(MemoryOptions{})
	q := sessions.Quota{Burst: 1, Every: time.Hour}
	for i := range most {
		if a, err := m.Reserve(t.Context(), fmt.Sprint(i), q); err != nil || !a.OK {
			t.Fatalf("counter %d: %+v, %v, want no error and OK true", i, a, err)
		}
	}
	if n := m.attempts.Len(); n != most {
		t.Errorf("%d counters are kept, want all %d", n, most)
	}
	if a, err := m.Reserve(t.Context(), "one more", q); err != nil || !a.OK || m.attempts.Len() > most {
		t.Errorf("one more: %+v, %v, and %d counters; want it taken, and at most %d", a, err, m.attempts.Len(), most)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Errorf("m.Close: got error %v, want none", err)
	}
}

// TestReleasedEdge: a beat lists 256 sessions that were given up.
func TestReleasedEdge(t *testing.T) {
	now := time.Now()
	n := memNodes{released: map[sessions.ID]time.Time{}}
	for i := range 300 {
		n.released[sessions.ID(fmt.Sprint(i))] = now
	}
	if got := len(n.unowned(now)); got != 256 {
		t.Errorf("%d of 300 sessions are listed, want 256", got)
	}
}

// TestOffsetEdge: no event comes after offset 2^53, to which the Lua of Redis can count.
func TestOffsetEdge(t *testing.T) {
	for offset, want := range map[uint64]error{1 << 53: sessions.ErrLost, 1<<53 + 1: sessions.ErrOrder} {
		e := perch.NewEvent(perch.Position{Epoch: "e", Offset: offset}, perch.EventDropped, 1, nil)
		other := perch.NewEvent(e.Position, perch.EventDropped, 2, nil)
		l := &memLog{epoch: "e", tip: offset, entries: []memEntry{{event: other}}}
		if _, err := l.check([]*perch.Event{e}); !errors.Is(err, want) {
			t.Errorf("another event at %d: %v, want %v", offset, err, want)
		}
	}
}
