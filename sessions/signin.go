package sessions

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/perch-im/perch"
)

// SignIn opens a session with a JID and a password or token, and mints a Perch token
// ("perch_...") that leads to it. Created is false when that very account and credential
// already had a session; the token is a new one all the same, because an earlier one
// cannot be given out again. A session that is suspended tries again. What is given as entered runs
// once the session is open, before there is a token: its error is that of the sign-in, and no token
// is made that the client would never see.
func (m *Manager) SignIn(ctx context.Context, acc perch.Account, entered ...func(s *Session, created bool) error) (token perch.Secret, s *Session, created bool, err error) {
	if acc, err = m.check(ctx, acc); err != nil {
		return token, nil, false, err
	}
	key := m.keyFor(ctx, func(h *hasher) digest { return h.accountKey(acc) })
	for {
		s, created, err = m.enter(ctx, key, acc)
		if err != nil {
			return token, nil, false, err
		}
		if err = m.ready(ctx, s, key.digest); err == nil {
			break
		}
		if !errors.Is(err, errGone) {
			return token, nil, false, err
		}
		if err = s.left(ctx); err != nil {
			return token, nil, false, err
		}
	}
	if !created && m.rejected.get(key.digest) == nil {
		s.Reconnect()
	}
	for _, f := range entered {
		if err := f(s, created); err != nil {
			return token, nil, false, err
		}
	}
	if token, err = m.mintFor(ctx, s, newTokenRecord()); err != nil {
		return perch.Secret{}, nil, false, err
	}
	return token, s, created, nil
}

// check completes an account and refuses what cannot sign in anywhere.
func (m *Manager) check(ctx context.Context, acc perch.Account) (perch.Account, error) {
	field := cmp.Or(namedIn(ctx).field, "/upstream")
	acc.Upstream = m.UpstreamFor(acc)
	up, ok := m.settings().Upstreams[acc.Upstream]
	switch {
	case !ok:
		return acc, perch.Invalid(field, "is not configured here; leave it out, and the domain of the JID decides")
	case acc.JID != "" && up.Domain != "" && !sameDomain(acc.JID.Domain(), up.Domain):
		return acc, perch.Invalid("/jid", "the upstream %q serves only the domain %s: give a JID of it, or another upstream", acc.Upstream, up.Domain)
	case acc.Password.IsZero() == acc.Token.IsZero():
		return acc, perch.Invalid("/token", "exactly one of token and password is needed")
	case acc.JID == "" && (up.NeedsJID || !acc.Password.IsZero()):
		return acc, perch.Invalid("/jid", "is needed to sign in to this upstream")
	}
	return acc, m.settings().tokenFits(field, acc.Upstream, acc.Token)
}

// upstreamOf is the upstream of a JID when its client names none: the one that serves its domain, of
// several the default or else the first by name; without any the default.
func (m *Manager) upstreamOf(jid perch.JID) string {
	serves := func(name string) bool {
		domain := m.settings().Upstreams[name].Domain
		return jid != "" && domain != "" && sameDomain(jid.Domain(), domain)
	}
	if serves(m.settings().DefaultUpstream) {
		return m.settings().DefaultUpstream
	}
	for _, name := range slices.Sorted(maps.Keys(m.settings().Upstreams)) {
		if serves(name) {
			return name
		}
	}
	return m.settings().DefaultUpstream
}

// sameDomain compares the domains of JIDs (RFC 7622, 3.2).
func sameDomain(a, b string) bool {
	return perch.JID("x@" + a).Equal(perch.JID("x@" + b))
}

// enter finds or opens the session of an account.
func (m *Manager) enter(ctx context.Context, key markedKey, acc perch.Account) (s *Session, created bool, err error) {
	if s := m.byKey(key.digest); s != nil {
		return s, false, nil
	}
	if err := m.rejected.get(key.digest); err != nil {
		return nil, false, err
	}
	b, bound, err := m.stored(ctx, m.rowOf(ctx, key.digest))
	if err != nil {
		return nil, false, err
	}
	id := m.idOf(key.digest)
	if bound {
		id = b.ID
	}
	return m.openHere(ctx, openRequest{id: id, acc: acc, by: boundBy(key, b, bound), bound: bound})
}

// bind lets one token lead to s, in the Store first.
func (m *Manager) bind(ctx context.Context, s *Session, by boundToken) error {
	var b Binding
	if err := s.call(ctx, func() { b = s.binding() }); err != nil {
		return err
	}
	b.Minted, b.Mark, b.Token = by.minted, by.mark, by.record
	evicted, err := m.o.Store.Bind(ctx, by.key.String(), b)
	m.evict(evicted, s)
	if err != nil {
		return storeError(err)
	}
	m.bindLocal(by, s)
	return nil
}

// binding is what the Store keeps for every token of the session, but for what the token is.
func (s *Session) binding() Binding {
	return Binding{ID: s.id, Upstream: s.cred.acc.Upstream, JID: s.cred.acc.JID, Sealed: s.m.settings().sealer.seal(s.id, s.cred.acc, s.cred.at)}
}

// bindAll writes every token of a session to the Store, after each login: that also keeps
// them from expiring there. A failure costs only the return after a restart. A token that
// leads to another session in the Store leads here no more.
func (m *Manager) bindAll(ctx context.Context, s *Session) {
	var b Binding
	if s.call(ctx, func() { b = s.binding() }) != nil {
		return
	}
	for _, l := range m.boundTokens(s) {
		if !m.bound(l.key, s) {
			continue // evicted, or replaced, since
		}
		b.Minted, b.Mark, b.Token = l.minted, l.mark, l.record
		evicted, err := m.o.Store.Bind(ctx, l.key.String(), b)
		m.evict(evicted, s)
		if err == nil && l.minted && !m.bound(l.key, s) && m.ended(l.key, s) {
			err = m.o.Store.Unbind(ctx, l.key.String()) // it was revoked meanwhile, and must not be back
		}
		switch {
		case errors.Is(err, ErrTaken):
			m.unbindLocal(l.key, s)
		case err != nil:
			m.log.Warn("failed to persist token binding", "session", shortID(s.id), "error", err)
			return
		}
	}
}

// claim is bindAll before a session is online for the first time, and reports whether any
// token still leads to it. Another node may have given the token to another session while
// this one signed in; requests for this one are to be sent there.
func (m *Manager) claim(ctx context.Context, s *Session) bool {
	m.bindAll(ctx, s)
	return len(m.boundTokens(s)) > 0
}

// SignOut ends the XMPP session and drops its cache, log and tokens. It waits for that.
func (m *Manager) SignOut(ctx context.Context, s *Session) error {
	s.post(s.signedOut)
	if err := s.left(ctx); err != nil {
		return err
	}
	return storeError(s.forgetErr)
}
