package sessions

import (
	"cmp"
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// madeTokens are what a node has for the tokens of its sessions.
type madeTokens struct {
	uses *tokenUses
}

// MaxMade is how many tokens a session has at most that other tokens have made.
const MaxMade = 100

// Kinds of tokens, see Token.
const (
	TokenOfSignIn  = "sign-in"
	TokenMade      = "made"
	TokenOfAccount = "account" // the access token of the upstream that is sent as the bearer
)

// accountToken is the id of the token of the account itself, of which there is one.
const accountToken = "account"

// Token is what its owner sees of a token that leads to a session.
type Token struct {
	TokenRecord
	Kind string
	Used TokenUse // the zero value: not that anybody knows

	keys   []digest // two while the secret is rotated
	minted bool
}

// Is reports whether the token is the one of an access.
func (t Token) Is(a Access) bool {
	return t.minted == a.minted && (t.ID == a.ID || slices.Contains(t.keys, a.key))
}

// NewToken is the token that a client asks for.
type NewToken struct {
	Name  string
	Grant perch.Grant
}

var (
	errTooManyTokens error = perch.Errorf(perch.KindQuotaExceeded, "the session has %d tokens that were made with POST /v1/tokens: revoke one first", MaxMade)
	errNoSuchToken   error = perch.Errorf(perch.KindNotFound, "there is no such token, or this token may do less than that one")
	errAccountToken  error = perch.Errorf(perch.KindConflict, "the access token of the account is no token of this gateway, which could end it: DELETE /v1/session signs the account out")
)

// Tokens lists the tokens of a session that may do no more than the one that asks, in the order in which
// they were made.
func (m *Manager) Tokens(ctx context.Context, by Access) ([]Token, error) {
	all, err := m.tokensOf(ctx, by.Session)
	if err != nil {
		return nil, err
	}
	uses, err := m.o.Store.Uses(ctx, by.Session.id)
	if err != nil {
		return nil, storeError(err)
	}
	waiting := m.made.uses.waiting(by.Session.id)
	all = slices.DeleteFunc(all, func(t Token) bool { return !by.Grant.Covers(t.Grant) })
	for i := range all {
		for _, key := range all[i].keys {
			for _, use := range []TokenUse{uses[key.String()], waiting[key.String()]} {
				if use.At > all[i].Used.At {
					all[i].Used = use
				}
			}
		}
	}
	return all, nil
}

// tokensOf lists all tokens of a session, those that the Store could not be told of included.
func (m *Manager) tokensOf(ctx context.Context, s *Session) ([]Token, error) {
	all, err := m.o.Store.BindingsOf(ctx, s.id)
	if err != nil {
		return nil, storeError(err)
	}
	var list tokenList
	for _, t := range m.boundTokens(s) {
		list.add(t.key, Binding{ID: s.id, Minted: t.minted, Token: t.record})
	}
	for token, b := range all {
		if key, ok := digestOf(token); ok && !m.ended(key, s) {
			list.add(key, b)
		}
	}
	var acc perch.Account
	if err := s.call(ctx, func() { acc = s.cred.acc }); err != nil {
		return nil, err
	}
	if m.isBearer(acc) {
		list = append(list, Token{TokenRecord: TokenRecord{ID: accountToken}, Kind: TokenOfAccount, keys: []digest{m.accountKey(acc)}})
	}
	slices.SortFunc(list, func(a, b Token) int {
		return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// tokenList gathers minted tokens, each once.
type tokenList []Token

func (l *tokenList) add(key digest, b Binding) {
	if !b.Minted || b.Replaced || b.expired() {
		return
	}
	t := Token{Kind: TokenOfSignIn, keys: []digest{key}, minted: true}
	if b.Token == nil {
		t.ID = idOfToken(key, nil)
	} else if t.TokenRecord = *b.Token; t.Made {
		t.Kind = TokenMade
	}
	i := slices.IndexFunc(*l, func(x Token) bool { return x.ID == t.ID })
	if i < 0 {
		*l = append(*l, t)
	} else if !slices.Contains((*l)[i].keys, key) {
		(*l)[i].keys = append((*l)[i].keys, key)
	}
}

// MakeToken makes a token that may do no more than the one of by, which the caller has checked
// (perch.Grant.Covers). KindQuotaExceeded: the session has MaxMade of them.
func (m *Manager) MakeToken(ctx context.Context, by Access, n NewToken) (perch.Secret, Token, error) {
	if !by.Grant.Covers(n.Grant) {
		return perch.Secret{}, Token{}, perch.Errorf(perch.KindForbidden, "a token makes none that may do more than itself")
	}
	making := m.making(by.Session)
	select {
	case making <- struct{}{}: // one at a time in a session: they are counted
		defer func() { <-making }()
	case <-ctx.Done():
		return perch.Secret{}, Token{}, ctx.Err()
	}
	if err := m.roomForToken(ctx, by.Session); err != nil {
		return perch.Secret{}, Token{}, err
	}
	r := newTokenRecord()
	r.Name, r.Made, r.By, r.Grant = n.Name, true, by.ID, n.Grant
	token, err := m.mintFor(ctx, by.Session, r)
	return token, Token{TokenRecord: *r, Kind: TokenMade, minted: true}, err
}

// making has room for one: who makes a token with a token of a session.
func (m *Manager) making(s *Session) chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.entry.making == nil {
		s.entry.making = make(chan struct{}, 1)
	}
	return s.entry.making
}

// roomForToken ends the tokens that have had their time, and refuses one more than MaxMade.
func (m *Manager) roomForToken(ctx context.Context, s *Session) error {
	all, err := m.o.Store.BindingsOf(ctx, s.id)
	if err != nil {
		return storeError(err)
	}
	made := map[string]bool{} // by their ids: while the secret is rotated one may have two keys
	for token, b := range all {
		key, ok := digestOf(token)
		switch {
		case !ok || b.Token == nil || !b.Token.Made:
		case b.expired():
			m.endStored(ctx, key, b)
		default:
			made[b.Token.ID] = true
		}
	}
	if len(made) >= MaxMade {
		return errTooManyTokens
	}
	return nil
}

// mintFor makes a token that leads to s.
func (m *Manager) mintFor(ctx context.Context, s *Session, r *TokenRecord) (perch.Secret, error) {
	token := mint()
	h := m.ring()[0]
	if err := m.bind(ctx, s, boundToken{key: h.tokenKey(token.Reveal()), minted: true, mark: h.mark, record: r}); err != nil {
		return perch.Secret{}, err
	}
	return token, nil
}

// RevokeToken ends a token of the session that may do no more than the one of by, itself included: it is
// refused from now on, on every node, and its streams end. KindNotFound: there is no such token.
func (m *Manager) RevokeToken(ctx context.Context, by Access, id string) (ended Token, err error) {
	for found := false; ; found = true {
		all, err := m.tokensOf(ctx, by.Session)
		if err != nil {
			return ended, err
		}
		i := slices.IndexFunc(all, func(t Token) bool { return t.ID == id })
		switch {
		case i < 0 && found:
			return ended, nil
		case i < 0 || !by.Grant.Covers(all[i].Grant):
			return ended, errNoSuchToken
		case !all[i].minted:
			return ended, errAccountToken
		}
		ended = all[i]
		// It is looked for once more: another node may have moved it to the secret in use meanwhile.
		if err := m.endKeys(ctx, by.Session, ended.keys); err != nil {
			return ended, err
		}
	}
}

// EndToken ends the token of an access alone. Last says that no token leads to the session any more, by
// which a client could come back to it. KindConflict: it is the access token of the account.
func (m *Manager) EndToken(ctx context.Context, a Access) (last bool, err error) {
	if !a.minted {
		return false, errAccountToken
	}
	all, err := m.tokensOf(ctx, a.Session)
	if err != nil {
		return false, err
	}
	keys := []digest{a.key}
	for _, t := range all {
		if t.ID == a.ID {
			keys = append(keys, t.keys...)
		}
	}
	if err := m.endKeys(ctx, a.Session, keys); err != nil {
		return false, err
	}
	all, err = m.tokensOf(ctx, a.Session)
	return err == nil && len(all) == 0, err
}

// endKeys ends a token under all its keys. What is under way when the Store ends it binds it no more; but
// while the Store fails it leads to the session as before, so that the request can be repeated with it.
func (m *Manager) endKeys(ctx context.Context, s *Session, keys []digest) error {
	m.revoke(s, keys)
	for i, key := range keys {
		if err := m.o.Store.Unbind(ctx, key.String()); err != nil {
			m.unrevoke(s, keys[i:])
			return storeError(err)
		}
		m.endLocal(key, s)
		m.rejected.add(key, errUnknownToken)
	}
	return nil
}

// revoke has tokens bound to a session no more; those that are, stay.
func (m *Manager) revoke(s *Session, keys []digest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		s.entry.revoke(key)
	}
}

// unrevoke takes back what revoke did.
func (m *Manager) unrevoke(s *Session, keys []digest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.entry.revoked = slices.DeleteFunc(s.entry.revoked, func(key digest) bool { return slices.Contains(keys, key) })
}
