package today

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// DefaultDomain is the XMPP domain of the service. Names under .localhost never leave the machine
// (RFC 6761, 6.3).
const DefaultDomain = "perch.localhost"

// maxText bounds what people write and what is kept beside their messages, in bytes: names, reasons,
// descriptions, subjects, passwords of rooms.
const maxText = 1024

// Off is the Listen of a service without a socket of its own.
const Off = "off"

// Options of a Service. The zero value is a service without accounts on free ports of the loopback
// interface.
type Options struct {
	Listen      string // host:port for XMPP; default 127.0.0.1:0, a free port; Off: ServeConn only
	ListenHTTP  string // host:port for uploads and WebSockets; default 127.0.0.1:0; Off: neither
	AllowRemote bool   // lets both be another address than loopback
	Domain      string // default perch.localhost

	// Certificate is the TLS certificate. nil: New makes a CA and a certificate for Domain, localhost
	// and the loopback addresses; CA and CAPEM give that CA.
	Certificate *tls.Certificate

	Accounts []Account
	Rooms    []Room
	Archive  []PastMessage // between accounts

	// Seed is what ids of occupants in rooms are derived from, which are the same after a restart with the
	// same one; default: of this service alone.
	Seed string

	MaxConnections int           // streams at a time; default 2,000
	MaxResources   int           // sessions of one account, of which those that are lost give way; default 20
	QueueBytes     int           // unwritten bytes of a stream before it is cut as too slow; default 1 MiB
	SignInTimeout  time.Duration // from the connection to the bound resource; default 30 s
	WriteTimeout   time.Duration // for one write; default 10 s
	IdleTimeout    time.Duration // a stream without an element for this long is closed; default 15 min
	ResumeTimeout  time.Duration // a session that can be resumed outlives its connection for this long; default 5 min
	OfflineMax     int           // most messages kept for an account that is offline; default 100

	Logger *slog.Logger // default: discards
}

// Account is one user of the service.
type Account struct {
	Local    string // localpart of its JID
	Password string
	Tokens   []string // of OAUTHBEARER (RFC 7628); they do not expire
	Nickname string   // sent with its invitations (XEP-0172)
	VCard    perch.VCard
	Contacts []Contact
	Bot      *Bot // nil: a person

	Bookmarks []string // localparts of rooms that it is to enter by itself (XEP-0402)
}

// Contact is one roster item. The subscription is in both directions; the other side gets the mirrored
// item by itself when it does not list one.
type Contact struct {
	Local  string // of another account
	Name   string
	Groups []string
}

// withDefaults fills what was left out.
func (o Options) withDefaults() Options {
	setDefault(&o.Listen, "127.0.0.1:0")
	setDefault(&o.ListenHTTP, "127.0.0.1:0")
	setDefault(&o.Domain, DefaultDomain)
	setDefault(&o.MaxConnections, 2000)
	setDefault(&o.MaxResources, 20)
	setDefault(&o.QueueBytes, 1<<20)
	setDefault(&o.SignInTimeout, 30*time.Second)
	setDefault(&o.WriteTimeout, 10*time.Second)
	setDefault(&o.IdleTimeout, 15*time.Minute)
	setDefault(&o.ResumeTimeout, 5*time.Minute)
	setDefault(&o.OfflineMax, 100)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// validate refuses what would fail later, and names the field.
func (o Options) validate() error {
	if j, err := perch.ParseJID(o.Domain); err != nil || string(j) != o.Domain || j.Domain() != o.Domain {
		return fmt.Errorf("today: Domain %q is no domain as RFC 7622 prepares it, such as %s", o.Domain, DefaultDomain)
	}
	for _, l := range [...][2]string{{"Listen", o.Listen}, {"ListenHTTP", o.ListenHTTP}} {
		if l[1] == Off {
			continue
		}
		host, _, err := net.SplitHostPort(l[1])
		if err != nil {
			return fmt.Errorf("today: %s: %w", l[0], err)
		}
		if !o.AllowRemote && !xmppserver.IsLoopback(host) {
			return fmt.Errorf("today: %s %q is not loopback and AllowRemote is not set", l[0], l[1])
		}
	}
	if min(o.MaxConnections, o.MaxResources, o.QueueBytes, o.OfflineMax) < 0 {
		return errors.New("today: a limit is negative")
	}
	if min(o.SignInTimeout, o.WriteTimeout, o.IdleTimeout, o.ResumeTimeout) < 0 {
		return errors.New("today: a duration is negative")
	}
	return nil
}
