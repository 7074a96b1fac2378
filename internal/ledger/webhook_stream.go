package ledger

import (
	"context"
	"time"
)

// webhookStream is what comes by the calls of a webhook, as a stream: a client takes it for one.
type webhookStream struct {
	r      *receiver
	calls  chan call
	closed chan struct{}
	frames []frame // that the client has not dealt with
	taken  func()  // says that it has; nil: there is no call
}

// call is one that waits for its answer.
type call struct {
	frames []frame
	done   chan struct{} // closed when the client has dealt with all of them
}

// openWebhook makes sure that the webhook is there, and lets its receiver work.
func (r *receiver) openWebhook(ctx context.Context, c *client) (stream, error) {
	if !r.enter(ctx) {
		return nil, ctx.Err()
	}
	defer r.leave()
	s := &webhookStream{r: r, calls: make(chan call), closed: make(chan struct{})}
	if !c.isLive || time.Since(c.seen) > silence {
		cursor, err := r.put(ctx)
		if err != nil {
			return nil, err
		}
		if s.frames = []frame{live(cursor)}; !c.isLive {
			s.frames = []frame{hello("first"), live(cursor)}
		}
	}
	r.stream = s
	return s, nil
}

// hand gives the client the frames of a call, and reports whether it has dealt with all of them.
func (s *webhookStream) hand(ctx context.Context, frames []frame) bool {
	c := call{frames, make(chan struct{})}
	select {
	case s.calls <- c:
	case <-s.closed:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case <-c.done:
		return true
	case <-s.closed:
	}
	select {
	case <-c.done: // before it went away
		return true
	default:
		return false
	}
}

// next gives the rest of a call even when the time is over: a call is dealt with as a whole.
func (s *webhookStream) next(ctx context.Context) (f frame, err error) {
	if len(s.frames) == 0 && s.taken != nil {
		s.taken()
		s.taken = nil
	}
	if len(s.frames) == 0 {
		select {
		case c := <-s.calls:
			s.frames, s.taken = c.frames, func() { close(c.done) }
		case <-ctx.Done():
			return f, ctx.Err()
		}
	}
	f, s.frames = s.frames[0], s.frames[1:]
	return f, nil
}

// close is the begin of the client's absence. What a call has brought then is dealt with: next was called
// after its last frame.
func (s *webhookStream) close() {
	close(s.closed)
	s.r.turn <- struct{}{}
	s.r.stream = nil
	<-s.r.turn
}
