package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// pacer reports how much of the run is over, by its plan: the load is spread over the faults.
type pacer struct{ part atomic.Uint64 }

func (p *pacer) set(part float64) { p.part.Store(uint64(min(max(part, 0), 1) * 1e6)) }
func (p *pacer) of(n int) int     { return int(float64(n) * float64(p.part.Load()) / 1e6) }

// load sends the inbound messages.
type load struct {
	w       *world
	mu      sync.Mutex
	random  *rand.Rand
	next    map[[2]string]int
	paced   int                // sent by run
	total   int                // of these, in the end: bursts come on top
	unacked map[string]message // by stanza id

	relations relationLoad
	rooms     *roomLoad
}

func newLoad(w *world, seed uint64) *load {
	return &load{w: w, random: rand.New(rand.NewPCG(seed, 1)), next: map[[2]string]int{}, unacked: map[string]message{}, relations: newRelationLoad(), rooms: newRoomLoad(w, seed)}
}

const (
	tickTime  = 50 * time.Millisecond
	mostATick = 6 // 120 a second: more than the plan ever asks for, and less than a flood
)

// run sends messages between random pairs until all are sent or ctx ends.
func (l *load) run(ctx context.Context) {
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	for {
		l.mu.Lock()
		due := min(l.w.pacer.of(l.total)-l.paced, mostATick)
		for range due {
			l.paced++
			from := l.w.senders[l.random.IntN(len(l.w.senders))]
			to := l.w.accounts[l.random.IntN(len(l.w.accounts))]
			l.send(from, to)
			l.relate(from, to)
		}
		l.react()
		over := l.paced >= l.total
		l.mu.Unlock()
		if over {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// burst sends so many messages to one account at once, from the fastest of the senders. The
// result reports whether the server has them all.
func (l *load) burst(to *account, n int) (arrived func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make([]string, n)
	fast := l.w.senders[len(l.w.senders)/2:] // those of @xmpp/client
	for i := range n {
		ids[i] = l.send(fast[i%len(fast)], to)
	}
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return !slices.ContainsFunc(ids, func(id string) bool {
			_, open := l.unacked[id]
			return open
		})
	}
}

// send sends the next message of a pair and gives its id. The caller holds mu.
func (l *load) send(from *sender, to *account) (id string) {
	key := [2]string{from.Name, to.Name}
	l.next[key]++
	m := message{from.Name, to.Name, l.next[key]}
	id = l.id(m)
	l.unacked[id] = m
	l.relations.sent(m)
	l.w.history.add(Entry{Op: OpSend, Phase: Invoke, Who: m.from, Account: m.to, N: m.n})
	from.program.send(m.from, to.JID, id, compose(m, l.random))
	return id
}

// id is the id of the stanza that brings a message.
func (l *load) id(m message) string {
	return fmt.Sprintf("%s-%s-%d-%x", m.from, m.to, m.n, l.w.o.Seed)
}

// waiting is how many messages the senders' server has not answered for.
func (l *load) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.unacked)
}

// resolve notes what became of a message. Bounces come after the acknowledgement, and that
// may come after doubts.
func (l *load) resolve(id string, p Phase, text string) {
	if l.resolved(id, p) {
		return
	}
	l.mu.Lock()
	m, ok := l.unacked[id]
	delete(l.unacked, id)
	if ok && p == Info {
		l.total++ // the server may never have had it: another one takes its place
	}
	l.mu.Unlock()
	if !ok {
		m, ok = named(id)
	}
	if ok {
		l.w.history.add(Entry{Op: OpSend, Phase: p, Who: m.from, Account: m.to, N: m.n, Text: text})
	}
}

// named reads the id of a message that was sent here.
func named(id string) (m message, ok bool) {
	parts := strings.Split(id, "-")
	if len(parts) != 4 {
		return m, false
	}
	_, err := fmt.Sscan(parts[2], &m.n)
	m.from, m.to = parts[0], parts[1]
	return m, err == nil
}
