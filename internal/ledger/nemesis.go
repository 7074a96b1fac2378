package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// The kinds of faults. docs/ledger.md has a line about each.
const (
	FaultLinkReset      = "link-reset"
	FaultLinkHalfOpen   = "link-half-open"
	FaultLinkSlow       = "link-slow"
	FaultLinkCut        = "link-cut-after"
	FaultBurst          = "burst-while-away"
	FaultServerRestart  = "server-restart"
	FaultNodeKill       = "node-kill"
	FaultNodePause      = "node-pause"
	FaultDrain          = "node-drain"
	FaultRedisPause     = "redis-pause"
	FaultRedisKill      = "redis-kill"
	FaultRedisFlush     = "redis-flush"
	FaultRedisFull      = "redis-full"
	FaultRedisRestore   = "redis-restore"
	FaultRedisReset     = "redis-link-reset"
	FaultRedisSlow      = "redis-link-slow"
	FaultRedisAway      = "redis-link-down"
	FaultRedisPauseKill = "redis-pause-node-kill"
	FaultClientsCut     = "clients-cut"
	FaultClientsSlow    = "clients-slow"
	FaultPeersReset     = "nodes-link-reset"
	FaultToken          = "token-rejected"
	FaultLogPipe        = "log-pipe"
)

// fault is one line of the plan.
type fault struct {
	kind   string
	target int           // which node; busiest is the one with most sessions at that time
	hold   time.Duration // how long it stays
	rest   time.Duration // until the next one
	random *rand.Rand    // for what else the kind has to choose
}

// String is the fault as the plan has it.
func (f fault) String() string {
	return fmt.Sprintf("%s node %d for %s, then %s", f.kind, f.target+1, f.hold, f.rest)
}

// busiest is the target of most faults: a node without sessions has little to lose.
const busiest = -1

// kind is how a fault is made. Plan is how long it takes beyond its hold.
type kind struct {
	hold [2]time.Duration // shortest and longest; what waits for a lease adds it itself
	plan time.Duration
	make func(w *world, f fault, n *node)
}

// plan makes the list of faults from the seed alone: each kind comes once before any comes
// again, in an order of their own.
func plan(o Options) []fault {
	random := rand.New(rand.NewPCG(o.Seed, 2))
	kinds := o.Kinds
	if len(kinds) == 0 {
		kinds = allKinds()
	}
	var names []string
	for len(names) < o.Faults && len(o.Script) == 0 {
		deck := slices.Clone(kinds)
		random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		names = append(names, deck...)
	}
	if names = append(names, o.Script...); len(names) > o.Faults {
		names = names[:o.Faults]
	}
	list := make([]fault, len(names))
	for i, name := range names {
		k := faultKinds[name]
		list[i] = fault{
			kind: name, target: target(random, o.Nodes), random: rand.New(rand.NewPCG(o.Seed, uint64(100+i))),
			hold: between(random, k.hold[0], k.hold[1]), rest: between(random, time.Second, 4*time.Second),
		}
	}
	return list
}

// target is the busiest node three times of four.
func target(random *rand.Rand, nodes int) int {
	if n := random.IntN(4 * nodes); n < nodes {
		return n
	}
	return busiest
}

// bursts is how many of the faults bring messages of their own.
func bursts(list []fault) (n int) {
	for _, f := range list {
		if f.kind == FaultBurst {
			n++
		}
	}
	return n
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)+1))
}

// allKinds are the names of all kinds that a single gateway or more can have.
func allKinds() []string {
	names := make([]string, 0, len(faultKinds))
	for name := range faultKinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// planned is how long a fault takes by the plan.
func (f fault) planned(o Options) time.Duration {
	d := f.hold + f.rest + faultKinds[f.kind].plan
	switch f.kind {
	case FaultNodePause, FaultRedisAway:
		d += 2 * o.Lease
	case FaultNodeKill, FaultRedisPauseKill, FaultRedisRestore:
		d += o.Lease / 2
	}
	return d
}

// nemesis makes one fault after the other, and moves the pacer on. It runs in the goroutine
// of the test.
func (w *world) nemesis(list []fault) {
	var total, done time.Duration
	for _, f := range list {
		total += f.planned(w.o)
	}
	for _, f := range list {
		if w.ctx.Err() != nil {
			w.t.Fatalf("ledger: stopped: %v", w.ctx.Err())
		}
		planned, begun := f.planned(w.o), time.Now()
		stop := w.every(tickTime, func() {
			w.pacer.set(float64(done+min(time.Since(begun), planned)) / float64(total))
		})
		if f.kind == FaultDrain {
			w.awaitOnline()
		}
		n := w.node(f.target)
		w.history.add(Entry{Op: OpFault, Phase: Invoke, Who: n.name, Text: f.kind, ID: fmt.Sprint(f.hold.Milliseconds(), " ms")})
		w.broken.Store(true)
		faultKinds[f.kind].make(w, f, n)
		w.broken.Store(false)
		w.history.add(Entry{Op: OpFault, Phase: OK, Who: n.name, Text: f.kind})
		w.wait(f.rest)
		w.listAfter(f.kind)
		stop()
		done += planned
	}
	w.pacer.set(1)
}

// awaitOnline waits until all sessions are online, so that what is seen in a drain is of the drain: a session that
// is still catching up has no stream to hand over, and its account goes offline.
func (w *world) awaitOnline() {
	var err error
	w.until(onlineTime, func() bool { err = w.calmed(); return err == nil })
	if err != nil {
		w.t.Errorf("ledger: a drain begins %v after the fault before it, and %v; want all sessions online", onlineTime, err)
	}
}

// onlineTime bounds the wait for the sessions to be online: a busy machine takes half a minute to catch up
// with a burst, under the race detector.
const onlineTime = 2 * time.Minute

// node is the one that a fault is for.
func (w *world) node(target int) *node {
	if target != busiest {
		return w.nodes[target]
	}
	most, found := -1, w.nodes[0]
	for _, n := range w.nodes {
		if sessions := n.sessions(w.ctx); sessions > most {
			most, found = sessions, n
		}
	}
	return found
}

// wait lets a fault be there for a while.
func (w *world) wait(d time.Duration) { pause(w.ctx, d) }

// every calls f again and again until the result is called.
func (w *world) every(d time.Duration, f func()) (stop func()) {
	tick, end, done := time.NewTicker(d), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-done
	}
}
