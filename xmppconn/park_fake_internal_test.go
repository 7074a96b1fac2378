package xmppconn

import (
	"net"
	"os"
	"sync"
	"time"

	"github.com/perch-im/perch/xmppconn/internal/readiness"
)

// fakePoller parks the readers of peekConns, so that connections over pipes are parked too, by the
// clock of synctest. A step of a test may come before each of its own.
type fakePoller struct {
	mu      sync.Mutex
	steps   pollerSteps
	readers map[readiness.Ticket]readiness.Reader
	last    readiness.Ticket
	parked  int // how often a reader was armed
}

// pollerSteps are what a test does at certain moments, once; nil: nothing.
type pollerSteps struct {
	beforeArm  func() // after Register, before Arm
	beforeCall func() // after there is something to read, before the reader is called
}

// step takes one of the steps, to be run.
func (p *fakePoller) step(of func(*pollerSteps) *func()) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	place := of(&p.steps)
	f := *place
	if *place = nil; f == nil {
		return func() {}
	}
	return f
}

func (p *fakePoller) plan(s pollerSteps) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps = s
}

func (p *fakePoller) Register(conn net.Conn, r readiness.Reader) readiness.Ticket {
	if _, ok := conn.(*peekConn); !ok {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readers == nil {
		p.readers = map[readiness.Ticket]readiness.Reader{}
	}
	p.last++
	p.readers[p.last] = r
	return p.last
}

func (p *fakePoller) Arm(t readiness.Ticket, conn net.Conn) error {
	p.step(func(s *pollerSteps) *func() { return &s.beforeArm })()
	p.mu.Lock()
	p.parked++
	p.mu.Unlock()
	go func() {
		if !conn.(*peekConn).await() {
			return // as epoll forgets a descriptor that is closed
		}
		p.step(func(s *pollerSteps) *func() { return &s.beforeCall })()
		if r := p.take(t); r != nil {
			r.Readable()
		}
	}()
	return nil
}

func (p *fakePoller) Cancel(t readiness.Ticket) bool { return p.take(t) != nil }

func (p *fakePoller) take(t readiness.Ticket) readiness.Reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.readers[t]
	delete(p.readers, t)
	return r
}

// held is how many readers are parked now, and times how often one was.
func (p *fakePoller) held() (now, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.readers), p.parked
}

// peekConn is a connection that can say when there is something to read, as epoll can of a socket:
// one goroutine reads, and Read takes what that has read.
type peekConn struct {
	net.Conn
	ready chan struct{} // has one element while got or err is there

	mu       sync.Mutex
	got      []byte
	err      error
	deadline time.Time
	changed  chan struct{} // closed when the deadline changes
	taken    chan struct{} // has an element when got is empty
	closed   chan struct{} // closed by Close
	onClose  func()        // is called by Close first; nil: nothing
	onZero   func()        // is called when the deadline of reads is taken away; nil: nothing
	most     int           // bytes of one Read; 0: all
	writing  error         // what Write fails with; nil: it works
}

func newPeekConn(c net.Conn) *peekConn {
	p := &peekConn{Conn: c, ready: make(chan struct{}, 1), changed: make(chan struct{}), taken: make(chan struct{}, 1), closed: make(chan struct{})}
	go p.pump()
	return p
}

// pump reads once what was read before is taken, and ends with the connection.
func (p *peekConn) pump() {
	for {
		buf := make([]byte, 16<<10)
		n, err := p.Conn.Read(buf)
		p.put(buf[:n], err)
		if err != nil {
			return
		}
		<-p.taken
	}
}

// set changes what the test decides.
func (p *peekConn) set(f func(*peekConn)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

func (p *peekConn) Write(b []byte) (int, error) {
	p.mu.Lock()
	err := p.writing
	p.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

// Close ends the pump too.
func (p *peekConn) Close() error {
	p.mu.Lock()
	onClose := p.onClose
	if p.onClose = nil; !isClosed(p.closed) {
		close(p.closed)
	}
	p.mu.Unlock()
	if onClose != nil {
		onClose()
	}
	err := p.Conn.Close()
	select {
	case p.taken <- struct{}{}:
	default:
	}
	return err
}

func (p *peekConn) put(b []byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, b...)
	p.err = err
	p.signal()
}

// signal says that there is something. The caller holds mu.
func (p *peekConn) signal() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// await returns when there is something to read, and leaves it there. False: p was closed.
func (p *peekConn) await() bool {
	select {
	case <-p.closed:
		return false
	case <-p.ready:
		p.signal()
		return true
	}
}

func (p *peekConn) Read(b []byte) (int, error) {
	for {
		p.mu.Lock()
		deadline, changed := p.deadline, p.changed
		p.mu.Unlock()
		var timer *time.Timer
		var over <-chan time.Time
		if !deadline.IsZero() {
			if !deadline.After(time.Now()) {
				return 0, os.ErrDeadlineExceeded
			}
			timer = time.NewTimer(time.Until(deadline))
			over = timer.C
		}
		select {
		case <-p.ready:
			stopTimer(timer)
			return p.take(b)
		case <-changed:
			stopTimer(timer)
		case <-over:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func stopTimer(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

func (p *peekConn) take(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most > 0 {
		b = b[:min(len(b), p.most)]
	}
	n := copy(b, p.got)
	if p.got = p.got[n:]; len(p.got) > 0 || p.err != nil {
		p.signal()
	} else {
		select {
		case p.taken <- struct{}{}:
		default:
		}
	}
	if n == 0 {
		return 0, p.err
	}
	return n, nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (p *peekConn) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	onZero := p.onZero
	p.mu.Unlock()
	if t.IsZero() && onZero != nil {
		onZero()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	close(p.changed)
	p.changed = make(chan struct{})
	return nil
}

func (p *peekConn) SetDeadline(t time.Time) error {
	_ = p.SetReadDeadline(t)
	return p.Conn.SetWriteDeadline(t)
}
