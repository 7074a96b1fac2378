package app

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
)

// Reloaded says what Reload has done, in the names of settings.
type Reloaded struct {
	Changed []string // in effect from now on
	Fixed   []string // changed, but only a restart brings them into effect
}

// Reload brings other options into effect while the app serves: no session, stream or request ends for
// it. Files that the options name are read again. Everything is checked before anything changes; with
// an error all is as before. What only a restart can change stays as it is, and is named.
//
// It may be called from any goroutine, between Start and Stop.
func (a *App) Reload(o Options) (Reloaded, error) {
	a.live.reloading.Lock()
	defer a.live.reloading.Unlock()
	was := a.options()
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return Reloaded{}, err
	}
	if o.Secret != "" && was.Secret != "" && !sameSecret(o.Secret, was.Secret) && !sameSecret(o.SecretPrevious, was.Secret) {
		return Reloaded{}, fmt.Errorf("--secret has changed: give the one before as --secret-previous, or clients have to sign in again (docs/operations.md, Rotation)")
	}
	fixed := o.keepFixed(was, len(a.o.Upstreams) == 0)
	var cert *certificate
	if o.TLSCert != "" {
		var err error
		if cert, err = newCertificate(o.TLSCert, o.TLSKey); err != nil {
			return Reloaded{}, err
		}
	}
	receivers, err := o.webhookSettings()
	if err != nil {
		return Reloaded{}, err
	}
	ups, err := a.nextUpstreams(&o)
	if err != nil {
		return Reloaded{}, err
	}
	tables := a.live.upstreams.Load()
	done := Reloaded{Changed: changedSettings(was, &o), Fixed: slices.Concat(fixed, ups.fixed)}
	done.Changed = append(done.Changed, ups.changed...)
	// First what may be refused: the other nodes have a word in it.
	a.live.upstreams.Store(&ups.table)
	if err := a.manager.Reconfigure(func(x *sessions.Options) { o.manage(x, ups.table) }); err != nil {
		a.live.upstreams.Store(tables)
		return Reloaded{}, explainSecret(err)
	}
	if cert != nil && cert.differs(a.live.certificate.Swap(cert)) {
		done.Changed = append(done.Changed, "certificate")
	}
	if a.live.webhooks != nil {
		a.live.webhooks.Reconfigure(receivers)
	}
	a.live.options.Store(&o)
	select {
	case a.live.rotate <- struct{}{}:
	default: // it is to look already
	}
	a.reconfigurePush(&o.PushOptions)
	if a.live.listener != nil {
		a.live.listener.Reconfigure(a.connectionBounds())
	}
	return done, a.api.Reconfigure(func(x *api.Options) { o.serve(x, a.adminHosts()) })
}

// fixedSetting is one that only a restart can change.
type fixedSetting struct {
	name string
	// keep takes the value over from before, and reports whether it was another one.
	keep func(now, was *Options) bool
}

func fixed[T comparable](name string, field func(*Options) *T) fixedSetting {
	return fixedSetting{name, func(now, was *Options) bool {
		n, w := field(now), field(was)
		changed := *n != *w
		*n = *w
		return changed
	}}
}

// fixedSettings are what was made at the start and lasts as long as the process: addresses, what is
// shared with other nodes, the store.
var fixedSettings = []fixedSetting{
	fixed("listen", func(o *Options) *string { return &o.Listen }),
	fixed("demo", func(o *Options) *string { return &o.Demo }),
	fixed("admin-listen", func(o *Options) *string { return &o.AdminListen }),
	fixed("redis-url", func(o *Options) *string { return &o.RedisURL }),
	fixed("node", func(o *Options) *string { return &o.Node }),
	fixed("node-url", func(o *Options) *string { return &o.NodeURL }),
	fixed("lease", func(o *Options) *time.Duration { return &o.Lease }),
	fixed("retention-events", func(o *Options) *int { return &o.Retention.Events }),
	fixed("retention-bytes", func(o *Options) *int { return &o.Retention.Bytes }),
	fixed("retention-age", func(o *Options) *time.Duration { return &o.Retention.Age }),
	fixed("push", func(o *Options) *bool { return &o.NoPush }),
	fixed("raw-stanzas", func(o *Options) *bool { return &o.RawStanzas }),
	fixed("webhooks", func(o *Options) *bool { return &o.NoWebhooks }),
	fixed("park-after", func(o *Options) *time.Duration { return &o.ParkAfter }),
	fixed("otel-endpoint", func(o *Options) *string { return &o.Tracing.Endpoint }),
	fixed("otel-sample", func(o *Options) *float64 { return &o.Tracing.Sample }),
}

