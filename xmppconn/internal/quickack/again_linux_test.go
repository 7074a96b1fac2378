package quickack_test

import (
	"net"
	"syscall"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/quickack"
)

// pair is two ends of a TCP connection.
func pair(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatalf("ListenTCP: got error %v, want none", err)
	}
	defer func() { _ = l.Close() }()
	if a, err = net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr)); err != nil {
		t.Fatalf("DialTCP: got error %v, want none", err)
	}
	if b, err = l.AcceptTCP(); err != nil {
		t.Fatalf("AcceptTCP: got error %v, want none", err)
	}
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

// acknowledgesAtOnce asks the kernel.
func acknowledgesAtOnce(t *testing.T, c *net.TCPConn) (at bool) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatalf("SyscallConn: got error %v, want none", err)
	}
	if err := raw.Control(func(fd uintptr) {
		v, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK)
		if err != nil {
			t.Errorf("TCP_QUICKACK: got error %v, want a value", err)
		}
		at = v != 0
	}); err != nil {
		t.Fatalf("Control: got error %v, want none", err)
	}
	return at
}

// TestAgain: an answer makes the kernel hold acknowledgements back, and Again ends that.
func TestAgain(t *testing.T) {
	server, client := pair(t)
	buf := make([]byte, 16)
	for i := 0; acknowledgesAtOnce(t, client); i++ {
		if i == 1000 {
			t.Fatal("the kernel acknowledges at once after 1000 answers, want it to hold back, or this package is of no use")
		}
		for _, step := range []func([]byte) (int, error){server.Write, client.Read, client.Write, server.Read} {
			if _, err := step(buf[:1]); err != nil {
				t.Fatalf("a request and its answer: got error %v, want none", err)
			}
		}
	}
	if quickack.Again(client); !acknowledgesAtOnce(t, client) {
		t.Error("after Again: got acknowledgements held back, want them at once")
	}
}

// TestAgainElsewhere: what is no TCP connection, or is closed, is left alone.
func TestAgainElsewhere(t *testing.T) {
	a, _ := net.Pipe()
	quickack.Again(a)
	c, _ := pair(t)
	if err := c.Close(); err != nil {
		t.Fatalf("Close: got error %v, want none", err)
	}
	quickack.Again(c)
	if err := c.Close(); err == nil {
		t.Error("Close again: got no error, want one of a closed connection")
	}
}

func BenchmarkAgain(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatalf("Listen: got error %v, want none", err)
	}
	defer func() { _ = l.Close() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatalf("Dial: got error %v, want none", err)
	}
	defer func() { _ = c.Close() }()
	b.ReportAllocs()
	for b.Loop() {
		quickack.Again(c)
	}
}
