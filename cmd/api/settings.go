package main

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/perch-im/perch/app"
)

// commandLine is every command and flag. Each flag has an environment variable, PERCH_
// and its name; every one but --config may also stand in the file.
type commandLine struct {
	Config configFile `placeholder:"FILE" help:"YAML file with settings (the flags' names) and a list of upstreams."`

	Serve      serveCommand      `cmd:"" default:"withargs" help:"Run the gateway (the default command)."`
	Check      checkCommand      `cmd:"" help:"Try everything that the settings name: files, name lookup, TLS and features of each upstream, Redis. Signs in nowhere, and says what to do."`
	Messenger  messengerCommand  `cmd:"" help:"Run the embedded Messenger-compatible XMPP service alone, for other XMPP clients."`
	Today      todayCommand      `cmd:"" help:"Run the embedded XMPP service of today alone, a development server for other XMPP clients."`
	Admin      adminCommand      `cmd:"" help:"See and steer a running gateway, all its nodes from any of them: sessions, nodes, upstreams, log level, drain."`
	VAPIDKey   vapidKeyCommand   `cmd:"" name:"vapid-key" help:"Make a key for --push-vapid-key, and its public half. Without that setting the gateway makes one itself."`
	Health     healthCommand     `cmd:"" help:"Ask a running gateway whether it takes requests; for health checks of containers."`
	Version    versionCommand    `cmd:"" help:"Print the version, what it was built from, and the versions of the records in Redis; as --version does."`
	Completion completionCommand `cmd:"" help:"Print a script that completes commands and settings in a shell."`
	Man        manCommand        `cmd:"" hidden:"" help:"Print the manual page."`

	file fileUpstreams // filled by Config
}

type serveCommand struct {
	CheckConfig bool `env:"-" help:"Validate flags, environment, file and the files that they name, then end: status 0 if all is well."`
	gatewaySettings
}

// gatewaySettings are those of the gateway: serve uses them, check tries them.
type gatewaySettings struct {
	Listen      string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of the gateway."`
	AdminListen string `default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address of /livez, /readyz, /version, /metrics, pprof, the admin API and its page; \"off\" for none. Keep it private."`
	TLSCert     string `name:"tls-cert" placeholder:"FILE" help:"PEM certificate chain; read again when it changes."`
	TLSKey      string `name:"tls-key" placeholder:"FILE" help:"PEM private key of --tls-cert."`

	upstreamSettings

	secretSettings

	Node    string        `placeholder:"NAME" help:"Name of this node among those that share a Redis; no other may have it. Default: the host's name and the port. The next process of this name takes this one's sessions over at once, and this one exits with status 3: do not restart it then."`
	NodeURL string        `name:"node-url" placeholder:"URL" help:"Where the other nodes reach this node's gateway, such as http://10.0.0.5:8080; keep that network private. Default: from --listen and the host's name."`
	Lease   time.Duration `default:"15s" help:"How long a node may be silent before the others take its sessions over; the same on all nodes."`

	Origin       []string       `placeholder:"ORIGIN" help:"Browser origin that may use the API besides the own host, such as https://app.example.org; may be repeated."`
	TrustedProxy []proxyAddress `placeholder:"ADDRESS" help:"Proxy whose X-Forwarded-For is trusted: an address or a network, such as 10.0.0.2 or 10.0.0.0/24; may be repeated."`

	AdminHost []string `placeholder:"NAME" help:"Name under which the admin listener may be asked, besides any address, localhost and the host's own name; may be repeated."`
	Label     []string `placeholder:"KEY=VALUE" help:"What this node is called by its operators, such as region=eu: shown by the admin API and by perch_node_info, and changes nothing; may be repeated."`
	limitSettings
	OpenTimeout time.Duration `default:"15s" help:"How long the first call of a token waits for the XMPP login."`
	DrainTime   time.Duration `default:"20s" help:"Time to hand event streams over at SIGTERM."`
	Idle        string        `default:"keep" enum:"keep,away,sign-out" help:"What happens to a session that no event stream is attached to: ${enum}."`
	IdleAfter   time.Duration `default:"10m" help:"When --idle away or sign-out happens."`
	ParkAfter   time.Duration `default:"5s" help:"How long a connection to an XMPP server is silent before its goroutine ends, to be started again by what arrives; 0 = never. Linux only."`
	retentionSettings

	OTelEndpoint string  `name:"otel-endpoint" placeholder:"URL" help:"Collector of OpenTelemetry traces, OTLP over HTTP, such as http://127.0.0.1:4318. Not given: nothing is traced."`
	OTelSample   float64 `name:"otel-sample" default:"1" help:"Share of traces that are kept, above 0 and up to 1; a client that sends traceparent decides itself."`

	LogRequests bool `default:"true" help:"Log one line at info for each request; --log-requests=false: none."`
	logSettings
}

