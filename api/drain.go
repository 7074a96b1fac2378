package api

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// streamState is what an API keeps for its event streams. http.Server.Shutdown neither
// knows nor waits for hijacked connections, so the API has its own list of them.
type streamState struct {
	limit int // open streams of one session

	mu       sync.Mutex
	draining bool
	open     map[*entry]struct{}
	count    map[sessions.ID]int
	guests   int            // sockets that are open only to hear why they are refused
	wg       sync.WaitGroup // one for each open stream and guest

	hard context.Context // ends when goodbyes are no longer waited for
	cut  context.CancelFunc

	tickets *tickets
}

// entry is one open stream. Plan receives once, when the drain begins, after how long the
// stream is to be closed.
type entry struct {
	session   sessions.ID // "" when another node has the session: see relay
	transport string      // one of Transports
	plan      chan time.Duration
}

func newStreamState(o Options) *streamState {
	s := &streamState{
		limit: o.StreamsPerToken, open: map[*entry]struct{}{}, count: map[sessions.ID]int{},
		tickets: newTickets(o.TicketLife),
	}
	s.hard, s.cut = context.WithCancel(context.Background())
	return s
}

var errStopping error = perch.Errorf(perch.KindDraining, "this node is stopping: connect again")

// enter registers a stream; leave must follow. The error is KindDraining, or
// KindQuotaExceeded when the session has its share of open streams.
func (s *streamState) enter(id sessions.ID, transport string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, errStopping
	}
	if s.count[id] >= s.limit {
		return nil, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: 5 * time.Second,
			Detail: "the session has as many open event streams as it may: close one first"}
	}
	s.count[id]++
	return s.register(id, transport), nil
}

// pass registers a stream of another node; leave must follow. The error is KindDraining.
func (s *streamState) pass(transport string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, errStopping
	}
	return s.register("", transport), nil
}

func (s *streamState) register(id sessions.ID, transport string) *entry {
	e := &entry{session: id, transport: transport, plan: make(chan time.Duration, 1)}
	s.open[e] = struct{}{}
	s.wg.Add(1)
	return e
}

func (s *streamState) leave(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, e)
	if e.session != "" {
		if s.count[e.session]--; s.count[e.session] == 0 {
			delete(s.count, e.session)
		}
	}
	s.wg.Done()
}

// maxGuests bounds the sockets that are open only to be refused.
const maxGuests = 256

// guest reports whether a refusal may be sent on an open socket; guestGone must follow.
func (s *streamState) guest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining || s.guests >= maxGuests {
		return false
	}
	s.guests++
	s.wg.Add(1)
	return true
}

func (s *streamState) guestGone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guests--
	s.wg.Done()
}

// begin marks the drain and gives every open stream its moment, spread evenly with
// jitter over window, so that the clients do not reconnect all at once. With together, the
// streams of one session have the same moment, because the session goes to another node
// then. Only the first call does anything.
func (s *streamState) begin(deadline time.Duration, together bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return
	}
	s.draining = true
	moments := len(s.open)
	if together {
		moments = len(s.count)
		for e := range s.open {
			if e.session == "" {
				moments++
			}
		}
	}
	slot, i := drainWindow(len(s.open), deadline)/time.Duration(max(1, moments)), 0
	of := make(map[sessions.ID]time.Duration)
	for e := range s.open { // map order: no stream is always first
		after, known := of[e.session]
		if !known || !together || e.session == "" {
			after = time.Duration(i)*slot + rand.N(slot+1)
			of[e.session] = after
			i++
		}
		e.plan <- after
	}
}

// drainWindow is over how long n streams leave: 5 ms for each, at least a quarter of a
// second, and never more than half of the time that there is; the rest is for goodbyes.
func drainWindow(n int, deadline time.Duration) time.Duration {
	return min(max(250*time.Millisecond, time.Duration(n)*5*time.Millisecond), deadline/2)
}

// drainTime is how long a drain may take when its context has no deadline.
const drainTime = 20 * time.Second

// Drain ends every event stream and refuses new ones. Long polls answer at once; the
// others get reconnect{after_ms}, with moments spread over the time that ctx leaves, and
// are closed with 4200 when their moment has come. All are gone when Drain returns: those
// that still linger when ctx ends are cut. Among other nodes, the moment of a stream is that
// of its session, which is handed over before the stream is closed. It may be called more than
// once, from any goroutine, and before http.Server.Shutdown, which would wait for streams that
// it knows and forget the ones that it does not.
func (a *API) Drain(ctx context.Context) {
	a.draining.Store(true)
	deadline := drainTime
	if t, ok := ctx.Deadline(); ok {
		deadline = max(0, time.Until(t))
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	stop := context.AfterFunc(ctx, a.stream.cut)
	defer stop()
	a.stream.begin(deadline, a.o.Sessions.Self().ID != "")
	a.stream.wg.Wait()
}
