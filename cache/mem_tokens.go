package cache

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/perch-im/perch/sessions"
)

// memToken is where a token leads, and when that was written last.
type memToken struct {
	sessions.Binding
	at time.Time
}

// memTokens are the tokens of one session, each kind in the order in which they came.
type memTokens struct {
	own, minted []string
	uses        map[string]sessions.TokenUse
}

func (l *memTokens) of(minted bool) *[]string {
	if minted {
		return &l.minted
	}
	return &l.own
}

// Bind implements sessions.Store.
func (m *Memory) Bind(_ context.Context, token string, b sessions.Binding) (evicted []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	now := time.Now()
	m.sweep(now)
	old, ok := m.binding(token, now)
	switch {
	case ok && old.ID != b.ID:
		return nil, sessions.ErrTaken
	case !ok || old.Counted() != b.Counted():
		m.unbind(token)
		l := m.leading[b.ID]
		if l == nil {
			l = &memTokens{}
			m.leading[b.ID] = l
		}
		list := l.of(b.Counted())
		*list = append(*list, token)
	}
	m.tokens[token] = memToken{b, now}
	for l := m.leading[b.ID]; len(l.minted) > sessions.MaxMinted; {
		evicted = append(evicted, l.minted[0])
		m.unbind(l.minted[0])
	}
	return evicted, nil
}

// binding is where a token leads, unless that has ended: a token lives on with the writes of
// its session. The caller has mu.
func (m *Memory) binding(token string, now time.Time) (sessions.Binding, bool) {
	t, ok := m.tokens[token]
	if !ok || m.ended(t.at, now) && m.live(t.ID, now) == nil {
		return sessions.Binding{}, false
	}
	return t.Binding, true
}

// Lookup implements sessions.Store.
func (m *Memory) Lookup(_ context.Context, token string) (sessions.Binding, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, ok := m.binding(token, time.Now())
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

// unbind ends a token. The caller has mu.
func (m *Memory) unbind(token string) {
	t, ok := m.tokens[token]
	if !ok {
		return
	}
	delete(m.tokens, token)
	l := m.leading[t.ID]
	list := l.of(t.Counted())
	delete(l.uses, token)
	if i := slices.Index(*list, token); i >= 0 {
		*list = slices.Delete(*list, i, i+1)
	}
	if len(l.own)+len(l.minted) == 0 {
		delete(m.leading, t.ID)
	}
}

// Rebind implements sessions.Store.
func (m *Memory) Rebind(_ context.Context, old, token string, b sessions.Binding) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	now := time.Now()
	if there, ok := m.binding(token, now); ok && there.ID != b.ID {
		return sessions.ErrTaken
	} else if ok && there.Counted() == b.Counted() {
		m.tokens[token] = memToken{b, now}
		if t, ok := m.tokens[old]; ok && t.ID == b.ID {
			m.unbind(old)
		}
		return nil
	}
	m.unbind(token)
	l := m.leading[b.ID]
	if l == nil {
		l = &memTokens{}
		m.leading[b.ID] = l
	}
	list := l.of(b.Counted())
	if t, ok := m.tokens[old]; ok && t.ID == b.ID && slices.Contains(*list, old) {
		(*list)[slices.Index(*list, old)] = token
		delete(m.tokens, old)
		delete(l.uses, old)
	} else {
		*list = append(*list, token)
	}
	m.tokens[token] = memToken{b, now}
	return nil
}

// Rewrite implements sessions.Store.
func (m *Memory) Rewrite(_ context.Context, token string, was, b sessions.Binding) (written bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false, errClosed
	}
	there, ok := m.binding(token, time.Now())
	if !ok || there.ID != was.ID || !bytes.Equal(there.Sealed, was.Sealed) || there.Mark != was.Mark || there.Replaced != was.Replaced {
		return false, nil
	}
	m.tokens[token] = memToken{b, m.tokens[token].at}
	return true, nil
}

// NoteUses implements sessions.Store.
func (m *Memory) NoteUses(_ context.Context, uses []sessions.NotedUse) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	for _, u := range uses {
		if t, ok := m.tokens[u.Token]; !ok || t.ID != u.Session {
			continue
		}
		l := m.leading[u.Session]
		if l.uses == nil {
			l.uses = map[string]sessions.TokenUse{}
		}
		l.uses[u.Token] = u.TokenUse
	}
	return nil
}

// Uses implements sessions.Store.
func (m *Memory) Uses(_ context.Context, id sessions.ID) (map[string]sessions.TokenUse, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if l := m.leading[id]; l != nil {
		return maps.Clone(l.uses), nil
	}
	return nil, nil
}

// Bindings implements sessions.Store.
func (m *Memory) Bindings(context.Context) (map[string]sessions.Binding, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all, now := map[string]sessions.Binding{}, time.Now()
	for token := range m.tokens {
		if b, ok := m.binding(token, now); ok {
			all[token] = b
		}
	}
	return all, nil
}

// BindingsOf implements sessions.Store.
func (m *Memory) BindingsOf(_ context.Context, id sessions.ID) (map[string]sessions.Binding, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all, now := map[string]sessions.Binding{}, time.Now()
	if l := m.leading[id]; l != nil {
		for _, token := range slices.Concat(l.own, l.minted) {
			if b, ok := m.binding(token, now); ok {
				all[token] = b
			}
		}
	}
	return all, nil
}

// ended reports whether what was written last at a time has had its life.
func (m *Memory) ended(at, now time.Time) bool { return now.Sub(at) >= m.ttl }

// live is the record of a session, unless it has had its life since its last write. The caller
// has mu.
func (m *Memory) live(id sessions.ID, now time.Time) *record {
	if r := m.records[id]; r != nil && !m.ended(r.written(), now) {
		return r
	}
	return nil
}

// sweep drops what has had its life, now and then: there is no timer, and nothing that has
// ended is seen. The caller has mu.
func (m *Memory) sweep(now time.Time) {
	if now.Sub(m.sweptAt) < m.ttl/168 { // as often as the life of what Redis keeps is renewed
		return
	}
	m.sweptAt = now
	for id := range m.leading {
		m.dropEnded(id, now)
	}
	for id := range m.records {
		m.dropEnded(id, now)
	}
}

// dropEnded drops what has had its life of one session. A record that begins anew must not
// find tokens of the one before it. The caller has mu.
func (m *Memory) dropEnded(id sessions.ID, now time.Time) {
	if l := m.leading[id]; l != nil {
		for _, token := range slices.Concat(l.own, l.minted) {
			if _, ok := m.binding(token, now); !ok {
				m.unbind(token)
			}
		}
	}
	if r := m.records[id]; r != nil && m.live(id, now) == nil {
		delete(m.records, id)
		r.forget()
	}
}
