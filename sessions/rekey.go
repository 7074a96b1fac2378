package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// credentialKey makes the key of one credential under a secret.
type credentialKey func(*hasher) digest

// markedKey is a key with the mark of the secret under which it is a hash: another secret may be in use
// by the time that it is written.
type markedKey struct {
	digest
	mark string
}

// keyUnder is the key of a credential under one secret.
func keyUnder(h *hasher, of credentialKey) markedKey { return markedKey{of(h), h.mark} }

// keyFor returns the key that a credential is known by. While the secret is rotated it may still be bound
// under another secret: then it is bound under the one in use, to the session that it leads to, before
// anything looks for it. Where that fails it is the key under which it is bound.
func (m *Manager) keyFor(ctx context.Context, of credentialKey) markedKey {
	ring := m.ring()
	key := keyUnder(ring[0], of)
	if len(ring) == 1 {
		return key
	}
	if s, bound := m.boundHere(key.digest); s != nil {
		m.mark(ctx, s, bound, ring[0])
		return key
	}
	for _, h := range ring[1:] {
		old := keyUnder(h, of)
		if s, bound := m.boundHere(old.digest); s != nil {
			if m.rebind(ctx, s, bound, key) {
				return key
			}
			return old
		}
	}
	if m.rejected.get(key.digest) != nil || m.routes.get(key.digest, routeFor) != nil {
		return key
	}
	return m.keyStored(ctx, ring, key, of)
}

// keyStored is keyFor a credential that leads to no session of this node.
func (m *Manager) keyStored(ctx context.Context, ring secretRing, key markedKey, of credentialKey) markedKey {
	b, err := m.o.Store.Lookup(ctx, key.String())
	if err == nil && b.Mark != key.mark {
		b.Mark = key.mark
		_, _ = m.o.Store.Bind(ctx, key.String(), b) // only the count of those that are left depends on it
	}
	if perch.KindOf(err) != perch.KindNotFound {
		return key // it is there, or the Store cannot be asked
	}
	for _, h := range ring[1:] {
		old := keyUnder(h, of)
		b, err := m.o.Store.Lookup(ctx, old.String())
		if err != nil {
			continue
		}
		b.Mark = key.mark
		if b.Minted {
			b.Token = recordMoved(old.digest, b.Token)
		}
		if m.o.Store.Rebind(ctx, old.String(), key.String(), b) != nil {
			return old
		}
		return key
	}
	return key
}

// boundHere returns the live session of a key, and how it is bound.
func (m *Manager) boundHere(key digest) (*Session, boundToken) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.tokens[key]
	if s != nil {
		for _, t := range s.entry.tokens {
			if t.key == key {
				return s, t
			}
		}
	}
	return s, boundToken{key: key}
}

// rebind binds a token of a live session under another key, and reports whether that leads to it now; if not,
// the old one does.
func (m *Manager) rebind(ctx context.Context, s *Session, old boundToken, key markedKey) bool {
	b, err := m.o.Store.Lookup(ctx, old.key.String())
	if err != nil || b.ID != s.id || !b.Replaced {
		// What the session has now: the row may be older, or another node has moved it.
		if s.call(ctx, func() { b = s.binding() }) != nil {
			return false
		}
		b.Minted, b.Token = old.minted, old.record
	}
	b.Mark = key.mark
	if b.Minted {
		b.Token = recordMoved(old.key, b.Token)
	}
	if m.o.Store.Rebind(ctx, old.key.String(), key.String(), b) != nil {
		return false
	}
	if !m.move(s, old, key) && m.ended(old.key, s) {
		_ = m.o.Store.Unbind(ctx, key.String()) // it was revoked meanwhile, and must not be back
	}
	return true
}

// move has a live session know a token by another key, and reports whether the token still led to it.
func (m *Manager) move(s *Session, old boundToken, key markedKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	there := s.entry.find(old.key)
	if m.tokens[old.key] != s || there == nil {
		return false
	}
	if now := s.entry.find(key.digest); now != nil { // restored when the Store had both
		now.was, now.mark, now.life = old.key, key.mark, now.life.with(there.life)
		m.tokens.unbind(old.key, s)
		return true
	}
	moved := boundToken{key: key.digest, minted: old.minted, mark: key.mark, was: old.key, record: there.record, life: there.life}
	if moved.minted {
		moved.record = recordMoved(old.key, moved.record)
	}
	m.tokens.unbind(old.key, s)
	m.tokens.bind(moved, s)
	return true
}

// mark notes, once, under which secret a token of a live session is bound.
func (m *Manager) mark(ctx context.Context, s *Session, t boundToken, h *hasher) {
	if t.mark == h.mark {
		return
	}
	t.mark = h.mark
	if m.bind(ctx, s, t) != nil {
		return // the next use tries again
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range s.entry.tokens {
		if s.entry.tokens[i].key == t.key {
			s.entry.tokens[i].mark = t.mark
		}
	}
}
