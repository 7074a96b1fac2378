package sessions

import (
	"cmp"
	"context"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

const (
	maxConversations = 2000    // of one session; the least recently active one goes first
	maxPreview       = 200     // bytes of the text of a last message
	maxDraft         = 4 << 10 // bytes
	maxUnread        = 999     // that are shown; more are counted
	maxAwaitedReads  = 256     // positions of messages that are not known yet
	maxLater         = 1000    // messages of a conversation while its read position is looked for
	changedSoon      = 100 * time.Millisecond
	commitWait       = 5 * time.Second // how long a change waits for the Store
)

// conversationsHost is what the list of chats needs of the session that it belongs to.
type conversationsHost interface {
	owner
	sender
	// call and callErr let the owner run f, and wait until it has run.
	call(ctx context.Context, f func()) error
	callErr(ctx context.Context, f func() error) error
	// record is the stored state of the session; saveRecord commits it as it is then.
	record() *Record
	saveRecord()
	// ownJID is the own address.
	ownJID() perch.JID
	// stream is the connection in use; nil: there is none.
	stream() *link
	// chatOnly reports whether the server takes chat messages only.
	chatOnly() bool
	// archiveKind is the archive that the server has, as far as it is known.
	archiveKind() string
	// watched reports whether there is a subscriber.
	watched() bool
	// nameOf is the name of an account in the roster, or of its vCard; contactsAfter are those whose
	// keys follow a key.
	nameOf(jid perch.JID) string
	contactsAfter(key perch.JID, most int) []perch.JID
	// blocks reports whether the account blocks an address.
	blocks(address perch.JID) bool
	logDebug(msg string, args ...any)
}

// conversationStore is the part of a Store that the list of chats reads.
type conversationStore interface {
	Log(ctx context.Context, id ID, after uint64, limit int) (LogPage, error)
	Conversations(ctx context.Context, id ID, keys []perch.JID) ([]conversations.Details, error)
}

// conversationList is the part of a session that keeps the list of chats: what is shown of each, what
// is unread in it, and how far it was read on whatever device. It learns of messages where they
// become events, so what it changes is in the same commit. A session has one once the list was
// asked for; before that it costs nothing.
type conversationList struct {
	host    conversationsHost
	journal journal
	log     *eventLog
	store   conversationStore
	id      ID // of the session

	table    conversations.Table
	awaited  map[perch.JID]*readTarget // read elsewhere, and not known here yet; by key
	lookups  []*readLookup             // positions that are looked for just now
	queued   []*readLookup             // of these, those that wait for their turn
	looking  bool
	backfill *backfill     // what the archive has brought a moment ago; nil: nothing
	filling  chan struct{} // closed when what reads the archive is done; nil: nothing does
	dirty    map[perch.JID]struct{}
	changing *time.Timer
	out      readPublisher
	rooms    roomNews // nil: the session uses no rooms
}

// roomNews is what the list needs to know of the rooms of the session.
type roomNews interface {
	// namer is what reports whether a message of a room names the account; any goroutine may ask it.
	namer(room perch.JID) func(*perch.Message) bool
	// placeArchived says of a message of the archive whether it is of a room.
	placeArchived(in *perch.MessageIn, own perch.JID)
	// partial reports whether the log lacks some of what was said in a room.
	partial(room perch.JID) bool
	// notify writes what a person wants to be told of a room into its bookmark, and bookmarkedNotify is
	// what that says; "": nothing.
	notify(room perch.JID, n perch.Notify)
	bookmarkedNotify(room perch.JID) perch.Notify
	// askBookmarks fetches the bookmarks of the account; listed are the rooms that the list of
	// conversations has without a message.
	askBookmarks(ctx context.Context)
	listed() []listedRoom
	// isRoom reports whether an address is that of a room, and nameOfRoom is its name, or "".
	isRoom(jid perch.JID) bool
	nameOfRoom(room perch.JID) string
}

// ConversationHistory is how far the list of chats goes back. It is never changed, but replaced.
type ConversationHistory struct {
	Since    perch.Time     `json:"since"`              // when it was asked for first: what came later was counted as it came
	LogTo    perch.Position `json:"log_to"`             // the last event of then: what it has later was counted as it came
	LogRead  bool           `json:"log_read,omitempty"` // what the log had by then is in it
	Trimmed  bool           `json:"trimmed,omitempty"`  // but it had lost its beginning
	Before   string         `json:"before,omitempty"`   // the archive has been read back to this place
	Complete bool           `json:"complete,omitempty"` // there is nothing more to read
	GapAt    perch.Time     `json:"gap_at,omitempty"`   // messages of before may be missing, see perch.Gap
	Evicted  bool           `json:"evicted,omitempty"`  // a conversation had to go
}

// The host of the list is put together as those of the other parts.
type (
	conversationsServices struct {
		*services
		*roster
		blockChecker
		audience
	}
	audience interface{ watched() bool }
)

// conversationsOf is the list of a session, or nil.
func conversationsOf(s *Session) *conversationList {
	for _, p := range s.parts {
		if c, ok := p.(*conversationList); ok {
			return c
		}
	}
	return nil
}

// listConversations is the list of a session, which has one from now on.
func listConversations(s *Session) *conversationList {
	if c := conversationsOf(s); c != nil {
		return c
	}
	c := &conversationList{journal: &s.log, log: &s.log, store: s.m.o.Store, id: s.id,
		host: conversationsServices{&services{s.loop, &s.state, &s.report, &s.conn}, &s.roster, &s.blocking, &s.subs}}
	s.log.noted = append(s.log.noted, c.noted)
	if x := roomsOf(s); x != nil {
		c.rooms, x.list = x, c
	}
	s.parts = append(s.parts, c)
	if s.state.Conversations == nil {
		s.state.Conversations = &ConversationHistory{Since: s.now(), LogTo: perch.Position{Epoch: s.log.epoch, Offset: s.log.next}}
		s.state.saveRecord()
	}
	return c
}

// history is how far the list goes back.
func (c *conversationList) history() ConversationHistory {
	if h := c.host.record().Conversations; h != nil {
		return *h
	}
	return ConversationHistory{}
}

// setHistory commits how far the list goes back.
func (c *conversationList) setHistory(f func(*ConversationHistory)) {
	h := c.history()
	before := h
	if f(&h); h == before {
		return
	}
	c.host.record().Conversations = &h
	c.host.saveRecord()
}

// open is the state of a conversation, a new one if need be, and the details that a change of it
// begins with.
func (c *conversationList) open(jid perch.JID, kind perch.ConversationKind) (s conversations.State, d *conversations.Details, known bool) {
	if s, known = c.table.Get(jid); known {
		return s, &conversations.Details{}, true
	}
	h := c.history()
	none, notify := "", perch.NotifyAll
	if kind == perch.RoomConversation && c.rooms != nil {
		notify = cmp.Or(c.rooms.bookmarkedNotify(jid), notify)
	}
	return conversations.State{JID: jid, Kind: kind, Notify: notify, Open: !h.Complete || h.Evicted},
		&conversations.Details{Read: &none, PeerRead: &none, Draft: &none}, false
}

// put changes a conversation, in this commit. When there are too many, another one goes.
func (c *conversationList) put(commit *Commit, s *conversations.State, d *conversations.Details) {
	c.table = c.table.Put(s)
	commit.Conversations.Note(c.table, s.Key(), d)
	c.touched(s.Key())
	if c.table.Len() > maxConversations {
		c.evict(commit, s.Key())
	}
}

// evict forgets the conversation that was active least recently, of those that are not pinned if there
// is one; what the last change was about stays. Messages that it has later make a new one.
func (c *conversationList) evict(commit *Commit, but perch.JID) {
	var oldest *conversations.State
	for s := range c.table.All() {
		if s.Key() == but {
			continue
		}
		if oldest == nil || oldest.Pinned && !s.Pinned || oldest.Pinned == s.Pinned && s.At < oldest.At {
			oldest = &s
		}
	}
	key := oldest.Key()
	c.table = c.table.Remove(key)
	commit.Conversations.Removed(c.table, key)
	delete(c.dirty, key)
	if h := c.history(); !h.Evicted {
		h.Evicted = true
		rec := c.host.record()
		rec.Conversations = &h
		copied := *rec
		commit.Record = &copied
	}
}

// exact reports whether everything that is unread in a conversation was counted.
func (h *ConversationHistory) exact(s *conversations.State) bool {
	return !s.Open && (h.GapAt == 0 || s.ReadAt > h.GapAt)
}

// committed waits until what was changed is in the Store.
func (c *conversationList) committed(ctx context.Context) error {
	return awaitCommit(ctx, c.host.call, c.journal)
}
