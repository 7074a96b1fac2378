package messenger

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Service is the embedded service. Its methods are safe for concurrent use.
type Service struct {
	o        Options
	log      *slog.Logger
	cert     tls.Certificate
	caPEM    []byte
	tokens   tokenTable
	redirect redirector
	stats    stats
	bots     schedule
	oauth    grants

	// mu guards the accounts: rosters, presence, offline messages, archive. Nothing under
	// it waits: stanzas are put into the queues of clients.
	mu       sync.Mutex
	archives map[pair][]archived

	// Constant after New; what they lead to is guarded by mu.
	users  map[string]*account // by user id
	locals map[string]*account // by localpart
	ids    map[string]*account // by account id, lower case
	order  []*account          // as in Options

	// connMu guards the life of connections. It may be taken under mu, never around it.
	connMu   sync.Mutex
	conns    map[*client]struct{}
	listener net.Listener
	stopping bool
	wg       sync.WaitGroup // the listener, the bots and every connection
	stopBots context.CancelFunc
}

// New checks the options and makes the accounts and, if none is given, the certificate.
// It opens no socket and starts no goroutine.
func New(o Options) (*Service, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Service{
		o: o, log: o.Logger.With("component", "messenger"),
		users: make(map[string]*account), locals: make(map[string]*account), ids: make(map[string]*account),
		archives: make(map[pair][]archived), conns: make(map[*client]struct{}),
	}
	s.redirect.set(o.Redirect)
	if o.Certificate != nil {
		s.cert = *o.Certificate
	} else {
		var err error
		if s.cert, s.caPEM, err = makeCertificate(o.Domain); err != nil {
			return nil, err
		}
	}
	if err := s.addAccounts(o.Accounts); err != nil {
		return nil, err
	}
	return s, nil
}

// Start listens and serves until Stop. ctx covers the start only. A Service is started
// once.
func (s *Service) Start(ctx context.Context) error {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.stopBots != nil || s.stopping {
		return errors.New("messenger: started twice or after Stop")
	}
	if s.o.Listen != listenOff {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", s.o.Listen)
		if err != nil {
			return fmt.Errorf("messenger: listen: %w", err)
		}
		s.listener = l
		s.wg.Go(func() { s.acceptFrom(l) })
		s.log.Info("serving", "address", l.Addr().String(), "domain", s.o.Domain)
	}
	life, cancel := context.WithCancel(context.Background())
	s.stopBots = cancel
	s.wg.Go(func() { s.bots.run(life, &s.mu) })
	s.startBots()
	return nil
}

// acceptFrom ends when the listener is closed. A full table of descriptors is waited out.
func (s *Service) acceptFrom(l net.Listener) {
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

// ServeConn serves a connection that the caller accepted, on goroutines of its own.
// The Service closes it.
func (s *Service) ServeConn(conn net.Conn) {
	c := newClient(s, conn)
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.stopping || len(s.conns) >= s.o.MaxConnections {
		_ = conn.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.stats.connections.Add(1)
	s.wg.Go(c.signIn)
}

// forget is the end of a connection.
func (s *Service) forget(c *client) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	delete(s.conns, c)
}

// Addr is the address that the service listens on, nil before Start.
func (s *Service) Addr() net.Addr {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Domain is the XMPP domain.
func (s *Service) Domain() string { return s.o.Domain }

// CAPEM is the CA of the service's own certificate in PEM, nil when Options.Certificate
// was given.
func (s *Service) CAPEM() []byte { return append([]byte(nil), s.caPEM...) }

// CA is a pool with that CA alone; it is empty when Options.Certificate was given.
func (s *Service) CA() *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(s.caPEM)
	return p
}

// Stop closes every stream with system-shutdown and waits for all goroutines. When ctx
// ends first, connections are cut. It may be called more than once.
func (s *Service) Stop(ctx context.Context) error {
	s.connMu.Lock()
	var err error
	if !s.stopping {
		s.stopping = true
		if s.listener != nil {
			err = s.listener.Close()
		}
		if s.stopBots != nil {
			s.stopBots()
		}
	}
	s.connMu.Unlock()
	s.endWhere(func(*client) bool { return true }, "system-shutdown")
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		s.connMu.Lock()
		for c := range s.conns {
			c.cut()
		}
		s.connMu.Unlock()
		<-done // bounded: every socket is closed now
	}
	return err
}

// endWhere closes the matching streams with a stream error and returns how many. Nothing
// that they still send counts.
func (s *Service) endWhere(match func(*client) bool, condition string) int {
	s.connMu.Lock()
	var found []*client
	for c := range s.conns {
		if match(c) {
			found = append(found, c)
		}
	}
	s.connMu.Unlock()
	for _, c := range found { // all of them before the first unavailable presence is sent
		c.end(condition, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range found {
		s.signOut(c)
	}
	return len(found)
}
