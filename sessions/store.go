package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/conversations"
)

// Store keeps what must outlive a socket, and on Redis a process. Package cache has the
// implementations and storetest the suite that both pass.
//
// The owner goroutine of a session calls only Commit, which never waits; everything else
// is called by request, subscriber and opening goroutines and may wait.
type Store interface {
	MembershipStore

	// Open loads what is stored of a session, or makes an empty record with a new epoch and
	// Fence 1. Each Open raises Fence by one: the caller is the owner from then on, and
	// commits with a lower fence are refused with ErrFenced. What another process owns is
	// left alone, and the error is a *HeldError, unless t passes it over.
	//
	// The epoch stays only where it is proved that nothing which was committed has been lost:
	// by the Store itself, which has not been restored, restarted or replaced by a replica
	// since, or by the last owner, which still has the session and finds its last commit.
	// Otherwise the log is dropped, a new epoch begins, and Saved is Stale.
	Open(ctx context.Context, id ID, t OpenOptions) (*Saved, error)
	// Owners returns the owner of each of these sessions; one without an owner, or without a
	// record, is not in the answer.
	Owners(ctx context.Context, ids []ID) (map[ID]NodeID, error)
	// Stored describes what is stored of a session, and changes nothing; its Upstream is left out.
	// KindNotFound: there is no record.
	Stored(ctx context.Context, id ID) (StoredSession, error)

	// Commit applies all of c or nothing, in the order of the calls for one session, and
	// then calls done exactly once, in that order too, from a goroutine of the Store. done
	// must not wait. A commit that was applied and is tried again (a lost answer) counts
	// as applied once: events carry their offsets. When c.Once names a key that is already
	// committed, nothing is applied and Result.Existing has the record.
	//
	// c, and everything it points to, must not be changed afterwards.
	Commit(id ID, c *Commit, done func(Result))

	// Log reads durable events after an offset, oldest first, at most limit. First and tip
	// are the bounds of the log at that moment (first = tip+1 when it is empty): a caller
	// that asked for events after an offset below first-1 has missed some.
	Log(ctx context.Context, id ID, after uint64, limit int) (LogPage, error)

	// Message returns the record of a message that we sent; KindNotFound if there is none.
	Message(ctx context.Context, id ID, msg string) (*perch.MessageRecord, error)
	// VCard returns a cached card; KindNotFound if there is none.
	VCard(ctx context.Context, id ID, jid perch.JID) (*perch.VCard, error)

	// Conversations returns the details of conversations, by the keys of their JIDs, in that order;
	// of one that is not known those without a text.
	Conversations(ctx context.Context, id ID, keys []perch.JID) ([]conversations.Details, error)

	// Forget drops everything of a session, and every token that leads to it.
	Forget(ctx context.Context, id ID) error

	// Bind lets a token (its keyed hash) lead to a session, or writes anew what it leads to;
	// Lookup follows it, and Unbind ends it. A token that leads to another session is left as
	// it is, and the error is ErrTaken: of many sessions that want one token at once, on
	// whatever nodes, one gets it. Lookup gives KindNotFound for a token that is not known.
	// Sealed is the encrypted credential, or nil when the operator gave no key to keep one.
	//
	// Of a session's tokens of sign-ins (Binding.Counted) MaxMinted are stored. When this one is too many, those that
	// were bound first are ended, and evicted names them, with an error too; the one that is
	// bound now, and tokens that are not of sign-ins, are never among them.
	Bind(ctx context.Context, token string, b Binding) (evicted []string, err error)
	Lookup(ctx context.Context, token string) (Binding, error)
	Unbind(ctx context.Context, token string) error
	// Rebind moves what old leads to under another name of the same token, with the place that old has
	// among the minted ones; b is written as by Bind, whether old is there or not. When the new name
	// leads to another session, it and old are left as they are, and the error is ErrTaken. It may be
	// repeated.
	Rebind(ctx context.Context, old, token string, b Binding) error
	// Rewrite writes b in place of was, and written is true, if a token still leads to what was read of
	// it. Else it does nothing: what has ended stays so. The token lives as long as it would have.
	Rewrite(ctx context.Context, token string, was, b Binding) (written bool, err error)
	// Bindings lists every token that leads to a session, for a restore after a restart;
	// BindingsOf those that lead to one session.
	Bindings(ctx context.Context) (map[string]Binding, error)
	BindingsOf(ctx context.Context, id ID) (map[string]Binding, error)

	// NoteUses writes when tokens were used last; what is noted of a token ends with it, and of one that has
	// ended, or leads to another session, nothing is. Uses lists that for one session, by the names of the tokens.
	NoteUses(ctx context.Context, uses []NotedUse) error
	Uses(ctx context.Context, id ID) (map[string]TokenUse, error)

	// PutTicket keeps a ticket (the keyed or plain hash of its text) for its life, by the clock
	// of the Store: the nodes' clocks may differ by more than a ticket lives. TakeTicket ends
	// it and gives it, once; KindNotFound: there is none, or no more.
	PutTicket(ctx context.Context, hash string, t Ticket, life time.Duration) error
	TakeTicket(ctx context.Context, hash string) (Ticket, error)

	// Reserve takes one attempt from a counter, which begins full and ends by itself. Refund
	// gives one back; a counter never has more than its burst.
	Reserve(ctx context.Context, key string, q Quota) (Allowance, error)
	Refund(ctx context.Context, key string, q Quota) error

	// Healthy is nil while commits can be taken; else KindStorageUnavailable.
	Healthy(ctx context.Context) error
	// Durable reports whether the data survives this process.
	Durable() bool
	// Close flushes what is queued, calls every outstanding done, and ends.
	Close(ctx context.Context) error
}

