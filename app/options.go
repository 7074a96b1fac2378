package app

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
)

// Options of an App. The zero value is the demo: the two embedded services,
// everything in memory, the gateway on 127.0.0.1:8080.
type Options struct {
	Listen      string // HTTP address of the gateway; default 127.0.0.1:8080
	AdminListen string // health and metrics; default 127.0.0.1:9090, "off" for none
	AdminOptions
	TLSCert string // PEM files; both or none. Read again when they change
	TLSKey  string

	Upstreams []Upstream // empty: the embedded services of Demo
	UpstreamOptions

	RedisURL string // "" keeps everything in memory

	// Several processes may share a Redis; each is a node. Node is its name, which no other
	// has; default <hostname>:<port>. NodeURL is where the others reach its gateway; default
	// the address of Listen. Lease is how long a node may be silent before the others take
	// its sessions over; default 15 s.
	Node    string
	NodeURL string
	Lease   time.Duration

	// Secret keys every stored hash. With Redis it must be given, and stay the same but for a rotation;
	// in memory a random one is made. At least 32 characters.
	Secret string
	SecretOptions

	Origins        []string       // browsers' origins allowed besides the own host
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Limits
	DrainTime   time.Duration // for Stop's streams; default 20 s
	OpenTimeout time.Duration // how long a first call waits for the login; default 15 s
	Retention   sessions.Retention
	Idle        IdlePolicy // what happens to a session without an event stream; default: nothing
	// ParkAfter is how long a connection to an XMPP server is silent before its reader's goroutine
	// ends, to be started again by what arrives; default 5 s, negative: never.
	ParkAfter time.Duration

	Tracing Tracing

	Logger *slog.Logger // default: discards
	LogOptions
	Version string // shown by /version and hello
}

// UpstreamOptions are about all upstreams.
type UpstreamOptions struct {
	DefaultUpstream string // whose the access tokens are that nothing else tells; default the first
	Demo            string // what runs without Upstreams: DemoBoth (default), DemoMessenger, DemoToday or DemoOff
}

// SecretOptions are about what is kept in Redis, beside Secret.
type SecretOptions struct {
	// SecretPrevious is another secret that hashes may still be made with, while Secret is rotated:
	// the one before it, or the one to come. "" outside of a rotation.
	SecretPrevious string
	// SealKeys encrypt stored credentials (32 bytes each): the first seals, all open. None:
	// credentials are never stored, and after a restart a client's next request brings its.
	SealKeys [][]byte
}

// AdminOptions are about who may use the admin listener, and what it shows.
type AdminOptions struct {
	Labels Labels // of this node
	// AdminHosts are names under which the admin listener is asked, besides any address,
	// localhost and the host's own name.
	AdminHosts []string
	// AdminToken lets operators into the admin API, the same on all nodes; at least 32 characters.
	// "": only this machine is let in, by an address of loopback.
	AdminToken string
}

// LogOptions are about what Logger writes.
type LogOptions struct {
	// Level is the least level that Logger writes; nil: the admin API cannot change it.
	Level *slog.LevelVar

	// NoRequestLines leaves out the line at info for each request.
	NoRequestLines bool
	// LogDropped reports how many lines of Logger were lost, for a metric; see LogWriter. nil:
	// none are.
	LogDropped func() uint64
}

// Limits bound what clients can make the gateway do. 0 is the default of each.
type Limits struct {
	// Connections bounds those of the gateway's listener, AddressConnections those of one
	// client address among them; proxies in TrustedProxies are exempt from the latter. Default:
	// three quarters of the descriptors that the process may have open, and half of all.
	Connections        int
	AddressConnections int
	MaxSessions        int // on this node; default 10,000
	// SessionsPerAccount and SessionsPerAddress bound the sessions of one bare JID, and those
	// that one client address has opened, on this node; default 10, and half of MaxSessions.
	SessionsPerAccount int
	SessionsPerAddress int
	TokenRate          Rate // requests of one session; default 100 a second, 300 at once
	IPRate             Rate // requests of one client address; default 200 a second, 600 at once
	SignInRate         Rate // refused credentials of one client address; default 10 a minute, 10 at once
	AccountRate        Rate // refused credentials of one account; default 10 a minute, 20 at once
	Streams            int  // event streams of one session; default 20
	RoomDeliveryLimit  int  // messages of one room in a minute that a session makes events of; default 600, negative: no limit
	RawStanzas         bool // clients may write stanzas themselves, see api.Options
	MCP                bool // agents may use the API as tools, see api.Options
	UploadOptions
	WebhookOptions
	PushOptions
}

