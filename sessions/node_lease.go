package sessions

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

const (
	beatEvery = time.Second     // at the most; a short lease is renewed more often
	beatTime  = 2 * time.Second // that one beat may take
	leaveTime = 2 * time.Second
	// lostFor is how long after the Store has lost everything a token that it does not know
	// may still be one that a node is about to write there again.
	lostFor = 10 * time.Second
)

// DefaultLease is how long a node may be silent before the others take its sessions over.
const DefaultLease = 15 * time.Second

// Join makes this process a node among others that share the Store: a session that another
// one owns is left to it, and this one's sessions are left alone as long as it renews its
// lease. A Manager that has not joined is alone with its Store and takes whatever is there.
//
// Call it once, before Restore and before the first request. Close ends it.
func (m *Manager) Join(ctx context.Context, self Node, lease time.Duration) error {
	n := newNodes(m, self, lease)
	if err := m.checkSecret(ctx, true); err != nil {
		return err
	}
	if err := n.beat(ctx); err != nil {
		return storeError(err)
	}
	ctx, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	m.nodes = n
	m.log.Info("joined the nodes of the store", "node", self.ID, "url", self.URL, "others", len(n.members))
	n.wg.Go(func() { n.run(ctx) })
	return nil
}

// Self is this process as the other nodes know it; the zero value when it is alone.
func (m *Manager) Self() Node {
	if m.nodes == nil {
		return Node{}
	}
	return m.nodes.me()
}

