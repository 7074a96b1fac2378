package cache

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// verdict says what an error of a round trip means for the next try.
type verdict int

const (
	refused  verdict = iota // Redis said no: nothing was changed and asking again is no use
	again                   // not now, or not known whether it was done
	noScript                // the script is not loaded (any more)
)

// transientReplies are the errors that Redis gives while it starts, fails over or moves slots, or
// while its disk or its replicas are away. Most pass in the time that a write is tried.
var transientReplies = []string{"LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "MOVED", "ASK",
	"BUSY", "NOREPLICAS", "MISCONF", "ERR max number of clients", "UNBLOCKED"}

func verdictOf(err error) verdict {
	reply, ok := errors.AsType[redis.Error](err)
	switch {
	case !ok:
		return again // the network: it may or may not have been done
	case errors.Is(err, redis.Nil):
		return refused
	case strings.HasPrefix(reply.Error(), "NOSCRIPT"):
		return noScript
	}
	for _, p := range transientReplies {
		if strings.HasPrefix(reply.Error(), p) {
			return again
		}
	}
	return refused
}

// Pauses between tries: from the first, doubled, to the last.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// sleep waits about d, so that nodes do not reconnect in step. It returns false when ctx
// ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
