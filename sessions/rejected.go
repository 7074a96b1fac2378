package sessions

import (
	"sync"
	"time"
)

const (
	rejectedFor = 45 * time.Second
	rejectedMax = 8192
)

// rejections remembers refused credentials for a moment, so that guessing, or a client
// that does not give up, never reaches the upstream or the Store at speed.
type rejections struct {
	mu sync.Mutex
	at map[digest]time.Time
}

// add remembers key. When there are too many, those that have had their time go first,
// and then any: the bound matters more than the memory.
func (r *rejections) add(key digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[digest]time.Time{}
	}
	now := time.Now()
	if len(r.at) >= rejectedMax {
		for k, t := range r.at {
			if now.Sub(t) >= rejectedFor {
				delete(r.at, k)
			}
		}
		for k := range r.at {
			if len(r.at) < rejectedMax {
				break
			}
			delete(r.at, k)
		}
	}
	r.at[key] = now
}

// has says whether key was refused a moment ago.
func (r *rejections) has(key digest) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.at[key]
	if ok && time.Since(t) >= rejectedFor {
		delete(r.at, key)
		return false
	}
	return ok
}

// drop forgets key: it has been accepted since.
func (r *rejections) drop(key digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.at, key)
}
