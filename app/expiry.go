package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/perch-im/perch/xmppconn"
)

const (
	expiryTick  = time.Minute    // between two looks at the files
	expirySpeak = 24 * time.Hour // between two lines about one certificate
	probeEvery  = 12 * time.Hour // between two looks at an upstream's
)

// expiry watches when the certificates end that clients and the gateway rely on: its own, and those of
// the upstreams, which it asks for without signing in. Its table is as large as the settings.
type expiry struct {
	log    *slog.Logger
	own    func() (ends time.Time, err error) // of the listener; the zero time: it has none
	probes func() map[string]func(context.Context) []xmppconn.Probe
	// clients are the ends of the certificates by which accounts sign in, by upstream.
	clients func() map[string]time.Time

	mu    sync.Mutex
	ends  map[string]time.Time // by upstream; "" is the listener
	asked map[string]time.Time // by upstream: when it was probed last

	spoken map[string]time.Time // by what certificate calls it: of the last line; the watcher's alone
	broken time.Time            // of the last line about files that cannot be read; the watcher's alone
}

func newExpiry(log *slog.Logger) *expiry {
	return &expiry{log: log, ends: map[string]time.Time{}, asked: map[string]time.Time{}, spoken: map[string]time.Time{}, clients: func() map[string]time.Time { return nil }}
}

// watchCertificates looks at the certificates for as long as the app serves.
func (a *App) watchCertificates() {
	e := newExpiry(a.log.With("component", "certificates"))
	e.own = func() (time.Time, error) {
		if c := a.live.certificate.Load(); c != nil {
			return c.expires()
		}
		return time.Time{}, nil
	}
	e.probes = func() map[string]func(context.Context) []xmppconn.Probe {
		all := map[string]func(context.Context) []xmppconn.Probe{}
		for name, u := range *a.live.upstreams.Load() {
			all[name] = u.dialer.Probe
		}
		return all
	}
	e.clients = func() map[string]time.Time {
		all := map[string]time.Time{}
		for name, u := range *a.live.upstreams.Load() {
			if c := u.dialer.Upstream().Client; c != nil {
				all[name] = c.Expires()
			}
		}
		return all
	}
	a.metrics.watchExpiry(e)
	watching, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { e.run(watching) })
	a.onStop("watch of certificates", func(context.Context) error {
		stop()
		done.Wait()
		return nil
	})
}

func (e *expiry) run(ctx context.Context) {
	tick := time.NewTicker(expiryTick)
	defer tick.Stop()
	// The upstreams are asked a minute later: at the start they have the logins to do.
	for e.look(ctx, false); ; e.look(ctx, true) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// look brings the table up to date and writes what is due. An upstream that does not answer leaves what
// is known of it: failed logins have lines of their own.
func (e *expiry) look(ctx context.Context, ask bool) {
	own, err := e.own()
	if err != nil && time.Since(e.broken) >= expirySpeak {
		e.broken = time.Now()
		e.log.Warn("certificate cannot be read again, the old one stays in use", "error", err)
	} else if err == nil {
		e.broken = time.Time{}
	}
	probes := e.probes()
	e.note("", own)
	e.forgetOthers(probes)
	for name, probe := range probes {
		if !ask || !e.due(name) {
			continue
		}
		if ends := soonest(probe(ctx)); !ends.IsZero() {
			e.note(name, ends)
		}
	}
	if ctx.Err() == nil {
		e.speak()
	}
}

// due reports whether an upstream is to be asked, and notes that it is.
func (e *expiry) due(upstream string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if at, ok := e.asked[upstream]; ok && time.Since(at) < probeEvery {
		return false
	}
	e.asked[upstream] = time.Now()
	return true
}

// soonest is the end of the certificate that ends first of those that were shown.
func soonest(probes []xmppconn.Probe) (ends time.Time) {
	for _, p := range probes {
		if !p.Expires.IsZero() && (ends.IsZero() || p.Expires.Before(ends)) {
			ends = p.Expires
		}
	}
	return ends
}

func (e *expiry) note(upstream string, ends time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ends[upstream] = ends; ends.IsZero() && upstream == "" {
		delete(e.ends, upstream)
	}
}

// forgetOthers forgets the upstreams that are not configured any more.
func (e *expiry) forgetOthers(probes map[string]func(context.Context) []xmppconn.Probe) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, table := range []map[string]time.Time{e.ends, e.asked} {
		for name := range table {
			if probes[name] == nil && name != "" {
				delete(table, name)
			}
		}
	}
}

// ending is a certificate and when it ends.
type ending struct {
	which  string
	ends   time.Time
	advice string
}

// endings are all that are known, in the order of their names.
func (e *expiry) endings() []ending {
	var all []ending
	for name, ends := range e.table() {
		if name == "" {
			all = append(all, ending{"gateway", ends, "renew it: the new file is used by itself"})
			continue
		}
		all = append(all, ending{"upstream " + name, ends, "renew the certificate of the XMPP server"})
	}
	for name, ends := range e.clients() {
		all = append(all, ending{"client of upstream " + name, ends, adviceOfClient})
	}
	slices.SortFunc(all, func(a, b ending) int { return strings.Compare(a.which, b.which) })
	return all
}

// speak writes a line a day for each certificate that ends soon, or has ended.
func (e *expiry) speak() {
	spoken := map[string]time.Time{} // without those that are renewed, or not there any more: their next time is a first one
	for _, c := range e.endings() {
		if time.Until(c.ends) >= expirySoon {
			continue
		}
		if at, ok := e.spoken[c.which]; ok && time.Since(at) < expirySpeak {
			spoken[c.which] = at
			continue
		}
		spoken[c.which] = time.Now()
		e.log.Warn("certificate expires soon", "certificate", c.which, "expires", c.ends.UTC().Format(time.RFC3339),
			"days", int(max(time.Until(c.ends), 0)/(24*time.Hour)), "advice", c.advice)
	}
	e.spoken = spoken
}

func (e *expiry) table() map[string]time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.ends)
}

// watchExpiry shows the table; the gateway's own is there always.
func (m *metrics) watchExpiry(e *expiry) {
	d := prometheus.NewDesc("perch_certificate_expiry_timestamp_seconds",
		"When a certificate ends, in seconds since 1970: that of the gateway (no upstream) and of each upstream (server), and those by which accounts sign in there (client); 0: there is none, or it is not known yet.", []string{"upstream", "certificate"}, nil)
	m.registry.MustRegister(prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
		table := e.table()
		if _, ok := table[""]; !ok {
			table[""] = time.Unix(0, 0)
		}
		for name, ends := range table {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(ends.Unix()), name, "server")
		}
		for name, ends := range e.clients() {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(ends.Unix()), name, "client")
		}
	}))
}
