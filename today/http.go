package today

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/perch-im/perch/internal/xmppserver"
)

// Limits of the listener for HTTP. A WebSocket has its own, and files have fileTime.
const (
	httpHeaderTime  = 10 * time.Second
	httpIdleTime    = time.Minute
	httpHeaderBytes = 16 << 10
	httpRequests    = 200 // connections beside those of WebSockets, which are bounded by Options.MaxConnections
)

// routes are what is served over HTTP.
func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+webSocketPath, s.serveWebSocket)
	s.uploads.routes(mux)
	mux.HandleFunc("GET /.well-known/host-meta", s.hostMeta)
	mux.HandleFunc("GET /.well-known/host-meta.json", s.hostMetaJSON)
	return s.checkHost(mux)
}

// checkHost lets requests in that name this machine alone: a page of elsewhere could point a name of its
// own to it (DNS rebinding).
func (s *Service) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !s.o.AllowRemote && !isLocal(strings.Trim(host, "[]")) {
			http.Error(w, "Host: not a name of this machine; use localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal reports whether a host can only mean this machine (RFC 6761, 6.3).
func isLocal(host string) bool {
	return xmppserver.IsLoopback(host) || strings.HasSuffix(strings.ToLower(host), ".localhost")
}

// listenHTTP serves until stopHTTP. ctx covers the start only.
func (s *Service) listenHTTP(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.o.ListenHTTP)
	if err != nil {
		return fmt.Errorf("listen for HTTP: %w", err)
	}
	s.http = s.newHTTPServer()
	s.httpAddr = l.Addr()
	s.log.Debug("serving HTTP", "address", l.Addr().String())
	s.wg.Go(func() {
		if err := s.http.Serve(s.limited(l)); !errors.Is(err, http.ErrServerClosed) {
			s.log.Debug("HTTP ended", "error", err)
		}
	})
	return nil
}

// newHTTPServer is a server in which nothing that a client does not do holds a connection for ever.
func (s *Service) newHTTPServer() *http.Server {
	server := &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: httpHeaderTime, IdleTimeout: httpIdleTime, MaxHeaderBytes: httpHeaderBytes,
		ReadTimeout: fileTime, WriteTimeout: 2 * fileTime, // the second one begins with the first
		BaseContext: func(net.Listener) context.Context { return s.life },
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		Protocols:   new(http.Protocols),
	}
	server.Protocols.SetHTTP1(true) // a WebSocket is opened by it
	return server
}

// limited accepts no more connections than there may be at a time.
func (s *Service) limited(l net.Listener) net.Listener {
	return netutil.LimitListener(l, s.o.MaxConnections+httpRequests)
}

// stopHTTP waits for requests until ctx ends.
func (s *Service) stopHTTP(ctx context.Context) {
	s.startMu.Lock()
	server := s.http
	s.startMu.Unlock()
	if server != nil && server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}

// HTTPAddr is the address that the service listens on for HTTP, nil before Start and when ListenHTTP is
// Off.
func (s *Service) HTTPAddr() net.Addr {
	s.startMu.Lock()
	defer s.startMu.Unlock()
	return s.httpAddr
}
