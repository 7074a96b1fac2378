package cache

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// verdict says what an error of a round trip means for the next try.
type verdict int

const (
	refused   verdict = iota // Redis said no: nothing was changed and asking again is no use
	retryable                // not now, or not known whether it was done
	noScript                 // the script is not loaded (any more)
)

// An error reply of Redis begins with a word that is its code, and what follows is for
// people. The codes that decide anything are named here and in transientReplies, nowhere else.
const (
	replyNoScript = "NOSCRIPT" // the script is not loaded (any more)
	replyReadOnly = "READONLY" // a replica
	replyOOM      = "OOM"      // maxmemory is reached, and nothing may be evicted
)

// transientReplies are the errors that Redis gives while it starts, fails over or moves slots, or
// while its disk or its replicas are away. Most pass in the time that a write is tried. That
// there are too many clients has no code of its own, only ERR.
var transientReplies = []string{"LOADING", replyReadOnly, "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "MOVED", "ASK",
	"BUSY", "NOREPLICAS", "MISCONF", "ERR max number of clients", "UNBLOCKED"}

func verdictOf(err error) verdict {
	isAny := func(codes ...string) bool {
		return slices.ContainsFunc(codes, func(code string) bool { return isReply(err, code) })
	}
	switch _, ok := errors.AsType[redis.Error](err); {
	case !ok:
		return retryable // the network: it may or may not have been done
	case errors.Is(err, redis.Nil):
		return refused
	case isReply(err, replyNoScript):
		return noScript
	case isAny(transientReplies...):
		return retryable
	}
	return refused
}

// isReply reports whether err is an error reply of Redis with that code. (The helpers of
// go-redis, such as IsOOMError, compare the texts of errors that are no replies, too.)
func isReply(err error, code string) bool {
	reply, ok := errors.AsType[redis.Error](err)
	return ok && strings.HasPrefix(reply.Error(), code)
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
