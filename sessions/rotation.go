package sessions

import (
	"bytes"
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// Rotation says how much is still kept by what is to go, as of the last Rotate.
type Rotation struct {
	Tokens      int // that lead to sessions under another secret than the one in use, or it is not known under which
	Credentials int // that are sealed with another key than the first
}

// rotation is what the last Rotate has counted, and for which secret and keys.
type rotation struct {
	found Rotation
	of    rotated
}

// Rotation returns what the last Rotate has found. Known is false when there was none since the secrets
// or keys have changed.
func (m *Manager) Rotation() (left Rotation, known bool) {
	x, ring := m.settings(), m.ring()
	if len(ring) == 1 && len(x.SealKeys) < 2 {
		return Rotation{}, true
	}
	last := m.rotation.Load()
	if last == nil || last.of != (rotated{ring[0].mark, x.sealer}) {
		return Rotation{}, false
	}
	return last.found, true
}

// rotated is what a session was last bound and sealed with.
type rotated struct {
	mark   string
	sealer *sealer
}

// Rotate binds under the secret in use, and seals with the first key, what can be without its clients: the
// sessions of this node, and those that no node has. It counts what is left: tokens are moved when they
// are used, because only a client has the token itself. It asks the Store for all tokens, so call it now
// and then, from one goroutine, and only while there is more than one secret or key: without, it does
// nothing.
func (m *Manager) Rotate(ctx context.Context) error {
	x, ring := m.settings(), m.ring()
	if len(ring) == 1 && len(x.SealKeys) < 2 {
		return nil
	}
	for _, s := range m.all() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.rotateSession(ctx, s, rotated{ring[0].mark, x.sealer})
	}
	all, err := m.o.Store.Bindings(ctx)
	if err != nil {
		return storeError(err)
	}
	left, err := m.rotateStored(ctx, ring, x.sealer, all)
	if err != nil {
		return err
	}
	m.rotation.Store(&rotation{left, rotated{ring[0].mark, x.sealer}})
	return nil
}

// rotateSession writes all tokens of a live session anew, once for each change: that seals its credential
// with the first key. Its own credential is bound under the secret in use.
func (m *Manager) rotateSession(ctx context.Context, s *Session, by rotated) {
	m.mu.Lock()
	done := s.entry.rotated == by
	m.mu.Unlock()
	var acc perch.Account
	if done || s.call(ctx, func() {
		acc = s.cred.acc
		s.conn.fast.sealAgain()
		if s.rooms != nil {
			s.rooms.sealAgain()
		}
		s.readers.sealAgain()
	}) != nil {
		return
	}
	m.keyFor(ctx, func(h *hasher) digest { return h.accountKey(acc) })
	m.bindAll(ctx, s)
	m.mu.Lock()
	defer m.mu.Unlock()
	s.entry.rotated = by
}

// rotateStored seals anew what no other node has in use, moves its credentials, and counts the rest.
func (m *Manager) rotateStored(ctx context.Context, ring secretRing, by *sealer, all map[string]Binding) (left Rotation, err error) {
	var idle map[ID]bool
	var moved movedTokens
	for token, b := range all {
		old := len(by.keys) > 1 && b.Sealed != nil && !b.Replaced && !by.first(b.ID, b.Sealed)
		other := len(ring) > 1 && b.Mark != ring[0].mark && !b.Replaced
		if !old && !other {
			continue
		}
		if idle == nil {
			if idle, err = m.unowned(ctx, all); err != nil {
				return left, err
			}
			moved = listMoved(all, ring[0].mark)
		}
		s := m.byID(b.ID)
		if now, there := moved.of(token, b); other && there && (s != nil || idle[b.ID]) && m.endFormer(ctx, s, boundRow{token, b}, now) {
			continue
		}
		acc, at, ok := by.open(b.ID, b.Sealed)
		if s != nil { // a row that another node has written, or moved, meanwhile
			ok = s.call(ctx, func() { acc, at = s.cred.acc, s.cred.at }) == nil
		}
		if ok && (s != nil || idle[b.ID]) {
			fresh := b
			if old {
				fresh.Sealed = by.seal(b.ID, acc, at)
			}
			if done, moved := m.rotateBinding(ctx, ring, token, b, fresh, acc); done {
				old, other = false, other && !moved
			}
		}
		if old {
			left.Credentials++
		}
		if other {
			left.Tokens++
		}
	}
	return left, nil
}

// rotateBinding writes fresh in place of what was listed of a token, and reports whether that is done, and
// whether the token is known to be under the secret in use by now. What has changed since the list was made
// is left as it is, for the next Rotate.
func (m *Manager) rotateBinding(ctx context.Context, ring secretRing, token string, listed, fresh Binding, acc perch.Account) (done, moved bool) {
	key, ok := digestOf(token)
	if !ok {
		return false, false
	}
	if s, t := m.movedFrom(listed.ID, key); s != nil && t.mark == ring[0].mark {
		// Listed before it was moved, or written again by a node that still had the other secret in use.
		done = m.rebind(ctx, s, boundToken{key: key, minted: t.minted, record: t.record}, markedKey{t.key, t.mark})
		return done, done
	}
	own := -1 // under which secret it is the credential itself
	if !listed.Minted {
		own = slices.IndexFunc(ring, func(h *hasher) bool { return h.accountKey(acc) == key })
	}
	if own >= 0 {
		fresh.Mark = ring[own].mark
	}
	if own > 0 || fresh.Mark != listed.Mark || !bytes.Equal(fresh.Sealed, listed.Sealed) {
		if written, err := m.o.Store.Rewrite(ctx, token, listed, fresh); err != nil || !written {
			return false, false
		}
	}
	if own <= 0 {
		return true, own == 0
	}
	fresh.Mark = ring[0].mark
	done = m.o.Store.Rebind(ctx, token, ring[0].accountKey(acc).String(), fresh) == nil
	return done, done
}

// movedFrom returns the token of a live session that has had another key before the secret was rotated.
func (m *Manager) movedFrom(id ID, before digest) (*Session, boundToken) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[id]
	if s == nil {
		return nil, boundToken{}
	}
	i := slices.IndexFunc(s.entry.tokens, func(t boundToken) bool { return t.was == before })
	if i < 0 {
		return nil, boundToken{}
	}
	return s, s.entry.tokens[i]
}

// unowned finds the sessions that no node has, this one included.
func (m *Manager) unowned(ctx context.Context, all map[string]Binding) (map[ID]bool, error) {
	idle := map[ID]bool{}
	for _, b := range all {
		if m.byID(b.ID) == nil {
			idle[b.ID] = true
		}
	}
	ids := make([]ID, 0, len(idle))
	for id := range idle {
		ids = append(ids, id)
	}
	for page := range slices.Chunk(ids, adoptPage) {
		owners, err := m.o.Store.Owners(ctx, page)
		if err != nil {
			return nil, storeError(err)
		}
		for _, id := range page {
			if owners[id] != "" {
				delete(idle, id)
			}
		}
	}
	return idle, nil
}
