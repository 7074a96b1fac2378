package api

import (
	"net"
	"net/netip"
	"sync"
)

// Reasons why a [Listener] refuses a connection.
const (
	RefusedTotal   = "total"   // as many connections are open as may be
	RefusedAddress = "address" // as many are open from this address as may be
)

// RefusedReasons lists them.
var RefusedReasons = []string{RefusedTotal, RefusedAddress}

// ListenerOptions bound the connections of a listener.
type ListenerOptions struct {
	Total      int // connections at once; 0: no bound
	PerAddress int // of these, from one address (IPv6: from one /64); 0: no bound
	// Trusted are exempt from PerAddress: proxies, which speak for many clients. What counts
	// is the remote address of the TCP connection, whatever headers say.
	Trusted []netip.Prefix
	Refused func(reason string) // counts; nil: not counted
}

// Listener closes the connections that are over a limit as soon as they are accepted. It does not
// let them wait: a load balancer must learn it at once.
type Listener struct {
	net.Listener

	mu     sync.Mutex
	o      ListenerOptions
	total  int
	byAddr map[netip.Prefix]int
}

// NewListener bounds the connections of a TCP listener.
func NewListener(l net.Listener, o ListenerOptions) *Listener {
	b := &Listener{Listener: l, byAddr: map[netip.Prefix]int{}}
	b.Reconfigure(o)
	return b
}

// Reconfigure changes the bounds. Connections that are open stay, though they be more than that.
func (l *Listener) Reconfigure(o ListenerOptions) {
	if o.Refused == nil {
		o.Refused = func(string) {}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.o = o
}

// Open reports how many connections are open.
func (l *Listener) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		key := peerKey(c.RemoteAddr())
		if reason, refused := l.enter(key); reason != "" {
			refused(reason)
			_ = c.Close()
			continue
		}
		leave := sync.OnceFunc(func() { l.leave(key) })
		if tcp, ok := c.(*net.TCPConn); ok {
			return &countedConn{TCPConn: tcp, leave: leave}, nil
		}
		return &countedAny{Conn: c, leave: leave}, nil
	}
}

// enter counts a connection, or returns the reason why it is refused, and who counts that.
func (l *Listener) enter(key netip.Prefix) (reason string, refused func(string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.o.Total > 0 && l.total >= l.o.Total:
		return RefusedTotal, l.o.Refused
	case l.o.PerAddress > 0 && l.byAddr[key] >= l.o.PerAddress && !l.trusted(key):
		return RefusedAddress, l.o.Refused
	}
	l.total++
	l.byAddr[key]++
	return "", nil
}

func (l *Listener) leave(key netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.byAddr[key]--; l.byAddr[key] <= 0 {
		delete(l.byAddr, key)
	}
}

func (l *Listener) trusted(key netip.Prefix) bool {
	for _, p := range l.o.Trusted {
		if p.Overlaps(key) {
			return true
		}
	}
	return false
}

// peerKey is what connections are counted by: an IPv4 address, or the /64 of an IPv6
// address, which one host can fill by itself.
func peerKey(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // of a valid address: cannot fail
	return p
}

// countedConn is a TCP connection that is counted until it is closed. Its other methods stay
// available to the server.
type countedConn struct {
	*net.TCPConn
	leave func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}

// countedAny is a connection of another kind, as in a test.
type countedAny struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *countedAny) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
