//go:build linux && !perch_blocking_reads

package readiness

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
)

// Supported reports whether this build can park readers.
const Supported = true

// Reader is what a Poller calls.
type Reader interface {
	// Readable says that there is something to read, or that the connection has failed. It is
	// called once for a ticket, and must not wait.
	Readable()
}

// Ticket stands for one registration. No two are alike; 0 is none.
type Ticket uint64

// Poller watches sockets. The zero value is ready for use, and its methods are safe for concurrent
// use. It has a goroutine only while a reader is registered.
type Poller struct {
	// Fetched is for tests: it is called with every event, before its ticket is looked up. Nil:
	// nothing is.
	Fetched func(Ticket)

	mu     sync.Mutex
	epoll  *os.File // nil: not made yet
	failed error    // why it cannot be used
	parked map[Ticket]Reader
	last   Ticket

	polling     bool // the goroutine is there
	interrupted bool // and is to look whether it may end
}

// Register makes r one of those that are called, for conn, once that is armed. From then on the
// reader belongs to whoever takes the ticket out. 0: this cannot be done, as conn is no socket of
// the system's, or there is no epoll instance.
func (p *Poller) Register(conn net.Conn, r Reader) Ticket {
	if _, ok := conn.(syscall.Conn); !ok {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open() != nil {
		return 0
	}
	if p.parked == nil {
		p.parked = map[Ticket]Reader{}
	}
	p.last++
	p.parked[p.last] = r
	if !p.polling {
		p.polling = true
		go p.poll(p.epoll)
	}
	return p.last
}

// open makes the epoll instance, if there is none. The caller holds mu.
func (p *Poller) open() error {
	if p.epoll != nil || p.failed != nil {
		return p.failed
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err == nil {
		if err = syscall.SetNonblock(fd, true); err != nil {
			_ = syscall.Close(fd)
		}
	}
	if err != nil {
		p.failed = os.NewSyscallError("epoll_create1", err)
		return p.failed
	}
	p.epoll = os.NewFile(uintptr(fd), "epoll")
	return nil
}

// epollOneShot is EPOLLONESHOT: package syscall has no name for it.
const epollOneShot = 1 << 30

// Arm lets the ticket's reader be called as soon as there is something to read on conn, or at once
// if there is already. After an error it is not called for this, and the ticket is still there,
// unless it was taken out meanwhile: Cancel tells.
func (p *Poller) Arm(t Ticket, conn net.Conn) error {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return errors.ErrUnsupported
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	event := syscall.EpollEvent{
		Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | epollOneShot,
		Fd:     int32(uint32(t)), Pad: int32(uint32(t >> 32)), // the two halves of a ticket
	}
	var armErr error
	err = raw.Control(func(fd uintptr) { armErr = p.control(int(fd), &event) })
	return errors.Join(err, armErr)
}

// control adds a descriptor, or changes what it is there for.
func (p *Poller) control(fd int, event *syscall.EpollEvent) error {
	raw, err := p.epoll.SyscallConn()
	if err != nil {
		return err
	}
	var ctlErr error
	err = raw.Control(func(epoll uintptr) {
		ctlErr = syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_MOD, fd, event)
		if errors.Is(ctlErr, syscall.ENOENT) { // the first time
			ctlErr = syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_ADD, fd, event)
		}
	})
	return errors.Join(err, os.NewSyscallError("epoll_ctl", ctlErr))
}

// Cancel takes the ticket out of the table. True: its reader was not called and never will be, and
// belongs to the caller. False: it was called, or another call of Cancel has it; 0 is in no table.
func (p *Poller) Cancel(t Ticket) bool {
	if t == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.parked[t]
	delete(p.parked, t)
	if ok && len(p.parked) == 0 {
		p.interrupt()
	}
	return ok
}

// Parked is how many readers are registered.
func (p *Poller) Parked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.parked)
}

// take is Cancel for the poller.
func (p *Poller) take(t Ticket) (Reader, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.parked[t]
	delete(p.parked, t)
	return r, ok
}
