package sessions

import (
	"context"
	"errors"

	"github.com/perch-im/perch"
)

var (
	errRefused      error = perch.Errorf(perch.KindUnauthorized, "the upstream has refused this credential a moment ago")
	errUnknownToken error = perch.Errorf(perch.KindUnauthorized, "unknown or expired token; sign in again")
	errNoToken      error = perch.Errorf(perch.KindUnauthorized, "a bearer token is needed")
)

// Authenticate finds the session of a bearer token, or, for an access token of an
// upstream, opens it and waits for the login. A token that has a session stays at its upstream;
// see AtUpstream and Upstream.TokenPrefix for one that has none.
//
// A session that was online before, in this process or an earlier one, is returned in
// whatever state it is: its caches answer while it reconnects. A new one is returned only
// once it is online; KindUnauthorized means that the upstream refused the token, which is
// remembered for a moment.
func (m *Manager) Authenticate(ctx context.Context, token perch.Secret) (*Session, error) {
	if token.IsZero() {
		return nil, errNoToken
	}
	by, err := m.bearerOf(ctx, token)
	if err != nil {
		return nil, err
	}
	key := m.keyFor(ctx, by.of)
	for {
		s, err := m.find(ctx, key, by)
		if err != nil {
			return nil, err
		}
		err = m.ready(ctx, s, key.digest)
		switch {
		case err == nil:
			return s, nil
		case !errors.Is(err, errGone):
			return nil, err
		}
		if err := s.left(ctx); err != nil {
			return nil, err
		}
		by.row = nil // what it said was before that session ended
	}
}

// Knows reports whether a bearer token leads to a session, here or in the Store. It opens
// nothing, and does not say that the upstream still accepts it.
func (m *Manager) Knows(ctx context.Context, token perch.Secret) bool {
	if token.IsZero() {
		return false
	}
	by, err := m.bearerOf(ctx, token)
	if err != nil {
		return false
	}
	s, _, bound, err := m.lookup(ctx, m.keyFor(ctx, by.of).digest, by.row)
	return s != nil || bound || errors.As(err, new(*NotOwnerError))
}

// find returns the session of a token, and opens it when it is not live.
func (m *Manager) find(ctx context.Context, key markedKey, by bearer) (*Session, error) {
	s, b, bound, err := m.lookup(ctx, key.digest, by.row)
	switch {
	case s != nil || err != nil:
		return s, err
	case bound:
		return m.reopen(ctx, key.digest, b, by)
	}
	switch {
	case by.minted:
		m.rejected.add(key.digest, errUnknownToken)
		return nil, errUnknownToken
	case !m.settings().Upstreams[by.acc.Upstream].TokenBearer:
		err = m.takesNone(by.acc.Upstream)
		m.rejected.add(key.digest, err)
		return nil, err
	}
	s, _, err = m.openHere(ctx, openRequest{id: m.idOf(key.digest), acc: by.acc, by: boundBy(key, Binding{}, false)})
	return s, err
}

// takesNone is the error for an access token whose upstream takes none.
func (m *Manager) takesNone(upstream string) error {
	if upstream == m.settings().DefaultUpstream {
		return perch.Errorf(perch.KindUnauthorized, "token was not issued by this gateway, and the default upstream takes no access tokens")
	}
	return perch.Errorf(perch.KindUnauthorized, "token was not issued by this gateway, and the upstream %q takes no access tokens", upstream)
}

// reopen goes to the session that a token in the Store leads to. When it is not live, the
// credential comes from the token itself, or from what the operator let us seal; where
// another node has the session none is needed.
func (m *Manager) reopen(ctx context.Context, key digest, b Binding, by bearer) (*Session, error) {
	acc := by.acc
	if s := m.byID(b.ID); s != nil {
		m.bindLocal(boundTo(key, b), s)
		return s, nil
	}
	if sealed, _, ok := m.settings().sealer.open(b.ID, b.Sealed); ok {
		acc = sealed
	} else if by.minted {
		return nil, m.whereabouts(ctx, b.ID, errUnknownToken)
	}
	if _, ok := m.settings().Upstreams[acc.Upstream]; !ok {
		return nil, errUpstreamGone
	}
	s, _, err := m.openHere(ctx, openRequest{id: b.ID, acc: acc, by: boundTo(key, b), bound: true})
	return s, err
}

// openHere is open; a node that is stopping opens nothing, but knows who has the session, and one
// that the session was evicted from leaves it to another.
func (m *Manager) openHere(ctx context.Context, o openRequest) (*Session, bool, error) {
	o.address = addressFrom(ctx)
	if err := m.evictedElsewhere(ctx, o.id); err != nil {
		return nil, false, err
	}
	s, created, err := m.open(o)
	m.refused(err)
	if errors.Is(err, errDraining) {
		err = m.whereabouts(ctx, o.id, errDraining)
	}
	return s, created, err
}

// ready waits for the first login, and remembers a refusal.
func (m *Manager) ready(ctx context.Context, s *Session, key digest) error {
	err := s.await(ctx)
	if x, ok := errors.AsType[*NotOwnerError](err); ok {
		m.routes.put(key, x.Node)
		return err
	}
	switch perch.KindOf(err) {
	case perch.KindUnauthorized, perch.KindForbidden:
		m.rejected.add(key, errRefused)
	}
	return err
}