// ErrFenced means that another owner has opened the session since: give it up.
var ErrFenced error = &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: time.Second,
	Detail: "another node owns this session now; ask again"}

// ErrLost means that the Store does not keep what the owner believes: the record is gone
// (flushed, expired, forgotten), a failover took the end of it back, or a commit that was
// reported as failed was applied after all. Nothing was applied. The owner calls Open
// again and continues from what Saved says; a log that lost something has a new epoch.
var ErrLost error = perch.Errorf(perch.KindStorageUnavailable, "the store has lost what it had of this session")

// ErrOrder means that the events of a commit do not follow the tip of the log, mostly
// because an earlier commit failed or was answered with Existing. Nothing was applied.
var ErrOrder error = perch.Errorf(perch.KindStorageUnavailable, "an earlier write of this session was not committed")

// ErrTaken means that a token leads to another session.
var ErrTaken error = perch.Errorf(perch.KindConflict, "this credential has a session of its own; sign that one out first")

// Binding is where a token leads.
type Binding struct {
	ID       ID
	Upstream string
	JID      perch.JID // as given at sign-in; may be empty
	Minted   bool      // a token that a sign-in was given; else the credential of the account
	Sealed   []byte    // AES-256-GCM, see sessions/seal.go; nil: not stored
	// Replaced marks a credential in whose place another one signs in: it is refused, also
	// after a restart, and its binding goes with the session.
	Replaced bool
	// Mark names the secret under which the token's name is a hash; "" is not known.
	Mark string
	// Token is what a minted token may do, and is called; nil: one of a sign-in with an earlier version.
	Token *TokenRecord
}

