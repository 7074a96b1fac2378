package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// credentialKey makes the key of one credential under a secret.
type credentialKey func(*hasher) digest

// keyFor returns the key that a credential is known by. While the secret is rotated it may still be bound
// under another secret: then it is bound under the one in use, to the session that it leads to, before
// anything looks for it. Where that fails it is the key under which it is bound.
func (m *Manager) keyFor(ctx context.Context, of credentialKey) digest {
	ring := m.ring()
	key := of(ring[0])
	if len(ring) == 1 {
		return key
	}
	if s, bound := m.boundHere(key); s != nil {
		m.mark(ctx, s, bound, ring[0])
		return key
	}
	for _, h := range ring[1:] {
		old := of(h)
		if s, bound := m.boundHere(old); s != nil {
			return m.rebind(ctx, s, bound, key, ring[0])
		}
	}
	if m.rejected.get(key) != nil || m.routes.get(key, routeFor) != nil {
		return key
	}
	return m.keyStored(ctx, ring, key, of)
}

// keyStored is keyFor a credential that leads to no session of this node.
func (m *Manager) keyStored(ctx context.Context, ring secretRing, key digest, of credentialKey) digest {
	b, err := m.o.Store.Lookup(ctx, key.String())
	if err == nil && b.Mark != ring[0].mark {
		b.Mark = ring[0].mark
		_, _ = m.o.Store.Bind(ctx, key.String(), b) // only the count of those that are left depends on it
	}
	if perch.KindOf(err) != perch.KindNotFound {
		return key // it is there, or the Store cannot be asked
	}
	for _, h := range ring[1:] {
		old := of(h)
		b, err := m.o.Store.Lookup(ctx, old.String())
		if err != nil {
			continue
		}
		b.Mark = ring[0].mark
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

// rebind binds a token of a live session under the secret in use, and returns the key that leads to it.
func (m *Manager) rebind(ctx context.Context, s *Session, old boundToken, key digest, h *hasher) digest {
	b, err := m.o.Store.Lookup(ctx, old.key.String())
	if err != nil || b.ID != s.id || !b.Replaced {
		// What the session has now: the row may be older, or another node has moved it.
		if s.call(ctx, func() { b = s.binding() }) != nil {
			return old.key
		}
		b.Minted = old.minted
	}
	b.Mark = h.mark
	if m.o.Store.Rebind(ctx, old.key.String(), key.String(), b) != nil {
		return old.key
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tokens[old.key] != s {
		return key // it has ended, or was replaced, since
	}
	m.tokens.unbind(old.key, s)
	m.tokens.bind(boundToken{key: key, minted: old.minted, mark: h.mark, was: old.key}, s)
	return key
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
