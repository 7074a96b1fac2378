package api

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/perch-im/perch/sessions"
)

// Options of an API. Only Sessions is needed; the zero value of every other field stands
// for the default that its comment names.
type Options struct {
	Sessions *sessions.Manager
	Logger   *slog.Logger // nil: nothing is logged
	// NoRequestLines leaves out the line at info for each request.
	NoRequestLines bool
	Version        string // of the program, for hello and /version; "" = "dev"

	// Origins that browsers may call from, each exactly as in the Origin header
	// ("https://chat.example"). Empty: no cross-origin answers at all. WebSockets of the
	// same host are always allowed.
	Origins []string
	// TrustedProxies may name the client's address in X-Forwarded-For. Empty: the address
	// of the TCP connection is the client's, whatever the headers say.
	TrustedProxies []netip.Prefix

	// AdminHosts are names, besides addresses and localhost, under which the admin listener
	// may be asked, without a port. "*" is not allowed.
	AdminHosts []string

	// Admin is for the operator's API.
	Admin AdminOptions

	NodeOptions

	BodyBytes       int64         // of a request body; 256 KiB
	RequestTime     time.Duration // of a REST request, streams excepted; 30 s
	StreamsPerToken int           // open event streams of one session; 20

	RateLimits
	StreamLimits
	ReaderOptions
	// RawStanzas lets clients write stanzas themselves, by POST /v1/stanzas.
	RawStanzas bool
	// MCP lets agents use the API as tools, by POST /mcp.
	MCP bool

	Retention sessions.Retention // of the logs, for hello only; sessions.DefaultRetention

	// What is served beside the API; each may be nil or empty: 404.
	Pages    http.Handler // "/", "/docs" and everything else outside of /v1 and /problems
	OpenAPI  []byte       // /v1/openapi.yaml
	AsyncAPI []byte       // /v1/asyncapi.yaml
	Metrics  http.Handler // /metrics of the admin listener

	Observer Observer // counts what happens; nil: nothing is counted
	Tracer   Tracer   // follows requests; nil: none are followed, and nothing is spent on it
	Uploads  UploadOptions
}

// ReaderOptions are about those outside to whom events of sessions are brought.
type ReaderOptions struct {
	// Webhooks lets clients have events sent to servers of theirs; sessions.Options.Webhooks sends them.
	Webhooks bool
	// PushKey returns the key that push subscriptions are made with (RFC 8292), or "" while there is none;
	// sessions.Options.Push sends the messages. nil: clients have none.
	PushKey func() string
}

// NodeOptions are about requests to other nodes.
type NodeOptions struct {
	// NodeTLS is for requests to other nodes whose address is https. nil: the roots of the
	// system, and the name in the address.
	NodeTLS *tls.Config
	// NodeTransport wraps the transport to peers, so that a trace continues there; nil: it is not
	// wrapped.
	NodeTransport func(http.RoundTripper) http.RoundTripper
}

// RateLimits bound how often clients may do something. 0 is the default of each.
type RateLimits struct {
	TokenRate   Rate // requests of one session; 100 a second, 300 at once
	IPRate      Rate // requests of one client address; 200 a second, 600 at once
	SignInRate  Rate // refused credentials of one client address; 10 a minute, 10 at once
	AccountRate Rate // refused credentials of one account, from all addresses; 10 a minute, 20 at once
	// AccountRates are AccountRate of upstreams that have one of their own, by name.
	AccountRates map[string]Rate
}

// UploadOptions are about files that pass through the gateway, where sessions.UploadPolicy allows that.
type UploadOptions struct {
	Bytes int64          // of a file; sessions.DefaultUploadBytes
	Allow []netip.Prefix // networks of upload services besides the public ones
	// Roots are who may have signed the certificates of upload services of an upstream; nil, or without
	// an answer, those of the system.
	Roots func(upstream string) *x509.CertPool
}

