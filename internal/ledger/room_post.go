package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// roomShare is how many messages the accounts say in rooms, for each that foreign people say there.
const roomShare = 0.25

// wanderOne is after how many of its messages an account leaves a room for a while.
const wanderOne = 12

// talks says the account's share of what is said in rooms, one after the other, and now and then leaves a
// room for a while.
func (p *poster) talks(ctx context.Context) {
	total := int(float64(p.w.o.RoomMessages) * roomShare / float64(len(p.w.accounts)))
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	for sent := 0; sent < total && len(p.w.load.rooms.list) > 0; {
		for sent < p.w.pacer.of(total) && p.talk(ctx) {
			if sent++; sent%wanderOne == 0 {
				p.wander(ctx)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// talk says something in a room that has an archive: only that tells in the end what came there. False: ctx
// has ended.
func (p *poster) talk(ctx context.Context) bool {
	to := p.w.load.rooms.list[p.random.IntN(p.w.o.Rooms)]
	p.next[to.name]++
	m := message{p.account.Name, to.name, p.next[to.name]}
	r := request{http.MethodPost, "/v1/messages", keyOf(m), map[string]string{"to": to.jid, "body": compose(m, p.random)},
		Entry{Op: OpPost, Account: m.from, To: m.to, N: m.n, Key: keyOf(m)}}
	_, ok := p.insist(ctx, r, p.random.IntN(10) == 0)
	return ok
}

// wander leaves a room and comes back. The gateway is to forget it meanwhile, or not. What was accepted has
// its end before: the room would not tell any more. It is in the room until then: whoever leaves in the middle
// of a join does without what that would have brought.
func (p *poster) wander(ctx context.Context) {
	to := p.w.load.rooms.list[p.random.IntN(len(p.w.load.rooms.list))]
	forget := p.random.IntN(2) == 0
	path := "/v1/rooms/" + url.PathEscape(to.jid)
	if p.owes(to.name) || !p.is(ctx, "/v1/session", "online") || !p.is(ctx, path, "joined") {
		return
	}
	e := Entry{Op: OpLeave, Phase: Invoke, Account: p.account.Name, To: to.name}
	if forget {
		path, e.Text = path+"?forget=1", "forgotten"
	}
	p.w.history.add(e)
	_, err := p.account.insist(ctx, http.MethodDelete, path, nil)
	if err == nil {
		pause(ctx, time.Duration(500+p.random.IntN(1500))*time.Millisecond)
		err = p.account.enter(ctx, to)
	}
	e = Entry{Op: OpEnter, Account: p.account.Name, To: to.name}
	if err != nil {
		e.Phase, e.Text = Fail, err.Error()
	}
	p.w.history.add(e)
}

// is reports whether something of the account is in a state just now.
func (p *poster) is(ctx context.Context, path, state string) bool {
	var v struct{ State string }
	got, err := p.account.call(ctx, http.MethodGet, path, "", nil)
	return err == nil && got.status == http.StatusOK && got.decode(&v) == nil && v.State == state
}

// owes reports whether a message to a room has no end yet.
func (p *poster) owes(room string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.open {
		if o.entry.To == room {
			return true
		}
	}
	return false
}

// newRoomPoster is the poster of an account that speaks in rooms.
func newRoomPoster(w *world, a *account, seed uint64) *poster {
	p := newPoster(w, a, seed)
	p.random = rand.New(rand.NewPCG(seed, 6))
	return p
}

// left is somebody who has left a room, as the witness sees it. Only of accounts it is worth a line.
func (w *world) left(line foreignLine) {
	if nick := line.Reason; len(nick) > 1 && nick[0] == 'a' {
		w.history.add(Entry{Op: OpGone, Who: line.Who, Account: nick, To: w.names[line.From], Text: fmt.Sprint("from ", w.names[line.From])})
	}
}
