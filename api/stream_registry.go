package api

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// streamRegistry has the open event streams of an API. http.Server.Shutdown neither knows nor
// waits for hijacked connections, so the API has its own list of them.
type streamRegistry struct {
	mu         sync.Mutex
	limit      int // open streams of one session
	draining   bool
	streams    map[*entry]struct{}
	perSession map[sessions.ID]int
	refusals   int            // sockets that are open only to be told why they are refused
	wg         sync.WaitGroup // one for each open stream and refusal

	drainOver context.Context // ends when a drain waits no longer: connections are cut then
	endDrain  context.CancelFunc

	tickets *tickets
}

// entry is one open stream.
type entry struct {
	session   sessions.ID // "" when another node has the session: see relay
	transport string      // one of Transports
	stream    *stream     // nil when another node has the session
	since     time.Time
	// closeAfter receives once, when a drain begins, after how long a relay is to be closed.
	closeAfter chan time.Duration
}

// leave says, once, after how long the stream is to be closed.
func (e *entry) leave(after time.Duration) {
	if e.stream != nil {
		e.stream.drain(after)
	} else {
		e.closeAfter <- after
	}
}

func newStreamRegistry(o Options) *streamRegistry {
	s := &streamRegistry{
		limit: o.StreamsPerToken, streams: map[*entry]struct{}{}, perSession: map[sessions.ID]int{},
		tickets: newTickets(o.TicketLife),
	}
	s.drainOver, s.endDrain = context.WithCancel(context.Background())
	return s
}

func (s *streamRegistry) setLimit(limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = limit
}

// drainContext ends when a drain waits no longer.
func (s *streamRegistry) drainContext() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drainOver
}

// resume ends a drain: streams are opened again. Those that the drain has told to leave do so.
func (s *streamRegistry) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		return
	}
	s.draining = false
	s.endDrain() // what still belongs to the drain that was given up is cut
	s.drainOver, s.endDrain = context.WithCancel(context.Background())
}

// openStream is an open event stream as operators see it.
type openStream struct {
	transport string
	since     time.Time
}

// of lists the open streams of a session of this node, oldest first.
func (s *streamRegistry) of(id sessions.ID) []openStream {
	s.mu.Lock()
	list := []openStream{}
	for e := range s.streams {
		if e.session == id {
			list = append(list, openStream{e.transport, e.since})
		}
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b openStream) int { return a.since.Compare(b.since) })
	return list
}

var errStopping error = perch.Errorf(perch.KindDraining, "this node is stopping: connect again")

// open registers a stream of a session; close must follow. The error is KindDraining, or
// KindQuotaExceeded when the session has as many open streams as it may.
func (s *streamRegistry) open(id sessions.ID, transport string, st *stream) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, errStopping
	}
	if s.perSession[id] >= s.limit {
		return nil, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: 5 * time.Second,
			Detail: "the session has as many open event streams as are allowed: close one first"}
	}
	s.perSession[id]++
	return s.add(&entry{session: id, transport: transport, stream: st}), nil
}

// openRelay registers a stream whose session another node has; close must follow. The error is
// KindDraining.
func (s *streamRegistry) openRelay(transport string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, errStopping
	}
	return s.add(&entry{transport: transport, closeAfter: make(chan time.Duration, 1)}), nil
}

func (s *streamRegistry) add(e *entry) *entry {
	e.since = time.Now()
	s.streams[e] = struct{}{}
	s.wg.Add(1)
	return e
}

func (s *streamRegistry) close(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, e)
	if e.session != "" {
		if s.perSession[e.session]--; s.perSession[e.session] == 0 {
			delete(s.perSession, e.session)
		}
	}
	s.wg.Done()
}

// maxGuests bounds the sockets that are open only to be refused.
const maxRefusals = 256

// acquireRefusal reports whether a refusal may be sent on an open socket; then releaseRefusal
// must follow.
func (s *streamRegistry) acquireRefusal() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining || s.refusals >= maxRefusals {
		return false
	}
	s.refusals++
	s.wg.Add(1)
	return true
}

func (s *streamRegistry) releaseRefusal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals--
	s.wg.Done()
}

// beginDrain gives every open stream the time when it is closed, spread evenly with jitter, so
// that the clients do not reconnect all at once. With together, the streams of one session are
// closed at the same time, because the session is handed off to another node then. Only the
// first call does anything.
func (s *streamRegistry) beginDrain(deadline time.Duration, together bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return
	}
	s.draining = true
	times := len(s.streams)
	if together {
		times = len(s.perSession)
		for e := range s.streams {
			if e.session == "" {
				times++
			}
		}
	}
	slot, i := drainWindow(len(s.streams), deadline)/time.Duration(max(1, times)), 0
	of := make(map[sessions.ID]time.Duration)
	for e := range s.streams { // map order: no stream is always first
		after, known := of[e.session]
		if !known || !together || e.session == "" {
			after = time.Duration(i)*slot + rand.N(slot+1)
			of[e.session] = after
			i++
		}
		e.leave(after)
	}
}

// cut closes the connections of the streams that no request belongs to, and tells the others that
// the drain is over.
func (s *streamRegistry) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endDrain()
	for e := range s.streams {
		if e.stream != nil {
			e.stream.mail.cut()
		}
	}
}

// drainWindow is the time over which n streams are closed: 5 ms for each, at least a quarter of
// a second, and never more than half of the deadline; the rest is for closing handshakes.
func drainWindow(n int, deadline time.Duration) time.Duration {
	return min(max(250*time.Millisecond, time.Duration(n)*5*time.Millisecond), deadline/2)
}

// Resume ends a drain: the node is ready, and opens streams. Call it when Drain has returned.
func (a *API) Resume() {
	a.streams.resume()
	a.draining.Store(false)
}

// drainTime is how long a drain may take when its context has no deadline.
const drainTime = 20 * time.Second

// Drain ends every event stream and refuses new ones. Long polls answer at once; the
// others get reconnect{after_ms}, with delays spread over the time that ctx leaves, and are
// closed with 4200 after that delay. All are closed when Drain returns: those that are still
// open when ctx ends are cut. Where there are other nodes, a session is handed off before its
// streams are closed, all at the same time. Drain may be called more than once, from any
// goroutine; call it before http.Server.Shutdown, which would wait for streams that it knows and
// forget the ones that it does not.
func (a *API) Drain(ctx context.Context) {
	a.draining.Store(true)
	deadline := drainTime
	if t, ok := ctx.Deadline(); ok {
		deadline = max(0, time.Until(t))
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	stop := context.AfterFunc(ctx, a.streams.cut)
	defer stop()
	a.streams.beginDrain(deadline, a.o.Sessions.Self().ID != "")
	a.streams.wg.Wait()
	a.runner.wg.Wait()
}
