package sessions

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// adoptSoon takes over the sessions of nodes that are dead, and those that another node has
// handed over, as far as their credentials were stored. One goroutine does so at a time; what
// comes meanwhile waits for the next beat.
func (n *nodes) adoptSoon(ctx context.Context) {
	n.mu.Lock()
	defer n.mu.Unlock()
	scan := n.scanDue() && !time.Now().Before(n.scanAt)
	released := n.offered
	n.offered = nil
	if n.adopting || n.self.Away || n.replaced || len(n.m.settings().SealKeys) == 0 || !scan && len(released) == 0 {
		return
	}
	n.adopting = true
	n.wg.Go(func() {
		n.m.adoptReleased(ctx, released)
		if scan {
			n.adoptDead(ctx)
		}
		n.mu.Lock()
		n.adopting = false
		n.mu.Unlock()
	})
}

// scanDue reports whether there is a dead node whose sessions were not looked for, or
// whether this node may judge for the first time. The caller holds mu.
func (n *nodes) scanDue() bool {
	if n.canDeclareDead && !n.judged || n.rescan {
		return true
	}
	for _, looked := range n.dead {
		if !looked {
			return true
		}
	}
	return false
}

// released notes sessions without an owner. The caller holds mu.
func (n *nodes) released(ids []ID, now time.Time) {
	n.offered = n.offered[:0]
	for _, id := range ids {
		if _, ok := n.passed.Get(id, now); !ok {
			n.offered = append(n.offered, id)
		}
	}
}

// pass notes that a released session cannot be adopted here.
func (n *nodes) pass(id ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.passed.Put(id, struct{}{}, time.Now(), passedFor)
	n.m.o.Observer.Owner(OwnerPassed)
}

// tryAgain sees to it that what is stored is looked through once more, after a while: the Store
// did not answer, or this node could take no more sessions.
func (n *nodes) tryAgain() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rescan, n.scanAt = true, time.Now().Add(n.lease)
}

// adoptDead looks through the Store for sessions of nodes that are dead, and for those without
// an owner: that one was released may have reached no node.
func (n *nodes) adoptDead(ctx context.Context) {
	n.mu.Lock()
	judge := n.canDeclareDead
	n.rescan = false
	dead := slices.Collect(maps.Keys(n.dead))
	n.mu.Unlock()
	count, err := n.m.adoptAll(ctx, func(owner NodeID) bool {
		if owner == "" {
			return true
		}
		_, st, err := n.status(ctx, owner)
		return err == nil && st == isDead
	})
	if err != nil {
		n.m.o.Observer.Owner(OwnerFailed)
		n.m.log.Warn("takeover incomplete, will retry", "error", err)
		n.tryAgain()
		return
	}
	if count > 0 {
		n.m.log.Info("taking over sessions of dead nodes", "count", count)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.judged = n.judged || judge
	for _, id := range dead {
		n.dead[id] = true
	}
}

// adoptAll opens every session whose credential was stored and whose owner fits; "" is that
// of one without an owner. It waits until the Store has given what it has of all but the last
// maxAdoptions, and not for the logins.
func (m *Manager) adoptAll(ctx context.Context, fits func(NodeID) bool) (count int, err error) {
	all, err := m.o.Store.Bindings(ctx)
	if err != nil {
		return 0, storeError(err)
	}
	found := m.recoverableSessions(all)
	// Nodes that do this at the same time begin in different places.
	rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	left := progress{m: m, of: len(found), next: time.Now().Add(progressEvery)}
	left.add(len(found))
	defer func() { left.add(-left.left) }()
	for page := range slices.Chunk(found, adoptPage) {
		ids := make([]ID, len(page))
		for i, e := range page {
			ids[i] = e.id
		}
		owners, err := m.o.Store.Owners(ctx, ids)
		if err != nil {
			return count, storeError(err)
		}
		for _, e := range page {
			left.add(-1)
			left.report()
			if !fits(owners[e.id]) {
				continue
			}
			created, err := m.adopt(ctx, e)
			if err != nil {
				return count, err
			}
			if created {
				count++
			}
		}
	}
	return count, nil
}

// progressEvery is how often a long takeover says how far it is.
const progressEvery = 10 * time.Second

// progress is how far a takeover of many sessions is.
type progress struct {
	m        *Manager
	of, left int
	next     time.Time // of the next line in the log
}

func (p *progress) add(n int) {
	p.left += n
	p.m.adopting.recovering.Add(int64(n))
}

func (p *progress) report() {
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(progressEvery)
		p.m.log.Info("opening stored sessions", "done", p.of-p.left, "of", p.of)
	}
}

// Recovering returns how many stored sessions this node has still to look at: at its start, and
// after another node has died.
func (m *Manager) Recovering() int { return int(m.adopting.recovering.Load()) }

// adoptReleased opens sessions that their owner has given up, unless another node was quicker.
func (m *Manager) adoptReleased(ctx context.Context, ids []ID) {
	if len(ids) == 0 {
		return
	}
	owners, err := m.o.Store.Owners(ctx, ids)
	if err != nil {
		return // the next beat tries again
	}
	for _, id := range ids {
		if m.byID(id) != nil || owners[id] != "" {
			continue
		}
		all, err := m.o.Store.BindingsOf(ctx, id)
		if err != nil {
			return // the next beat tries again
		}
		found := m.recoverableSessions(all)
		if len(found) == 0 {
			m.nodes.pass(id) // the client's next request brings the token
			continue
		}
		for _, e := range found {
			if _, err := m.adopt(ctx, e); err != nil {
				return
			}
		}
	}
}

// adopt opens a session with its stored credential, when few enough others are being opened.
// Whether it is ours in the end, the Store decides when the session opens.
func (m *Manager) adopt(ctx context.Context, e recoverableSession) (created bool, err error) {
	select {
	case m.adopting.places <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	free := sync.OnceFunc(func() { <-m.adopting.places })
	for _, by := range e.keys {
		_, c, err := m.open(openRequest{id: e.id, acc: e.acc, by: by, bound: true, loaded: free})
		if err != nil {
			if !created {
				free()
			}
			return created, err
		}
		created = created || c
	}
	if !created {
		free()
	}
	return created, nil
}

// recoverableSession is a session as its tokens in the Store describe it.
type recoverableSession struct {
	id   ID
	keys []boundToken
	sealedCredential
}

// recoverableSessions finds the sessions whose newest sealed credential can be opened here.
func (m *Manager) recoverableSessions(all map[string]Binding) []recoverableSession {
	newest := map[ID]sealedCredential{}
	for _, b := range all {
		acc, at, ok := m.settings().sealer.open(b.ID, b.Sealed)
		if old, had := newest[b.ID]; ok && (!had || at > old.at) {
			newest[b.ID] = sealedCredential{acc, at}
		}
	}
	byID := map[ID]*recoverableSession{}
	for token, b := range all {
		o, ok := newest[b.ID]
		key, isKey := digestOf(token)
		if _, known := m.settings().Upstreams[o.acc.Upstream]; !ok || !isKey || !known || b.Replaced || b.expired() {
			continue
		}
		if byID[b.ID] == nil {
			byID[b.ID] = &recoverableSession{id: b.ID, sealedCredential: o}
		}
		byID[b.ID].keys = append(byID[b.ID].keys, boundTo(key, b))
	}
	list := make([]recoverableSession, 0, len(byID))
	for _, e := range byID {
		list = append(list, *e)
	}
	return list
}
