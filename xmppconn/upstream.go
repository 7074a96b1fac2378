package xmppconn

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/address"
	"github.com/perch-im/perch/xmppconn/internal/clientcert"
	"github.com/perch-im/perch/xmppconn/internal/negotiate"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
	"golang.org/x/net/idna"
	"mellium.im/xmpp/jid"
)

// TLSMode says how a connection becomes encrypted. There is no mode without.
type TLSMode string

// The modes.
const (
	TLSAuto     TLSMode = "auto"     // as SRV says (XEP-0368); with an Address: direct on 443 and 5223
	TLSStartTLS TLSMode = "starttls" // RFC 6120, 5
	TLSDirect   TLSMode = "direct"   // TLS from the first byte (XEP-0368)
)

// Profile says which kind of service an upstream is.
type Profile string

// The profiles.
const (
	// ProfileStandard is an XMPP server of today; what it can do is asked at sign-in.
	ProfileStandard Profile = "standard"
	// ProfileMessenger is a service that behaves as Microsoft's did: tokens, an archive of
	// ten messages (XEP-0136), JID lookup, and a roster that can only grow.
	ProfileMessenger Profile = "messenger"
)

// ClientCertificate is the certificate of one account, with the token by which clients show that it is theirs.
type ClientCertificate = clientcert.Certificate

// ParseClientCertificate reads one for an account of a domain: a chain and its key, both PEM. It must name
// exactly one account (XEP-0178).
func ParseClientCertificate(chain, key []byte, token, domain string) (*ClientCertificate, error) {
	return clientcert.Parse(chain, key, token, domain)
}

// Resolver looks up names. *net.Resolver is one; nil in Upstream means net.DefaultResolver.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Upstream says how to reach one XMPP service. The zero value of each field but Domain means
// what its comment says; NewDialer fills it in.
type Upstream struct {
	Name    string // as in Account.Upstream; for logs only
	Domain  string // the XMPP domain; needed
	Address string // host or host:port to dial instead of asking SRV; "" = SRV, then Domain:5222

	TLS        TLSMode        // "" = TLSAuto
	ServerName string         // the name that the certificate must have; "" = Domain
	RootCAs    *x509.CertPool // who may have signed it; nil = the system's

	// Client signs in one account by EXTERNAL: for whoever has the token that belongs to it, and who then needs
	// nothing else. All other tokens are refused. nil = none.
	Client *ClientCertificate

	Profile Profile // "" = ProfileStandard

	// Mechanisms are SASL names in the order of preference; nothing outside of the list is
	// used. nil = all that the credential fits, the best first, and never less than the account's
	// last login has used (Account.Proved).
	Mechanisms []string
	// TokenAsPassword lets an access token go out as the password of PLAIN, as servers want
	// it that check JSON Web Tokens there. Otherwise a token never does.
	TokenAsPassword bool
	// GoogleAttributes adds what Google Talk wanted to see on X-OAUTH2.
	GoogleAttributes bool
	// APIKey is the application's key for X-FACEBOOK-PLATFORM.
	APIKey string

	// RedirectAllow are the hosts that see-other-host may lead to: exact names or
	// "*.suffix", each with a port or without. nil = the Domain and everything below it; empty
	// but not nil = nowhere. An exact name without a port allows all its ports, a pattern and
	// the default only 5222, 5223, 443 and the port of Address. Only a host that is named
	// exactly may be in another kind of network (loopback, private) than the upstream itself.
	RedirectAllow []string
	named         named // what is the operator's, and not the default
	// BringYourOwn is for a Domain that a client chose: only public addresses and the ports
	// 5222, 5223 and 443 are dialled, checked at each connect, after name resolution.
	BringYourOwn bool
	Resolver     Resolver // nil = net.DefaultResolver

	DialTimeout    time.Duration // to connect to one target; 0 = 5 s
	StepTimeout    time.Duration // for each answer while signing in; 0 = 10 s
	SignInTimeout  time.Duration // for all of it, redirects included; 0 = 30 s
	RequestTimeout time.Duration // for the answer to an IQ; 0 = 20 s
	WriteTimeout   time.Duration // for one write; 0 = 20 s
	KeepAlive      time.Duration // silence before a ping (XEP-0199); 0 = 55 s
	PingTimeout    time.Duration // for its answer; 0 = 20 s
	AckDelay       time.Duration // how long a sent stanza waits before the server is asked for it; 0 = 3 s
	MaxQueue       int           // bytes that may wait to be written; 0 = 1 MiB
}

// named is which lists of an Upstream the operator has given.
type named struct{ mechanisms, redirects bool }

