package sessions

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/perch-im/perch/internal/ttlmap"
)

// nodes is what a process that shares its Store knows of the others: who is there, and who
// is dead. One goroutine renews the lease; any may ask.
//
// A silent node is dead when its entry is older than the lease; but only a node that was
// never silent for so long itself may say so. After an outage of the Store all entries are
// old, and no node is dead.
type nodes struct {
	m     *Manager
	lease time.Duration
	stop  context.CancelFunc
	wg    sync.WaitGroup // the beat, and who adopts

	beating chan struct{} // has room for one: the goroutine that renews the lease

	mu              sync.Mutex
	self            Node
	members         map[NodeID]Node
	dead            map[NodeID]bool // and whether its sessions were looked for
	contiguousSince time.Time       // since when no two beats of ours were further apart than the lease
	last            time.Time       // when the last one that was answered was sent
	lost            time.Time       // when the Store was seen to have lost our entry
	canDeclareDead  bool            // contiguousSince is a lease ago
	judged          bool            // and all that is stored was looked through since
	replaced        bool
	down            bool
	adopting        bool
	rescan          bool                     // and it is to be done again
	scanAt          time.Time                // not before, because the last look through all that is stored failed
	offered         []ID                     // released, and not passed over yet
	passed          ttlmap.Map[ID, struct{}] // released sessions that cannot be adopted here
	evicted         ttlmap.Map[ID, struct{}] // see leaveToOthers
	silent          map[NodeID]Member        // that the Store still lists, and that are taken for dead
}

func newNodes(m *Manager, self Node, lease time.Duration) *nodes {
	return &nodes{
		m: m, self: self, lease: lease, beating: make(chan struct{}, 1),
		dead: map[NodeID]bool{}, passed: ttlmap.Map[ID, struct{}]{Max: maxPassed},
		evicted: ttlmap.Map[ID, struct{}]{Max: maxPassed},
	}
}

// maxDead bounds the dead nodes that are remembered: each process that ends is one.
const maxDead = 4096

// forgetDead makes room for one more. The Store is asked again about a node that is not
// known any more, so none of them is needed; those whose sessions were looked for go first.
// The caller holds mu.
func (n *nodes) forgetDead() {
	if len(n.dead) < maxDead {
		return
	}
	maps.DeleteFunc(n.dead, func(_ NodeID, looked bool) bool { return looked })
	for id := range n.dead {
		if len(n.dead) < maxDead {
			return
		}
		delete(n.dead, id)
		n.rescan = true
	}
}

// markDead notes that a node is dead. The caller holds mu.
func (n *nodes) markDead(id NodeID) {
	if _, known := n.dead[id]; !known {
		n.forgetDead()
		n.dead[id] = false
	}
	delete(n.members, id)
}

func (n *nodes) me() Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.self
}

const (
	adoptPage = 64               // sessions whose owners are asked for at once
	passedFor = 10 * time.Minute // that a released session which cannot be adopted is not looked at again
	maxPassed = 100_000          // such sessions; the oldest is looked at again
)