// upstreamSettings are about the XMPP services.
type upstreamSettings struct {
	Upstream        []string `placeholder:"DOMAIN|URL" sep:"none" help:"XMPP service to connect to; may be repeated. A domain (SRV records are used), or xmpp://HOST:PORT?domain=example.org&name=work&profile=standard&mechanism=SCRAM-SHA-256&token-mechanism=X-OAUTH2&token-prefix=work-&ca-file=ca.pem&max-sessions=500&label=tier=gold; xmpps:// for direct TLS. Its limits, idle policy, labels and client certificate are in docs/operations.md, Upstreams. None: the embedded services of --demo."`
	Demo            string   `default:"both" enum:"messenger,today,both,off" help:"Embedded services with demo accounts that run when no upstream is configured: ${enum}. messenger is that of 2011, today has rooms, edits, reactions, files and read positions."`
	DefaultUpstream string   `placeholder:"NAME" help:"Upstream of access tokens that begin with no token-prefix, and whose client names none; the first one if not given."`
}

// limitSettings bound what clients can make the gateway do.
type limitSettings struct {
	Connections        int `default:"0" help:"Most connections to the gateway at once; 0 = three quarters of the file descriptors that the process may have."`
	AddressConnections int `default:"0" help:"Most of them from one address (of IPv6 one /64), trusted proxies excepted; 0 = half of all."`

	MaxSessions        int     `default:"10000" help:"Most XMPP sessions on this node."`
	SessionsPerAccount int     `placeholder:"N" help:"Most sessions of one account (bare JID) on this node. Default: 10, and no more than half of --max-sessions."`
	SessionsPerAddress int     `placeholder:"N" help:"Most sessions on this node that one client address has opened: raise it where one address signs in for many users. Default: half of --max-sessions."`
	TokenRate          float64 `default:"100" help:"Requests a second of one session; three seconds' worth at once."`
	IPRate             float64 `name:"ip-rate" default:"200" help:"Requests a second of one client address; three seconds' worth at once."`
	SignInRate         float64 `default:"10" help:"Refused credentials and tickets a minute of one client address, on all nodes together; as many at once. Right ones do not count, but only so many are under way at once: raise it where one address signs in for many users."`
	AccountRate        float64 `default:"10" help:"Refused credentials a minute of one account, from all addresses; twice as many at once."`
	Streams            int     `default:"20" help:"Event streams of one session."`
	RoomDeliveryLimit  int     `default:"600" help:"Messages of one room in a minute that a session makes events of; above it only of those that name the account, until the room is quiet; 0 = no limit."`
	RawStanzas         bool    `help:"Let clients send stanzas that they have written themselves (POST /v1/stanzas), for what the API has no resource for, such as OMEMO keys, and get those that arrive and nothing else is made of (events of type stanza). Stanzas by which the gateway itself works are refused; 20 a minute of one session."`
	MCP                bool    `name:"mcp" help:"Let agents (LLMs) use the API as tools by the Model Context Protocol, at /mcp, with tokens that have the scopes for it."`
	uploadSettings
	webhookSettings
	pushSettings
}

// webhookSettings are about servers of clients that events are sent to.
type webhookSettings struct {
	Webhooks      bool           `default:"true" help:"Let clients have events of their sessions sent to servers of theirs (webhooks); --webhooks=false: none."`
	WebhookAllow  []proxyAddress `placeholder:"ADDRESS" help:"Network that is not public in which servers of clients may be called, also without TLS, such as 10.0.0.0/24; may be repeated. Whoever can sign in can have requests sent there."`
	WebhookCAFile string         `name:"webhook-ca-file" placeholder:"FILE" help:"PEM certificates of authorities, besides those of the system, that may have signed the certificates of these servers."`
}

