package cache_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/sessions"
)

// TestRedisClockOfTheNodeJumps moves the clock of the node by an hour, back and ahead, between
// commits. Order is by offsets and lives are counted by Redis, so nothing is lost, reordered,
// or over before its time.
func TestRedisClockOfTheNodeJumps(t *testing.T) {
	w := realRedis(t)
	var ahead atomic.Int64
	r := w.open(t, cache.RedisOptions{})
	r.SetNow(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	o := own(t, r, "a1")
	offset := uint64(0)
	for i, jump := range []time.Duration{0, -time.Hour, time.Hour, 0} {
		ahead.Store(int64(jump))
		key := fmt.Sprint("key-", i)
		for range 3 {
			offset++
			o.ok(&sessions.Commit{Events: o.event(offset, fmt.Sprint(offset)), Record: &sessions.Record{}, Once: &sessions.Once{Key: fmt.Sprint(key, "-", offset), Answer: "m"}})
		}
		if _, err := r.Bind(t.Context(), key, sessions.Binding{ID: "a1"}); err != nil {
			t.Fatalf("r.Bind: got error %v, want none", err)
		}
	}
	for _, jump := range []time.Duration{-time.Hour, time.Hour, 0} {
		ahead.Store(int64(jump))
		page, err := r.Log(t.Context(), "a1", 0, 100)
		if err != nil || page.Tip != offset || len(page.Events) != int(offset) {
			t.Fatalf("%v: tip %d with %d events, want %d: %v", jump, page.Tip, len(page.Events), offset, err)
		}
		for i, e := range page.Events {
			if e.Position.Offset != uint64(i+1) {
				t.Errorf("%v: event %d has the offset %d, want %v", jump, i+1, e.Position.Offset, uint64(i+1))
			}
		}
		all, err := r.Bindings(t.Context())
		if err != nil || len(all) != 4 {
			t.Errorf("%v: %d tokens, want 4: %v", jump, len(all), err)
		}
		if res := o.commit(&sessions.Commit{Once: &sessions.Once{Key: "key-1-4", Answer: "n"}}); res.Existing == nil {
			t.Errorf("%v: an idempotency key that was used is free: %v, want one", jump, res.Err)
		}
	}
	for _, key := range w.keys(t) {
		left, err := w.client.PTTL(t.Context(), key).Result()
		if err != nil || left < 23*time.Hour+50*time.Minute && key != "perch:probe" && key != "perch:{nodes}:beats" {
			t.Errorf("%s ends in %v: its life was counted by the node's clock (%v), want no error and %q", key, left, err, "perch:{nodes}:beats")
		}
	}
}
