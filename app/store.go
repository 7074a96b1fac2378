package app

import (
	"context"
	"fmt"
	"time"

	"github.com/perch-im/perch/cache"
)

// storeCheckTime bounds the checks of Redis at start.
const storeCheckTime = 10 * time.Second

// buildStore opens the store that keeps presence, rosters and logs.
func (a *App) buildStore() error {
	if a.o.RedisURL == "" {
		m := cache.NewMemory(cache.MemoryOptions{Retention: a.o.Retention})
		a.store = m
		a.onStop("store", m.Close)
		return nil
	}
	return a.openRedis(cache.NewRedis)
}

// openRedis opens the store in Redis, within storeCheckTime.
func (a *App) openRedis(open func(context.Context, cache.RedisOptions) (*cache.Redis, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), storeCheckTime)
	defer cancel()
	r, err := open(ctx, cache.RedisOptions{
		URL: a.o.RedisURL, Retention: a.o.Retention, Logger: a.log.With("component", "cache"),
		Observer: a.metrics.redisTrip, Trace: a.tracing.redis(), Version: a.o.Version,
	})
	if err != nil {
		return fmt.Errorf("--redis-url: %w", err)
	}
	a.store = r
	a.onStop("store", r.Close)
	return nil
}