// Nodes says how many nodes are alive as far as this one knows, itself among them, and how
// long ago it renewed its lease. Alone it is 1 and nothing.
func (m *Manager) Nodes() (alive int, beat time.Duration) {
	n := m.nodes
	if n == nil {
		return 1, 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return 1 + len(n.members), time.Since(n.last)
}

// Peers returns the other nodes, sorted by name: those that are alive as far as this one knows, whose
// Age is 0, and those that were silent for longer than a lease, with the time since their last beat.
// A node that has left is not among them.
func (m *Manager) Peers() []Member {
	n := m.nodes
	if n == nil {
		return nil
	}
	n.mu.Lock()
	list := make([]Member, 0, len(n.members)+len(n.silent))
	for _, x := range n.members {
		list = append(list, Member{Node: x})
	}
	for _, x := range n.silent {
		list = append(list, Member{Node: x.Node, Age: max(x.Age, time.Millisecond)})
	}
	n.mu.Unlock()
	slices.SortFunc(list, func(a, b Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list
}

// Lease is how long a node may be silent; 0 when this one is alone.
func (m *Manager) Lease() time.Duration {
	if m.nodes == nil {
		return 0
	}
	return m.nodes.lease
}

// Replaced is closed when another process has come under this node's name. What this one
// had is the other's from then on; the process should end.
func (m *Manager) Replaced() <-chan struct{} { return m.replaced }

// run renews the lease until the Manager is closed.
func (n *nodes) run(ctx context.Context) {
	tick := time.NewTicker(min(beatEvery, n.lease/5))
	defer tick.Stop()
	agreed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := n.beat(ctx); err != nil {
			n.failed(ctx, err)
			continue
		}
		n.adoptSoon(ctx)
		n.m.routes.stored.drop()
		every := agreeEvery
		if len(n.m.ring()) > 1 {
			every = secretEvery
		}
		if time.Since(agreed) >= every {
			agreed = time.Now()
			if err := n.m.checkSecret(ctx, false); err != nil && perch.KindOf(err) == perch.KindValidation {
				n.m.log.Error("store was written with another secret", "error", err)
			}
		}
	}
}

// agreeEvery is how often the fingerprint of the secret is renewed, well before it ends.
const agreeEvery = time.Hour

// secretEvery is how often a node looks which secret the nodes use, while it knows two.
const secretEvery = 2 * time.Second

// secretName is what the fingerprint of the secret is stored under.
const secretName = "secret"

var errOtherSecret error = perch.Errorf(perch.KindValidation,
	"what this store keeps was written with another secret: give this node the PERCH_SECRET of the other nodes; "+
		"to begin anew with another secret, stop all nodes and empty the store, or use another one")

// failed logs an outage once.
func (n *nodes) failed(ctx context.Context, err error) {
	n.mu.Lock()
	first := !n.down
	n.down = true
	n.mu.Unlock()
	if first && ctx.Err() == nil {
		n.m.log.Warn("failed to renew node lease", "error", err)
	}
}

// now is beat for a caller that needs to know how things are after this moment. Of many that
// ask at once only one asks the Store.
func (n *nodes) now(ctx context.Context) error { return n.beatUnless(ctx, time.Now()) }

// beat renews the lease and learns of the others.
func (n *nodes) beat(ctx context.Context) error { return n.beatUnless(ctx, time.Time{}) }

// beatUnless is beat, unless another caller's was answered that was sent after a moment.
func (n *nodes) beatUnless(ctx context.Context, since time.Time) error {
	select {
	case n.beating <- struct{}{}:
		defer func() { <-n.beating }()
	case <-ctx.Done():
		return ctx.Err()
	}
	n.mu.Lock()
	done := !since.IsZero() && n.last.After(since)
	n.mu.Unlock()
	if done {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, beatTime)
	defer cancel()
	sent := time.Now()
	membership, err := n.m.o.Store.Beat(ctx, n.me())
	if err != nil {
		return err
	}
	lapsed, replaced := n.learn(membership, sent)
	switch {
	case replaced:
		n.stepDown()
	case lapsed:
		n.m.log.Warn("node lease expired, revalidating sessions", "missed", membership.Missed)
		n.m.reviseAll()
	}
	return nil
}

// learn notes what a beat returned. Lapsed: the others may have taken our sessions, or the
// Store has lost them.
func (n *nodes) learn(membership Membership, sent time.Time) (lapsed, replaced bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	first := n.last.IsZero()
	missed := membership.Missed < 0 || membership.Missed > n.lease
	if first || missed || sent.Sub(n.last) > n.lease {
		n.contiguousSince = sent
	}
	if !first && membership.Missed < 0 {
		n.lost = sent
	}
	n.last, n.down = sent, false
	n.canDeclareDead = sent.Sub(n.contiguousSince) >= n.lease
	n.members, n.silent = make(map[NodeID]Node, len(membership.Members)), map[NodeID]Member{}
	for _, x := range membership.Members {
		switch {
		case x.ID == n.self.ID:
		case x.Age > n.lease && n.canDeclareDead:
			n.markDead(x.ID)
			n.silent[x.ID] = x
		default:
			n.members[x.ID] = x.Node
			delete(n.dead, x.ID) // it was only silent for too long; when it dies, that is news
		}
	}
	for _, id := range membership.Dead {
		if id == n.self.ID {
			replaced = !n.replaced
			n.replaced = true
			continue
		}
		n.markDead(id)
	}
	n.released(membership.Released, sent)
	return !first && missed, replaced
}

// stepDown gives up every session: another process has our name and our leases.
func (n *nodes) stepDown() {
	n.m.log.Error("node name taken over by another process, stepping down", "node", n.me().ID)
	n.m.Drain()
	for _, s := range n.m.all() {
		s.post(s.fenced)
	}
	close(n.m.replaced)
}

// leave ends the lease; the sessions are written and closed by now.
func (n *nodes) leave() {
	n.stop()
	n.wg.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	if err := n.m.o.Store.Leave(ctx, n.me().ID); err != nil {
		n.m.log.Warn("failed to release node lease, it will expire", "error", err)
	}
}

// away lets the others know that this node takes nothing over any more.
func (n *nodes) away() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.self.Away = true
}

// back is the end of away.
func (n *nodes) back() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.self.Away = false
}
