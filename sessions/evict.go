package sessions

import (
	"context"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// evictedFor is how long a node leaves a session that was evicted from it to the others.
const evictedFor = 30 * time.Second

var errNoReturn error = perch.Errorf(perch.KindConflict,
	"the credential of this session is not stored (PERCH_SECRET_KEY), and its client cannot send it with a request: evicted, it could not sign in again; sign it out instead")

// Evict ends a session on this node and forgets nothing, as when the node drains: what was accepted
// is written, the state of the stream is kept, and the next owner resumes it. That is another node,
// or where there is none this one, at the next request. It waits until the session has left.
// KindConflict: it could not be opened again.
func (m *Manager) Evict(ctx context.Context, s *Session) error {
	var again bool
	if err := s.call(ctx, func() { again = m.returns(s) }); err != nil {
		return err
	}
	if !again {
		return errNoReturn
	}
	if m.nodes != nil {
		m.nodes.leaveToOthers(s.id)
	}
	s.post(func() { s.shutdown(true) })
	return s.left(ctx)
}

// returns reports whether the session can be opened again: its credential is stored, or comes with
// each request of its client. A client that has signed in by a call of its own has a minted token, and
// may have nothing else.
// Only its owner calls this.
func (m *Manager) returns(s *Session) bool {
	return len(m.settings().SealKeys) > 0 || m.isBearer(s.cred.acc) && !m.hasSignIns(s)
}

// hasSignIns reports whether a token of a session was minted by a sign-in.
func (m *Manager) hasSignIns(s *Session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(s.entry.tokens, func(t boundToken) bool {
		return t.minted && (t.record == nil || !t.record.Made)
	})
}

// leaveToOthers notes that a session is not to be opened on this node for a while.
func (n *nodes) leaveToOthers(id ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	n.passed.Put(id, struct{}{}, now, evictedFor) // nor adopted
	n.evicted.Put(id, struct{}{}, now, evictedFor)
}

// elsewhere is nil, or says which node is to open a session that was evicted from this one; a node
// that is stopping is not asked. All requests for one session go to the same node.
func (n *nodes) elsewhere(id ID) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.evicted.Get(id, time.Now()); !ok {
		return nil
	}
	var others []Node
	for _, x := range n.members {
		if !x.Away {
			others = append(others, x)
		}
	}
	if len(others) == 0 {
		return nil
	}
	slices.SortFunc(others, func(a, b Node) int { return strings.Compare(string(a.ID), string(b.ID)) })
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return &NotOwnerError{Node: others[int(h.Sum32())%len(others)], Evicted: id}
}

// KeepHere ends what Evict asks of this node: the node that was to open the session does not.
func (m *Manager) KeepHere(id ID) {
	if m.nodes == nil {
		return
	}
	m.nodes.mu.Lock()
	defer m.nodes.mu.Unlock()
	m.nodes.evicted.Delete(id, time.Now())
	m.nodes.passed.Delete(id, time.Now())
}

// evictedElsewhere is elsewhere, once the Store knows no owner.
func (m *Manager) evictedElsewhere(ctx context.Context, id ID) error {
	if m.nodes == nil {
		return nil
	}
	to := m.nodes.elsewhere(id)
	if to == nil {
		return nil
	}
	return m.whereabouts(ctx, id, to)
}
