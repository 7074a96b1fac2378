package app

import (
	"errors"
	"math"
	"net"
	"os"
	"sync"
	"syscall"
)

// descriptorLimit is how many files and sockets the process may have open; the Go runtime
// has raised it to what the system allows. 0: not known.
func descriptorLimit() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil || l.Cur > math.MaxInt32 {
		return 0
	}
	return int(l.Cur)
}

// connectionLimit is the default of --connections for a process with so many descriptors.
// A quarter, and 32 at least, is left for streams to the upstreams, for Redis and for
// files. 0: no bound.
func connectionLimit(descriptors int) int {
	if descriptors <= 0 {
		return 0
	}
	return max(descriptors-max(descriptors/4, 32), 8)
}

// spareDescriptors are what a process without free descriptors can still answer its
// operator with.
const spareDescriptors = 4

// spareListener keeps some descriptors for its own connections: when there are no free
// ones, the probe of an orchestrator must still be answered, or the whole process is
// killed with every session in it.
type spareListener struct {
	net.Listener

	mu     sync.Mutex
	spares []*os.File
	closed bool
}

func newSpareListener(l net.Listener) *spareListener {
	s := &spareListener{Listener: l}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill()
	return s
}

// fill opens what is missing. It runs with mu held.
func (s *spareListener) fill() {
	for !s.closed && len(s.spares) < spareDescriptors {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return // with the next connection that ends
		}
		s.spares = append(s.spares, f)
	}
}

// Accept implements net.Listener.
func (s *spareListener) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		switch {
		case err == nil:
			return &spareConn{Conn: c, release: sync.OnceFunc(s.refill)}, nil
		case (errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)) && s.giveUp():
			continue
		}
		return nil, err
	}
}

// giveUp closes one spare descriptor for the connection that waits.
func (s *spareListener) giveUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.spares) == 0 {
		return false
	}
	last := len(s.spares) - 1
	_ = s.spares[last].Close() // of nothing that was written
	s.spares = s.spares[:last]
	return true
}

func (s *spareListener) refill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill()
}

// Close implements net.Listener.
func (s *spareListener) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, f := range s.spares {
		_ = f.Close()
	}
	s.spares = nil
	s.mu.Unlock()
	return s.Listener.Close()
}

// spareConn gives its descriptor back to the spares.
type spareConn struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *spareConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