// Saved is everything that is stored of a session, but for the log itself.
type Saved struct {
	Fence       uint64
	Epoch       string // of the log; [0-9a-z]{1,32}
	Tip         uint64 // last offset, 0 = none
	Record      Record
	Contacts    contacts.Table
	Invitations []*perch.Invitation
	Outbox      []*OutboxEntry // oldest first
	// Conversations are the states alone, see Store.Conversations.
	Conversations conversations.Table
	Rooms         []*StoredRoom   // sorted by the key of the JID
	Readers       []*StoredReader // sorted by Key

	// OldRows says that an earlier version has written some of the contacts, in another form: the
	// owner writes them as a whole.
	OldRows bool

	// Stale says that a new log has begun because nothing proves the end of the old one: what
	// is stored may be older than what was committed last, and than what was published. It stays
	// until a Commit has a Record and a reset Outbox. StaleSince is when the last event of the
	// old log was committed; 0 is not known.
	Stale      bool
	StaleSince perch.Time
}

// Record is the small state of a session that is written as a whole.
type Record struct {
	JID           perch.JID         `json:"jid"` // full, of the last login
	RosterVersion string            `json:"roster_version,omitempty"`
	RosterKnown   bool              `json:"roster_known,omitempty"` // a roster was fetched at least once
	Own           perch.OwnPresence `json:"own"`
	ArchiveID     string            `json:"archive_id,omitempty"` // stanza-id of the last logged message (XEP-0313)
	ArchiveAt     perch.Time        `json:"archive_at,omitempty"` // everything archived up to ArchiveID was so by then
	Stream        []byte            `json:"stream,omitempty"`     // Conn.StreamState
	Mechanism     string            `json:"mechanism,omitempty"`  // SASL name of the last login, see perch.Account.Proved
	Fast          *StoredFast       `json:"fast,omitempty"`       // signs in in place of the password; nil: there is none
	Handled       uint64            `json:"handled,omitempty"`    // last inbound number that is in the log
	OfflineSince  perch.Time        `json:"offline_since,omitempty"`
	RosterState   string            `json:"roster_state,omitempty"` // "" = whole; RosterPartial or RosterUnavailable
	Foreign       []perch.JID       `json:"foreign,omitempty"`      // addresses that are no valid JIDs, see foreignAddresses
	Unstreamed    bool              `json:"unstreamed,omitempty"`   // no stream has had the log yet, see Subscription.unstreamedEvents
	// Conversations is how far the list of chats goes back; nil: nobody has asked for one.
	Conversations *ConversationHistory `json:"conversations,omitempty"`
	// Rooms is RoomsAutoJoin, or "" for rooms that are joined by clients alone.
	Rooms string `json:"rooms,omitempty"`
	// UsesRooms says that a client has asked for rooms: from then on an invitation is a state of its room.
	UsesRooms bool `json:"uses_rooms,omitempty"`
	// Unlist are the rooms that are to be taken off the account's bookmarks; at most MaxRooms.
	Unlist []perch.JID `json:"unlist,omitempty"`
	// RelatedSince is the offset of the oldest event that the merged state of messages is restored from;
	// 0: there is none.
	RelatedSince uint64 `json:"related_since,omitempty"`
	// BlockList is whom the account blocks; nil: it is not known, or the upstream has none.
	BlockList *StoredBlockList `json:"block_list,omitempty"`
}

// Commit is one compound write. The zero value of a part leaves it as it is.
//
// Contacts has the roster and the presence twice: as the table after the commit, which never
// changes, and as the keys of what differs from the table of the commit before. A Store that is
// memory keeps the table, and so the very bytes that the session has; one that keeps rows writes
// those of the keys, and forgets the table. Both give back an equal table with Open.
type Commit struct {
	Fence       uint64         // the owner's, from Open
	Epoch       string         // the owner's, from Open; "" is not checked
	Events      []*perch.Event // durable, offsets consecutive from the tip on
	Record      *Record
	Contacts    contacts.Change
	Invitations Delta[perch.Invitation]
	VCards      Delta[perch.VCard]
	Messages    []*perch.MessageRecord // put, whole
	Outbox      Delta[OutboxEntry]
	Once        *Once
	// Conversations has the states twice, as Contacts, and the details that change: the last
	// message of a conversation is written with the event that brings it.
	Conversations conversations.Change
	Rooms         Delta[StoredRoom]   // at most MaxRooms
	Readers       Delta[StoredReader] // at most MaxReaders
	// Release gives the session up: no node owns it once this is applied, and the Membership of
	// every node lists it. No commit follows.
	Release bool
}

