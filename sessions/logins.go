package sessions

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/perch-im/perch"
)

// loginLimits bound the logins of one upstream.
type loginLimits struct {
	most int     // under way at once
	rate float64 // that begin in a second, and as many at once; 0: no limit
}

// every is the time between two logins by the rate.
func (l loginLimits) every() time.Duration {
	if l.rate <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / l.rate)
}

// ahead is how much earlier than by the rate alone a login may begin: a second's worth comes at once.
func (l loginLimits) ahead() time.Duration { return max(time.Second-l.every(), 0) }

// loginQueue lets the logins of one upstream begin in the order in which they come, within its limits. There
// are no more in it than sessions, and credentials that are being replaced. It is safe for concurrent use.
type loginQueue struct {
	mu      sync.Mutex
	limits  loginLimits
	running int
	waiting list.List   // of the channels that are closed when their turn has come
	next    time.Time   // when the next login is due by the rate (the generic cell rate algorithm)
	timer   *time.Timer // looks again when that is; nil: nothing waits for it
}

func newLoginQueue(l loginLimits) *loginQueue { return &loginQueue{limits: l} }

// limit brings other limits into effect. Who is under way stays.
func (q *loginQueue) limit(l loginLimits) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l == q.limits {
		return
	}
	q.limits, q.next = l, time.Time{}
	q.serve()
}

// enter waits for a turn; free ends it. The error is that of ctx.
func (q *loginQueue) enter(ctx context.Context) (free func(), err error) {
	q.mu.Lock()
	turn := make(chan struct{})
	place := q.waiting.PushBack(turn)
	q.serve()
	q.mu.Unlock()
	select {
	case <-turn:
		return q.leave, nil
	default:
	}
	select {
	case <-turn:
		return q.leave, nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-turn: // meanwhile: no login begins, so that the next one need not wait for its step
		q.running--
		q.next = q.next.Add(-q.limits.every())
	default:
		q.waiting.Remove(place)
	}
	q.serve()
	return nil, ctx.Err()
}

func (q *loginQueue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	q.serve()
}

// serve gives turns for as long as there are any. The caller has mu.
func (q *loginQueue) serve() {
	if q.timer != nil {
		q.timer.Stop()
		q.timer = nil
	}
	for q.waiting.Len() > 0 && q.running < q.limits.most {
		if wait := q.untilNext(time.Now()); wait > 0 {
			q.timer = time.AfterFunc(wait, q.look)
			return
		}
		q.next = q.next.Add(q.limits.every())
		q.running++
		turn, _ := q.waiting.Remove(q.waiting.Front()).(chan struct{})
		close(turn)
	}
}

func (q *loginQueue) look() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.serve()
}

// untilNext is how long the rate lets the next login wait. The caller has mu.
func (q *loginQueue) untilNext(now time.Time) time.Duration {
	if first := now.Add(-q.limits.ahead()); q.next.Before(first) {
		q.next = first
	}
	return q.next.Sub(now)
}

// LoginLoad is how many logins of an upstream are under way, and how many wait for their turn.
type LoginLoad struct{ Running, Waiting int }

// load returns that, and how long one more would wait by the rate alone: the limit on those that are under way
// at once cannot tell.
func (q *loginQueue) load() (l LoginLoad, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l = LoginLoad{q.running, q.waiting.Len()}
	if q.limits.rate > 0 {
		wait = max(q.untilNext(time.Now())+time.Duration(l.Waiting)*q.limits.every(), 0)
	}
	return l, wait
}

// loginsOf is the queue of an upstream.
func (x *settings) loginsOf(upstream string) (*loginQueue, error) {
	q := x.logins[upstream]
	if q == nil {
		return nil, perch.Errorf(perch.KindUpstreamConfig, "the upstream %q is not configured any more", upstream)
	}
	return q, nil
}

// loginSlot waits for a turn among the logins of an upstream; free ends it.
func (m *Manager) loginSlot(ctx context.Context, upstream string) (free func(), err error) {
	q, err := m.settings().loginsOf(upstream)
	if err != nil {
		return nil, err
	}
	return q.enter(ctx)
}

// LoginLoads are those of the upstreams that are configured, by name.
func (m *Manager) LoginLoads() map[string]LoginLoad {
	all := map[string]LoginLoad{}
	for name, q := range m.settings().logins {
		all[name], _ = q.load()
	}
	return all
}
