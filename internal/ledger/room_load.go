package ledger

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// roomLoad is what the foreign people say in rooms.
type roomLoad struct {
	w        *world
	list     []*room
	speakers []*sender // devices of accounts, too
	entered  arrivals
	back     chan struct{} // a session of an account is on a new stream
	tally    roomTally
	said     []Entry // what the archives have, as they were read last; the program's reader owns it until that is over

	mu     sync.Mutex
	random *rand.Rand
	next   map[[2]string]int
	paced  int
	open   map[string]message // by stanza id: the server has not answered for it
}

func newRoomLoad(w *world, seed uint64) *roomLoad {
	return &roomLoad{w: w, random: rand.New(rand.NewPCG(seed, 5)), next: map[[2]string]int{}, open: map[string]message{}, back: make(chan struct{}, 1)}
}

const (
	retryRoom  = 500 * time.Millisecond
	chatTime   = 2 * time.Second       // of much talk, when a session has come back
	chatEvery  = 20 * time.Millisecond // then: 50 messages a second
	chatDelay  = 8 * time.Second       // between two such times
	mostOfTalk = 3                     // messages of one tick
)

// run says the messages, spread over the run. When a session is on a new stream, and joins its rooms, there
// is much talk for a while.
func (l *roomLoad) run(ctx context.Context) {
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	for l.w.pacer.of(1000) < 1000 || l.behind() {
		for range min(l.w.pacer.of(l.w.o.RoomMessages)-l.paced, mostOfTalk) {
			l.paced++
			l.say()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (l *roomLoad) behind() bool { return l.paced < l.w.o.RoomMessages && len(l.list) > 0 }

// chat is the talk of those who do not wait.
func (l *roomLoad) chat(ctx context.Context) {
	for l.w.pacer.of(1000) < 1000 {
		select {
		case <-l.back:
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
			continue
		}
		for range int(chatTime / chatEvery) {
			l.say()
			if !pause(ctx, chatEvery) {
				return
			}
		}
		pause(ctx, chatDelay)
	}
}

// cameBack says that a session of an account is on a new stream.
func (l *roomLoad) cameBack() {
	select {
	case l.back <- struct{}{}:
	default:
	}
}

// say lets somebody say something in a room.
func (l *roomLoad) say() {
	if len(l.list) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	from, to := l.speakers[l.random.IntN(len(l.speakers))], l.list[l.random.IntN(len(l.list))]
	key := [2]string{from.Name, to.name}
	l.next[key]++
	m := message{from.Name, to.name, l.next[key]}
	id := l.w.load.id(m)
	l.open[id] = m
	l.w.history.add(Entry{Op: OpSay, Phase: Invoke, Who: m.from, To: m.to, N: m.n, ID: id})
	from.program.command(map[string]string{"cmd": "say", "who": m.from, "to": to.jid, "id": id, "body": compose(m, l.random)})
}

// resolved notes what became of a message to a room; false: the id is of none.
func (l *roomLoad) resolved(id string, p Phase, text string) bool {
	m, ok := named(id)
	if !ok || !isRoom(m.to) {
		return false
	}
	l.mu.Lock()
	delete(l.open, id)
	l.mu.Unlock()
	l.w.history.add(Entry{Op: OpSay, Phase: p, Who: m.from, To: m.to, N: m.n, ID: id, Text: text})
	return true
}

// waiting is how many messages the server has not answered for.
func (l *roomLoad) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// heardInRoom takes what the witness hears in rooms, or what the archive of one has.
func (w *world) heardInRoom(line foreignLine) {
	m, ok := parse(line.Body)
	where := w.names[line.From]
	if line.Event == "said" {
		where = line.Who
	}
	e := Entry{Op: OpHear, Who: line.Who, From: m.from, To: where, N: m.n, ID: line.ID, Key: line.Stanza}
	switch {
	case !ok || m.to != where:
		w.history.add(Entry{Op: OpDamaged, Phase: Fail, Who: line.Who, ID: line.ID, Text: line.Body})
	case line.Event == "heard":
		w.history.add(e)
	default:
		e.Op, e.Who, e.To = OpStored, where, ""
		w.load.rooms.said = append(w.load.rooms.said, e)
	}
}
