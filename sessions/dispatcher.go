package sessions

import (
	"container/list"
	"net/url"
	"strings"
	"sync"
)

// How many deliveries of a node are under way at once.
const (
	maxSends           = 128
	maxSendsPerHost    = 32
	maxSendsPerSession = 4
)

// dispatcher gives the readers of all sessions of a node their turns. Those that wait are references in
// queues, one for each host, which take turns; each reader is in one of them at most once. So a host that
// does not answer holds up its own readers, and the events of those that wait are in the Store alone.
type dispatcher struct {
	mu       sync.Mutex
	hosts    map[string]*hostTurns
	ready    list.List // of *hostTurns: somebody waits, and one more may be sent there
	sessions map[ID]*sessionTurns
	running  int
	waiting  int
	closed   bool
	wg       sync.WaitGroup
}

// hostTurns are those of one host.
type hostTurns struct {
	name    string
	waiting list.List // of *ticket, the oldest first
	running int
	ready   *list.Element // in dispatcher.ready; nil: it is not there
}

// sessionTurns are those of one session. Waiting are those that were next at their host when the session
// had enough under way.
type sessionTurns struct {
	waiting list.List // of *ticket
	running int
}

// ticket is one turn of a reader.
type ticket struct {
	d       *dispatcher
	session ID
	host    string
	run     func()

	// Guarded by dispatcher.mu.
	in *list.List // where it waits; nil: nowhere any more
	at *list.Element
}

func newDispatcher() *dispatcher {
	return &dispatcher{hosts: map[string]*hostTurns{}, sessions: map[ID]*sessionTurns{}}
}

// hostOf is the host of an address, as the limit counts it: whatever its port.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// enqueue has run called in a goroutine of its own when it is the turn of the ticket; false: the node is
// stopping. run waits for its delivery at most, and may not enqueue.
func (d *dispatcher) enqueue(session ID, host string, run func()) (*ticket, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, false
	}
	t := &ticket{d: d, session: session, host: host, run: run}
	d.add(t, false)
	d.waiting++
	d.start()
	return t, true
}

// add puts a ticket into the queue of its host.
func (d *dispatcher) add(t *ticket, first bool) {
	h := d.hosts[t.host]
	if h == nil {
		h = &hostTurns{name: t.host}
		d.hosts[t.host] = h
	}
	t.in = &h.waiting
	if first {
		t.at = h.waiting.PushFront(t)
	} else {
		t.at = h.waiting.PushBack(t)
	}
	d.review(h)
}

// review has a host among the ready ones while it is.
func (d *dispatcher) review(h *hostTurns) {
	is := h.waiting.Len() > 0 && h.running < maxSendsPerHost
	switch {
	case is && h.ready == nil:
		h.ready = d.ready.PushBack(h)
	case !is && h.ready != nil:
		d.ready.Remove(h.ready)
		h.ready = nil
	}
	if h.running == 0 && h.waiting.Len() == 0 {
		delete(d.hosts, h.name)
	}
}

// start begins what may begin.
func (d *dispatcher) start() {
	for d.running < maxSends && d.ready.Len() > 0 {
		h := d.ready.Front().Value.(*hostTurns) //nolint:forcetypeassert // it has no other
		d.ready.Remove(h.ready)
		h.ready = nil // to the end, if more wait there
		t := h.waiting.Remove(h.waiting.Front()).(*ticket)
		s := d.sessions[t.session]
		if s == nil {
			s = &sessionTurns{}
			d.sessions[t.session] = s
		}
		if s.running >= maxSendsPerSession {
			t.in, t.at = &s.waiting, s.waiting.PushBack(t)
			d.review(h)
			continue
		}
		t.in, t.at = nil, nil
		d.waiting--
		d.running++
		h.running++
		s.running++
		d.review(h)
		d.wg.Go(func() {
			defer d.ended(h, s, t.session)
			t.run()
		})
	}
}

// ended makes room for the next one.
func (d *dispatcher) ended(h *hostTurns, s *sessionTurns, id ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running--
	h.running--
	s.running--
	d.review(h)
	// All of them, the oldest in front: who finds no place waits here again, until the next one ends.
	for last := s.waiting.Back(); last != nil; last = s.waiting.Back() {
		d.add(s.waiting.Remove(last).(*ticket), true)
	}
	if s.running == 0 {
		delete(d.sessions, id)
	}
	d.start()
}

// withdraw takes a ticket out of its queue, and reports false when its turn has begun.
func (t *ticket) withdraw() bool {
	d := t.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.in == nil {
		return false
	}
	t.in.Remove(t.at)
	t.in, t.at, t.run = nil, nil, nil
	d.waiting--
	if h := d.hosts[t.host]; h != nil {
		d.review(h)
	}
	return true
}

// others reports whether somebody waits for a turn.
func (d *dispatcher) others() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting > 0
}

// close takes no more, and waits for what is under way.
func (d *dispatcher) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.wg.Wait()
}

// Deliveries says how many deliveries are under way on this node, and how many readers wait for their turn.
func (m *Manager) Deliveries() (running, waiting int) {
	m.dispatcher.mu.Lock()
	defer m.dispatcher.mu.Unlock()
	return m.dispatcher.running, m.dispatcher.waiting
}
