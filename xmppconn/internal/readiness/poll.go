//go:build linux && !perch_blocking_reads

package readiness

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// pollEvents is how many events are fetched at once.
const pollEvents = 128

// poll is the goroutine: it calls the readers whose events come, and ends when none is registered.
func (p *Poller) poll(epoll *os.File) {
	raw, err := epoll.SyscallConn()
	events := make([]syscall.EpollEvent, pollEvents)
	for {
		n := 0
		if err == nil {
			n, err = fetch(raw, events)
		}
		for i := range events[:n] {
			p.call(ticketOf(&events[i]))
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil // interrupted, to look whether anything is left to do
		}
		if p.mayEnd() {
			return
		}
		if err != nil {
			p.fail(err)
			return
		}
	}
}

// fetch waits until there are events. Go's netpoller watches the epoll instance itself, by edges:
// it must be asked again after each wait until it has no event left.
func fetch(raw syscall.RawConn, events []syscall.EpollEvent) (n int, err error) {
	var waitErr error
	err = raw.Read(func(fd uintptr) bool {
		for waitErr = syscall.EINTR; errors.Is(waitErr, syscall.EINTR); {
			n, waitErr = syscall.EpollWait(int(fd), events, 0)
		}
		return n > 0 || waitErr != nil
	})
	return max(n, 0), errors.Join(err, os.NewSyscallError("epoll_wait", waitErr))
}

func ticketOf(e *syscall.EpollEvent) Ticket {
	return Ticket(uint32(e.Fd)) | Ticket(uint32(e.Pad))<<32
}

// call calls the reader of a ticket, if it is still in the table.
func (p *Poller) call(t Ticket) {
	if p.Fetched != nil {
		p.Fetched(t)
	}
	if r, ok := p.take(t); ok {
		r.Readable()
	}
}

// interrupt makes the goroutine look whether it may end. The caller holds mu.
func (p *Poller) interrupt() {
	if p.polling {
		p.interrupted = true
		_ = p.epoll.SetReadDeadline(time.Unix(1, 0))
	}
}

// mayEnd reports whether no reader is registered: the next Register starts a new goroutine.
func (p *Poller) mayEnd() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.interrupted {
		p.interrupted = false
		_ = p.epoll.SetReadDeadline(time.Time{})
	}
	p.polling = len(p.parked) > 0
	return !p.polling
}

// fail calls every reader that is registered. Nobody is registered any more.
func (p *Poller) fail(err error) {
	p.mu.Lock()
	parked := p.parked
	p.parked, p.polling, p.failed = nil, false, err
	p.mu.Unlock()
	for _, r := range parked {
		r.Readable()
	}
}
