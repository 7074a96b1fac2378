package cache

import (
	"context"
	"sync"
	"time"
)

// healthFor is how long an answer about the health of the store holds.
const healthFor = time.Second

// health is the result of the last write, so that asking costs nothing while writes flow.
type health struct {
	probing sync.Mutex // held by the one that asks Redis

	mu     sync.Mutex
	err    error
	known  time.Time
	closed bool
}

// close makes errClosed the last answer.
func (h *health) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed, h.err = true, errClosed
}

func (h *health) set(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.err, h.known = err, time.Now()
	}
}

func (h *health) get() (err error, fresh bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err, h.closed || time.Since(h.known) < healthFor
}

// Healthy implements sessions.Store. It asks Redis at most once a second, with a write,
// because a full Redis still reads; other callers get the last answer meanwhile.
func (r *Redis) Healthy(ctx context.Context) error {
	err, fresh := r.health.get()
	if fresh || !r.health.probing.TryLock() {
		return err
	}
	defer r.health.probing.Unlock()
	start := time.Now()
	err = r.probe(ctx)
	r.observe("probe", start, nil, err)
	if err != nil && ctx.Err() != nil {
		return err // the caller's time ended, which says nothing about Redis
	}
	r.health.set(err)
	return err
}

// probe is one write that is not repeated.
func (r *Redis) probe(ctx context.Context) error {
	if err := r.client.Set(ctx, r.keys.probe(), "1", time.Minute).Err(); err != nil {
		return unavailable(err)
	}
	return nil
}
