package app

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch/api"
)

// httpServer has the listener's limits, and TLS 1.2 or newer when there is a certificate.
func (a *App) httpServer(h http.Handler) *http.Server {
	s := api.NewServer(h, a.log.With("component", "http"))
	if a.live.certificate.Load() != nil {
		s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.live.handshake, NextProtos: []string{"h2", "http/1.1"}}
	}
	return s
}

// drain refuses new sessions and tells every event stream to reconnect, spread over the
// drain time; sessions go to other nodes meanwhile. It runs before the listener closes, so
// that clients find the next node, and requests that are still coming are passed on to it.
func (a *App) drain(ctx context.Context) {
	a.beginDrain()
	most := a.options().DrainTime
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var quiet sync.WaitGroup
	quiet.Go(func() { a.manager.HandOverQuiet(ctx, most/4) })
	a.api.Drain(ctx)
	quiet.Wait()
}

// beginDrain refuses new sessions.
func (a *App) beginDrain() {
	a.draining.CompareAndSwap(0, time.Now().UnixNano())
	a.manager.Drain()
}

// bounded limits the connections of the gateway's listener.
func (a *App) bounded(l net.Listener) net.Listener {
	b := api.NewListener(l, a.connectionBounds())
	a.live.listener = b
	a.metrics.watchConnections(b.Open, func() int { return a.connectionBounds().Total })
	return b
}

// connectionBounds are those of the settings as they are now.
func (a *App) connectionBounds() api.ListenerOptions {
	o := a.options()
	total := connectionLimit(descriptorLimit())
	if o.Connections > 0 {
		total = o.Connections
	}
	perAddress := o.AddressConnections
	if perAddress == 0 && total > 0 {
		perAddress = max(total/2, 1)
	}
	return api.ListenerOptions{Total: total, PerAddress: perAddress, Trusted: o.TrustedProxies, Refused: a.metrics.closed}
}

// adminHosts are the names of the admin listener: what was configured, the name in its
// address, that by which other nodes know this one, and the host's own.
func (a *App) adminHosts() []string {
	names := slices.Clone(a.options().AdminHosts)
	if host, _, err := net.SplitHostPort(a.o.AdminListen); err == nil && host != "" {
		names = append(names, host)
	}
	if u, err := url.Parse(a.o.NodeURL); err == nil && u.Hostname() != "" {
		names = append(names, u.Hostname())
	}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	return names
}