// keepFixed takes over what only a restart can change, and names what would have changed.
func (o *Options) keepFixed(was *Options, demo bool) (names []string) {
	for _, f := range fixedSettings {
		if f.keep(o, was) {
			names = append(names, f.name)
		}
	}
	if (o.Secret == "") != (was.Secret == "") { // in memory: of nodes it is always there
		o.Secret, o.SecretPrevious = was.Secret, was.SecretPrevious
		names = append(names, "secret")
	}
	if (o.TLSCert == "") != (was.TLSCert == "") { // the listener speaks TLS, or does not
		o.TLSCert, o.TLSKey = was.TLSCert, was.TLSKey
		names = append(names, "tls-cert")
	}
	if demo != (len(o.Upstreams) == 0) { // the embedded service runs, or does not
		o.Upstreams, o.DefaultUpstream = was.Upstreams, was.DefaultUpstream
		return append(names, "upstream")
	}
	// The access tokens that clients hold belong to the default upstream, for as long as there is that one.
	if o.DefaultUpstream != was.DefaultUpstream && (demo || slices.ContainsFunc(o.Upstreams, func(u Upstream) bool { return u.Name == was.DefaultUpstream })) {
		if !demo {
			names = append(names, "default-upstream")
		}
		o.DefaultUpstream = was.DefaultUpstream
	}
	return names
}

// changeableSettings are the others, but for upstreams and what is in files.
var changeableSettings = []struct {
	name string
	of   func(*Options) any
}{
	{"tls-cert", func(o *Options) any { return o.TLSCert }},
	{"tls-key", func(o *Options) any { return o.TLSKey }},
	{"default-upstream", func(o *Options) any { return o.DefaultUpstream }},
	{"secret", func(o *Options) any { return o.Secret }},
	{"secret-previous", func(o *Options) any { return o.SecretPrevious }},
	{"secret-key", func(o *Options) any { return o.SealKeys }},
	{"origin", func(o *Options) any { return o.Origins }},
	{"trusted-proxy", func(o *Options) any { return o.TrustedProxies }},
	{"admin-token", func(o *Options) any { return o.AdminToken }},
	{"label", func(o *Options) any { return o.Labels }},
	{"admin-host", func(o *Options) any { return o.AdminHosts }},
	{"connections", func(o *Options) any { return o.Connections }},
	{"address-connections", func(o *Options) any { return o.AddressConnections }},
	{"max-sessions", func(o *Options) any { return o.MaxSessions }},
	{"sessions-per-account", func(o *Options) any { return o.SessionsPerAccount }},
	{"sessions-per-address", func(o *Options) any { return o.SessionsPerAddress }},
	{"token-rate", func(o *Options) any { return o.TokenRate }},
	{"ip-rate", func(o *Options) any { return o.IPRate }},
	{"sign-in-rate", func(o *Options) any { return o.SignInRate }},
	{"account-rate", func(o *Options) any { return o.AccountRate }},
	{"streams", func(o *Options) any { return o.Streams }},
	{"room-delivery-limit", func(o *Options) any { return o.RoomDeliveryLimit }},
	{"mcp", func(o *Options) any { return o.MCP }},
	{"upload-proxy", func(o *Options) any { return o.UploadProxy }},
	{"upload-proxy-allow", func(o *Options) any { return o.UploadProxyAllow }},
	{"upload-proxy-bytes", func(o *Options) any { return o.UploadProxyBytes }},
	{"upload-http-host", func(o *Options) any { return o.UploadHTTPHosts }},
	{"webhook-allow", func(o *Options) any { return o.WebhookAllow }},
	{"webhook-ca-file", func(o *Options) any { return o.WebhookCAFile }},
	{"push-vapid-key", func(o *Options) any { return o.PushVAPIDKey }},
	{"push-contact", func(o *Options) any { return o.PushContact }},
	{"push-allow", func(o *Options) any { return o.PushAllow }},
	{"open-timeout", func(o *Options) any { return o.OpenTimeout }},
	{"drain-time", func(o *Options) any { return o.DrainTime }},
	{"idle", func(o *Options) any { return o.Idle.Action }},
	{"idle-after", func(o *Options) any { return o.Idle.After }},
	{"log-requests", func(o *Options) any { return o.NoRequestLines }},
}

func changedSettings(was, now *Options) (names []string) {
	for _, x := range changeableSettings {
		if a, b := x.of(was), x.of(now); !reflect.DeepEqual(a, b) && !empty(a, b) {
			names = append(names, x.name)
		}
	}
	return names
}

// empty reports whether both are lists, or tables, of nothing: made or not, they are the same.
func empty(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	return (x.Kind() == reflect.Slice || x.Kind() == reflect.Map) && x.Len()+y.Len() == 0
}

// Report writes what a reload has done, or why it has done nothing.
func (a *App) Report(done Reloaded, err error) {
	log := a.log.With("component", "reload")
	switch {
	case err != nil:
		log.Warn("configuration not reloaded, the old one stays in use", "error", err)
		return
	case len(done.Changed) == 0:
		log.Info("configuration reloaded: nothing has changed that can take effect now")
	default:
		log.Info("configuration reloaded", "changed", strings.Join(done.Changed, ", "))
	}
	if len(done.Fixed) > 0 {
		log.Warn("settings have changed that need a restart", "settings", strings.Join(done.Fixed, ", "))
	}
}
