package sessions

import (
	"context"
	"sync"
	"time"

	"github.com/perch-im/perch"
)

// When a token was used is written rarely: what a request costs must not depend on it.
const (
	useEvery     = 5 * time.Minute  // that a use is noted again
	useElsewhere = time.Minute      // that it is when it comes from another address
	useDelay     = 10 * time.Second // until what was noted is written, together
	maxUses      = 10_000           // that wait for that; more are left out
	useTime      = 5 * time.Second  // that writing them may take
)

// tokenUses are the uses that are to be written. At most one goroutine writes, for a moment every useDelay.
type tokenUses struct {
	store func(context.Context, []NotedUse) error

	mu      sync.Mutex
	pending map[usedToken]TokenUse
	timer   *time.Timer // runs while something is pending
	closed  bool
	wg      sync.WaitGroup // the goroutine that writes
}

type usedToken struct {
	session ID
	key     digest
}

// note notes a use of a token, unless that was done a moment ago. The Manager's mutex is held.
func (u *tokenUses) note(id ID, t *boundToken, address string, now time.Time) {
	since := now.Sub(t.life.noted)
	if since < useElsewhere || since < useEvery && t.life.address == address {
		return
	}
	t.life.noted, t.life.address = now, address
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed || len(u.pending) >= maxUses {
		return
	}
	if u.pending == nil {
		u.pending = map[usedToken]TokenUse{}
	}
	u.pending[usedToken{id, t.key}] = TokenUse{At: perch.At(now), Address: address}
	if u.timer == nil {
		u.wg.Add(1)
		u.timer = time.AfterFunc(useDelay, func() {
			defer u.wg.Done()
			u.flush(context.Background())
		})
	}
}

// waiting returns the uses of a session that are not written yet.
func (u *tokenUses) waiting(id ID) map[string]TokenUse {
	u.mu.Lock()
	defer u.mu.Unlock()
	found := map[string]TokenUse{}
	for k, use := range u.pending {
		if k.session == id {
			found[k.key.String()] = use
		}
	}
	return found
}

// flush writes what is pending. What the Store does not take is left out: the next use is noted anew.
func (u *tokenUses) flush(ctx context.Context) {
	u.mu.Lock()
	list := make([]NotedUse, 0, len(u.pending))
	for k, use := range u.pending {
		list = append(list, NotedUse{Session: k.session, Token: k.key.String(), TokenUse: use})
	}
	u.pending, u.timer = nil, nil
	u.mu.Unlock()
	if len(list) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, useTime)
	defer cancel()
	_ = u.store(ctx, list)
}

// close writes what is pending, and notes nothing more.
func (u *tokenUses) close(ctx context.Context) {
	u.mu.Lock()
	u.closed = true
	if u.timer != nil && u.timer.Stop() {
		u.wg.Done()
	}
	u.mu.Unlock()
	u.wg.Wait()
	u.flush(ctx)
}