func (s *webhookSettings) webhooks() app.WebhookOptions {
	return app.WebhookOptions{NoWebhooks: !s.Webhooks, WebhookAllow: prefixes(s.WebhookAllow), WebhookCAFile: s.WebhookCAFile}
}

// uploadSettings are about files that clients put on the web.
type uploadSettings struct {
	UploadProxy      string         `default:"off" enum:"off,on,only" help:"Whether files may go through the gateway to the upload service, for pages that it does not let in (CORS): ${enum}. With only, clients are told that there is no other way."`
	UploadProxyAllow []proxyAddress `placeholder:"ADDRESS" help:"Network that is not public in which the gateway may reach upload services, such as 10.0.0.0/24; may be repeated."`
	UploadProxyBytes int64          `default:"104857600" help:"Largest file that goes through the gateway, in bytes."`
	UploadHTTPHost   []string       `name:"upload-http-host" placeholder:"HOST" help:"Host of an upload service whose addresses may be http; clients are given no others than https else. A name or an address, without a port; may be repeated."`
}

func (s *uploadSettings) uploads() app.UploadOptions {
	return app.UploadOptions{
		UploadProxy: app.UploadProxy(s.UploadProxy), UploadProxyAllow: prefixes(s.UploadProxyAllow), UploadProxyBytes: s.UploadProxyBytes,
		UploadHTTPHosts: s.UploadHTTPHost,
	}
}

// pushSettings are about messages to push subscriptions.
type pushSettings struct {
	Push        bool           `default:"true" help:"Let clients subscribe to push messages (Web Push, UnifiedPush); --push=false: no."`
	PushContact string         `placeholder:"ADDRESS" help:"Whom the push services of browsers may write to about this gateway: mailto:push@example.org, or an https: address. Some of them want it. Default: the project's page."`
	PushAllow   []proxyAddress `placeholder:"ADDRESS" help:"Network that is not public in which the gateway may reach push services, such as 10.0.0.0/24, also without TLS; may be repeated."`
}

func (s *pushSettings) push() app.PushOptions {
	return app.PushOptions{NoPush: !s.Push, PushContact: s.PushContact, PushAllow: prefixes(s.PushAllow)}
}

// retentionSettings bound the event log of each session.
type retentionSettings struct {
	RetentionEvents int           `default:"10000" help:"Most events kept for each session."`
	RetentionBytes  int           `default:"8388608" help:"Most bytes of events kept for each session."`
	RetentionAge    time.Duration `default:"24h" help:"How long events are kept."`
}

// Help is what --help says below the summary.
func (*serveCommand) Help() string {
	return `With no settings at all the gateway serves two embedded services with demo accounts on 127.0.0.1:8080: one compatible with Messenger, and one of today (--demo).

Settings come from flags, then the environment, then the file of --config, then the defaults; one that does not exist is refused by name.

Before the first start, and when a login fails: "perch check" with the same settings tries each upstream, TLS files and Redis, signs in nowhere, and says what to do; "perch --check-config" validates the settings alone.

SIGHUP reads the file again, and what it names: docs/operations.md says what takes effect without a restart.

Other commands: "perch messenger" and "perch today" run an embedded service alone for other XMPP clients, "perch admin" sees and steers a running gateway, "perch health" asks a running gateway whether it takes requests, "perch version" or "perch --version" prints the version.`
}

