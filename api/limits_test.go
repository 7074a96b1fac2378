package api_test

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
)

// clock is a time that a test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_800_000_000, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func stopped(f *gateway) *clock {
	c := new(clock)
	f.clock.Store(c)
	f.api.SetClock(c.now)
	return c
}

func TestAddressLimit(t *testing.T) {
	f := newBare(t, new(sessions.Manager), func(o *gatewayOptions) { o.IPRate = api.Rate{PerSecond: 2, Burst: 4} })
	c := stopped(f)
	for i, left := range []string{"r=3;t=1", "r=2;t=1", "r=1;t=2", "r=0;t=2"} {
		a := f.do("GET", "/v1/nowhere", "")
		if a.status != 404 || a.header.Get("RateLimit-Policy") != `"address";q=4;w=2` || a.header.Get("RateLimit") != `"address";`+left {
			t.Errorf("request %d: %d %v, want 404 and its RateLimit fields", i, a.status, a.header)
		}
	}
	a := f.do("GET", "/v1/nowhere", "")
	if p := a.problem(t); p.Code != "quota-exceeded" || a.header.Get("Retry-After") != "1" {
		t.Errorf("got %s %v, want quota-exceeded, and 1 second to wait", a.body, a.header)
	}
	c.advance(time.Second)
	if a := f.do("GET", "/v1/nowhere", ""); a.status != 404 {
		t.Errorf("after a second: %d, want 404", a.status)
	}
}

// X-Forwarded-For counts only from a declared proxy: a client cannot choose its own bucket.
func TestAddressBehindProxies(t *testing.T) {
	one := func(o *gatewayOptions) { o.IPRate = api.Rate{PerSecond: 1, Burst: 1} }
	f := newBare(t, new(sessions.Manager), one)
	stopped(f)
	f.do("GET", "/v1/nowhere", "", "X-Forwarded-For", "192.0.2.1")
	if a := f.do("GET", "/v1/nowhere", "", "X-Forwarded-For", "192.0.2.2", "X-Real-IP", "192.0.2.3", "True-Client-IP", "192.0.2.4"); a.status != 429 {
		t.Errorf("a header gave a new bucket: %d, want 429", a.status)
	}
	f = newBare(t, new(sessions.Manager), one, func(o *gatewayOptions) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	})
	stopped(f)
	for _, tt := range []struct {
		xff    string
		status int
	}{
		{"192.0.2.1", 404}, {"192.0.2.2", 404}, {"192.0.2.1", 429}, {"203.0.113.9, 192.0.2.2", 429},
		{"2001:db8::1", 404}, {"2001:db8::ffff", 429}, {"2001:db8:0:1::1", 404}, // one customer has a /64
	} {
		if a := f.do("GET", "/v1/nowhere", "", "X-Forwarded-For", tt.xff); a.status != tt.status {
			t.Errorf("%s: %d, want %d", tt.xff, a.status, tt.status)
		}
	}
}

func TestTokenLimit(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.TokenRate = api.Rate{PerSecond: 1, Burst: 3} })
	f.signIn()
	c := stopped(f)
	c.advance(time.Hour)
	for range 3 {
		if a := f.want(200, "GET", "/v1/session", "", nil); !strings.HasPrefix(a.header.Get("RateLimit"), `"token";r=`) {
			t.Errorf("RateLimit of the token: got %v, want the one of the token", a.header)
		}
	}
	f.refused(429, "quota-exceeded", "", "GET", "/v1/session", "")
	if a := f.do("GET", "/v1/session", "", "Authorization", "Bearer good-other"); a.status != 200 {
		t.Errorf("another session: %d %s, want 200", a.status, a.body)
	}
}

// Guessing is stopped per address, and does not lock out clients that have a session there.
func TestSignInLimit(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.SignInRate = api.Rate{PerSecond: 0.1, Burst: 3} })
	f.signIn()
	c := stopped(f)
	guess := func(n string) answer { return f.do("GET", "/v1/session", "", "Authorization", "Bearer bad-"+n) }
	for _, n := range []string{"a", "b", "c"} {
		if a := guess(n); a.status != 401 {
			t.Errorf("%s: %d %s, want 401", n, a.status, a.body)
		}
	}
	logins := len(f.up.Dials())
	for range 5 {
		if a := guess("d"); a.problem(t).Code != "quota-exceeded" || a.header.Get("Retry-After") != "10" {
			t.Errorf("fourth: got %d %v, want quota-exceeded, and 10 seconds to wait", a.status, a.header)
		}
	}
	body := `{"jid":"carol@example.net","password":"bad","upstream":"other"}`
	if a := f.do("POST", "/v1/session", body, "Content-Type", "application/json"); a.status != 429 {
		t.Errorf("by password: %d %s, want 429", a.status, a.body)
	}
	if n := len(f.up.Dials()); n != logins {
		t.Errorf("%d guesses reached the upstream, want none", n-logins)
	}
	f.want(200, "GET", "/v1/buddies", "", nil)
	c.advance(10 * time.Second)
	if a := guess("e"); a.status != 401 {
		t.Errorf("after the wait: %d, want 401", a.status)
	}
}
