package api

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"golang.org/x/time/rate"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
	"github.com/perch-im/perch/sessions"
)

// maxRemembered bounds each table of what clients and peers have sent recently.
const maxRemembered = 100_000

// limits are the token buckets of one API.
type limits struct {
	token, ip       *limiter
	signIn, account *attempts
	accounts        map[string]*attempts // in place of account, by upstream
}

// ofAccount are the attempts at the accounts of an upstream.
func (l *limits) ofAccount(upstream string) *attempts {
	if own := l.accounts[upstream]; own != nil {
		return own
	}
	return l.account
}

func newLimits(o Options) limits {
	accounts := map[string]*attempts{}
	for upstream, rate := range o.AccountRates {
		accounts[upstream] = newAttempts("account", rate, o.Sessions)
	}
	return limits{
		accounts: accounts,
		token:    newLimiter("token", o.TokenRate),
		ip:       newLimiter("address", o.IPRate),
		signIn:   newAttempts("sign-in", o.SignInRate, o.Sessions),
		account:  newAttempts("account", o.AccountRate, o.Sessions),
	}
}

// limiter keeps one token bucket a key.
type limiter struct {
	name   string
	rate   Rate
	policy []string // the RateLimit-Policy of every answer
	now    func() time.Time

	// A bucket that was not used for its whole life is full: after it has expired, a new one
	// gives the client no more.
	life    time.Duration
	mu      sync.Mutex
	buckets ttlmap.Map[string, *rate.Limiter]
}

func newLimiter(name string, r Rate) *limiter {
	window := time.Duration(float64(r.Burst) / r.PerSecond * float64(time.Second))
	return &limiter{
		name: name, rate: r, now: time.Now,
		policy:  []string{fmt.Sprintf("%q;q=%d;w=%d", name, r.Burst, seconds(window))},
		life:    max(window, time.Minute),
		buckets: ttlmap.Map[string, *rate.Limiter]{Max: maxRemembered},
	}
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

func (l *limiter) bucket(key string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets.Renew(key, now, l.life)
	if !ok {
		b = rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst)
		l.buckets.Put(key, b, now, l.life)
	}
	return b
}

// take counts one request of key, sets the RateLimit fields
// (draft-ietf-httpapi-ratelimit-headers), and refuses when nothing is left.
func (l *limiter) take(w http.ResponseWriter, key string) error {
	state, err := l.count(key)
	h := w.Header()
	h[headerRateLimitPolicy], h[headerRateLimit] = l.policy, []string{state}
	return err
}

// takeBeside is take for what is bounded beside all requests: the fields, which are lists, have both.
func (l *limiter) takeBeside(w http.ResponseWriter, key string) error {
	state, err := l.count(key)
	h := w.Header()
	h[headerRateLimitPolicy] = []string{strings.Join(slices.Concat(h[headerRateLimitPolicy], l.policy), ", ")}
	h[headerRateLimit] = []string{strings.Join(append(slices.Clip(h[headerRateLimit]), state), ", ")}
	return err
}

// count counts one request of key, and returns the RateLimit field.
func (l *limiter) count(key string) (state string, err error) {
	now := l.now()
	b := l.bucket(key, now)
	ok := b.AllowN(now, 1)
	left := b.TokensAt(now)
	full := time.Duration((float64(l.rate.Burst) - left) / l.rate.PerSecond * float64(time.Second))
	if !ok {
		err = l.refuse(left)
	}
	return l.state(int(max(left, 0)), seconds(full)), err
}

// The names of the RateLimit fields as net/http has them.
const (
	headerRateLimit       = "Ratelimit"
	headerRateLimitPolicy = "Ratelimit-Policy"
)

// state is a RateLimit field: so many requests are left, and all of them after so many seconds.
func (l *limiter) state(left, after int) string {
	var b [80]byte
	text := append(append(append(b[:0], '"'), l.name...), `";r=`...)
	text = strconv.AppendInt(text, int64(left), 10)
	return string(strconv.AppendInt(append(text, ";t="...), int64(after), 10))
}

func (l *limiter) refuse(left float64) error {
	wait := time.Duration((1 - left) / l.rate.PerSecond * float64(time.Second))
	e := perch.Errorf(perch.KindQuotaExceeded, "too many requests (%s): wait %d seconds", l.name, seconds(wait))
	e.RetryAfter = wait
	return e
}

// withIPLimit bounds the requests of one client address, before anything is looked up. For a
// forwarded request the peer has done that.
func (a *API) withIPLimit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if trusted(r.Context()) {
			next.ServeHTTP(w, r)
			return
		}
		if err := a.settings().limits.ip.take(w, addressKey(r)); err != nil {
			a.writeProblem(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// addressKey is the client's address, or the /64 of an IPv6 one: that is what one
// customer of a provider gets. Requests without a known address share one key.
func addressKey(r *http.Request) string {
	ip := middleware.GetClientIPAddr(r.Context())
	if ip.Is6() {
		p, err := ip.WithZone("").Prefix(64)
		if err == nil {
			return p.String()
		}
	}
	if ip == (netip.Addr{}) {
		return "unknown"
	}
	return ip.String()
}

// fromAddress is the context of a request that may open a session: sessions are counted by
// address. One that is not known is not counted.
func fromAddress(r *http.Request) context.Context {
	if !middleware.GetClientIPAddr(r.Context()).IsValid() {
		return r.Context()
	}
	return sessions.FromAddress(r.Context(), addressKey(r))
}

// acceptedTokens remembers tokens that were accepted recently, so that guessing from a shared
// address cannot lock out clients that have a session. It grants nothing: it only exempts them
// from the limit on refused credentials.
type acceptedTokens struct {
	seed maphash.Seed
	mu   sync.Mutex
	seen ttlmap.Map[uint64, struct{}]
}

const acceptedTokenLife = time.Hour // since it was accepted or looked up last

func newAcceptedTokens() *acceptedTokens {
	return &acceptedTokens{seed: maphash.MakeSeed(), seen: ttlmap.Map[uint64, struct{}]{Max: maxRemembered}}
}

func (a *acceptedTokens) key(token perch.Secret) uint64 {
	return maphash.String(a.seed, token.Reveal())
}

func (a *acceptedTokens) has(token perch.Secret) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.seen.Renew(a.key(token), time.Now(), acceptedTokenLife)
	return ok
}

func (a *acceptedTokens) add(token perch.Secret) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen.Put(a.key(token), struct{}{}, time.Now(), acceptedTokenLife)
}

func (a *acceptedTokens) forget(token perch.Secret) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen.Delete(a.key(token), time.Now())
}
