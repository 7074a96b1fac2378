package cache_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/sessions"
)

// Trace is called for each round trip, with the context of the caller.
func TestRedisTrace(t *testing.T) {
	type callers struct{}
	seen := make(chan string, 100)
	s := mini(t).open(t, cache.RedisOptions{Trace: func(ctx context.Context, op string, n int) func(error) {
		begun := fmt.Sprint(op, " ", n, " ", ctx.Value(callers{}))
		return func(err error) { seen <- fmt.Sprint(begun, " ", err != nil) }
	}})
	for len(seen) > 0 {
		<-seen // the checks
	}
	o := own(t, s, "a1")
	o.ok(&sessions.Commit{})
	ctx := context.WithValue(t.Context(), callers{}, "a caller")
	_, _ = s.Lookup(ctx, "t1")
	_ = s.Healthy(ctx)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, _ = s.Message(ended, "a1", "nosuch")
	for _, want := range []string{"open 1 <nil> false", "commit 1 <nil> false", "lookup 1 a caller false", "message 1 a caller true"} {
		if got := <-seen; got != want {
			t.Errorf("round trip %q, want %q", got, want)
		}
	}
	if len(seen) > 0 {
		t.Errorf("and %s, want none", <-seen)
	}
}

// A round trip without a Trace costs no allocation for it.
func TestNoRedisTraceCostsNothing(t *testing.T) {
	ctx := t.Context()
	cost := func(o cache.RedisOptions) float64 {
		s := mini(t).open(t, o)
		return testing.AllocsPerRun(100, func() { s.Observed(ctx, "lookup") })
	}
	if n := cost(cache.RedisOptions{}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	ends := 0
	if n := cost(cache.RedisOptions{Trace: func(_ context.Context, op string, _ int) func(error) { return func(error) { ends += len(op) } }}); n == 0 || ends == 0 {
		t.Errorf("%v with a trace, %d: this test does not see any, want more than 0", n, ends)
	}
}
