package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// ReplaceCredentials lets a fresh token or password take over the live session: no new
// login, no presence flap. The credential is used at the next login; when the session is
// suspended that is now, and the call waits for it (KindUnauthorized: it was refused, and
// the old one stays).
//
// From then on the fresh credential leads to the session, and the one that it replaces is
// refused. Tokens that we minted go on. KindConflict: the fresh one has a session already.
func (m *Manager) ReplaceCredentials(ctx context.Context, s *Session, secret perch.Account) error {
	var old perch.Account
	suspended := false
	if err := s.turn(ctx, func() { old, suspended = s.acc, s.state.state == perch.StateSuspended }); err != nil {
		return err
	}
	fresh := old
	fresh.Password, fresh.Token = secret.Password, secret.Token
	if secret.Mechanism != "" || fresh.Password.IsZero() != old.Password.IsZero() {
		fresh.Mechanism = secret.Mechanism
	}
	if fresh.JID == "" && !fresh.Password.IsZero() {
		if err := s.turn(ctx, func() { fresh.JID = s.rec.JID.Bare() }); err != nil {
			return err
		}
	}
	fresh, err := m.check(fresh)
	if err != nil {
		return err
	}
	oldKey, key := m.accountKey(old), m.accountKey(fresh)
	if other := m.byKey(key); other != nil && other != s {
		return perch.Errorf(perch.KindConflict, "this credential has a session of its own; sign that one out first")
	}
	if suspended {
		if err := m.try(ctx, s, old, fresh); err != nil {
			return err
		}
	}
	m.rejected.drop(key)
	return m.take(ctx, s, oldKey, key, fresh)
}

// try signs a suspended session in with the fresh credential, and goes back to the old one
// when that is refused.
func (m *Manager) try(ctx context.Context, s *Session, old, fresh perch.Account) error {
	verdict := make(chan error, 1)
	if err := s.turn(ctx, func() {
		s.acc = fresh
		s.retry.attempt, s.retry.waiting = 0, append(s.retry.waiting, verdict)
		s.connectNow()
	}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, m.o.OpenTimeout)
	defer cancel()
	select {
	case err := <-verdict:
		if err == nil {
			return nil
		}
		if k := perch.KindOf(err); k != perch.KindUnauthorized && k != perch.KindForbidden {
			return nil // weather: the session goes on trying with the fresh one
		}
		_ = s.turn(ctx, func() { s.acc = old })
		return err
	case <-ctx.Done():
		return nil
	case <-s.gone:
		return s.endedError()
	}
}

// take makes fresh the credential of s.
func (m *Manager) take(ctx context.Context, s *Session, oldKey, key digest, fresh perch.Account) error {
	if err := s.turn(ctx, func() { s.acc, s.accAt = fresh, s.now() }); err != nil {
		return err
	}
	if err := m.bind(ctx, s, key); err != nil {
		return err
	}
	m.mu.Lock()
	m.lead(key, s)
	m.mu.Unlock()
	if oldKey != key {
		if err := m.retire(ctx, s, oldKey); err != nil {
			return err
		}
	}
	m.bindAll(ctx, s)
	return nil
}

// replacedMark is what a replaced credential has in place of a sealed one. The binding
// stays so that the credential is refused, also after a restart, and goes with the session.
const replacedMark = 0

func (b Binding) replaced() bool { return len(b.Sealed) == 1 && b.Sealed[0] == replacedMark }

// maxRetired bounds how many replaced credentials of a session are kept. The first one is
// always among them, because the session's id was made from it.
const maxRetired = 5

// retire refuses a credential from now on.
func (m *Manager) retire(ctx context.Context, s *Session, key digest) error {
	m.unlead(key, s)
	m.mu.Lock()
	s.retired = append(s.retired, key)
	var expired []digest
	if len(s.retired) > maxRetired {
		expired = append(expired, s.retired[1])
		s.retired = slices.Delete(s.retired, 1, 2)
	}
	m.mu.Unlock()
	for _, k := range expired {
		_ = m.o.Store.Unbind(ctx, k.String()) // it expires there by itself as well
	}
	b := Binding{ID: s.id, Upstream: s.upstream.Name, Sealed: []byte{replacedMark}}
	return storeError(m.o.Store.Bind(ctx, key.String(), b))
}
