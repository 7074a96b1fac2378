package cache

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// MemoryOptions of a memory store. The zero value is the default.
type MemoryOptions struct {
	Retention sessions.Retention // zero fields: sessions.DefaultRetention
	Now       func() time.Time   // the clock of counters of attempts; nil: time.Now
}

// Memory implements sessions.Store in the memory of this process. It keeps the pointers
// that it is given, so what a session and its store both know is there once. Everything
// is lost when the process ends.
type Memory struct {
	keep sessions.Retention
	done callbacks

	mu      sync.RWMutex // guards the maps, never held while a record is worked on
	closed  bool
	records map[sessions.ID]*record
	tokens  map[string]sessions.Binding
	leading map[sessions.ID][]string // the tokens that lead to a session
	tickets map[string]memTicket
	swept   int // tickets left by the last sweep

	agreed   map[string]string
	attempts map[string]time.Time // when all attempts are there again
	now      func() time.Time

	nodes memNodes
}

var _ sessions.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory(o MemoryOptions) *Memory {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Memory{
		agreed: map[string]string{}, attempts: map[string]time.Time{}, now: o.Now,
		keep:    retention(o.Retention),
		records: map[sessions.ID]*record{},
		tokens:  map[string]sessions.Binding{},
		leading: map[sessions.ID][]string{},
		tickets: map[string]memTicket{},
	}
}

// Open implements sessions.Store.
func (m *Memory) Open(_ context.Context, id sessions.ID, t sessions.Taking) (*sessions.Saved, error) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, errClosed
	}
	r := m.records[id]
	if r == nil {
		r = newRecord(func() { m.nodes.release(id, time.Now()) })
		m.records[id] = r
	}
	m.mu.Unlock()
	saved, err := r.open(t, m.keep, time.Now())
	if err == nil {
		m.nodes.adopted(id)
	}
	return saved, err
}

// Commit implements sessions.Store. The change is made at once; done is called from the
// store's own goroutine, in the order in which the changes were made.
func (m *Memory) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	m.mu.RLock()
	r, closed := m.records[id], m.closed
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
		if rec, ok := r.messages.get(msg, time.Now()); ok {
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
	return m.records[id]
}

// Forget implements sessions.Store.
func (m *Memory) Forget(_ context.Context, id sessions.ID) error {
	m.mu.Lock()
	r := m.records[id]
	delete(m.records, id)
	for _, token := range m.leading[id] {
		delete(m.tokens, token)
	}
	delete(m.leading, id)
	m.mu.Unlock()
	if r != nil {
		r.end()
	}
	return nil
}

// Bind implements sessions.Store.
func (m *Memory) Bind(_ context.Context, token string, b sessions.Binding) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	if old, ok := m.tokens[token]; ok && old.ID != b.ID {
		return sessions.ErrTaken
	}
	m.unbind(token)
	m.tokens[token] = b
	m.leading[b.ID] = append(m.leading[b.ID], token)
	return nil
}

// Lookup implements sessions.Store.
func (m *Memory) Lookup(_ context.Context, token string) (sessions.Binding, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, ok := m.tokens[token]
	if !ok {
		return sessions.Binding{}, errNoToken
	}
	return b, nil
}

// Unbind implements sessions.Store.
func (m *Memory) Unbind(_ context.Context, token string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unbind(token)
	return nil
}

func (m *Memory) unbind(hash string) {
	b, ok := m.tokens[hash]
	if !ok {
		return
	}
	delete(m.tokens, hash)
	rest := slices.DeleteFunc(m.leading[b.ID], func(h string) bool { return h == hash })
	if m.leading[b.ID] = rest; len(rest) == 0 {
		delete(m.leading, b.ID)
	}
}

// Bindings implements sessions.Store.
func (m *Memory) Bindings(context.Context) (map[string]sessions.Binding, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.tokens), nil
}

// BindingsOf implements sessions.Store.
func (m *Memory) BindingsOf(_ context.Context, id sessions.ID) (map[string]sessions.Binding, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := map[string]sessions.Binding{}
	for _, token := range m.leading[id] {
		all[token] = m.tokens[token]
	}
	return all, nil
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
	errNoMessage error = perch.Errorf(perch.KindNotFound, "no message with this id was sent here in the last 24 hours")
	errNoVCard   error = perch.Errorf(perch.KindNotFound, "no vCard is cached for this JID")
	errNoToken   error = perch.Errorf(perch.KindNotFound, "this token leads to no session")
)
