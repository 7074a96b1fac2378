package sessions

import (
	"sync"
	"time"

	"github.com/perch-im/perch/internal/ttlmap"
)

const (
	rejectedFor = 45 * time.Second
	rejectedMax = 8192
)

// rejections remembers refused credentials for a moment, so that guessing, or a client
// that does not give up, never reaches the upstream or the Store at speed. It keeps with which
// words each was refused: a credential that the upstream never saw is not said to be refused
// by it.
type rejections struct {
	mu  sync.Mutex
	why ttlmap.Map[digest, error]
}

func newRejections() *rejections {
	return &rejections{why: ttlmap.Map[digest, error]{Max: rejectedMax}}
}

// add remembers key. When there are too many, those that have expired go first, and then the
// oldest.
func (r *rejections) add(key digest, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.why.Put(key, why, time.Now(), rejectedFor)
}

// get returns why key was refused a moment ago, or nil.
func (r *rejections) get(key digest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	why, _ := r.why.Get(key, time.Now())
	return why
}

// drop forgets key: it has been accepted since.
func (r *rejections) drop(key digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.why.Delete(key, time.Now())
}