// Tracing is where OpenTelemetry traces go.
type Tracing struct {
	// Endpoint is the base address of a collector (OTLP over HTTP), such as
	// http://127.0.0.1:4318; "" makes no traces.
	Endpoint string
	// Sample is the share of traces that are stored, above 0 and up to 1, of those that no
	// client has begun; default 1.
	Sample float64
}

// IdlePolicy is [sessions.IdlePolicy].
type IdlePolicy = sessions.IdlePolicy

// IdleAction is [sessions.IdleAction].
type IdleAction = sessions.IdleAction

// Rate is [api.Rate].
type Rate = api.Rate

// Upstream is one configured XMPP service, as it stands in the configuration file.
type Upstream struct {
	Name    string `yaml:"name"`    // how clients name it; default: the domain
	Domain  string `yaml:"domain"`  // XMPP domain: what the certificate must be for
	Address string `yaml:"address"` // host:port; default: SRV records of the domain
	TLS     string `yaml:"tls"`     // starttls (default with an address), direct, auto

	ServerName string `yaml:"server-name"` // name in the certificate, where it is not the domain
	CAFile     string `yaml:"ca-file"`     // PEM of the CA, where it is not a public one

	// The certificate of one account and its key, as PEM, and the token by which clients show that the account
	// is theirs: all three or none. The account signs in by EXTERNAL (XEP-0178).
	ClientCert      string `yaml:"client-cert"`
	ClientKey       string `yaml:"client-key"`
	ClientTokenFile string `yaml:"client-token-file"`

	Profile        string   `yaml:"profile"`         // standard (default) or messenger
	Mechanisms     []string `yaml:"mechanisms"`      // SASL names in order of preference
	TokenMechanism string   `yaml:"token-mechanism"` // lets access tokens of this upstream be passed through
	TokenPrefix    string   `yaml:"token-prefix"`    // what its access tokens begin with; it is a part of them, and sent as it is
	Rooms          string   `yaml:"rooms"`           // autojoin: new sessions join the rooms of the account's bookmarks; "": those that clients join
	RedirectAllow  []string `yaml:"redirect-allow"`  // hosts that see-other-host may name: names or *.suffix, with a port or without
	Resource       string   `yaml:"resource"`        // of sessions that name none; default the choice of the server

	UpstreamLimits `yaml:",inline"`
	Labels         Labels `yaml:"labels"`
}

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// withDefaults fills what was left out.
func (o Options) withDefaults() Options {
	setDefault(&o.Listen, "127.0.0.1:8080")
	setDefault(&o.AdminListen, "127.0.0.1:9090")
	setDefault(&o.MaxSessions, 10_000)
	setDefault(&o.Demo, DemoBoth)
	half := (o.MaxSessions + 1) / 2 // no address takes a whole node
	setDefault(&o.SessionsPerAccount, min(10, half))
	setDefault(&o.SessionsPerAddress, half)
	setDefault(&o.DrainTime, 20*time.Second)
	setDefault(&o.Lease, sessions.DefaultLease)
	setDefault(&o.UploadProxy, perch.UploadProxyOff)
	setDefault(&o.UploadProxyBytes, sessions.DefaultUploadBytes)
	setDefault(&o.OpenTimeout, 15*time.Second)
	setDefault(&o.Retention.Events, sessions.DefaultRetention.Events)
	setDefault(&o.Retention.Bytes, sessions.DefaultRetention.Bytes)
	setDefault(&o.Retention.Age, sessions.DefaultRetention.Age)
	setDefault(&o.Tracing.Sample, 1)
	setDefault(&o.Version, "dev")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Upstreams = append([]Upstream(nil), o.Upstreams...)
	for i := range o.Upstreams {
		u := &o.Upstreams[i]
		setDefault(&u.Name, u.Domain)
		setDefault(&u.Profile, ProfileStandard)
		if u.Profile == ProfileMessenger {
			setDefault(&u.TokenMechanism, "X-MESSENGER-OAUTH2")
		}
	}
	if o.DefaultUpstream == "" && len(o.Upstreams) > 0 {
		o.DefaultUpstream = o.Upstreams[0].Name
	}
	return o
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// The profiles of an upstream.
const (
	ProfileStandard  = "standard"
	ProfileMessenger = "messenger"
)

// validate refuses what would fail later, and names the setting.
func (o Options) validate() error {
	if (o.TLSCert == "") != (o.TLSKey == "") {
		return fmt.Errorf("--tls-cert and --tls-key go together: give both or none")
	}
	if o.Secret != "" && len(o.Secret) < 32 {
		return fmt.Errorf("--secret must have at least 32 characters; make one with: openssl rand -hex 32")
	}
	if o.AdminToken != "" && (len(o.AdminToken) < minAdminToken || strings.ContainsFunc(o.AdminToken, func(r rune) bool { return r <= ' ' || r > '~' })) {
		return fmt.Errorf("--admin-token must have at least %d characters of ASCII, without blanks; make one with: openssl rand -hex 32", minAdminToken)
	}
	if o.SecretPrevious != "" && (len(o.SecretPrevious) < 32 || sameSecret(o.SecretPrevious, o.Secret) || o.Secret == "") {
		return fmt.Errorf("--secret-previous must be another secret of at least 32 characters beside --secret; leave it out once the secret is rotated")
	}
	if o.RedisURL != "" && o.Secret == "" {
		return fmt.Errorf("--redis-url needs --secret (PERCH_SECRET), the same on every start and node; make one with: openssl rand -hex 32")
	}
	for i, k := range o.SealKeys {
		if len(k) != 32 {
			return fmt.Errorf("--secret-key %d must be 32 bytes in hex; make one with: openssl rand -hex 32", i+1)
		}
	}
	if host, _, err := net.SplitHostPort(o.Listen); err != nil {
		return fmt.Errorf("--listen %q is not HOST:PORT, such as 127.0.0.1:8080", o.Listen)
	} else if len(o.Upstreams) == 0 && !isLoopback(host) {
		return fmt.Errorf("--listen %q is not loopback, and the demo accounts have published tokens: configure an --upstream first", o.Listen)
	}
	if err := o.checkUploads(); err != nil {
		return err
	}
	if err := o.checkPush(); err != nil {
		return err
	}
	if err := o.validateNode(); err != nil {
		return err
	}
	for _, origin := range o.Origins {
		if !api.ValidOrigin(origin) {
			return fmt.Errorf("--origin %q must be exactly what browsers send, such as https://app.example.org: scheme and host, without a path, a slash at the end, or a pattern", origin)
		}
	}
	for name, r := range map[string]Rate{"token-rate": o.TokenRate, "ip-rate": o.IPRate, "sign-in-rate": o.SignInRate, "account-rate": o.AccountRate} {
		if r != (Rate{}) && (r.PerSecond <= 0 || r.Burst < 1) {
			return fmt.Errorf("--%s must be more than 0", name)
		}
	}
	if err := o.Labels.check(); err != nil {
		return fmt.Errorf("--label: %w", err)
	}
	if o.Streams < 0 || o.Connections < 0 || o.AddressConnections < 0 {
		return fmt.Errorf("--streams, --connections and --address-connections must not be negative")
	}
	if o.Idle.Action != "" && o.Idle.Action != sessions.IdleKeep && o.Idle.After <= 0 {
		return fmt.Errorf("--idle-after must be more than 0")
	}
	if o.SessionsPerAccount < 0 || o.SessionsPerAddress < 0 {
		return fmt.Errorf("--sessions-per-account and --sessions-per-address must not be negative")
	}
	if o.MaxSessions < 0 || o.DrainTime < 0 || o.OpenTimeout < 0 {
		return fmt.Errorf("--max-sessions, --drain-time and --open-timeout must not be negative")
	}
	if o.Tracing.Sample < 0 || o.Tracing.Sample > 1 {
		return fmt.Errorf("--otel-sample must be above 0 and at most 1")
	}
	if o.Tracing.Endpoint != "" {
		if err := checkEndpoint(o.Tracing.Endpoint); err != nil {
			return err
		}
	}
	return o.validateUpstreams()
}

// sameSecret is perch.Secret.Equal of two texts.
func sameSecret(a, b string) bool { return perch.NewSecret(a).Equal(perch.NewSecret(b)) }

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && a.IsLoopback())
}

