//go:build linux && !perch_blocking_reads

package readiness_test

import (
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/perch-im/perch/xmppconn/internal/readiness"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is a connection over loopback: ours is what is watched.
func pair(t testing.TB) (ours, theirs *net.TCPConn) {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return connect(t, l)
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	return l
}

func connect(t testing.TB, l net.Listener) (ours, theirs *net.TCPConn) {
	t.Helper()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("net.Dial: got error %v, want none", err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatalf("Accept: got error %v, want none", err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

// called counts the calls of a reader.
type called chan struct{}

func (c called) Readable() { c <- struct{}{} }

func newReader() called { return make(called, 10) }

// awaitCall waits for one call.
func (c called) await(t testing.TB, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: got no call of the reader, want one", what)
	}
}

// none looks for calls: whatever was to come has come by the time that another reader was called.
func (c called) none(t testing.TB, p *readiness.Poller, what string) {
	t.Helper()
	other := newReader()
	ours, theirs := pair(t)
	register(t, p, ours, other)
	write(t, theirs, "x")
	other.await(t, "the other connection")
	if n := len(c); n != 0 {
		t.Errorf("%s: got %d calls of the reader, want 0", what, n)
	}
}

func register(t testing.TB, p *readiness.Poller, conn net.Conn, r readiness.Reader) readiness.Ticket {
	t.Helper()
	ticket := p.Register(conn, r)
	if ticket == 0 {
		t.Fatal("Register: got ticket 0, want another")
	}
	if err := p.Arm(ticket, conn); err != nil {
		t.Fatalf("Arm: got error %v, want none", err)
	}
	return ticket
}

func write(t testing.TB, conn net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(conn, s); err != nil {
		t.Fatalf("writing: got error %v, want none", err)
	}
}

// TestReaderIsCalled: once for each registration, whenever the event comes.
func TestReaderIsCalled(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after func(*testing.T, *net.TCPConn)
	}{
		{"bytes before it is armed", func(t *testing.T, c *net.TCPConn) { write(t, c, "x") }, nil},
		{"bytes after it is armed", nil, func(t *testing.T, c *net.TCPConn) { write(t, c, "x") }},
		{"the peer has closed before", func(_ *testing.T, c *net.TCPConn) { c.Close() }, nil},
		{"the peer closes", nil, func(_ *testing.T, c *net.TCPConn) { c.Close() }},
		{"the peer closes its side", nil, func(_ *testing.T, c *net.TCPConn) { _ = c.CloseWrite() }},
		{"the peer resets", nil, func(_ *testing.T, c *net.TCPConn) { _ = c.SetLinger(0); c.Close() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p readiness.Poller
			ours, theirs := pair(t)
			r := newReader()
			ticket := p.Register(ours, r)
			if tt.before != nil {
				tt.before(t, theirs)
			}
			if err := p.Arm(ticket, ours); err != nil {
				t.Fatalf("Arm: got error %v, want none", err)
			}
			if tt.after != nil {
				tt.after(t, theirs)
			}
			r.await(t, "an event")
			r.none(t, &p, "after the call")
			if p.Cancel(ticket) {
				t.Error("Cancel after the call: got true, want false")
			}
		})
	}
}

// TestReaderIsCalledAgain: after each registration of one connection.
func TestReaderIsCalledAgain(t *testing.T) {
	var p readiness.Poller
	ours, theirs := pair(t)
	r := newReader()
	for i := range 5 {
		register(t, &p, ours, r)
		r.none(t, &p, "before the bytes")
		write(t, theirs, "x")
		r.await(t, "the bytes")
		if n, err := ours.Read(make([]byte, 10)); n != 1 || err != nil {
			t.Fatalf("round %d: Read: got %d bytes and error %v, want 1 and none", i, n, err)
		}
	}
}

// TestCancel: a ticket that is taken out is not called, at whatever moment.
func TestCancel(t *testing.T) {
	var p readiness.Poller
	t.Run("before it is armed", func(t *testing.T) {
		ours, theirs := pair(t)
		r := newReader()
		ticket := p.Register(ours, r)
		if !p.Cancel(ticket) {
			t.Error("Cancel: got false, want true")
		}
		if err := p.Arm(ticket, ours); err != nil {
			t.Errorf("Arm: got error %v, want none", err)
		}
		write(t, theirs, "x")
		r.none(t, &p, "bytes after Cancel")
	})
	t.Run("while it is parked", func(t *testing.T) {
		ours, theirs := pair(t)
		r := newReader()
		ticket := register(t, &p, ours, r)
		if !p.Cancel(ticket) || p.Cancel(ticket) {
			t.Error("Cancel, twice: want true and false")
		}
		write(t, theirs, "x")
		r.none(t, &p, "bytes after Cancel")
	})
	t.Run("closed while it is parked", func(t *testing.T) {
		ours, _ := pair(t)
		r := newReader()
		ticket := register(t, &p, ours, r)
		ours.Close()
		r.none(t, &p, "after Close")
		if !p.Cancel(ticket) {
			t.Error("Cancel after Close: got false, want true")
		}
	})
	if p.Cancel(0) || p.Parked() != 0 {
		t.Errorf("at the end: got Cancel(0) true or %d parked, want false and 0", p.Parked())
	}
}

// TestArmRefuses: after an error the ticket is still its owner's.
func TestArmRefuses(t *testing.T) {
	var p readiness.Poller
	ours, _ := pair(t)
	ticket := p.Register(ours, newReader())
	ours.Close()
	if err := p.Arm(ticket, ours); err == nil {
		t.Error("Arm of a closed connection: got no error, want one")
	}
	if !p.Cancel(ticket) {
		t.Error("Cancel: got false, want true")
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if ticket := p.Register(a, newReader()); ticket != 0 {
		t.Errorf("Register of a pipe: got ticket %d, want 0", ticket)
	}
}

// TestReusedDescriptor: an event that was fetched for a connection which is closed then, and whose
// descriptor another one gets, calls neither reader.
func TestReusedDescriptor(t *testing.T) {
	var p readiness.Poller
	ours, theirs := pair(t)
	first, second := newReader(), newReader()
	number := descriptor(t, ours)
	l := listen(t)
	defer l.Close()
	closed, opened := make(chan struct{}), make(chan struct{})
	ticket := p.Register(ours, first)
	p.Fetched = func(fetched readiness.Ticket) {
		if fetched == ticket {
			close(closed)
			<-opened
		}
	}
	if err := p.Arm(ticket, ours); err != nil {
		t.Fatalf("Arm: got error %v, want none", err)
	}
	write(t, theirs, "x")
	<-closed // the event is fetched, and its ticket not looked up yet
	if !p.Cancel(ticket) {
		t.Error("Cancel: got false, want true")
	}
	ours.Close()
	again, peer := reuse(t, l, number)
	register(t, &p, again, second)
	close(opened)
	second.none(t, &p, "the new connection")
	if len(first) != 0 {
		t.Error("the closed connection: got a call of its reader, want none")
	}
	write(t, peer, "x")
	second.await(t, "bytes of the new connection")
}

// reuse opens connections until one has this descriptor.
func reuse(t *testing.T, l net.Listener, number uintptr) (ours, theirs *net.TCPConn) {
	t.Helper()
	for range 100 {
		a, b := connect(t, l)
		if descriptor(t, a) == number {
			return a, b
		}
		if descriptor(t, b) == number {
			return b, a
		}
	}
	t.Fatalf("got no connection with descriptor %d in 100, want one", number)
	return nil, nil
}

func descriptor(t *testing.T, c syscall.Conn) (number uintptr) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { number = fd })
	}
	if err != nil {
		t.Fatalf("the descriptor: got error %v, want none", err)
	}
	return number
}
