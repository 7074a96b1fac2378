package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
	"github.com/perch-im/perch/sessions"
)

// maxCounters bounds the counters that one node keeps.
const maxCounters = 50_000

// attempts bounds how often a client may show a credential that is not known to lead
// anywhere: a password, a token, a ticket. An attempt is taken before the credential is
// looked at and given back when it was right, so that many at once are bounded like many in
// a row. As long as others of the same counter are under way, one too many waits for their
// verdict: right credentials are never refused for coming together.
//
// All nodes count together in the store. What this node knows itself holds without it.
type attempts struct {
	name   string
	quota  sessions.Quota
	policy string
	now    func() time.Time
	shared *sessions.Manager

	mu       sync.Mutex
	counters ttlmap.Map[string, *counter] // each until all its attempts are there again
}

// counter is what this node knows of one name.
type counter struct {
	full    time.Time // when all attempts are there again
	open    int       // attempts without a verdict
	changed chan struct{}
}

func newAttempts(name string, r Rate, m *sessions.Manager) *attempts {
	// The store counts in milliseconds: more than a thousand a second is no limit that it knows.
	every := max(time.Duration(float64(time.Second)/r.PerSecond).Round(time.Millisecond), time.Millisecond)
	return &attempts{
		name: name, quota: sessions.Quota{Burst: r.Burst, Every: every}, now: time.Now, shared: m,
		policy: fmt.Sprintf("%q;q=%d;w=%d", name, r.Burst, seconds(time.Duration(r.Burst)*every)),
	}
}

// attempt is one that was taken. Exactly one of its methods is called, once.
type attempt struct {
	of  *attempts
	key string
}

// reserve takes an attempt. The error is a *quotaError, or that of the context.
func (l *attempts) reserve(ctx context.Context, key string) (*attempt, error) {
	if err := l.reserveHere(ctx, key); err != nil {
		return nil, err
	}
	a, err := l.shared.Reserve(ctx, key, l.quota)
	if err == nil && !a.OK {
		l.settle(key, true)
		return nil, l.refuse(a.Wait)
	}
	return &attempt{l, key}, nil
}

// reserveHere takes an attempt on this node, and waits as long as that depends on others.
func (l *attempts) reserveHere(ctx context.Context, key string) error {
	for {
		a, changed := l.try(key)
		switch {
		case a.OK:
			return nil
		case changed == nil:
			return l.refuse(a.Wait)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try takes an attempt if there is one; changed is there when others have no verdict yet, and
// is closed when one of them has.
func (l *attempts) try(key string) (a sessions.Allowance, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c, ok := l.counters.Get(key, now)
	if !ok {
		c = &counter{changed: make(chan struct{})}
	}
	next, a := l.quota.Take(c.full.Sub(now))
	if a.OK {
		c.full = now.Add(next)
		c.open++
		l.keep(key, c, now)
	} else if c.open > 0 {
		changed = c.changed
	}
	return a, changed
}

// keep lets a counter expire when all its attempts are there again, but none of which an attempt
// has no verdict. A new one takes the place of the one that would be full soonest. The caller
// holds mu.
func (l *attempts) keep(key string, c *counter, now time.Time) {
	if c.open > 0 {
		if _, known := l.counters.Get(key, now); !known {
			l.makeRoom(now)
		}
		l.counters.Put(key, c, now, ttlmap.Forever)
	} else {
		l.counters.Put(key, c, now, c.full.Sub(now))
	}
}

// makeRoom evicts a counter. Those of which an attempt has no verdict come last, and stay: they
// are as many as requests that are under way. The caller holds mu.
func (l *attempts) makeRoom(now time.Time) {
	for l.counters.Len() >= maxCounters {
		k, c, _ := l.counters.Soonest()
		if c.open > 0 {
			return
		}
		l.counters.Delete(k, now)
	}
}

// settle ends an attempt on this node; back gives it back.
func (l *attempts) settle(key string, back bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c, ok := l.counters.Get(key, now)
	if !ok {
		return // not with an attempt that was taken
	}
	c.open--
	if back {
		c.full = now.Add(l.quota.GiveBack(c.full.Sub(now)))
	}
	close(c.changed)
	c.changed = make(chan struct{})
	l.keep(key, c, now)
}

// spend leaves the attempt taken: the credential was wrong.
func (a *attempt) spend() { a.of.settle(a.key, false) }

// refund gives the attempt back: the credential was right, or was never looked at. An error
// of the store costs the client one attempt there.
func (a *attempt) refund(ctx context.Context) {
	_ = a.of.shared.Refund(ctx, a.key, a.of.quota)
	a.of.settle(a.key, true)
}

// guess is the attempts of one credential: at the client's address, and at the account where
// it is known.
type guess []*attempt

// guessing reserves what one credential needs. Account is "" for one that tells none.
func (a *API) guessing(r *http.Request, account string) (guess, error) {
	first, err := a.limits.signIn.reserve(r.Context(), a.o.Sessions.AttemptKey("address", addressKey(r)))
	if err != nil {
		return nil, err
	}
	g := guess{first}
	if account != "" {
		second, err := a.limits.account.reserve(r.Context(), account)
		if err != nil {
			g.settle(r.Context(), nil)
			return nil, err
		}
		g = append(g, second)
	}
	return g, nil
}

// settle gives back what was reserved unless the credential was refused, or may have been: a
// client that hangs up before the verdict has had its attempt.
func (g guess) settle(ctx context.Context, err error) {
	for _, a := range g {
		if mayBeRefusal(err) {
			a.spend()
		} else {
			a.refund(ctx)
		}
	}
}

func mayBeRefusal(err error) bool {
	if err == nil || errors.As(err, new(*sessions.NotOwnerError)) {
		return false
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch perch.KindOf(err) {
	case perch.KindUnauthorized, perch.KindForbidden, perch.KindUpstreamTimeout, perch.KindInternal:
		return true
	}
	return false
}

// quotaError is a refusal with what the RateLimit fields say.
type quotaError struct {
	cause         *perch.Error
	policy, limit string
}

// Error implements error.
func (e *quotaError) Error() string { return e.cause.Error() }

// Unwrap gives it its kind.
func (e *quotaError) Unwrap() error { return e.cause }

func (l *attempts) refuse(wait time.Duration) error {
	e := perch.Errorf(perch.KindQuotaExceeded, "too many refused credentials (%s): wait %d seconds", l.name, seconds(wait))
	e.RetryAfter = wait
	return &quotaError{e, l.policy, fmt.Sprintf("%q;r=0;t=%d", l.name, seconds(wait))}
}

// show writes the RateLimit fields (draft-ietf-httpapi-ratelimit-headers).
func (e *quotaError) show(h http.Header) {
	h.Set("RateLimit-Policy", e.policy)
	h.Set("RateLimit", e.limit)
}
