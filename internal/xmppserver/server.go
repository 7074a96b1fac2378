package xmppserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a Server. All fields but TLS.Certificates, Domain, Handle and Logger may be zero: then
// nothing is bounded by them, so a service sets them all.
type Options struct {
	Domain         string      // the XMPP domain: another one in a stream header is host-unknown
	TLS            *tls.Config // for STARTTLS
	MaxConnections int         // streams at a time
	QueueBytes     int         // unwritten bytes of a stream before it is cut as too slow
	SignInTimeout  time.Duration
	WriteTimeout   time.Duration // for one write
	Logger         *slog.Logger

	// Handle makes what a service does with a new connection. It must not use the connection.
	Handle func(*Conn) Handler
}

// Handler is what a service does with one connection. All of it runs on the goroutine that reads
// the connection, without a lock of the Server.
type Handler interface {
	// BeforeTLS may end a stream in place of the first features.
	BeforeTLS() error
	// SignIn offers features over TLS, authenticates and binds: the stream is open, and what it
	// returns ends it. It calls Conn.Bound before the first Conn.Send.
	SignIn() error
	// Element handles one element of a bound stream. An error ends the stream.
	Element(*Element) error
	// Deadline is when a stream that has sent its last element at last is idle or over, and the
	// condition it then ends with; the zero time: never.
	Deadline(last time.Time) (at time.Time, condition string)
	// Leave is the end of the connection; it is called once, also when SignIn has failed.
	Leave()
}

// Server accepts connections of one service. Its methods are safe for concurrent use.
type Server struct {
	o     Options
	log   *slog.Logger
	stats serverStats

	mu       sync.Mutex // never held for I/O
	conns    map[*Conn]struct{}
	listener net.Listener
	stopping bool
	wg       sync.WaitGroup // the listener and every connection
}

type serverStats struct{ connections, slow atomic.Int64 }

// Stats is what a Server has counted since New.
type Stats struct {
	Connections int64 // TCP connections and WebSockets accepted
	Online      int   // connections now
	Slow        int64 // clients cut because they did not read
}

// New makes a Server. It opens no socket and starts no goroutine.
func New(o Options) *Server {
	return &Server{o: o, log: o.Logger, conns: make(map[*Conn]struct{})}
}

// Listen accepts connections at address until Close. ctx covers the start only.
func (s *Server) Listen(ctx context.Context, address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.listener = l
	s.wg.Go(func() { s.acceptFrom(l) })
	s.log.Debug("serving", "address", l.Addr().String(), "domain", s.o.Domain)
	return nil
}

// acceptFrom ends when the listener is closed. A full table of descriptors is waited out.
func (s *Server) acceptFrom(l net.Listener) {
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			s.ServeConn(conn)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			s.log.Warn("failed to accept a connection", "error", err)
			<-time.After(50 * time.Millisecond) // such as too many open files: look again in a moment
		}
	}
}

// ServeConn serves a connection that the caller has accepted, on goroutines of its own. The Server
// closes it.
func (s *Server) ServeConn(raw net.Conn) {
	if !s.serve(newConn(s, raw)) {
		_ = raw.Close()
	}
}

// serve begins to serve a connection, and reports whether there was room for it.
func (s *Server) serve(c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || len(s.conns) >= s.o.MaxConnections {
		return false
	}
	s.conns[c] = struct{}{}
	s.stats.connections.Add(1)
	c.handler = s.o.Handle(c)
	s.wg.Go(c.signIn)
	return true
}

// forget is the end of a connection.
func (s *Server) forget(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Addr is the address that the Server listens on, nil before Listen.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	online := len(s.conns)
	s.mu.Unlock()
	return Stats{Connections: s.stats.connections.Load(), Online: online, Slow: s.stats.slow.Load()}
}

// Conns are the connections of now, in no order.
func (s *Server) Conns() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		list = append(list, c)
	}
	return list
}

// Close accepts no more connections. Those that there are stay.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	s.stopping = true
	if s.listener == nil {
		return nil
	}
	return s.listener.Close()
}

// Wait returns when every connection is over. What there is when ctx ends is cut.
func (s *Server) Wait(ctx context.Context) {
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		for _, c := range s.Conns() {
			c.Cut()
		}
		<-done // bounded: every socket is closed now
	}
}

// IsLoopback reports whether host can only mean this machine.
func IsLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && a.IsLoopback())
}
