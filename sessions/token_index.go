package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// boundToken is what leads to a session: a token that was minted for it, or else the credential
// of its account.
type boundToken struct {
	key    digest
	minted bool
	mark   string // of the secret under which key is a hash; "" is not known
	was    digest // the key that it had under the secret before, if it was moved here
	record *TokenRecord
	life   *tokenLife // nil: it was not used yet
}

// boundTo is a token as the Store has it.
func boundTo(key digest, b Binding) boundToken {
	return boundToken{key: key, minted: b.Minted, mark: b.Mark, record: b.Token}
}

// boundBy is a credential that is no minted token: bound under the mark that the Store has, or, when it is
// not there yet, under that of its key.
func boundBy(key markedKey, b Binding, bound bool) boundToken {
	if bound {
		key.mark = b.Mark
	}
	return boundToken{key: key.digest, mark: key.mark}
}

// tokenIndex leads from a bearer token to the live session that it is bound to. The Manager's
// mutex guards it, with the entries of the sessions.
type tokenIndex map[digest]*Session

// entry is what the Manager knows of a session. The Manager's mutex guards it.
type entry struct {
	tokens  []boundToken  // bound to the session
	retired []digest      // credentials that were, oldest first
	revoked []digest      // minted tokens that have ended, oldest first
	state   perch.State   // in the table of States
	account string        // that the session counts for, "" before the first login
	address string        // likewise; "" for none
	rotated rotated       // see Manager.Rotate
	making  chan struct{} // see Manager.making; nil: no token was made yet
}

// bind binds a token to s, and to no other session. One that has ended stays so, whoever has read it
// before.
func (x tokenIndex) bind(t boundToken, s *Session) {
	if old := x[t.key]; old == s || slices.Contains(s.entry.revoked, t.key) {
		return
	} else if old != nil {
		x.unbind(t.key, old)
	}
	x[t.key] = s
	s.entry.tokens = append(s.entry.tokens, t)
}

// unbind ends what bind did, if the token is still bound to s.
func (x tokenIndex) unbind(key digest, s *Session) {
	if x[key] == s {
		delete(x, key)
	}
	s.entry.tokens = slices.DeleteFunc(s.entry.tokens, func(t boundToken) bool { return t.key == key })
}

// unbindAll unbinds every token of s.
func (x tokenIndex) unbindAll(s *Session) {
	for _, t := range s.entry.tokens {
		if x[t.key] == s {
			delete(x, t.key)
		}
	}
	s.entry.tokens = nil
}

// maxRetired bounds how many replaced credentials of a session are remembered. The first one is
// always among them, because the session's id was made from it.
const maxRetired = 5

// retire unbinds a credential that was replaced, and returns those that are too old to be
// remembered.
func (x tokenIndex) retire(key digest, s *Session) (expired []digest) {
	x.unbind(key, s)
	s.entry.retired = append(s.entry.retired, key)
	if len(s.entry.retired) > maxRetired {
		expired = append(expired, s.entry.retired[1])
		s.entry.retired = slices.Delete(s.entry.retired, 1, 2)
	}
	return expired
}

// find returns the token of a session by its key.
func (e *entry) find(key digest) *boundToken {
	i := slices.IndexFunc(e.tokens, func(t boundToken) bool { return t.key == key })
	if i < 0 {
		return nil
	}
	return &e.tokens[i]
}

// lookup finds out where a token leads, for every way to a session: to a live one, to one that
// the Store has bound it to, or, with neither and no error, nowhere yet. The error is that of a
// token that is refused, or says which node has the session. Where row is of this key the Store is not asked again.
func (m *Manager) lookup(ctx context.Context, key digest, row *bindingRow) (s *Session, b Binding, bound bool, err error) {
	if s, err = m.unexpired(ctx, key); s != nil || err != nil {
		return s, b, false, err
	}
	if err = m.rejected.get(key); err != nil {
		return nil, b, false, err
	}
	if err = m.routes.get(key, routeFor); err != nil {
		return nil, b, false, err
	}
	if row == nil || row.key != key {
		row = m.rowOf(ctx, key)
	}
	b, bound, err = m.stored(ctx, row)
	return nil, b, bound, err
}

// rowOf asks the Store about a token.
func (m *Manager) rowOf(ctx context.Context, key digest) *bindingRow {
	b, err := m.o.Store.Lookup(ctx, key.String())
	return &bindingRow{key, b, err}
}

// stored is where a token leads by what the Store has said of it.
func (m *Manager) stored(ctx context.Context, row *bindingRow) (b Binding, bound bool, err error) {
	key, b, err := row.key, row.b, row.err
	switch {
	case err == nil && b.Replaced:
		return b, false, errReplaced
	case err == nil && b.expired():
		m.endStored(ctx, key, b)
		return b, false, errUnknownToken
	case err == nil:
		return b, true, nil
	case perch.KindOf(err) != perch.KindNotFound:
		return b, false, m.routes.whenDown(key, err)
	}
	return b, false, m.unknownHere(ctx)
}

// byKey returns the live session that a token is bound to, or nil.
func (m *Manager) byKey(key digest) *Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tokens[key]
}

// bindLocal binds a token to s in this process, once the Store has it.
func (m *Manager) bindLocal(t boundToken, s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens.bind(t, s)
}

// bound reports whether a token is bound to s.
func (m *Manager) bound(key digest, s *Session) bool { return m.byKey(key) == s }

// boundTokens returns the tokens that are bound to s.
func (m *Manager) boundTokens(s *Session) []boundToken {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(s.entry.tokens)
}

// unbindLocal ends what bindLocal did.
func (m *Manager) unbindLocal(key digest, s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens.unbind(key, s)
}

// evict unbinds tokens that the Store has evicted: each sign-in gets one, and those of the
// oldest go when there are too many.
func (m *Manager) evict(tokens []string, s *Session) {
	for _, t := range tokens {
		if key, ok := digestOf(t); ok {
			m.endLocal(key, s)
			m.log.Info("token revoked: the session has too many", "session", shortID(s.id), "audit", true)
		}
	}
}
