package sessions

import (
	"sync"
	"time"
)

const (
	rejectedFor = 45 * time.Second
	rejectedMax = 8192
	// rejectedSweep is how often a full table is searched for those whose time is over. A
	// search for each that is added would cost more than the refusal itself.
	rejectedSweep = time.Second
)

// rejections remembers refused credentials for a moment, so that guessing, or a client
// that does not give up, never reaches the upstream or the Store at speed.
type rejections struct {
	mu    sync.Mutex
	at    map[digest]rejection
	swept time.Time // when expired ones were last searched for
}

// rejection is when a credential was refused, and with which words: a credential that the
// upstream never saw is not said to be refused by it.
type rejection struct {
	at  time.Time
	why error
}

// add remembers key. When there are too many, those that have expired go first, and then
// any: the bound matters more than the memory.
func (r *rejections) add(key digest, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[digest]rejection{}
	}
	now := time.Now()
	if len(r.at) >= rejectedMax {
		if now.Sub(r.swept) >= rejectedSweep {
			r.swept = now
			r.sweep(now)
		}
		for k := range r.at {
			if len(r.at) < rejectedMax {
				break
			}
			delete(r.at, k)
		}
	}
	r.at[key] = rejection{now, why}
}

// sweep evicts what has expired.
func (r *rejections) sweep(now time.Time) {
	for k, t := range r.at {
		if now.Sub(t.at) >= rejectedFor {
			delete(r.at, k)
		}
	}
}

// get returns why key was refused a moment ago, or nil.
func (r *rejections) get(key digest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.at[key]
	if !ok {
		return nil
	}
	if time.Since(t.at) >= rejectedFor {
		delete(r.at, key)
		return nil
	}
	return t.why
}

// drop forgets key: it has been accepted since.
func (r *rejections) drop(key digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.at, key)
}
