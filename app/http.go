package app

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"time"

	"github.com/perch-im/perch/api"
)

// httpServer has the listener's limits, and TLS 1.2 or newer when there is a certificate.
func (a *App) httpServer(h http.Handler) *http.Server {
	s := api.NewServer(h, a.log.With("component", "http"))
	if a.certificate != nil {
		s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.certificate.get, NextProtos: []string{"h2", "http/1.1"}}
	}
	return s
}

// drain refuses new sessions and tells every event stream to come back, spread over the
// drain time; sessions go to other nodes meanwhile. It runs before the listener closes, so
// that clients find the next node, and requests that are still coming are passed on to it.
func (a *App) drain(ctx context.Context) {
	a.draining.Store(time.Now().UnixNano())
	a.manager.Drain()
	ctx, cancel := context.WithTimeout(ctx, a.o.DrainTime)
	defer cancel()
	var quiet sync.WaitGroup
	quiet.Go(func() { a.manager.HandOverQuiet(ctx, a.o.DrainTime/4) })
	a.api.Drain(ctx)
	quiet.Wait()
}
