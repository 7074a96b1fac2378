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

	readRandom *rand.Rand // of reads, which have a goroutine of their own

	relations relationPosts

	mu   sync.Mutex
	open []openPost
}

// request is something that an account asks for until there is an answer; entry is what the history
// has of it.
type request struct {
	method, path, key string
	body              any
	entry             Entry
}

// openPost is an accepted message, or relation, whose history has not ended yet.
type openPost struct {
	request
	id string
}

func newPoster(w *world, a *account, seed uint64) *poster {
	return &poster{w: w, account: a, random: rand.New(rand.NewPCG(seed, 3)), readRandom: rand.New(rand.NewPCG(seed, 4)), next: map[string]int{}}
}

// run posts its share of the messages, as far as the run is over.
func (p *poster) run(ctx context.Context) {
	total := int(float64(p.w.o.Messages) * outbound / float64(len(p.w.accounts)))
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	for sent := 0; sent < total; {
		for sent < p.w.pacer.of(total) && p.post(ctx) {
			sent++
			p.relate(ctx)
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
	body := compose(m, p.random)
	r := request{http.MethodPost, "/v1/messages", keyOf(m), map[string]string{"to": to.JID, "body": body},
		Entry{Op: OpPost, Account: m.from, To: m.to, N: m.n, Key: keyOf(m)}}
	got, ok := p.insist(ctx, r, p.random.IntN(10) == 0)
	var accepted struct{ ID, Ref string }
	if got.status == http.StatusAccepted && got.decode(&accepted) == nil {
		p.relations.own(ownMessage{m, to, accepted.ID, accepted.Ref})
	}
	return ok
}

// insist stays with a request until it is accepted or refused for good; then, if it is asked for,
// makes it once more. False: ctx has ended.
func (p *poster) insist(ctx context.Context, r request, again bool) (got answer, ok bool) {
	for {
		e := r.entry
		e.Phase = Invoke
		p.w.history.add(e)
		got, e = p.try(ctx, r)
		p.w.history.add(e)
		switch {
		case e.Phase == Fail:
			return got, true
		case e.Phase == OK && !again:
			p.accepted(openPost{r, e.ID})
			return got, true
		case e.Phase == OK:
			again = false
		}
		if !pause(ctx, max(got.after, time.Duration(p.random.IntN(600))*time.Millisecond)) {
			return got, false
		}
	}
}

// try makes a request, and gives what the history is to have of its end.
func (p *poster) try(ctx context.Context, r request) (answer, Entry) {
	e := r.entry
	got, err := p.account.call(ctx, r.method, r.path, r.key, r.body)
	var accepted struct{ ID string }
	switch {
	case err != nil:
		e.Phase, e.Text = Info, err.Error()
	case got.status == http.StatusAccepted && got.decode(&accepted) == nil:
		e.Phase, e.ID = OK, accepted.ID
	case got.status >= 500 || got.status == http.StatusTooManyRequests || got.status == http.StatusConflict && !strings.Contains(got.problem(), takenBack):
		e.Phase, e.Text = Info, got.problem()
	case got.status == http.StatusUnauthorized:
		e.Phase, e.Text = Info, got.problem()
		p.w.history.add(Entry{Op: OpStop, Phase: Info, Who: "the poster", Account: p.account.Name, Text: e.Text})
	default:
		e.Phase, e.Text = Fail, got.problem()
	}
	return got, e
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
		over := map[string]bool{}
		for _, o := range list {
			over[o.id] = p.ended(ctx, o)
		}
		p.mu.Lock()
		p.open = slices.DeleteFunc(p.open, func(o openPost) bool { return over[o.id] })
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
	p.w.history.add(o.status(OK, record.Status))
	return true
}

// postAgain sends what the gateway has forgotten once more, with its key, as docs/events.md
// says. False: that was refused.
func (p *poster) postAgain(ctx context.Context, o openPost) bool {
	e := o.entry
	e.Phase = Invoke
	p.w.history.add(e)
	got, e := p.try(ctx, o.request)
	if e.Phase == Fail {
		e.Phase = Info
	}
	p.w.history.add(e)
	return e.Phase == OK || got.status >= 500 || got.status == 0
}

// status is the entry of what became of a message; a relation has no number there.
func (o openPost) status(p Phase, text string) Entry {
	e := Entry{Op: OpStatus, Phase: p, Account: o.entry.Account, To: o.entry.To, N: o.entry.N, ID: o.id, Text: text}
	if o.entry.Op != OpPost {
		e.To, e.N = o.entry.From, 0
	}
	return e
}

func keyOf(m message) string { return fmt.Sprintf("%s %s %d", m.from, m.to, m.n) }

// giveUp notes what has not ended.
func (p *poster) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.open {
		p.w.history.add(o.status(Info, ""))
	}
}