// Delta changes a table that is keyed by the key of the JID ([perch.JID.Key]; by ID for the
// outbox, by Key for readers), so that two spellings of an address are one row. Reset empties it first; then
// Del, whose entries are keys, then Put.
type Delta[T any] struct {
	Reset bool
	Put   []*T
	Del   []string
}

// Empty reports whether the delta changes nothing.
func (d Delta[T]) Empty() bool { return !d.Reset && len(d.Put) == 0 && len(d.Del) == 0 }

// OutboxEntry is an accepted message that is not yet known to be with the server. Seq
// orders the outbox and only grows.
type OutboxEntry struct {
	ID   string `json:"id"`
	Seq  uint64 `json:"seq"`
	Sent bool   `json:"sent"` // written to a stream at least once
	perch.MessageOut
	Occupant string `json:"occupant,omitempty"` // for whom a private message is, see whoIs; "": it is not known
}

// Once remembers an idempotency key, scoped by the session, for OnceTTL. Fingerprint is a
// keyed hash of the body; Answer is what the first call answered.
type Once struct {
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint"`
	Answer      string `json:"answer"` // the message id
}

// OnceTTL is how long an idempotency key, and a message record, is stored.
const OnceTTL = 24 * time.Hour

// What a Store keeps at most of one session; beyond it what was put longest ago goes.
const (
	MaxVCards     = 1000
	MaxVCardBytes = 8 << 20 // by VCardCost in memory, by the row in Redis
	MaxMinted     = 1000    // tokens, each of one sign-in
	MaxTimed      = 10_000  // idempotency keys, and as many message records; on Redis both together are twice as many
)

// MaxReaders is how many readers a Store keeps at most of one session, treated as rooms are.
const MaxReaders = MaxWebhooks + MaxPush

// MaxRooms is how many rooms a Store keeps at most of one session. Of more, those that are new are left
// out: a room that is kept does not go because another one comes. An owner does not come to that.
const MaxRooms = 500

// Result is how a commit ended.
type Result struct {
	Err      error // ErrFenced (what was on its way then may be applied), KindStorageUnavailable (nothing was), or nil
	Existing *Once // the key was there already: nothing was applied, Err is nil
}

// LogPage is a part of the log and the bounds of all of it.
type LogPage struct {
	Events     []*perch.Event
	First, Tip uint64
}

// Retention bounds the log of one session; whichever is reached first trims it.
type Retention struct {
	Events int           // default 10,000
	Bytes  int           // of Wire; default 8 MiB
	Age    time.Duration // default 24 h
}

// DefaultRetention is the one that the guides promise.
var DefaultRetention = Retention{Events: 10_000, Bytes: 8 << 20, Age: 24 * time.Hour}

// recordStore is the part of a Store that the records of messages are read from.
type recordStore interface {
	Message(ctx context.Context, id ID, messageID string) (*perch.MessageRecord, error)
}

// logStore is the part of a Store that the log and the records of messages are read from.
type logStore interface {
	recordStore
	Log(ctx context.Context, id ID, after uint64, limit int) (LogPage, error)
}

// committer is the part of a Store that the log writes to.
type committer interface {
	Commit(id ID, c *Commit, done func(Result))
}

// PromptCommitter is a Store that need not be waited for, as one in memory: CommitNow is Commit
// whose result is there at once. It is called by the owner goroutine of the session, which makes no
// other call of the two for it meanwhile. C, and its lists, may be changed afterwards, and what they
// point to may not.
type PromptCommitter interface {
	CommitNow(id ID, c *Commit) Result
}

// cardStore is the part of a Store that vCards are read from.
type cardStore interface {
	VCard(ctx context.Context, id ID, jid perch.JID) (*perch.VCard, error)
}
