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

// attempts bounds how often a client may send a credential that is not known to be valid: a
// password, a token, a ticket. An attempt is reserved before the credential is checked and
// refunded when it was valid, so that many at once are bounded like many in a row. While others
// of the same counter are being checked, one too many waits for their results: valid credentials
// are never refused for arriving together.
//
// All nodes count together in the store. The counters of this node hold without it.
type attempts struct {
	name   string
	quota  sessions.Quota
	policy string
	now    func() time.Time
	shared *sessions.Manager

	mu       sync.Mutex
	counters ttlmap.Map[string, *counter] // each until all its attempts are refilled
}

// counter is what this node knows of one key.
type counter struct {
	full    time.Time // when all attempts are refilled
	open    int       // attempts without a result
	changed chan struct{}
}

func newAttempts(name string, r Rate, m *sessions.Manager) *attempts {
	// The store counts in milliseconds: it knows no more than a thousand a second.
	every := max(time.Duration(float64(time.Second)/r.PerSecond).Round(time.Millisecond), time.Millisecond)
	return &attempts{
		name: name, quota: sessions.Quota{Burst: r.Burst, Every: every}, now: time.Now, shared: m,
		policy: fmt.Sprintf("%q;q=%d;w=%d", name, r.Burst, seconds(time.Duration(r.Burst)*every)),
	}
}

// attempt is one that was reserved. Exactly one of its methods is called, once.
type attempt struct {
	of  *attempts
	key string
}

// reserve reserves an attempt. The error is a *quotaError, or that of the context.
func (l *attempts) reserve(ctx context.Context, key string) (*attempt, error) {
	if err := l.reserveHere(ctx, key); err != nil {
		return nil, err
	}
	a, err := l.shared.Reserve(ctx, key, l.quota)
	if err == nil && !a.OK {
		l.conclude(key, true)
		return nil, l.refuse(a.Wait)
	}
	return &attempt{l, key}, nil
}

// reserveHere reserves an attempt on this node, and waits while that depends on the results of
// others.
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

// try reserves an attempt if one is left. changed is not nil when others have no result yet, and
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
		l.put(key, c, now)
	} else if c.open > 0 {
		changed = c.changed
	}
	return a, changed
}

// put stores a counter: it expires when all its attempts are refilled, but not while one has no
// result. A new one evicts the one that would be full soonest. The caller holds mu.
func (l *attempts) put(key string, c *counter, now time.Time) {
	if c.open > 0 {
		if _, known := l.counters.Get(key, now); !known {
			l.makeRoom(now)
		}
		l.counters.Put(key, c, now, ttlmap.Forever)
	} else {
		l.counters.Put(key, c, now, c.full.Sub(now))
	}
}

// makeRoom evicts a counter. Those with attempts that have no result come last, and stay: they are
// as many as the requests that are under way. The caller holds mu.
func (l *attempts) makeRoom(now time.Time) {
	for l.counters.Len() >= maxCounters {
		k, c, _ := l.counters.Soonest()
		if c.open > 0 {
			return
		}
		l.counters.Delete(k, now)
	}
}

// conclude ends an attempt on this node, with or without a refund.
func (l *attempts) conclude(key string, refund bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c, ok := l.counters.Get(key, now)
	if !ok {
		return // cannot be with an attempt that was reserved
	}
	c.open--
	if refund {
		c.full = now.Add(l.quota.GiveBack(c.full.Sub(now)))
	}
	close(c.changed)
	c.changed = make(chan struct{})
	l.put(key, c, now)
}

// spend uses the attempt up: the credential was refused.
func (a *attempt) spend() { a.of.conclude(a.key, false) }

// refund gives the attempt back: the credential was valid, or was never checked. An error of the
// store costs the client one attempt there.
func (a *attempt) refund(ctx context.Context) {
	_ = a.of.shared.Refund(ctx, a.key, a.of.quota)
	a.of.conclude(a.key, true)
}

// credentialAttempt is the attempts of one credential: of the client's address, and of the
// account where that is known.
type credentialAttempt []*attempt

// reserveAttempts reserves what one credential needs. Account is "" for a credential that names
// none; else it is at the upstream.
func (a *API) reserveAttempts(r *http.Request, upstream, account string) (credentialAttempt, error) {
	limits := a.settings().limits
	first, err := limits.signIn.reserve(r.Context(), a.o.Sessions.AttemptKey("address", addressKey(r)))
	if err != nil {
		return nil, err
	}
	g := credentialAttempt{first}
	if account != "" {
		second, err := limits.ofAccount(upstream).reserve(r.Context(), account)
		if err != nil {
			g.conclude(r.Context(), nil)
			return nil, err
		}
		g = append(g, second)
	}
	return g, nil
}

// conclude refunds what was reserved unless the credential was refused, or may have been: a client
// that disconnects before the result has used its attempt.
func (g credentialAttempt) conclude(ctx context.Context, err error) {
	for _, a := range g {
		if mayBeRefusal(err) {
			a.spend()
		} else {
			a.refund(ctx)
		}
	}
}

// mayBeRefusal reports whether an error may mean that the credential was refused.
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

// quotaError is a refusal with the values of the RateLimit fields.
type quotaError struct {
	cause         *perch.Error
	policy, limit string
}

// Error implements error.
func (e *quotaError) Error() string { return e.cause.Error() }

// Unwrap returns the cause, which has the kind.
func (e *quotaError) Unwrap() error { return e.cause }

func (l *attempts) refuse(wait time.Duration) error {
	e := perch.Errorf(perch.KindQuotaExceeded, "too many refused credentials (%s): wait %d seconds", l.name, seconds(wait))
	e.RetryAfter = wait
	return &quotaError{e, l.policy, fmt.Sprintf("%q;r=0;t=%d", l.name, seconds(wait))}
}

// show writes the RateLimit fields (draft-ietf-httpapi-ratelimit-headers).
func (e *quotaError) show(h http.Header) {
	h[headerRateLimitPolicy] = []string{e.policy}
	h[headerRateLimit] = []string{e.limit}
}
