package sessions

import (
	"context"
	"log/slog"
	"time"

	"github.com/perch-im/perch"
)

// STUBS: the shape that package api builds on. The real files replace this one.

// Options of a Manager.
type Options struct {
	Dial            DialFunc
	Store           Store
	Secret          []byte              // key of all keyed hashes; at least 16 bytes
	Upstreams       map[string]Upstream // by name
	DefaultUpstream string              // whose access tokens are passed through
	OpenTimeout     time.Duration       // how long the first call waits for the login; 15 s
	MaxSessions     int                 // per node; 0 = no limit
	Logger          *slog.Logger
}

// Upstream is what the sessions need to know of a configured upstream.
type Upstream struct {
	Name         string
	TokenBearer  bool // access tokens may be passed through (a token alone is enough to sign in)
	NeedsJID     bool // a JID must be given with the credential
	Capabilities perch.Capabilities
}

// Manager holds the sessions of this node.
type Manager struct{}

func NewManager(o Options) (*Manager, error) { panic("stub") }

// Authenticate finds the session of a bearer token, or, for an access token of the
// default upstream, opens it and waits for the login.
func (m *Manager) Authenticate(ctx context.Context, token perch.Secret) (*Session, error) {
	panic("stub")
}

// SignIn opens a session with a JID and a password or token, and mints a Perch token
// ("perch_...") that leads to it. created is false when that very account and credential
// already had a session.
func (m *Manager) SignIn(ctx context.Context, acc perch.Account) (token perch.Secret, s *Session, created bool, err error) {
	panic("stub")
}

// SignOut ends the XMPP session and drops its cache, log and tokens.
func (m *Manager) SignOut(ctx context.Context, s *Session) error { panic("stub") }

// ReplaceCredentials lets a fresh token or password take over the live session.
func (m *Manager) ReplaceCredentials(ctx context.Context, s *Session, secret perch.Account) error {
	panic("stub")
}

// Drain refuses new sessions; Close ends all without forgetting anything.
func (m *Manager) Drain()                          { panic("stub") }
func (m *Manager) Close(ctx context.Context) error { panic("stub") }
func (m *Manager) Ready(ctx context.Context) error { panic("stub") }

// Session is one account's XMPP session. Its methods are safe for concurrent use; none
// of them waits for the upstream unless it says so.
type Session struct{}

func (s *Session) ID() ID                  { panic("stub") }
func (s *Session) Info() perch.SessionInfo { panic("stub") }

// Buddies returns the roster sorted by JID, and a version that changes with it (ETag).
func (s *Session) Buddies() (items []perch.Buddy, version string)      { panic("stub") }
func (s *Session) Buddy(jid perch.JID) (perch.Buddy, error)            { panic("stub") }
func (s *Session) Presence(jid perch.JID) (perch.Presence, error)      { panic("stub") }
func (s *Session) Presences() (items []perch.Presence, version string) { panic("stub") }
func (s *Session) OwnPresence() perch.OwnPresence                      { panic("stub") }
func (s *Session) SetOwnPresence(ctx context.Context, p perch.OwnPresence) error {
	panic("stub")
}
func (s *Session) Invitations() []perch.Invitation { panic("stub") }

// NewBuddy is what POST /v1/buddies asks for; JID or Account is set.
type NewBuddy struct {
	JID     perch.JID
	Account string
	Name    string
	Groups  []string
	Message string
	Nick    string
}

// AddBuddy sets the roster item and asks for a subscription; it waits for the upstream.
func (s *Session) AddBuddy(ctx context.Context, b NewBuddy) (perch.Buddy, bool, error) {
	panic("stub")
}

// UpdateBuddy renames; nil leaves a field as it is.
func (s *Session) UpdateBuddy(ctx context.Context, jid perch.JID, name *string, groups *[]string) (perch.Buddy, error) {
	panic("stub")
}
func (s *Session) RemoveBuddy(ctx context.Context, jid perch.JID) error { panic("stub") }

