package app

import (
	"crypto/tls"
	"sync"
	"sync/atomic"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/webhook"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/xmppconn"
)

// live is what Reload replaces while the app serves. Each of it is replaced as a whole.
type live struct {
	options     atomic.Pointer[Options]
	upstreams   atomic.Pointer[upstreamTable]
	certificate atomic.Pointer[certificate] // nil without TLS
	listener    *api.Listener               // of the gateway, once it listens

	webhooks *webhook.Sender // nil: there are none; it is made once

	rotate    chan struct{} // has room for one: secrets have changed
	reloading sync.Mutex
	counters  map[string]*xmppconn.Counters // of every upstream that there was; guarded by reloading after the start
}

// options are the settings as they are now.
func (a *App) options() *Options { return a.live.options.Load() }

// handshake is tls.Config.GetCertificate.
func (l *live) handshake(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return l.certificate.Load().get(h)
}

// manage writes the settings of a Manager that may change.
func (o Options) manage(x *sessions.Options, ups upstreamTable) {
	x.Upstreams = map[string]sessions.Upstream{}
	for name, u := range ups {
		info := u.info
		info.TokenPrefix, info.Rooms = u.config.TokenPrefix, u.config.Rooms
		info.UpstreamLimits = u.config.inherited(&o)
		x.Upstreams[name] = info
	}
	if o.Secret != "" {
		x.Secret, x.PreviousSecrets = []byte(o.Secret), nil
	}
	if o.SecretPrevious != "" {
		x.PreviousSecrets = [][]byte{[]byte(o.SecretPrevious)}
	}
	x.DefaultUpstream, x.SealKeys, x.OpenTimeout, x.Idle = o.DefaultUpstream, o.SealKeys, o.OpenTimeout, o.Idle
	x.MaxSessions, x.SessionsPerAccount, x.SessionsPerAddress = o.MaxSessions, o.SessionsPerAccount, o.SessionsPerAddress
	x.RoomDeliveryLimit, x.Uploads = o.RoomDeliveryLimit, o.uploads().uploadPolicy()
}

// serve writes the settings of an API that may change.
func (o Options) serve(x *api.Options, adminHosts []string) {
	x.Origins, x.TrustedProxies, x.AdminHosts, x.NoRequestLines, x.MCP = o.Origins, o.TrustedProxies, adminHosts, o.NoRequestLines, o.MCP
	o.uploads().serveUploads(&x.Uploads)
	x.Admin.Token = perch.NewSecret(o.AdminToken)
	x.TokenRate, x.IPRate, x.SignInRate, x.AccountRate, x.StreamsPerToken = o.TokenRate, o.IPRate, o.SignInRate, o.AccountRate, o.Streams
	x.AccountRates = o.accountRates()
}
