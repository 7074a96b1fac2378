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

	"github.com/perch-im/perch/internal/xmppserver"
)

// Service is the embedded service. Its methods are safe for concurrent use.
type Service struct {
	o        Options
	log      *slog.Logger
	caPEM    []byte
	srv      *xmppserver.Server
	tokens   tokenTable
	redirect redirector
	stats    stats
	bots     xmppserver.Schedule
	oauth    grants

	// mu guards the accounts: rosters, presence, offline messages, archive. Nothing under
	// it waits: stanzas are put into the queues of connections.
	mu       sync.Mutex
	dir      *xmppserver.Directory
	archives map[pair][]archived

	// Constant after New; what they lead to is guarded by mu.
	users  map[string]*account // by user id
	locals map[string]*account // by localpart
	ids    map[string]*account // by account id, lower case
	order  []*account          // as in Options

	// startMu guards the life of the service.
	startMu  sync.Mutex
	stopBots context.CancelFunc
	stopping bool
	wg       sync.WaitGroup // the bots
}

// New checks the options and makes the accounts and, if none is given, the certificate.
// It opens no socket and starts no goroutine.
func New(o Options) (*Service, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Service{
		o: o, log: o.Logger.With("component", "messenger"), dir: xmppserver.NewDirectory(o.Domain),
		users: make(map[string]*account), locals: make(map[string]*account), ids: make(map[string]*account),
		archives: make(map[pair][]archived),
	}
	s.dir.OfflineMax, s.dir.Decorate = o.OfflineMax, s.addPhotoHash
	s.redirect.set(o.Redirect)
	cert := o.Certificate
	if cert == nil {
		made, caPEM, err := xmppserver.MakeCertificate(o.Domain, "Perch embedded Messenger service CA")
		if err != nil {
			return nil, err
		}
		cert, s.caPEM = &made, caPEM
	}
	s.srv = xmppserver.New(xmppserver.Options{
		Domain: o.Domain, TLS: &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12},
		MaxConnections: o.MaxConnections, QueueBytes: o.QueueBytes,
		SignInTimeout: o.SignInTimeout, WriteTimeout: o.WriteTimeout, Logger: s.log,
		Handle: func(c *xmppserver.Conn) xmppserver.Handler { return &client{s: s, conn: c} },
	})
	if err := s.addAccounts(o.Accounts); err != nil {
		return nil, err
	}
	return s, nil
}

// Start listens and serves until Stop. ctx covers the start only. A Service is started
// once.
func (s *Service) Start(ctx context.Context) error {
	s.startMu.Lock()
	defer s.startMu.Unlock()
	if s.stopBots != nil || s.stopping {
		return errors.New("messenger: started twice or after Stop")
	}
	if s.o.Listen != listenOff {
		if err := s.srv.Listen(ctx, s.o.Listen); err != nil {
			return fmt.Errorf("messenger: %w", err)
		}
	}
	life, cancel := context.WithCancel(context.Background())
	s.stopBots = cancel
	s.wg.Go(func() { s.bots.Run(life, &s.mu) })
	s.startBots()
	return nil
}

// ServeConn serves a connection that the caller accepted, on goroutines of its own.
// The Service closes it.
func (s *Service) ServeConn(conn net.Conn) { s.srv.ServeConn(conn) }

// Addr is the address that the service listens on, nil before Start.
func (s *Service) Addr() net.Addr { return s.srv.Addr() }

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
// ends first, connections are cut. It can be called more than once.
func (s *Service) Stop(ctx context.Context) error {
	s.startMu.Lock()
	s.stopping = true
	if s.stopBots != nil {
		s.stopBots()
	}
	s.startMu.Unlock()
	err := s.srv.Close()
	s.endWhere(func(*client) bool { return true }, "system-shutdown")
	s.srv.Wait(ctx)
	s.wg.Wait()
	return err
}

// endWhere closes the matching streams with a stream error and returns how many. Nothing
// that they still send counts.
func (s *Service) endWhere(match func(*client) bool, condition string) int {
	var found []*client
	s.mu.Lock()
	for _, conn := range s.srv.Conns() {
		if c := conn.Handler().(*client); match(c) {
			found = append(found, c)
		}
	}
	s.mu.Unlock()
	for _, c := range found { // all of them before the first unavailable presence is sent
		c.conn.End(condition, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range found {
		s.signOut(c)
	}
	return len(found)
}
