package sessions

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// tokenLife is what a node knows of a token that was used: when, and what is to be told when it ends. The
// Manager's mutex guards it.
type tokenLife struct {
	noted   time.Time // when its use was noted last
	address string    // that was noted
	watches map[*tokenWatch]struct{}
}

// with merges the lives of two keys of one token: the watches of both are told when the token ends.
func (l *tokenLife) with(other *tokenLife) *tokenLife {
	switch {
	case l == nil:
		return other
	case other == nil || len(other.watches) == 0:
		return l
	case l.watches == nil:
		l.watches = other.watches
		return l
	}
	maps.Copy(l.watches, other.watches)
	other.watches = l.watches // a watch that stops, stops in both
	return l
}

// tokenWatch is told once when a token ends.
type tokenWatch struct {
	ended  func()
	expiry *time.Timer // nil: it does not expire
}

// maxRevoked is how many ended tokens of a session are remembered, so that no request which has read
// one before binds it again.
const maxRevoked = 100

// Access is a session, and what the token of a request may do in it. A credential of the account itself may do
// everything.
type Access struct {
	Session *Session
	ID      string // see idOfToken; "" is a credential of the account
	Name    string // TokenRecord.Name
	Made    bool   // by another token, and not by a sign-in
	Grant   perch.Grant

	key    digest
	minted bool
}

// Restricted reports whether there is something that the token may not do, or not for long.
func (a Access) Restricted() bool { return a.Made || !a.Grant.Full() || a.Grant.Expires != 0 }

