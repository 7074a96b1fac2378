package app

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestConnectionLimit(t *testing.T) {
	for descriptors, want := range map[int]int{0: 0, 10: 8, 64: 32, 256: 192, 1024: 768, 65536: 49152} {
		if got := connectionLimit(descriptors); got != want {
			t.Errorf("%d descriptors: %d connections, want %d", descriptors, got, want)
		}
	}
}

// exhausted is a listener in a process that has no free descriptors, but as many as were
// given back.
type exhausted struct {
	net.Listener
	free func() bool
}

func (l exhausted) Accept() (net.Conn, error) {
	if !l.free() {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	a, b := net.Pipe()
	_ = b.Close()
	return a, nil
}

func (exhausted) Close() error { return nil }

// TestSpareDescriptors: as many connections as there are spares, and one more for each that
// ends.
func TestSpareDescriptors(t *testing.T) {
	var s *spareListener
	var open atomic.Int64
	s = newSpareListener(exhausted{free: func() bool { return open.Load() < int64(spareDescriptors-len(s.spares)) }})
	defer s.Close()
	if len(s.spares) != spareDescriptors {
		t.Fatalf("%d spares, want %d", len(s.spares), spareDescriptors)
	}
	var conns []net.Conn
	for i := range spareDescriptors {
		c, err := s.Accept()
		if err != nil {
			t.Fatalf("connection %d: got error %v, want none", i, err)
		}
		open.Add(1)
		conns = append(conns, c)
	}
	if _, err := s.Accept(); !errors.Is(err, syscall.EMFILE) {
		t.Fatalf("one more: %v, want EMFILE", err)
	}
	open.Store(0)
	_ = conns[0].Close()
	if len(s.spares) != spareDescriptors {
		t.Errorf("%d spares after a connection has ended, want %d", len(s.spares), spareDescriptors)
	}
	if _, err := s.Accept(); err != nil {
		t.Errorf("after that: got error %v, want none", err)
	}
}
