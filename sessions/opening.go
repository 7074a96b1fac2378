package sessions

import (
	"context"
	"sync/atomic"
	"time"
)

// opening is the first login of a session, which callers wait for.
type opening struct {
	over  chan struct{} // closed when it is over, one way or the other
	err   error         // set before over is closed; nil: there is a session
	timer *time.Timer   // ends the wait
	// queued: a login waits for its turn among those of the upstream.
	queued atomic.Bool
	// loaded is called when the Store has given what it has, or could not; nil: by nobody.
	loaded func()
}

// knownWait is how long the first call waits for the login of a session that was online
// before: its caches answer meanwhile.
const knownWait = 2 * time.Second

// await waits for the first login. errGone says that the session has ended since.
func (s *Session) await(ctx context.Context) error {
	select {
	case <-s.opening.over:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.opening.err == nil && s.ctx.Err() != nil {
		return errGone
	}
	return s.opening.err
}

// finish answers those who wait, and reports whether it was the first to do so.
func (o *opening) finish(err error) bool {
	select {
	case <-o.over:
		return false
	default:
	}
	stop(o.timer)
	o.timer, o.err = nil, err
	close(o.over)
	return true
}