// Validate checks everything that can be checked without the network. The error names the
// field and has KindValidation.
func (u Upstream) Validate() error {
	if j, err := jid.Parse(u.Domain); err != nil || j.Domainpart() != j.String() {
		return perch.Invalid("/domain", "%q is not an XMPP domain", u.Domain)
	}
	if u.Address != "" {
		if _, _, err := address.Split(u.Address); err != nil {
			return perch.Invalid("/address", "%q is not host:port", u.Address)
		}
	}
	if !slices.Contains([]TLSMode{"", TLSAuto, TLSStartTLS, TLSDirect}, u.TLS) {
		return perch.Invalid("/tls", "%q is not one of auto, starttls, direct", u.TLS)
	}
	if !slices.Contains([]Profile{"", ProfileStandard, ProfileMessenger}, u.Profile) {
		return perch.Invalid("/profile", "%q is not one of standard, messenger", u.Profile)
	}
	if u.ServerName != "" && !address.Plain(u.ServerName) {
		return perch.Invalid("/server_name", "%q is not a host name", u.ServerName)
	}
	for i, m := range u.Mechanisms {
		if _, known := sasl.Lookup(m); !known {
			return perch.Invalid(fmt.Sprintf("/mechanisms/%d", i), "%q is not one of %s", m, strings.Join(sasl.Names(), ", "))
		}
	}
	for i, p := range u.RedirectAllow {
		if _, _, _, err := splitRedirectEntry(p); err != nil {
			return perch.Invalid(fmt.Sprintf("/redirect_allow/%d", i), "%q is not a host name or *.suffix, with or without a port", p)
		}
	}
	return u.validateTimes()
}

func (u Upstream) validateTimes() error {
	for _, t := range []struct {
		pointer string
		value   time.Duration
	}{
		{"/dial_timeout", u.DialTimeout}, {"/step_timeout", u.StepTimeout}, {"/sign_in_timeout", u.SignInTimeout},
		{"/request_timeout", u.RequestTimeout}, {"/write_timeout", u.WriteTimeout}, {"/keep_alive", u.KeepAlive},
		{"/ping_timeout", u.PingTimeout}, {"/ack_delay", u.AckDelay}, {"/max_queue", time.Duration(u.MaxQueue)},
	} {
		if t.value < 0 {
			return perch.Invalid(t.pointer, "must not be negative")
		}
	}
	return nil
}

// withDefaults fills in what the zero values mean.
func (u Upstream) withDefaults() Upstream {
	orText := func(p *string, d string) {
		if *p == "" {
			*p = d
		}
	}
	orTime := func(p *time.Duration, d time.Duration) {
		if *p == 0 {
			*p = d
		}
	}
	orText((*string)(&u.TLS), string(TLSAuto))
	orText((*string)(&u.Profile), string(ProfileStandard))
	ascii, err := idna.Lookup.ToASCII(u.Domain)
	if err != nil {
		ascii = u.Domain // an address literal; Validate has refused everything else
	}
	orText(&u.ServerName, strings.Trim(ascii, "[]"))
	if u.named.redirects = u.RedirectAllow != nil; !u.named.redirects {
		u.RedirectAllow = []string{strings.ToLower(ascii), "*." + strings.ToLower(ascii)}
	}
	if u.named.mechanisms = u.Mechanisms != nil; !u.named.mechanisms {
		u.Mechanisms = negotiate.Default()
		if u.Profile == ProfileMessenger {
			u.Mechanisms = []string{"X-MESSENGER-OAUTH2"}
		}
	}
	if u.Resolver == nil {
		u.Resolver = net.DefaultResolver
	}
	orTime(&u.DialTimeout, 5*time.Second)
	orTime(&u.StepTimeout, 10*time.Second)
	orTime(&u.SignInTimeout, 30*time.Second)
	orTime(&u.RequestTimeout, 20*time.Second)
	orTime(&u.WriteTimeout, 20*time.Second)
	orTime(&u.KeepAlive, 55*time.Second)
	orTime(&u.PingTimeout, 20*time.Second)
	orTime(&u.AckDelay, 3*time.Second)
	if u.MaxQueue == 0 {
		u.MaxQueue = 1 << 20
	}
	return u
}

// policy is what is decided about logins.
func (u *Upstream) policy() negotiate.Policy {
	return negotiate.Policy{
		Domain: u.Domain, Mechanisms: u.Mechanisms, Named: u.named.mechanisms,
		TokenAsPassword: u.TokenAsPassword, GoogleAttributes: u.GoogleAttributes, APIKey: u.APIKey, Client: u.Client,
	}
}

// capabilities is what the profile can do; a standard server is asked for the rest.
func (u Upstream) capabilities() perch.Capabilities {
	if u.Profile == ProfileMessenger {
		return perch.Capabilities{LookupJID: true, Archive: "136", ArchiveMax: 10, ChatOnly: true}
	}
	return perch.Capabilities{EditRoster: true, StoreVCard: true}
}