func (o Options) validateUpstreams() error {
	if err := o.checkDemo(); err != nil {
		return err
	}
	seen, prefixes := map[string]bool{}, map[string]string{}
	for _, u := range o.Upstreams {
		switch {
		case u.Domain == "":
			return fmt.Errorf("upstream %q: domain is missing", u.Name)
		case !nameRule.MatchString(u.Name):
			return fmt.Errorf("upstream %q: the name must be 1 to 63 of a-z 0-9 . _ -", u.Name)
		case seen[u.Name]:
			return fmt.Errorf("upstream %q is configured twice", u.Name)
		case u.Profile != ProfileStandard && u.Profile != ProfileMessenger:
			return fmt.Errorf("upstream %q: profile %q is neither standard nor messenger", u.Name, u.Profile)
		case u.TLS != "" && u.TLS != "starttls" && u.TLS != "direct" && u.TLS != "auto":
			return fmt.Errorf("upstream %q: tls %q is none of starttls, direct, auto", u.Name, u.TLS)
		case u.Rooms != sessions.RoomsManual && u.Rooms != sessions.RoomsAutoJoin:
			return fmt.Errorf("upstream %q: rooms %q must be autojoin, or left out", u.Name, u.Rooms)
		case u.Rooms != sessions.RoomsManual && u.Profile == ProfileMessenger:
			return fmt.Errorf("upstream %q: rooms goes with the profile standard: Messenger has none", u.Name)
		case u.TLS == "auto" && u.Address != "":
			return fmt.Errorf("upstream %q: tls auto reads SRV records, so it goes without an address", u.Name)
		}
		if err := u.checkClient(); err != nil {
			return fmt.Errorf("upstream %q: %w", u.Name, err)
		}
		if err := u.checkTokenPrefix(prefixes); err != nil {
			return fmt.Errorf("upstream %q: %w", u.Name, err)
		}
		if err := u.UpstreamLimits.check(); err != nil {
			return fmt.Errorf("upstream %q: %w", u.Name, err)
		}
		if err := u.Labels.check(); err != nil {
			return fmt.Errorf("upstream %q: %w", u.Name, err)
		}
		if a := u.inherited(&o).Idle; a.Action != "" && a.Action != sessions.IdleKeep && a.After <= 0 {
			return fmt.Errorf("upstream %q: idle %s needs idle-after, such as 10m", u.Name, a.Action)
		}
		seen[u.Name] = true
	}
	if o.DefaultUpstream != "" && !seen[o.DefaultUpstream] {
		names := make([]string, 0, len(o.Upstreams))
		for _, u := range o.Upstreams {
			names = append(names, u.Name)
		}
		return fmt.Errorf("--default-upstream %q is not configured; there are: %s", o.DefaultUpstream, strings.Join(names, ", "))
	}
	return nil
}
