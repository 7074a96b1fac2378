package today

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/perch-im/perch/internal/xmppserver"
)

// Service is the embedded service. Its methods are safe for concurrent use.
type Service struct {
	o     Options
	log   *slog.Logger
	caPEM []byte
	srv   *xmppserver.Server
	later xmppserver.Schedule // what happens later, under mu

	// Constant after New.
	features []*feature
	answers  map[xml.Name]func(*request)
	leaf     *x509.Certificate // of the TLS certificate
	secret   [sha256.Size]byte // of this service: nothing that is made with it outlives it

	// mu guards accounts, sessions and everything that they lead to. Nothing under it waits: stanzas
	// are put into the queues of connections.
	mu         sync.Mutex
	dir        *xmppserver.Directory
	capsTable  capsTable
	accounts   map[string]*account            // by localpart
	tokens     map[[sha256.Size]byte]*account // of OAUTHBEARER, by their sum
	components map[string]component           // by host; constant after New
	rooms      *rooms                         // one of them
	uploads    *uploads                       // another one, unless there is no listener for HTTP

	life    context.Context // ends with Stop
	stop    context.CancelFunc
	wg      sync.WaitGroup // the goroutine of later
	startMu sync.Mutex
	started bool

	http     *http.Server // nil: Options.ListenHTTP is Off; guarded by startMu, as the next one
	httpAddr net.Addr
}

// component is a host of its own under the domain (XEP-0114 would call it one). It is called with
// Service.mu held.
type component interface {
	stanza(from *session, e *xmppserver.Element)
	// leave is the end of a session, and before it the end of its presence.
	leave(from *session)
}

// New checks the options and makes the accounts and, if none is given, the certificate.
// It opens no socket and starts no goroutine.
func New(o Options) (*Service, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Service{
		o: o, log: o.Logger.With("component", "today"),
		dir: xmppserver.NewDirectory(o.Domain), accounts: make(map[string]*account),
		features: features, answers: answers(features), tokens: make(map[[sha256.Size]byte]*account),
	}
	rand.Read(s.secret[:]) // never fails
	s.life, s.stop = context.WithCancel(context.Background())
	s.dir.OfflineMax, s.dir.Decorate, s.dir.Hidden = o.OfflineMax, s.decorate, s.hidden
	s.capsTable = make(capsTable)
	s.components = s.makeComponents()
	cert := o.Certificate
	if cert == nil {
		made, caPEM, err := xmppserver.MakeCertificate(o.Domain, "Perch embedded service CA")
		if err != nil {
			return nil, err
		}
		cert, s.caPEM = &made, caPEM
	}
	var err error
	if s.leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
		return nil, fmt.Errorf("today: Certificate: %w", err)
	}
	s.srv = xmppserver.New(xmppserver.Options{
		Domain: o.Domain, TLS: &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12},
		MaxConnections: o.MaxConnections, QueueBytes: o.QueueBytes,
		SignInTimeout: o.SignInTimeout, WriteTimeout: o.WriteTimeout, Logger: s.log,
		Handle: func(c *xmppserver.Conn) xmppserver.Handler { return &stream{s: s, conn: c} },
	})
	if err := s.addPeople(); err != nil {
		return nil, err
	}
	return s, nil
}

// makeComponents are the hosts under the domain.
func (s *Service) makeComponents() map[string]component {
	s.rooms = newRooms(s)
	s.uploads = newUploads(s)
	list := map[string]component{roomsHost + s.o.Domain: s.rooms}
	if s.o.ListenHTTP != Off {
		list[uploadHost+s.o.Domain] = s.uploads
	}
	return list
}

// Start listens and serves until Stop. ctx covers the start only. A Service is started once, also when that
// fails.
func (s *Service) Start(ctx context.Context) error {
	s.startMu.Lock()
	defer s.startMu.Unlock()
	if s.started || s.life.Err() != nil {
		return errors.New("today: Start: the Service has been started or stopped; make a new one")
	}
	s.started = true
	if s.o.Listen != Off {
		if err := s.srv.Listen(ctx, s.o.Listen); err != nil {
			return fmt.Errorf("today: %w", err)
		}
	}
	if s.o.ListenHTTP != Off {
		if err := s.listenHTTP(ctx); err != nil {
			_ = s.srv.Close()
			return fmt.Errorf("today: %w", err)
		}
	}
	s.wg.Go(func() { s.later.Run(s.life, &s.mu) })
	return nil
}

// ServeConn serves a connection that the caller accepted, on goroutines of its own.
// The Service closes it.
func (s *Service) ServeConn(conn net.Conn) { s.srv.ServeConn(conn) }

// Addr is the address that the service listens on for XMPP, nil before Start.
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

// Stats is what the service has counted since New.
func (s *Service) Stats() xmppserver.Stats { return s.srv.Stats() }

// Stop closes every stream with system-shutdown and waits for all goroutines. When ctx
// ends first, connections are cut. It can be called more than once.
func (s *Service) Stop(ctx context.Context) error {
	s.startMu.Lock()
	s.stop()
	s.startMu.Unlock()
	err := s.srv.Close()
	for _, c := range s.srv.Conns() {
		c.End("system-shutdown", "")
	}
	s.srv.Wait(ctx)
	s.stopHTTP(ctx)
	s.wg.Wait()
	return err
}
