package cache

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/copies"
	"github.com/perch-im/perch/internal/ttlmap"
	"github.com/perch-im/perch/sessions"
)

// MemoryOptions of a memory store. The zero value is the default.
type MemoryOptions struct {
	Retention sessions.Retention // zero fields: sessions.DefaultRetention
	StateTTL  time.Duration      // life of a session's state after its last write; default 7 days, at least Retention.Age
	Now       func() time.Time   // the clock of counters of attempts; nil: time.Now
}

// Memory implements sessions.Store in the memory of this process. It keeps the pointers
// that it is given, and the very table of contacts, so what a session and its store both know
// is there once. Everything is lost when the process ends.
type Memory struct {
	keep sessions.Retention
	ttl  time.Duration
	done callbacks

	mu      sync.RWMutex // guards the maps, never held while a record is worked on
	closed  bool
	records map[sessions.ID]*record
	tokens  map[string]memToken
	leading map[sessions.ID]*memTokens // the tokens that lead to a session
	sweptAt time.Time
	tickets ttlmap.Map[string, sessions.Ticket]

	agreed   map[string]string
	common   copies.Texts
	attempts ttlmap.Map[string, time.Time] // when all attempts are there again, until then
	now      func() time.Time

	nodes memNodes
}

var (
	_ sessions.Store           = (*Memory)(nil)
	_ sessions.PromptCommitter = (*Memory)(nil)
)

// NewMemory returns an empty store.
func NewMemory(o MemoryOptions) *Memory {
	if o.Now == nil {
		o.Now = time.Now
	}
	keep := retention(o.Retention)
	return &Memory{
		agreed: map[string]string{}, attempts: ttlmap.Map[string, time.Time]{Max: maxCounters}, now: o.Now,
		common: copies.Texts{Max: commonTexts, MaxBytes: commonBytes},
		keep:   keep, ttl: stateTTL(o.StateTTL, keep), sweptAt: time.Now(),
		records: map[sessions.ID]*record{},
		tokens:  map[string]memToken{},
		leading: map[sessions.ID]*memTokens{},
	}
}

// Open implements sessions.Store.
func (m *Memory) Open(_ context.Context, id sessions.ID, t sessions.OpenOptions) (*sessions.Saved, error) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, errClosed
	}
	now := time.Now()
	m.sweep(now)
	r := m.live(id, now)
	if r == nil {
		m.dropEnded(id, now)
		r = newRecord(func() { m.nodes.release(id, time.Now()) }, &m.common, now)
		m.records[id] = r
	}
	m.mu.Unlock()
	saved, err := r.open(t, m.keep, now)
	if err == nil {
		m.nodes.dropReleased(id)
	}
	return saved, err
}

// Commit implements sessions.Store. The change is made at once; done is called from the
// store's own goroutine, in the order in which the changes were made.
func (m *Memory) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	m.mu.RLock()
	r, closed := m.live(id, time.Now()), m.closed
	m.mu.RUnlock()
	switch {
	case closed:
		m.done.add(done, sessions.Result{Err: errClosed})
	case r == nil:
		m.done.add(done, sessions.Result{Err: sessions.ErrLost})
	default:
		r.commit(c, m.keep, time.Now(), func(res sessions.Result) { m.done.add(done, res) })
	}
}

// CommitNow implements sessions.PromptCommitter.
func (m *Memory) CommitNow(id sessions.ID, c *sessions.Commit) (res sessions.Result) {
	now := time.Now()
	m.mu.RLock()
	r, closed := m.live(id, now), m.closed
	m.mu.RUnlock()
	switch {
	case closed:
		return sessions.Result{Err: errClosed}
	case r == nil:
		return sessions.Result{Err: sessions.ErrLost}
	}
	r.commit(c, m.keep, now, func(x sessions.Result) { res = x })
	return res
}

// Log implements sessions.Store. ErrLost says that there is no record; limit 0 asks for
// the bounds only.
func (m *Memory) Log(_ context.Context, id sessions.ID, after uint64, limit int) (sessions.LogPage, error) {
	r := m.find(id)
	if r == nil {
		return sessions.LogPage{}, sessions.ErrLost
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.trim(m.keep, time.Now())
	return r.log.page(after, limit), nil
}

// Message implements sessions.Store.
func (m *Memory) Message(_ context.Context, id sessions.ID, msg string) (*perch.MessageRecord, error) {
	if r := m.find(id); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if rec, ok := r.messages.Get(msg, time.Now()); ok {
			return rec, nil
		}
	}
	return nil, errNoMessage
}

// VCard implements sessions.Store.
func (m *Memory) VCard(_ context.Context, id sessions.ID, jid perch.JID) (*perch.VCard, error) {
	if r := m.find(id); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if card := r.vcards.get(string(jid.Key()), vcardKey); card != nil {
			return card, nil
		}
	}
	return nil, errNoVCard
}

func (m *Memory) find(id sessions.ID) *record {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.live(id, time.Now())
}

// Forget implements sessions.Store.
func (m *Memory) Forget(_ context.Context, id sessions.ID) error {
	m.mu.Lock()
	r := m.records[id]
	delete(m.records, id)
	if l := m.leading[id]; l != nil {
		for _, token := range slices.Concat(l.own, l.minted) {
			delete(m.tokens, token)
		}
		delete(m.leading, id)
	}
	m.mu.Unlock()
	if r != nil {
		r.forget()
	}
	return nil
}

// Healthy implements sessions.Store.
func (m *Memory) Healthy(context.Context) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return errClosed
	}
	return nil
}

// Durable implements sessions.Store: nothing survives the process.
func (m *Memory) Durable() bool { return false }

// Close implements sessions.Store. What the store holds can be read until it is dropped.
func (m *Memory) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	return m.done.wait(ctx)
}

// What both stores answer alike.
var (
	errClosed    error = perch.Errorf(perch.KindStorageUnavailable, "the store is closed")
	errNoSession error = perch.Errorf(perch.KindNotFound, "nothing is stored of this session")
	errNoMessage error = perch.Errorf(perch.KindNotFound, "no message with this id was sent here in the last 24 hours")
	errNoVCard   error = perch.Errorf(perch.KindNotFound, "no vCard is cached for this JID")
	errNoToken   error = perch.Errorf(perch.KindNotFound, "this token leads to no session")
)