// Access says what a bearer token may do in the session that it leads to here, and notes that it was used.
// The error is that of a token that has ended since it was found.
func (m *Manager) Access(ctx context.Context, s *Session, token perch.Secret) (Access, error) {
	a := Access{Session: s}
	for b := range m.bearers(ctx, token) {
		a.minted = b.minted
		if found, ok, err := m.accessBy(ctx, a, b); ok {
			return found, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.sessions[s.id] != s:
		return a, s.endedError() // it has just ended, or moved
	case a.minted:
		return a, errUnknownToken
	}
	return a, nil
}

// accessBy is Access when the token is bound to the session as what b stands for, by whichever secret.
func (m *Manager) accessBy(ctx context.Context, a Access, b bearer) (found Access, ok bool, err error) {
	var room [2]digest
	keys := room[:0]
	for _, h := range m.ring() { // before the lock: a hash takes as long as all the rest
		keys = append(keys, b.of(h))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a.key = range keys {
		if m.tokens[a.key] != a.Session {
			continue
		}
		if t := a.Session.entry.find(a.key); t != nil {
			found, err = m.entered(ctx, a, t)
			return found, true, err
		}
	}
	return a, false, nil
}

// AccessByID is Access for a ticket: the token is named by Access.ID.
func (m *Manager) AccessByID(ctx context.Context, s *Session, id string) (Access, error) {
	if a, err := m.accessHere(ctx, s, id); a.Session != nil {
		return a, err
	}
	all, err := m.o.Store.BindingsOf(ctx, s.id)
	if err != nil {
		return Access{}, storeError(err)
	}
	for token, b := range all {
		if key, ok := digestOf(token); ok && b.Minted && idOfToken(key, b.Token) == id && !b.Replaced && !b.expired() {
			m.bindLocal(boundTo(key, b), s)
		}
	}
	a, err := m.accessHere(ctx, s, id)
	if a.Session == nil {
		return a, errUnknownToken
	}
	return a, err
}

func (m *Manager) accessHere(ctx context.Context, s *Session, id string) (Access, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(s.entry.tokens, func(t boundToken) bool { return t.minted && idOfToken(t.key, t.record) == id })
	if i < 0 {
		return Access{}, nil
	}
	t := &s.entry.tokens[i]
	return m.entered(ctx, Access{Session: s, key: t.key, minted: t.minted}, t)
}

// entered completes the access of a token that is bound, and notes its use. The caller has mu.
func (m *Manager) entered(ctx context.Context, a Access, t *boundToken) (Access, error) {
	if t.record != nil {
		a.Name, a.Made, a.Grant = t.record.Name, t.record.Made, t.record.Grant
	}
	if t.minted {
		a.ID = idOfToken(t.key, t.record)
	}
	if a.Grant.Expired(timeNow()) {
		return a, errUnknownToken // the next request ends it
	}
	if t.life == nil {
		t.life = &tokenLife{}
	}
	m.made.uses.note(a.Session.id, t, addressFrom(ctx), time.Now())
	return a, nil
}

// Watch calls ended, once, when the token of an access ends: it is revoked, gives way to newer ones, or
// expires. ended must not wait. The error is that of a token that has ended already; stop must follow
// when there is none. A credential of the account has no such end: the session has.
func (m *Manager) Watch(a Access, ended func()) (stop func(), err error) {
	if !a.minted {
		return func() {}, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t := a.Session.entry.find(a.key)
	if t == nil && a.ID != "" { // its key changes when the secret is rotated
		i := slices.IndexFunc(a.Session.entry.tokens, func(t boundToken) bool { return t.record != nil && t.record.ID == a.ID })
		if i >= 0 {
			t = &a.Session.entry.tokens[i]
		}
	}
	now := timeNow()
	if m.sessions[a.Session.id] != a.Session {
		return nil, a.Session.endedError()
	}
	if t == nil || m.tokens[t.key] != a.Session || a.Grant.Expired(now) {
		return nil, errUnknownToken
	}
	if t.life == nil {
		t.life = &tokenLife{}
	}
	if t.life.watches == nil {
		t.life.watches = map[*tokenWatch]struct{}{}
	}
	w, life := &tokenWatch{ended: ended}, t.life
	if a.Grant.Expires != 0 {
		w.expiry = time.AfterFunc(a.Grant.Expires.Time().Sub(now.Time()), func() {
			m.mu.Lock()
			_, watched := life.watches[w]
			delete(life.watches, w)
			m.mu.Unlock()
			if watched {
				ended()
			}
		})
	}
	life.watches[w] = struct{}{}
	return func() {
		if w.expiry != nil {
			w.expiry.Stop()
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(life.watches, w)
	}, nil
}

// endLocal ends a minted token on this node: it leads nowhere, who watches it is told, and the readers
// that it has put end.
func (m *Manager) endLocal(key digest, s *Session) {
	var watches map[*tokenWatch]struct{}
	m.mu.Lock()
	id := ""
	if t := s.entry.find(key); t != nil {
		if id = idOfToken(key, t.record); t.life != nil {
			watches = maps.Clone(t.life.watches)
			clear(t.life.watches)
		}
	}
	m.tokens.unbind(key, s)
	s.entry.revoke(key)
	m.mu.Unlock()
	for w := range watches {
		stop(w.expiry)
		w.ended()
	}
	if id != "" {
		s.post(func() { s.readers.tokenEnded(id) })
	}
}

// revoke notes that a token has ended.
func (e *entry) revoke(key digest) {
	if slices.Contains(e.revoked, key) {
		return
	}
	if e.revoked = append(e.revoked, key); len(e.revoked) > maxRevoked {
		e.revoked = slices.Delete(e.revoked, 0, 1)
	}
}

// ended reports whether a token of s is among those that have ended here.
func (m *Manager) ended(key digest, s *Session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Contains(s.entry.revoked, key)
}

// unexpired is byKey; a token that has had its time is ended.
func (m *Manager) unexpired(ctx context.Context, key digest) (*Session, error) {
	m.mu.Lock()
	s := m.tokens[key]
	var t *boundToken
	if s != nil {
		t = s.entry.find(key)
	}
	expired := t != nil && t.record.grant().Expired(timeNow())
	m.mu.Unlock()
	if !expired {
		return s, nil
	}
	m.endLocal(key, s)
	_ = m.o.Store.Unbind(ctx, key.String()) // it is refused there as well
	return nil, errUnknownToken
}

// endStored ends a token in the Store that has had its time.
func (m *Manager) endStored(ctx context.Context, key digest, b Binding) {
	if s := m.byID(b.ID); s != nil {
		m.endLocal(key, s)
	}
	_ = m.o.Store.Unbind(ctx, key.String()) // it is refused until then as well
}