// options turns the settings into those of the app.
func (s *gatewaySettings) options(file []app.Upstream) (app.Options, error) {
	if err := s.positive(); err != nil {
		return app.Options{}, err
	}
	o := app.Options{
		Listen: s.Listen, AdminListen: s.AdminListen, TLSCert: s.TLSCert, TLSKey: s.TLSKey,
		Upstreams: file, UpstreamOptions: app.UpstreamOptions{DefaultUpstream: s.DefaultUpstream, Demo: s.Demo},
		RedisURL: s.RedisURL, Secret: s.Secret, SecretOptions: app.SecretOptions{SecretPrevious: s.SecretPrevious}, Node: s.Node, NodeURL: s.NodeURL, Lease: s.Lease,
		Origins: s.Origin, TrustedProxies: prefixes(s.TrustedProxy),
		AdminOptions: app.AdminOptions{AdminHosts: s.AdminHost, AdminToken: s.AdminToken}, Limits: s.limits(),
		OpenTimeout: s.OpenTimeout, DrainTime: s.DrainTime,
		Idle:      app.IdlePolicy{Action: app.IdleAction(s.Idle), After: s.IdleAfter},
		ParkAfter: noneIsNegative(s.ParkAfter),
		Tracing:   app.Tracing{Endpoint: s.OTelEndpoint, Sample: s.OTelSample},
		Version:   version(), LogOptions: app.LogOptions{NoRequestLines: !s.LogRequests},
	}
	o.PushVAPIDKey = s.PushVAPIDKey
	o.Retention.Events, o.Retention.Bytes, o.Retention.Age = s.RetentionEvents, s.RetentionBytes, s.RetentionAge
	for _, text := range s.Label {
		if err := o.Labels.Set(text); err != nil {
			return o, fmt.Errorf("--label: %w", err)
		}
	}
	for _, text := range s.Upstream {
		u, err := parseUpstream(text)
		if err != nil {
			return o, err
		}
		o.Upstreams = append(o.Upstreams, u)
	}
	for i, text := range s.SecretKey {
		key, err := hex.DecodeString(text)
		if err != nil || len(key) != 32 {
			return o, fmt.Errorf("--secret-key %d must be 32 bytes in hex; make one with: openssl rand -hex 32", i+1)
		}
		o.SealKeys = append(o.SealKeys, key)
	}
	return o, nil
}

// positive refuses a limit or a time of nothing: the app would take 0 for its default.
func (s *gatewaySettings) positive() error {
	for _, f := range []struct {
		name string
		ok   bool
	}{
		{"max-sessions", s.MaxSessions > 0}, {"upload-proxy-bytes", s.UploadProxyBytes > 0}, {"token-rate", s.TokenRate > 0}, {"ip-rate", s.IPRate > 0},
		{"sign-in-rate", s.SignInRate > 0}, {"account-rate", s.AccountRate > 0}, {"streams", s.Streams > 0}, {"open-timeout", s.OpenTimeout > 0}, {"drain-time", s.DrainTime > 0},
		{"idle-after", s.IdleAfter > 0}, {"lease", s.Lease > 0}, {"retention-events", s.RetentionEvents > 0},
		{"retention-bytes", s.RetentionBytes > 0}, {"retention-age", s.RetentionAge > 0}, {"otel-sample", s.OTelSample > 0},
	} {
		if !f.ok {
			return fmt.Errorf("--%s must be more than 0", f.name)
		}
	}
	if s.ParkAfter < 0 {
		return fmt.Errorf("--park-after must not be less than 0")
	}
	if s.RoomDeliveryLimit < 0 {
		return fmt.Errorf("--room-delivery-limit must not be less than 0")
	}
	if s.Connections < 0 || s.AddressConnections < 0 {
		return fmt.Errorf("--connections and --address-connections must not be less than 0")
	}
	return nil
}

// noneIsNegative is a setting for the app, where 0 is the default and what is negative is none.
func noneIsNegative[T ~int | ~int64](v T) T {
	if v == 0 {
		return -1
	}
	return v
}

// rate lets three seconds' worth of requests come at once.
func rate(perSecond float64) app.Rate {
	return app.Rate{PerSecond: perSecond, Burst: max(1, int(3*perSecond))}
}

func (s *limitSettings) limits() app.Limits {
	return app.Limits{
		Connections: s.Connections, AddressConnections: s.AddressConnections,
		MaxSessions: s.MaxSessions, SessionsPerAccount: s.SessionsPerAccount, SessionsPerAddress: s.SessionsPerAddress,
		TokenRate: rate(s.TokenRate), IPRate: rate(s.IPRate),
		SignInRate: app.PerMinute(s.SignInRate, 1), AccountRate: app.PerMinute(s.AccountRate, 2), Streams: s.Streams,
		RoomDeliveryLimit: noneIsNegative(s.RoomDeliveryLimit),
		UploadOptions:     s.uploads(),
		WebhookOptions:    s.webhooks(),
		PushOptions:       s.push(),
		RawStanzas:        s.RawStanzas,
		MCP:               s.MCP,
	}
}