// StreamLimits are those of one event stream. 0 is the default of each.
type StreamLimits struct {
	Heartbeat         time.Duration // silence before a heartbeat, and between WebSocket pings; 25 s
	PingTimeout       time.Duration // to answer a WebSocket ping; 10 s
	FrameTime         time.Duration // to accept one frame; 10 s
	QueueFrames       int           // queue of one connection; 256
	QueueBytes        int           // queue of one connection; 1 MiB
	FrameBytes        int64         // of an inbound WebSocket message; 64 KiB
	CommandsPerMinute int           // inbound WebSocket messages; 120
	TicketLife        time.Duration // of POST /v1/events/tickets; 30 s
}

// Rate is a token bucket: Burst requests at once, refilled by PerSecond.
type Rate struct {
	PerSecond float64
	Burst     int
}

// withDefaults sets the defaults of what was left out, and checks the rest.
func (o Options) withDefaults() (Options, error) {
	if o.Sessions == nil {
		return o, errors.New("api: Options.Sessions is missing")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	setDefault(&o.Version, "dev")
	setDefault(&o.BodyBytes, 256<<10)
	setDefault(&o.Uploads.Bytes, sessions.DefaultUploadBytes)
	setDefault(&o.RequestTime, 30*time.Second)
	setDefault(&o.StreamsPerToken, 20)
	setDefault(&o.TokenRate, Rate{PerSecond: 100, Burst: 300})
	setDefault(&o.IPRate, Rate{PerSecond: 200, Burst: 600})
	setDefault(&o.SignInRate, Rate{PerSecond: 10.0 / 60, Burst: 10})
	setDefault(&o.AccountRate, Rate{PerSecond: 10.0 / 60, Burst: 20})
	setDefault(&o.Heartbeat, 25*time.Second)
	setDefault(&o.PingTimeout, 10*time.Second)
	setDefault(&o.FrameTime, 10*time.Second)
	setDefault(&o.QueueFrames, 256)
	setDefault(&o.QueueBytes, 1<<20)
	setDefault(&o.FrameBytes, 64<<10)
	setDefault(&o.CommandsPerMinute, 120)
	setDefault(&o.TicketLife, 30*time.Second)
	setDefault(&o.Retention, sessions.DefaultRetention)
	return o, o.check()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o Options) check() error {
	rates := map[string]Rate{"TokenRate": o.TokenRate, "IPRate": o.IPRate, "SignInRate": o.SignInRate, "AccountRate": o.AccountRate}
	for upstream, r := range o.AccountRates {
		rates["AccountRates of "+upstream] = r
	}
	for name, r := range rates {
		if r.PerSecond <= 0 || r.Burst < 1 {
			return fmt.Errorf("api: Options.%s needs a positive PerSecond and Burst", name)
		}
	}
	if o.BodyBytes < 1 || o.RequestTime < 1 || o.StreamsPerToken < 1 {
		return errors.New("api: Options.BodyBytes, RequestTime and StreamsPerToken must be positive")
	}
	for _, origin := range o.Origins {
		if err := checkOrigin(origin); err != nil {
			return err
		}
	}
	if o.Uploads.Bytes < 1 {
		return errors.New("api: Options.Uploads.Bytes must be positive")
	}
	for _, p := range slices.Concat(o.TrustedProxies, o.Uploads.Allow) {
		if !p.IsValid() {
			return errors.New("api: Options.TrustedProxies or Uploads.Allow has an invalid prefix")
		}
	}
	return nil
}

// ValidOrigin reports whether text may be one of Options.Origins.
func ValidOrigin(text string) bool { return checkOrigin(text) == nil }

// checkOrigin allows only an exact origin: with a pattern, or "*", any page that matches could
// use a stolen token from the victim's own browser.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return fmt.Errorf("api: Options.Origins: %q is not an exact origin such as https://chat.example", origin)
	}
	for _, c := range u.Host {
		if c == '*' || c == '?' || c == '[' && u.Hostname() == "" {
			return fmt.Errorf("api: Options.Origins: %q: patterns are not allowed", origin)
		}
	}
	return nil
}
