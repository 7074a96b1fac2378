package cache

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/copies"
	"github.com/perch-im/perch/internal/ttlmap"
	"github.com/perch-im/perch/sessions"
)

// record is one session in memory. Its lock is held for the moment of one change or one
// read, never across a callback.
type record struct {
	mu          sync.Mutex
	forgotten   bool // a late commit must not bring it back
	fence       uint64
	owner       sessions.NodeID
	released    bool   // by its owner, and not opened since
	onRelease   func() // called under the lock
	state       sessions.Record
	log         memLog
	contacts    contacts.Table
	invitations table[perch.Invitation]
	vcards      table[perch.VCard]
	cards       []string                    // their keys, those that were put longest ago first
	outbox      table[sessions.OutboxEntry] // by id; Open sorts by Seq
	messages    ttlmap.Map[string, *perch.MessageRecord]
	once        ttlmap.Map[string, *sessions.Once]
	chats       *memConversations // nil: none
	rooms       *boundedRows[sessions.StoredRoom]
	readers     *boundedRows[sessions.StoredReader]

	last atomic.Int64 // Unix milliseconds of the last write
}

func newRecord(onRelease func(), common *copies.Texts, now time.Time) *record {
	r := &record{
		onRelease: onRelease,
		log:       memLog{epoch: newEpoch(), common: common},
		messages:  ttlmap.Map[string, *perch.MessageRecord]{Max: sessions.MaxTimed},
		once:      ttlmap.Map[string, *sessions.Once]{Max: sessions.MaxTimed},
	}
	r.last.Store(now.UnixMilli())
	return r
}

// written is when the record was opened or changed last.
func (r *record) written() time.Time { return time.UnixMilli(r.last.Load()) }

// open makes the caller the owner and copies the tables: the rows are shared and never
// changed, the slices are ours. The table of contacts never changes.
func (r *record) open(t sessions.OpenOptions, keep sessions.Retention, now time.Time) (*sessions.Saved, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.Owner != "" && r.owner != "" && r.owner != t.Owner && r.owner != t.TakeoverFrom {
		return nil, &sessions.HeldError{Owner: r.owner}
	}
	r.owner, r.released = t.Owner, false
	r.fence++
	r.last.Store(now.UnixMilli())
	r.sweep(keep, now)
	out := slices.Clone(r.outbox.rows)
	slices.SortStableFunc(out, outboxOrder)
	return &sessions.Saved{
		Fence: r.fence, Epoch: r.log.epoch, Tip: r.log.tip, Record: r.state,
		Contacts:    r.contacts,
		Invitations: slices.Clone(r.invitations.rows),
		Outbox:      out, Conversations: r.chats.states(), Rooms: r.rooms.list(), Readers: r.readers.list(),
	}, nil
}

func (r *record) ownedBy() sessions.NodeID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.owner
}

// release ends the ownership; nothing more is accepted from that owner.
func (r *record) release() {
	r.owner, r.released = "", true
	r.onRelease()
}

// commit applies all of c or nothing. It reports the result while it still has the lock,
// so results come in the order of the changes.
func (r *record) commit(c *sessions.Commit, keep sessions.Retention, now time.Time, report func(sessions.Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repeated, err := r.check(c)
	switch {
	case err != nil:
		report(sessions.Result{Err: err})
		return
	case repeated:
		if c.Release {
			r.release()
		}
		report(sessions.Result{})
		return
	}
	if c.Once != nil {
		if old, ok := r.once.Get(c.Once.Key, now); ok {
			report(sessions.Result{Existing: old})
			return
		}
		r.once.Put(c.Once.Key, c.Once, now, sessions.OnceTTL)
	}
	r.last.Store(now.UnixMilli())
	r.log.append(c.Events, now)
	r.apply(c, now)
	r.sweep(keep, now)
	if c.Release {
		r.release()
	}
	report(sessions.Result{})
}

// check decides before anything is changed.
func (r *record) check(c *sessions.Commit) (repeated bool, err error) {
	switch {
	case r.forgotten:
		return false, sessions.ErrLost
	case r.released || c.Fence != r.fence || (c.Epoch != "" && c.Epoch != r.log.epoch):
		return false, sessions.ErrFenced
	}
	return r.log.check(c.Events)
}

func (r *record) apply(c *sessions.Commit, now time.Time) {
	if c.Record != nil {
		r.state = *c.Record
	}
	if !c.Contacts.Empty() {
		r.contacts = c.Contacts.Table
	}
	r.invitations.apply(c.Invitations, invitationKey)
	r.vcards.apply(c.VCards, vcardKey)
	r.boundCards(c.VCards)
	r.outbox.apply(c.Outbox, outboxKey)
	if !c.Conversations.Empty() {
		if r.chats == nil {
			r.chats = new(memConversations)
		}
		r.chats.apply(&c.Conversations)
	}
	r.rooms = r.rooms.change(c.Rooms, roomKey, sessions.MaxRooms)
	r.readers = r.readers.change(c.Readers, readerKey, sessions.MaxReaders)
	for _, m := range c.Messages {
		r.messages.Put(m.ID, m, now, sessions.OnceTTL)
	}
}

// boundCards drops the cards that were put longest ago when there are too many, or too large
// ones. They can be fetched again.
func (r *record) boundCards(d sessions.Delta[perch.VCard]) {
	if d.Empty() {
		return
	}
	fresh := map[string]bool{}
	for _, c := range d.Put {
		fresh[vcardKey(c)] = true
	}
	r.cards = slices.DeleteFunc(r.cards, func(k string) bool { return fresh[k] || r.vcards.get(k, vcardKey) == nil })
	for _, c := range d.Put {
		if k := vcardKey(c); fresh[k] {
			r.cards, fresh[k] = append(r.cards, k), false
		}
	}
	total := 0
	for _, c := range r.vcards.rows {
		total += sessions.VCardCost(c)
	}
	var old []string
	for len(r.cards) > sessions.MaxVCards || total > sessions.MaxVCardBytes && len(r.cards) > 1 {
		total -= sessions.VCardCost(r.vcards.get(r.cards[0], vcardKey))
		old, r.cards = append(old, r.cards[0]), r.cards[1:]
	}
	r.vcards.apply(sessions.Delta[perch.VCard]{Del: old}, vcardKey)
}

// sweep drops what has expired. It costs a look at three heads when nothing has.
func (r *record) sweep(keep sessions.Retention, now time.Time) {
	r.log.trim(keep, now)
	r.messages.Expire(now)
	r.once.Expire(now)
}

func (r *record) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten = true
}
