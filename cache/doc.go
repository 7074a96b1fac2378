// Package cache keeps what must outlive a socket: it implements sessions.Store in memory
// ([Memory]) and on Redis ([Redis]). Both pass the one suite in cache/storetest.
//
// The memory store is the default and loses everything when the process ends; Durable
// says so. The Redis store keeps sessions across restarts and nodes. Its keys are listed
// in docs/redis.md.
package cache

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/perch-im/perch/sessions"
)

// newEpoch names a new log. Fifty random bits are enough to tell the few logs apart that
// one session ever has, and short enough to stand in every event id.
func newEpoch() string { return strings.ToLower(rand.Text()[:10]) }

// retention fills the zero fields of r with the defaults.
func retention(r sessions.Retention) sessions.Retention {
	d := sessions.DefaultRetention
	if r.Events <= 0 {
		r.Events = d.Events
	}
	if r.Bytes <= 0 {
		r.Bytes = d.Bytes
	}
	if r.Age <= 0 {
		r.Age = d.Age
	}
	return r
}

// stateTTL is how long the state of a session lives after its last write. A log is nothing
// without its tip.
func stateTTL(d time.Duration, keep sessions.Retention) time.Duration {
	if d <= 0 {
		d = 7 * 24 * time.Hour
	}
	return max(d, keep.Age)
}
