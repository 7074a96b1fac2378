package cache

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// memNodes is what Redis keeps of nodes, for several that share one memory store.
type memNodes struct {
	mu       sync.Mutex
	beats    map[sessions.NodeID]memBeat
	dead     map[sessions.NodeID]time.Time
	released map[sessions.ID]time.Time
}

type memBeat struct {
	node sessions.Node
	at   time.Time
}

// Beat implements sessions.Store. Who was replaced or has left stays dead: the Membership has it
// among Dead and not among Members.
func (m *Memory) Beat(_ context.Context, self sessions.Node) (sessions.Membership, error) {
	if err := m.Healthy(context.Background()); err != nil {
		return sessions.Membership{}, err
	}
	m.nodes.mu.Lock()
	defer m.nodes.mu.Unlock()
	return m.nodes.beat(self, time.Now()), nil
}

// Leave implements sessions.Store. A Beat that comes after it changes nothing.
func (m *Memory) Leave(_ context.Context, id sessions.NodeID) error {
	m.nodes.mu.Lock()
	defer m.nodes.mu.Unlock()
	m.nodes.markDead(id, time.Now())
	return nil
}

func (n *memNodes) beat(self sessions.Node, now time.Time) sessions.Membership {
	membership := sessions.Membership{Missed: -time.Millisecond}
	if _, dead := n.dead[self.ID]; !dead {
		if old, ok := n.beats[self.ID]; ok {
			membership.Missed = now.Sub(old.at)
		}
		n.replace(self.ID, now)
		if n.beats == nil {
			n.beats = map[sessions.NodeID]memBeat{}
		}
		n.beats[self.ID] = memBeat{self, now}
	}
	for id, b := range n.beats {
		if age := now.Sub(b.at); age <= beatFor {
			membership.Members = append(membership.Members, sessions.Member{Node: b.node, Age: age})
		} else {
			delete(n.beats, id)
		}
	}
	for id, at := range n.dead {
		switch age := now.Sub(at); {
		case age >= deadRememberedFor && id != self.ID:
			delete(n.dead, id)
		case age < deadFor || id == self.ID:
			membership.Dead = append(membership.Dead, id)
		}
	}
	membership.Released = n.unowned(now)
	slices.SortFunc(membership.Members, memberOrder)
	slices.Sort(membership.Dead)
	return membership
}

// replace marks as dead the other processes of a name.
func (n *memNodes) replace(id sessions.NodeID, now time.Time) {
	for other := range n.beats {
		if name := nodeName(id); name != "" && other != id && nodeName(other) == name {
			n.markDead(other, now)
		}
	}
}

func (n *memNodes) markDead(id sessions.NodeID, now time.Time) {
	if n.dead == nil {
		n.dead = map[sessions.NodeID]time.Time{}
	}
	n.dead[id] = now
	delete(n.beats, id)
}

// unowned lists the released sessions, oldest first.
func (n *memNodes) unowned(now time.Time) []sessions.ID {
	var ids []sessions.ID
	for id, at := range n.released {
		if now.Sub(at) >= releasedFor {
			delete(n.released, id)
			continue
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b sessions.ID) int {
		return cmp.Or(n.released[a].Compare(n.released[b]), strings.Compare(string(a), string(b)))
	})
	return ids[:min(len(ids), releasedMax)]
}

// release and dropReleased keep the list of released sessions.
func (n *memNodes) release(id sessions.ID, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.released == nil {
		n.released = map[sessions.ID]time.Time{}
	}
	n.released[id] = now
}

func (n *memNodes) dropReleased(id sessions.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.released, id)
}

// Owners implements sessions.Store.
func (m *Memory) Owners(_ context.Context, ids []sessions.ID) (map[sessions.ID]sessions.NodeID, error) {
	all := map[sessions.ID]sessions.NodeID{}
	for _, id := range ids {
		if r := m.find(id); r != nil {
			if owner := r.ownedBy(); owner != "" {
				all[id] = owner
			}
		}
	}
	return all, nil
}

// Stored implements sessions.Store.
func (m *Memory) Stored(_ context.Context, id sessions.ID) (sessions.StoredSession, error) {
	r := m.find(id)
	if r == nil {
		return sessions.StoredSession{}, errNoSession
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return sessions.StoredSession{
		ID: id, JID: r.state.JID, Owner: r.owner, Epoch: r.log.epoch, First: r.log.first(), Tip: r.log.tip,
		Outbox: len(r.outbox.rows), Rooms: len(r.rooms.list()), OfflineSince: r.state.OfflineSince,
		Ends: perch.At(r.written().Add(m.ttl)),
	}, nil
}
