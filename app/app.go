package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/logingate"
	"github.com/perch-im/perch/messenger"
	"github.com/perch-im/perch/sessions"
)

// App is one gateway process: the store, the sessions, the listeners, and in the demo
// the embedded service.
type App struct {
	o         Options
	log       *slog.Logger
	store     sessions.Store
	manager   *sessions.Manager
	api       *api.API
	embedded  []*embedded        // services of the demo; nil when upstreams are configured
	messenger *messenger.Service // nil unless it is one of them
	push      *push              // nil: it is off
	live      live
	gate      *logingate.Gate // of the logins of all upstreams
	failures  *loginFailures
	logins    *loginHistory
	called    callDrain
	metrics   *metrics
	tracing   *tracing     // nil: nothing is traced
	draining  atomic.Int64 // since when, in Unix nanoseconds; 0: not yet

	listener, adminListener net.Listener
	consent                 net.Listener // nil without messenger
	failed                  chan error

	stops    []stopper
	stopOnce sync.Once
	stopErr  error
}

// New builds an app and binds nothing yet. What it made before an error is undone.
func New(o Options) (*App, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	a := &App{o: o, log: o.Logger, metrics: newMetrics(o.Version, o.LogDropped), failed: make(chan error, 4), live: live{rotate: make(chan struct{}, 1)},
		logins: newLoginHistory(), gate: logingate.New(loginsPerCore * runtime.GOMAXPROCS(0))}
	if err := a.build(); err != nil {
		return nil, errors.Join(err, a.Stop(context.Background()))
	}
	return a, nil
}

// loginsPerCore bounds the logins that are worked on at once. Fewer leave the machine idle while a
// login waits for a server nearby; with many more, what is online waits for them (bench, storm).
const loginsPerCore = 3

// build makes the parts from the inside out; Stop undoes them in the other order.
func (a *App) build() error {
	for _, step := range []func() error{a.buildTracing, a.buildStore, a.buildUpstreams, a.buildWebhooks, a.buildPush, a.buildManager, a.buildAPI} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) buildManager() error {
	random := make([]byte, 32) // for a store that ends with the process
	rand.Read(random)
	a.live.options.Store(&a.o) // with what the steps before have made of it
	o := sessions.Options{
		Dial: a.dial, Verify: a.verify, EndToken: a.endToken, Store: a.store, Secret: random,
		Logger: a.log.With("component", "sessions"), Observer: a.metrics, RawStanzas: a.o.RawStanzas,
		Webhooks: a.webhooks(),
		Push:     a.pushSender(),
	}
	a.o.manage(&o, *a.live.upstreams.Load())
	m, err := sessions.NewManager(o)
	if err != nil {
		return err
	}
	a.manager = m
	a.metrics.watchRotation(m)
	a.metrics.watchSessions(a)
	a.metrics.watchUpstreams(a)
	a.metrics.watchRooms(m)
	a.metrics.watchNode(m, a.store, &a.draining)
	a.onStop("sessions", m.Close)
	return nil
}

func (a *App) buildAPI() error {
	if a.o.TLSCert != "" {
		c, err := newCertificate(a.o.TLSCert, a.o.TLSKey)
		if err != nil {
			return err
		}
		a.live.certificate.Store(c)
	}
	o := api.Options{
		Sessions: a.manager, Logger: a.log.With("component", "api"), Version: a.o.Version, Retention: a.o.Retention,
		Pages: a.pages(), OpenAPI: perch.OpenAPI, AsyncAPI: perch.AsyncAPI,
		Metrics: a.metrics.handler(), Observer: a.metrics, Admin: a.admin(),
		RawStanzas:    a.o.RawStanzas,
		ReaderOptions: api.ReaderOptions{Webhooks: !a.o.NoWebhooks, PushKey: a.pushKey()},
	}
	o.Uploads.Roots = a.uploadRoots
	a.o.serve(&o, a.adminHosts())
	if a.tracing != nil {
		o.Tracer, o.NodeTransport = a.tracing, a.tracing.nodes
	}
	h, err := api.New(o)
	if err != nil {
		return err
	}
	a.api = h
	a.onStop("connections to other nodes", func(context.Context) error { h.Close(); return nil })
	a.onStop("drain by call", func(context.Context) error { a.stopCalledDrain(); return nil }) // of an app that never served
	a.metrics.watchStreams(h)
	return nil
}

// Start binds the listeners, so that a taken port is an error here, joins the other nodes,
// restores the sessions whose credentials are stored, and serves. The order matters: a
// process that cannot serve must not take sessions over from the one that does.
func (a *App) Start() error {
	if err := a.listen(); err != nil {
		return err
	}
	if err := a.join(); err != nil {
		return err
	}
	if err := a.startPush(); err != nil {
		return err
	}
	if err := a.manager.Restore(context.Background()); err != nil {
		return err
	}
	if err := a.serveConsent(); err != nil {
		return err // before the gateway, whose console leads there
	}
	if a.adminListener != nil { // before the gateway, so that it outlives its drain
		a.serve("admin", a.adminListener, a.api.AdminHandler(), nil)
	}
	a.watchCertificates()
	a.rotateSecrets()
	a.serve("gateway", a.listener, a.api.Handler(), func(ctx context.Context) {
		a.stopCalledDrain()
		a.drain(ctx)
	})
	return nil
}

// listen binds the gateway's and the admin's address.
func (a *App) listen() (err error) {
	l, err := listenOn("listen", a.o.Listen)
	if err != nil {
		return err
	}
	a.listener = a.bounded(l)
	a.onStop("gateway's address", closer(a.listener))
	if a.o.AdminListen == "off" {
		return nil
	}
	if l, err = listenOn("admin-listen", a.o.AdminListen); err != nil {
		return err
	}
	a.adminListener = newSpareListener(l)
	a.onStop("admin's address", closer(a.adminListener))
	return nil
}

// closer closes a listener that its server may have closed already.
func closer(l net.Listener) func(context.Context) error {
	return func(context.Context) error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// serve runs one HTTP server until Stop. before is called first when it stops.
func (a *App) serve(name string, l net.Listener, h http.Handler, before func(context.Context)) {
	s := a.httpServer(h)
	var serving sync.WaitGroup // of this server alone: the other one stops after it
	serving.Go(func() {
		var err error
		if name == "gateway" && a.o.TLSCert != "" {
			err = s.ServeTLS(l, "", "")
		} else {
			err = s.Serve(l)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("%s: %w", name, err)
		}
	})
	a.onStop(name, func(ctx context.Context) error {
		if before != nil {
			before(ctx)
		}
		err := s.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, s.Close())
		}
		serving.Wait()
		return err
	})
}

// Failed receives the error of a listener that ended by itself.
func (a *App) Failed() <-chan error { return a.failed }

// Addr returns the address of the gateway, host:port; valid after Start.
func (a *App) Addr() string { return a.listener.Addr().String() }

// AdminAddr returns the address of the admin listener, or "" when it is off.
func (a *App) AdminAddr() string {
	if a.adminListener == nil {
		return ""
	}
	return a.adminListener.Addr().String()
}

// URL returns the base address of the API.
func (a *App) URL() string {
	if a.o.TLSCert != "" {
		return "https://" + a.Addr()
	}
	return "http://" + a.Addr()
}
