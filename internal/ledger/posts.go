package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// poster sends the outbound messages of an account, one after the other, and asks what
// became of them. A request without an answer is repeated with its key until there is one.
type poster struct {
	w       *world
	account *account
	random  *rand.Rand
	next    map[string]int

	mu   sync.Mutex
	open []openPost
}

// openPost is an accepted message whose history has not ended yet.
type openPost struct {
	message
	id   string
	body map[string]string
}

func newPoster(w *world, a *account, seed uint64) *poster {
	return &poster{w: w, account: a, random: rand.New(rand.NewPCG(seed, 3)), next: map[string]int{}}
}

// run posts its share of the messages, as far as the run is over.
func (p *poster) run(ctx context.Context) {
	total := int(float64(p.w.o.Messages) * outbound / float64(len(p.w.accounts)))
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	for sent := 0; sent < total; {
		for sent < p.w.pacer.of(total) && p.post(ctx) {
			sent++
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// post sends one message and stays with it until it is accepted or refused for good. One in
// ten is then sent once more, as by a client that has lost the answer. False: ctx has ended.
func (p *poster) post(ctx context.Context) bool {
	to := p.w.receivers[p.random.IntN(len(p.w.receivers))]
	p.next[to.Name]++
	m := message{p.account.Name, to.Name, p.next[to.Name]}
	key := keyOf(m)
	body := map[string]string{"to": to.JID, "body": compose(m, p.random)}
	again := p.random.IntN(10) == 0
	for {
		e := Entry{Op: OpPost, Phase: Invoke, Account: m.from, To: m.to, N: m.n, Key: key}
		p.w.history.add(e)
		got, err := p.account.call(ctx, http.MethodPost, "/v1/messages", key, body)
		var accepted struct{ ID string }
		switch {
		case err != nil:
			e.Phase, e.Text = Info, err.Error()
		case got.status == http.StatusAccepted && got.decode(&accepted) == nil:
			e.Phase, e.ID = OK, accepted.ID
		case got.status >= 500 || got.status == http.StatusTooManyRequests || got.status == http.StatusConflict:
			e.Phase, e.Text = Info, got.problem()
		case got.status == http.StatusUnauthorized:
			e.Phase, e.Text = Info, got.problem()
			p.w.history.add(Entry{Op: OpStop, Phase: Info, Who: "the poster", Account: m.from, Text: e.Text})
		default:
			e.Phase, e.Text = Fail, got.problem()
		}
		p.w.history.add(e)
		switch {
		case e.Phase == Fail:
			return true
		case e.Phase == OK && !again:
			p.accepted(openPost{m, accepted.ID, body})
			return true
		case e.Phase == OK:
			again = false
		}
		if !pause(ctx, max(got.after, time.Duration(p.random.IntN(600))*time.Millisecond)) {
			return false
		}
	}
}

func (p *poster) accepted(o openPost) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, o)
}

// follow asks for the statuses of what was accepted until ctx ends.
func (p *poster) follow(ctx context.Context) {
	for pause(ctx, time.Second) {
		p.mu.Lock()
		list := slices.Clone(p.open[:min(len(p.open), followAtOnce)])
		p.mu.Unlock()
		over := map[message]bool{}
		for _, o := range list {
			over[o.message] = p.ended(ctx, o)
		}
		p.mu.Lock()
		p.open = slices.DeleteFunc(p.open, func(o openPost) bool { return over[o.message] })
		p.mu.Unlock()
	}
}

// followAtOnce is how many messages are asked for in one round, oldest first.
const followAtOnce = 30

// ended notes the status of a message if it is a last one.
func (p *poster) ended(ctx context.Context, o openPost) bool {
	got, err := p.account.call(ctx, http.MethodGet, "/v1/messages/"+url.PathEscape(o.id), "", nil)
	var record struct{ Status string }
	switch {
	case err != nil:
		return false
	case got.status == http.StatusNotFound && p.postAgain(ctx, o):
		return false
	case got.status == http.StatusNotFound:
		record.Status = "not-found"
	case got.status != http.StatusOK || got.decode(&record) != nil:
		return false
	}
	if strings.Contains(" accepted sent ", " "+record.Status+" ") {
		return false
	}
	p.w.history.add(Entry{Op: OpStatus, Account: o.from, To: o.to, N: o.n, ID: o.id, Text: record.Status})
	return true
}

// postAgain sends what the gateway has forgotten once more, with its key, as docs/events.md
// says. False: that was refused.
func (p *poster) postAgain(ctx context.Context, o openPost) bool {
	key := keyOf(o.message)
	e := Entry{Op: OpPost, Phase: Invoke, Account: o.from, To: o.to, N: o.n, Key: key}
	p.w.history.add(e)
	got, err := p.account.call(ctx, http.MethodPost, "/v1/messages", key, o.body)
	var accepted struct{ ID string }
	switch {
	case err != nil:
		e.Phase, e.Text = Info, err.Error()
	case got.status == http.StatusAccepted && got.decode(&accepted) == nil:
		e.Phase, e.ID = OK, accepted.ID
	default:
		e.Phase, e.Text = Info, got.problem()
	}
	p.w.history.add(e)
	return e.Phase == OK || got.status >= 500 || err != nil
}

func keyOf(m message) string { return fmt.Sprintf("%s %s %d", m.from, m.to, m.n) }

// giveUp notes what has not ended.
func (p *poster) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.open {
		p.w.history.add(Entry{Op: OpStatus, Phase: Info, Account: o.from, To: o.to, N: o.n, ID: o.id})
	}
}
