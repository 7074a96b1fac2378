package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// nodeStatus is what is known of the owner of a session.
type nodeStatus int

const (
	alive nodeStatus = iota
	isDead
	unknown // it is silent, or was never seen, and this node was not there long enough to judge
)

// status reports whether a node is alive. One that is not known may have come a moment ago,
// so the Store is asked before a node is called dead for that.
func (n *nodes) status(ctx context.Context, id NodeID) (Node, nodeStatus, error) {
	if x, st, sure := n.look(id); sure {
		return x, st, nil
	}
	if err := n.now(ctx); err != nil {
		return Node{}, unknown, err
	}
	x, st, sure := n.look(id)
	if st == isDead && !sure {
		n.mu.Lock()
		n.markDead(id) // the next one who asks need not ask the Store
		n.mu.Unlock()
	}
	return x, st, nil
}

func (n *nodes) look(id NodeID) (x Node, st nodeStatus, sure bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	x, member := n.members[id]
	_, dead := n.dead[id]
	switch {
	case member:
		return x, alive, true
	case dead:
		return x, isDead, true
	case n.canDeclareDead:
		return x, isDead, false
	}
	return x, unknown, false
}

// isDead is whether a node is known to be dead, without asking.
func (n *nodes) isDead(id NodeID) bool {
	_, st, sure := n.look(id)
	return sure && st == isDead
}

// shared implements leases.
func (m *Manager) shared() bool { return m.nodes != nil }

// leaseHolds reports whether no other node can have a session that was known at a moment to be
// ours: since then, or since the last beat, no lease has passed. A process that is alone with
// its Store needs none.
func (m *Manager) leaseHolds(owned time.Time) bool {
	n := m.nodes
	if n == nil {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.last) < n.lease || time.Since(owned) < n.lease
}

// lostAll reports whether the Store has lost what it had a moment ago: then what it does not
// know says nothing.
func (n *nodes) lostAll(ctx context.Context) bool {
	if n.now(ctx) != nil {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.lost.IsZero() && time.Since(n.lost) < lostFor
}

var errForgotten error = &perch.Error{Kind: perch.KindStorageUnavailable, RetryAfter: 2 * time.Second,
	Detail: "store was reset, retry shortly"}

// unknownHere is the verdict about a token that the Store does not know.
func (m *Manager) unknownHere(ctx context.Context) error {
	if m.nodes != nil && m.nodes.lostAll(ctx) {
		return errForgotten
	}
	return nil
}

// reviseAll lets every session find out whether it is still ours: whatever it writes is
// refused if not.
func (m *Manager) reviseAll() {
	for _, s := range m.all() {
		s.post(s.state.saveRecord)
	}
}

// acquire opens the record of a session, as its owner from now on. *NotOwnerError: another node
// that is alive owns it.
func (m *Manager) acquire(ctx context.Context, id ID) (saved *Saved, adopted bool, err error) {
	t := OpenOptions{Owner: m.Self().ID}
	for range 3 { // each time another owner is dead
		saved, err = m.o.Store.Open(ctx, id, t)
		held, ok := errors.AsType[*HeldError](err)
		if !ok {
			return saved, t.TakeoverFrom != "", err
		}
		x, st, err := m.nodes.status(ctx, held.Owner)
		switch {
		case err != nil:
			return nil, false, err
		case st == alive:
			return nil, false, &NotOwnerError{Node: x}
		case st == unknown:
			return nil, false, errNoOwner
		}
		t.TakeoverFrom = held.Owner
	}
	return nil, false, errNoOwner
}

var errNoOwner error = &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: 2 * time.Second,
	Detail: "the node of this session does not answer; another one is about to take it over"}

// whereabouts is where a session is that this node may not open: with another node, or
// nowhere, and then the error is otherwise.
func (m *Manager) whereabouts(ctx context.Context, id ID, otherwise error) error {
	if m.nodes == nil {
		return otherwise
	}
	owners, err := m.o.Store.Owners(ctx, []ID{id})
	if err != nil {
		return storeError(err)
	}
	owner, ok := owners[id]
	if !ok || owner == m.Self().ID {
		return otherwise
	}
	x, st, err := m.nodes.status(ctx, owner)
	switch {
	case err != nil:
		return storeError(err)
	case st == alive:
		return &NotOwnerError{Node: x}
	case st == unknown:
		return errNoOwner
	}
	return otherwise
}
