package sessions

import (
	"crypto/hmac"
	"log/slog"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// Options of a Manager.
type Options struct {
	Dial            DialFunc
	Verify          VerifyFunc // of a credential that is to replace another
	EndToken        EndTokenFunc
	Store           Store
	Secret          []byte              // key of all keyed hashes; at least 16 bytes
	PreviousSecrets [][]byte            // other ones that hashes may still be made with, while Secret is rotated
	Upstreams       map[string]Upstream // by name
	DefaultUpstream string              // whose access tokens are passed through when nothing says whose they are
	OpenTimeout     time.Duration       // how long the first call waits for the login; 15 s
	MaxSessions     int                 // per node; 0 = no limit
	// SessionsPerAccount and SessionsPerAddress bound the sessions of this node that have one
	// bare JID, and those that were opened from one client address (FromAddress); 0 = no limit.
	SessionsPerAccount int
	SessionsPerAddress int
	Logger             *slog.Logger // nil: nothing is logged

	// SealKeys, each 32 bytes, encrypt the credentials that are stored, so that
	// sessions can be restored at start (Restore). The first one seals, all of them open.
	// Without one no credential is stored.
	SealKeys [][]byte
	// Idle says what happens to a session that no event stream is attached to.
	Idle IdlePolicy
	// Logins is how many logins may be under way at once for one upstream that says nothing else; 64.
	Logins int
	// RoomDeliveryLimit is how many messages of one room a session takes in a minute before it logs only
	// those that name the account; DefaultRoomDeliveryLimit when it is 0, no limit when it is negative.
	RoomDeliveryLimit int
	// Uploads says how files may go to the upload services of upstreams.
	Uploads UploadPolicy
	// RawStanzas lets streams ask for stanzas that nothing else is made of (perch.EventStanza).
	RawStanzas bool
	// Webhooks and Push bring parts of logs to the readers of these kinds; nil: there are none.
	Webhooks, Push Sender
	// Observer counts what happens; nil: nothing is counted.
	Observer Observer
}

// IdleAction is what happens when no client has been attached for some time.
type IdleAction string

// The three policies. Reading never changes the presence; only attaching a stream ends
// what IdleAway did.
const (
	IdleKeep    IdleAction = "keep"     // nothing: the account stays as it is
	IdleAway    IdleAction = "away"     // an available account appears as away until a stream is attached
	IdleSignOut IdleAction = "sign-out" // the session ends, as by DELETE /v1/session
)

// IdlePolicy is IdleAction after a time; the zero value keeps.
type IdlePolicy struct {
	Action IdleAction
	After  time.Duration
}

// Upstream is what the sessions need to know of a configured upstream.
type Upstream struct {
	Name         string
	Domain       string // of the JIDs that it serves; "" = not known, and JIDs of any domain may sign in to it
	TokenBearer  bool   // access tokens may be passed through (a token alone is enough to sign in)
	TokenPrefix  string // what its access tokens begin with, and those of no other; "" = they are told by nothing
	NeedsJID     bool   // a JID must be given with the credential
	Rooms        string // the mode of new sessions, see Rooms.SetMode: RoomsManual or RoomsAutoJoin
	Capabilities perch.Capabilities
	UpstreamLimits
}

// UpstreamLimits are what an upstream has of its own. The zero value of each is what the Options say for all.
type UpstreamLimits struct {
	Idle               IdlePolicy // Action "": that of the Options
	MaxSessions        int        // of this node; 0: none but that of the Options
	SessionsPerAccount int        // of this node
	Logins             int        // under way at once, on this node
	// LoginRate is how many logins may begin in a second on this node, and as many at once; 0: no limit. The
	// others wait for their turn; a new session that would wait for longer than OpenTimeout is refused.
	LoginRate float64
}

// check names the wrong field.
func (u Upstream) check() error {
	if u.Rooms != RoomsManual && u.Rooms != RoomsAutoJoin {
		return perch.Invalid("Upstreams", "Rooms must be %s, or left out", RoomsAutoJoin)
	}
	return u.UpstreamLimits.check()
}

// check names the wrong field.
func (l UpstreamLimits) check() error {
	switch {
	case l.MaxSessions < 0 || l.SessionsPerAccount < 0 || l.Logins < 0 || l.LoginRate < 0:
		return perch.Invalid("Upstreams", "limits must not be negative")
	case l.Idle.Action != "" && l.Idle.Action != IdleKeep && l.Idle.After <= 0:
		return perch.Invalid("Upstreams", "Idle needs a time")
	}
	return nil
}

// DefaultLogins is how many logins may be under way at once for one upstream.
const DefaultLogins = 64

const (
	minSecret      = 16
	defaultOpen    = 15 * time.Second
	sealKeyLen     = 32
	defaultDialing = 30 * time.Second // one login, from DNS to bind
)

// withDefaults checks o and fills what is not set.
func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Dial == nil:
		return o, perch.Invalid("Dial", "is missing")
	case o.Verify == nil:
		return o, perch.Invalid("Verify", "is missing")
	case o.Store == nil:
		return o, perch.Invalid("Store", "is missing")
	case len(o.Secret) < minSecret:
		return o, perch.Invalid("Secret", "must have at least %d bytes", minSecret)
	case slices.ContainsFunc(o.PreviousSecrets, func(s []byte) bool { return len(s) < minSecret || hmac.Equal(s, o.Secret) }):
		return o, perch.Invalid("PreviousSecrets", "each must have at least %d bytes, and be another one than Secret", minSecret)
	case o.MaxSessions < 0 || o.SessionsPerAccount < 0 || o.SessionsPerAddress < 0:
		return o, perch.Invalid("MaxSessions", "must not be negative")
	}
	if _, ok := o.Upstreams[o.DefaultUpstream]; !ok {
		return o, perch.Invalid("DefaultUpstream", "names no upstream")
	}
	if !slices.Contains([]perch.UploadProxy{"", perch.UploadProxyOff, perch.UploadProxyOn, perch.UploadProxyOnly}, o.Uploads.Proxy) {
		return o, perch.Invalid("Uploads.Proxy", "must be off, on or only")
	}
	if o.Uploads.Bytes < 0 {
		return o, perch.Invalid("Uploads.Bytes", "must not be negative")
	}
	for _, u := range o.Upstreams {
		if err := u.check(); err != nil {
			return o, err
		}
	}
	for _, k := range o.SealKeys {
		if len(k) != sealKeyLen {
			return o, perch.Invalid("SealKeys", "each must have %d bytes", sealKeyLen)
		}
	}
	if o.Idle.Action != "" && o.Idle.Action != IdleKeep && o.Idle.After <= 0 {
		return o, perch.Invalid("Idle", "needs a time")
	}
	if o.OpenTimeout <= 0 {
		o.OpenTimeout = defaultOpen
	}
	if o.Logins <= 0 {
		o.Logins = DefaultLogins
	}
	if o.RoomDeliveryLimit == 0 {
		o.RoomDeliveryLimit = DefaultRoomDeliveryLimit
	}
	if o.Uploads.Proxy == "" {
		o.Uploads.Proxy = perch.UploadProxyOff
	}
	if o.Uploads.Bytes == 0 {
		o.Uploads.Bytes = DefaultUploadBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	return o, nil
}
