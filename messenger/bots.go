package messenger

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/perch-im/perch"
)

// botState is an account that the service plays; guarded by Service.mu.
type botState struct {
	Bot
	full      string
	available bool
	inner     []byte           // what is inside of its presence
	next      int              // in Presences
	index     map[*account]int // positions in the roster while New builds it
}

func newBot(o Bot, bare string) *botState {
	setDefault(&o.Delay, 1200*time.Millisecond)
	if len(o.Presences) == 0 {
		o.Presences = []perch.OwnPresence{{Available: true}}
	}
	b := &botState{Bot: o, full: bare + "/messenger-service", index: make(map[*account]int)}
	b.show(o.Presences[0])
	return b
}

func (b *botState) show(p perch.OwnPresence) {
	b.available, b.inner = p.Available, presenceInner(p)
}

// startBots begins the changes of presence.
func (s *Service) startBots() {
	for _, a := range s.users {
		if a.bot != nil && a.bot.Every > 0 && len(a.bot.Presences) > 1 {
			s.bots.after(a.bot.Every, func() { s.changePresence(a) })
		}
	}
}

// changePresence sends a bot's next presence; s.mu is held.
func (s *Service) changePresence(a *account) {
	a.bot.next = (a.bot.next + 1) % len(a.bot.Presences)
	s.showBot(a, a.bot.Presences[a.bot.next])
	s.bots.after(a.bot.Every, func() { s.changePresence(a) })
}

func (s *Service) showBot(a *account, p perch.OwnPresence) {
	kind := ""
	if !p.Available {
		kind = "unavailable"
	}
	a.bot.show(p)
	s.broadcast(a, a.bot.full, kind, a.bot.inner)
}

// answer lets a bot reply to a message: composing first, the text a moment later.
func (s *Service) answer(bot, person *account, full, body string) {
	if bot.bot.Cut != nil && bot.bot.Cut(body) {
		s.bots.after(bot.bot.Delay/4, func() { s.eachClient(person, (*client).cut) })
	}
	if bot.bot.Reply == nil || body == "" {
		return
	}
	text := bot.bot.Reply(body)
	if text == "" {
		return
	}
	at := address{acct: person, bare: person.bare, resource: perch.JID(full).Resource()}
	s.bots.after(bot.bot.Delay/4, func() {
		s.route(at, bot.bot.full, full, chatElement("", "composing", ""), "")
	})
	s.bots.after(bot.bot.Delay, func() {
		s.route(at, bot.bot.full, full, chatElement(text, "active", newID()), text)
		s.keep(bot, person, text)
	})
}

// schedule runs functions at their time on one goroutine, under the lock of its owner.
type schedule struct {
	mu   sync.Mutex
	jobs jobHeap
	wake chan struct{}
}

// maxJobs bounds what clients can make the bots do later.
const maxJobs = 10_000

// after puts a job into the schedule; a full schedule drops it.
func (s *schedule) after(d time.Duration, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.jobs) >= maxJobs {
		return
	}
	heap.Push(&s.jobs, job{time.Now().Add(d), do})
	select {
	case s.waker() <- struct{}{}:
	default:
	}
}

// waker is called with mu held.
func (s *schedule) waker() chan struct{} {
	if s.wake == nil {
		s.wake = make(chan struct{}, 1)
	}
	return s.wake
}

// run does the jobs, each with owner locked, until ctx ends.
func (s *schedule) run(ctx context.Context, owner sync.Locker) {
	for {
		due, wait, wake := s.next()
		if due != nil {
			owner.Lock()
			due()
			owner.Unlock()
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-wake:
			t.Stop()
		case <-t.C:
		}
	}
}

// next removes the next job that is due, or says how long there is nothing to do.
func (s *schedule) next() (func(), time.Duration, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.jobs) == 0 {
		return nil, time.Hour, s.waker()
	}
	if d := time.Until(s.jobs[0].at); d > 0 {
		return nil, d, s.waker()
	}
	return heap.Pop(&s.jobs).(job).do, 0, nil
}

type job struct {
	at time.Time
	do func()
}

type jobHeap []job

func (h jobHeap) Len() int           { return len(h) }
func (h jobHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h jobHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *jobHeap) Push(x any)        { *h = append(*h, x.(job)) }
func (h *jobHeap) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = job{}
	*h = (*h)[:len(*h)-1]
	return last
}
