package messenger

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

// listenOff is the Listen of a service without a socket of its own.
const listenOff = "off"

// DefaultDomain is the XMPP domain of the historical service.
const DefaultDomain = "messenger.live.com"

// Options of a Service. The zero value is a service without accounts on a free port of
// the loopback interface.
type Options struct {
	Listen      string // host:port; default 127.0.0.1:0, a free port; "off": ServeConn only
	AllowRemote bool   // lets Listen be another address than loopback, and OAuthHandler serve others
	Domain      string // default messenger.live.com

	// Certificate is the TLS certificate. nil: New makes a CA and a certificate for Domain,
	// xmpp.Domain, localhost and the loopback addresses; CA and CAPEM give that CA.
	Certificate *tls.Certificate

	Accounts []Account
	Redirect Redirect // see-other-host (M3); can be changed later with SetRedirect

	TokenLife     time.Duration // life of issued tokens; default 3600 s (M17)
	CloseOnExpiry bool          // a stream whose token has expired or is revoked is closed; default: it stays up (M17)
	IdleTimeout   time.Duration // a stream without a stanza for this long is closed; 0: never (M16)
	IQFrom        IQFrom        // sender of answers to IQs without `to` (M15)
	KeepResource  bool          // the wanted resource is bound as it is, an older stream with it gets conflict

	ArchiveMax int  // most messages kept and answered for two users; default 10 (M10)
	ArchiveUTC bool // archived messages carry utc='...'; default secs='...' (XEP-0136)
	OfflineMax int  // most messages kept for an account that is offline; default 100 (M12)

	// PhotoHashes adds the XEP-0153 hash of the photo to presence. The historical service
	// did not list that extension.
	PhotoHashes bool

	// OAuthRedirects are further redirect_uris that OAuthHandler accepts, compared exactly.
	OAuthRedirects []string

	MaxConnections int           // streams at a time; default 20,000
	MaxResources   int           // streams of one account; default 10
	QueueBytes     int           // unwritten bytes of a stream before it is cut as too slow; default 1 MiB
	SignInTimeout  time.Duration // from the TCP connection to the bound resource; default 30 s
	WriteTimeout   time.Duration // for one write; default 10 s

	Logger *slog.Logger // default: discards
}

// IQFrom is the `from` of answers to IQs that had no `to`.
type IQFrom string

// The senders that clients of such services have seen. The historical service used its
// domain.
const (
	IQFromDomain IQFrom = "domain"
	IQFromNone   IQFrom = "none"
	IQFromBare   IQFrom = "bare"
	IQFromFull   IQFrom = "full"
)

// Account is one user of the service.
type Account struct {
	User       string // user id: how Options and methods name the account
	Identifier string // localpart of its JID; default: 16 hex digits made from User
	AccountID  string // what jidlookup finds it by, such as mary@contoso.com
	Nickname   string // sent with its invitations (XEP-0172)
	VCard      perch.VCard

	Contacts    []Contact
	Invitations []Invitation // incoming and not yet answered
	KeepHistory bool         // "automatically keep a history of my conversations"
	Archive     []ArchivedMessage
	Tokens      []Token
	Bot         *Bot // the account is played by the service itself
}

// Contact is one roster item. The other side gets the mirrored item by itself when it
// does not list one.
type Contact struct {
	User         string // of another account
	Name         string
	Groups       []string
	Subscription perch.Subscription // default both
}

// Invitation is a subscription request that waits for an answer.
type Invitation struct {
	User    string // who asks
	Nick    string // default: the nickname of User
	Message string
}

// ArchivedMessage is a message of the past.
type ArchivedMessage struct {
	With   string // user id of the other side
	FromMe bool
	Body   string
	Time   time.Time
}

// Token is a fixed access token.
type Token struct {
	Text string
	Life time.Duration // 0: for ever
}

// Bot plays an account inside of the service: always online, accepting every
// invitation.
type Bot struct {
	// Reply makes the answer to a chat message; "" for none. A composing state goes before
	// it. nil: the bot reads and says nothing. It must not block.
	Reply func(body string) string
	Delay time.Duration // from the message to the answer; default 1.2 s

	// Cut reports whether the sender of this message wants all of its own connections cut,
	// without an end of the stream, a moment later: how a client can see what it does about
	// that. nil: never. It must not block.
	Cut func(body string) bool

	Presences []perch.OwnPresence // shown one after another; default: available
	Every     time.Duration       // how long each is shown; 0: the first one for ever
}

// withDefaults fills what was left out.
func (o Options) withDefaults() Options {
	setDefault(&o.Listen, "127.0.0.1:0")
	setDefault(&o.Domain, DefaultDomain)
	setDefault(&o.TokenLife, time.Hour)
	setDefault(&o.IQFrom, IQFromDomain)
	setDefault(&o.ArchiveMax, 10)
	setDefault(&o.OfflineMax, 100)
	setDefault(&o.MaxConnections, 20_000)
	setDefault(&o.MaxResources, 10)
	setDefault(&o.QueueBytes, 1<<20)
	setDefault(&o.SignInTimeout, 30*time.Second)
	setDefault(&o.WriteTimeout, 10*time.Second)
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
	if o.Listen != listenOff {
		host, _, err := net.SplitHostPort(o.Listen)
		if err != nil {
			return fmt.Errorf("messenger: Listen: %w", err)
		}
		if !o.AllowRemote && !xmppserver.IsLoopback(host) {
			return fmt.Errorf("messenger: Listen %q is not loopback and AllowRemote is not set", o.Listen)
		}
	}
	switch o.IQFrom {
	case IQFromDomain, IQFromNone, IQFromBare, IQFromFull:
	default:
		return fmt.Errorf("messenger: IQFrom %q is none of domain, none, bare, full", o.IQFrom)
	}
	if o.ArchiveMax < 0 || o.OfflineMax < 0 || o.MaxConnections < 0 || o.MaxResources < 0 || o.QueueBytes < 0 {
		return errors.New("messenger: a limit is negative")
	}
	if o.TokenLife < 0 || o.IdleTimeout < 0 || o.SignInTimeout < 0 || o.WriteTimeout < 0 {
		return errors.New("messenger: a duration is negative")
	}
	return o.Redirect.validate()
}