// AcceptOptions of an invitation.
type AcceptOptions struct {
	Name        string
	Groups      []string
	Reciprocate bool
}

func (s *Session) AcceptInvitation(ctx context.Context, jid perch.JID, o AcceptOptions) (perch.Invitation, error) {
	panic("stub")
}
func (s *Session) DeclineInvitation(ctx context.Context, jid perch.JID) (perch.Invitation, error) {
	panic("stub")
}

// NewMessage is what POST /v1/messages asks for. Key is the idempotency key, or "".
type NewMessage struct {
	ID      string // wanted id, or "" to have one made
	Key     string
	To      perch.JID
	Kind    perch.MessageKind
	Body    string
	Thread  string
	Subject string
}

// SendMessage puts a message into the outbox and waits for the Store, not for the
// upstream. The same key and body give the same answer and one stanza.
func (s *Session) SendMessage(ctx context.Context, m NewMessage) (perch.StatusChange, error) {
	panic("stub")
}
func (s *Session) Message(ctx context.Context, id string) (*perch.MessageRecord, error) {
	panic("stub")
}
func (s *Session) SetChatState(ctx context.Context, to perch.JID, state perch.ChatState) error {
	panic("stub")
}
func (s *Session) VCard(ctx context.Context, jid perch.JID, refresh bool) (perch.VCard, error) {
	panic("stub")
}
func (s *Session) SetVCard(ctx context.Context, card perch.VCard) error { panic("stub") }
func (s *Session) Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	panic("stub")
}
func (s *Session) LookupJID(ctx context.Context, account string) (perch.JID, error) {
	panic("stub")
}

// SubscribeOptions of an event stream. Since is the client's cursor as it came, or "".
type SubscribeOptions struct {
	Since string
	Types []string // exact names or "message.*"; nil = all
	// NoPreamble leaves out the snapshots of a stream that could be resumed (long poll).
	NoPreamble bool
}

// Reasons why a stream starts with snapshots (hello.reset_reason, poll's reset.reason).
const (
	ResetFirst   = "first"
	ResetExpired = "expired"
	ResetEpoch   = "epoch"
	ResetUnknown = "unknown"
)

// Subscription is one client's view of the event stream. One goroutine uses it: Preamble
// once, then Take whenever Ready fires, and Close in the end.
type Subscription struct {
	Resumed     bool
	ResetReason string         // "" when resumed
	Tip         perch.Position // taken before the state was read
	Session     perch.SessionInfo
}

// Why a subscription was cut; see Subscription.Take.
var (
	ErrSlow  error = perch.Errorf(perch.KindQuotaExceeded, "the connection reads too slowly; resume from your cursor")
	ErrEnded error = perch.Errorf(perch.KindNotFound, "the session has ended")
)

// Subscribe decides whether the cursor can be resumed, and registers for live events in
// the same turn of the owner. It waits for the Store.
func (s *Session) Subscribe(ctx context.Context, o SubscribeOptions) (*Subscription, error) {
	panic("stub")
}

// Preamble emits what comes between hello and the first live event: the replay, or the
// snapshots; then presence.snapshot and live. It stops at the first error of emit.
func (sub *Subscription) Preamble(ctx context.Context, emit func(*perch.Event) error) error {
	panic("stub")
}

// Ready receives when Take has something, an error included.
func (sub *Subscription) Ready() <-chan struct{} { panic("stub") }

// Take returns the queued events, oldest first, or why the subscription was cut.
func (sub *Subscription) Take() ([]*perch.Event, error) { panic("stub") }

// TipNow is the last durable position that this subscription has been offered.
func (sub *Subscription) TipNow() perch.Position { panic("stub") }

// SetTypes changes the filter from the next event on.
func (sub *Subscription) SetTypes(types []string) { panic("stub") }

// Close ends the subscription. It never ends the session.
func (sub *Subscription) Close() { panic("stub") }
