package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/perch-im/perch/sessions"
)

// maxCounters bounds the counters of a memory store. One more takes the place of the one that
// has all its attempts again soonest.
const maxCounters = 1 << 16

// Reserve implements sessions.Store. What a counter has used is the time that its key has
// left to live, so that it needs no clock but that of Redis, and ends by itself.
func (r *Redis) Reserve(ctx context.Context, key string, q sessions.Quota) (sessions.Allowance, error) {
	reply, err := r.run(ctx, "reserve", reserveScript, []string{r.keys.attempts(key)}, q.Burst, ms(q.Every))
	if err != nil {
		return sessions.Allowance{}, err
	}
	if len(reply) != 3 {
		return sessions.Allowance{}, corrupt(fmt.Errorf("reserve: %d parts", len(reply)))
	}
	ok, _ := reply[0].(int64)
	left, _ := reply[1].(int64)
	return sessions.Allowance{OK: ok == 1, Left: int(left), Wait: span64(reply[2])}, nil
}

// Refund implements sessions.Store. It is not repeated when its answer is lost: it might
// give back what was never taken.
func (r *Redis) Refund(ctx context.Context, key string, q sessions.Quota) error {
	start, traced := time.Now(), r.trace(ctx, "refund", 1)
	err := refundScript.Run(ctx, r.client, []string{r.keys.attempts(key)}, ms(q.Every)).Err()
	r.observe("refund", start, traced, err)
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// Reserve implements sessions.Store.
func (m *Memory) Reserve(_ context.Context, key string, q sessions.Quota) (sessions.Allowance, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return sessions.Allowance{}, errClosed
	}
	now := m.now()
	full, _ := m.attempts.Get(key, now)
	next, a := q.Take(full.Sub(now))
	if a.OK {
		m.attempts.Put(key, now.Add(next), now, next)
	}
	return a, nil
}

// Refund implements sessions.Store.
func (m *Memory) Refund(_ context.Context, key string, q sessions.Quota) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	full, _ := m.attempts.Get(key, now)
	if used := q.GiveBack(full.Sub(now)); used > 0 {
		m.attempts.Put(key, now.Add(used), now, used)
	} else {
		m.attempts.Delete(key, now)
	}
	return nil
}
