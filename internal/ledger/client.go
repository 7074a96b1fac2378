package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// client is one event stream of an account, written from docs/events.md and nothing else: it
// keeps a cursor, resumes with it, backs off with jitter, and reads the archive after a
// reset. Every now and then its network goes away for a while.
type client struct {
	name    string
	account *account
	h       *history
	open    func(ctx context.Context, c *client) (stream, error)
	random  *rand.Rand
	calm    *atomic.Bool // its network is good from now on

	cursor  string
	seen    time.Time // when the newest message came
	attempt int
	lostAt  time.Time // of a reset after which the archive has still to be read: seen
	asked   time.Time // when the archive was asked last
	reading *archiveRead
	isRead  map[string]bool // conversations and rooms, since the reset
	view    *view
	// Of rooms: those that there are, when the newest message of each came, the same at a reset, and what
	// is told when the session is on a new stream.
	rooms    []*room
	roomSeen map[string]time.Time
	roomLost map[string]time.Time
	cameBack func()

	live   chan struct{}
	isLive bool // it was, once
	isNow  bool // this connection has replayed all that came before it
}

// stream is one connection, in one of the encodings.
type stream interface {
	// next gives the next frame; the error has the close code, if there was one.
	next(ctx context.Context) (frame, error)
	close()
}

const (
	silence    = 60 * time.Second // then the connection counts as lost, says docs/events.md
	backoffMin = 500 * time.Millisecond
	backoffMax = 30 * time.Second
	online     = 12 * time.Second // mean time until the client's own network is lost
	away       = 3 * time.Second  // mean time until it is back
)

// run holds the stream until ctx ends.
func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if !pause(ctx, c.delay(err)) {
			return
		}
	}
}

// errAway is the client's own network that went away.
var errAway = errors.New("the client's network went away")

// refusal is an end that the gateway has explained.
type refusal struct {
	code  int // of HTTP, or of the close frame
	after time.Duration
	text  string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.code, r.text) }

// delay obeys the ranges of the close codes.
func (c *client) delay(err error) time.Duration {
	var r *refusal
	switch {
	case errors.Is(err, errAway):
		return time.Duration(c.random.ExpFloat64() * float64(away))
	case errors.As(err, &r) && r.code >= 4200 && r.code < 4300:
		return r.after // at once, or when the node said
	case errors.As(err, &r) && (r.code >= 4000 && r.code < 4100 || r.code == 401 || r.code == 403):
		c.h.add(Entry{Op: OpStop, Phase: Info, Who: c.name, Account: c.account.Name, Text: r.Error()})
		return time.Second // it should stop here; the run continues, and fails in the end
	}
	c.h.add(Entry{Op: OpNote, Phase: Info, Who: c.name, Text: fmt.Sprint("stream ended: ", err)})
	top := min(backoffMin<<min(c.attempt, 10), backoffMax)
	c.attempt++
	d := time.Duration(c.random.Int64N(int64(top)) + 1)
	if r != nil {
		d = max(d, r.after)
	}
	return d
}

// session is one connection, from its opening to its end.
func (c *client) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opening, opened := context.WithTimeout(ctx, requestTime)
	s, err := c.open(opening, c)
	opened()
	if err != nil {
		return err
	}
	defer s.close()
	leave := time.Now().Add(time.Duration(c.random.ExpFloat64() * float64(online)))
	after := time.Duration(-1) // of a reconnect frame
	for {
		limit := time.Now().Add(silence)
		if !c.calm.Load() && leave.Before(limit) {
			limit = leave
		}
		reading, cancel := context.WithDeadline(ctx, limit)
		f, err := s.next(reading)
		ended := reading.Err() != nil
		cancel()
		switch {
		case err != nil && ended && limit.Equal(leave):
			return errAway
		case err != nil:
			return afterReconnect(err, after)
		}
		// What has come is dealt with, also when the time is over meanwhile.
		if f.Type == "reconnect" {
			after = time.Duration(f.Data.AfterMS) * time.Millisecond
		}
		c.handle(ctx, f)
	}
}

// afterReconnect is the end of a stream after a reconnect frame, which says when to reconnect:
// not every encoding has a close code.
func afterReconnect(err error, after time.Duration) error {
	if after < 0 {
		return err
	}
	return &refusal{code: 4200, after: after, text: err.Error()}
}
