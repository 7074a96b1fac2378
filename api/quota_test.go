package api_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/perch-im/perch/api"
)

// TestQuotasAtTheirLimits uses each quota up to its limit, where everything is taken, and then
// once more. What is refused for being too often has a Retry-After and says in the RateLimit
// fields what is left of the requests; what is too large or too much in itself has neither,
// since to wait is no help.
func TestQuotasAtTheirLimits(t *testing.T) {
	bulk := func(n int) string { return strings.Repeat("x", n) }
	get := func(path string, header ...string) func(*gateway, int) answer {
		return func(f *gateway, _ int) answer { return f.call("GET", path, "", header...) }
	}
	post := func(path, body string) func(*gateway, int) answer {
		return func(f *gateway, _ int) answer { return f.call("POST", path, body) }
	}
	message := `{"to":"bob@example.net","body":"` + bulk(300) + `"}`
	for _, tt := range []struct {
		name   string
		set    func(*gatewayOptions)
		limit  int // uses that are taken
		use    func(f *gateway, i int) answer
		status int // of one more
		code   string
	}{
		{"requests of a session", func(o *gatewayOptions) { o.TokenRate = slow(30) }, 30, get("/v1/buddies"), 429, "quota-exceeded"},
		{"requests of an address", func(o *gatewayOptions) { o.IPRate = slow(30) }, 30, get("/v1/buddies"), 429, "quota-exceeded"},
		{"refused credentials of an address", func(o *gatewayOptions) { o.SignInRate = slow(3) }, 3, func(f *gateway, i int) answer {
			return f.do("GET", "/v1/session", "", "Authorization", fmt.Sprint("Bearer bad-", i))
		}, 429, "quota-exceeded"},
		{"refused credentials of an account", func(o *gatewayOptions) { o.AccountRate = slow(3) }, 3, func(f *gateway, i int) answer {
			return f.password("carol@example.net", fmt.Sprint("bad-", i))
		}, 429, "quota-exceeded"},
		{"refused credentials of an account of one upstream", func(o *gatewayOptions) {
			o.AccountRate, o.AccountRates = slow(9), map[string]api.Rate{"other": slow(3)}
		}, 3, func(f *gateway, i int) answer {
			return f.password("carol@example.net", fmt.Sprint("bad-", i))
		}, 429, "quota-exceeded"},
		{"tickets that wait", nil, 20, post("/v1/events/tickets", ""), 429, "quota-exceeded"},
		{"bytes of a body", func(o *gatewayOptions) { o.BodyBytes = int64(len(message)) }, 1, func(f *gateway, i int) answer {
			return f.call("POST", "/v1/messages", message+strings.Repeat(" ", i))
		}, 413, "body-too-large"},
		{"entries of a list", nil, 0, func(f *gateway, _ int) answer {
			return f.call("POST", "/v1/buddies", `{"jid":"dora@example.net","groups":["`+strings.Join(make([]string, 257), `x","x`)+`"]}`)
		}, 422, "validation"},
		{"items of a page", nil, 1, func(f *gateway, i int) answer {
			return f.call("GET", fmt.Sprint("/v1/buddies?limit=", 200+i), "")
		}, 422, "validation"},
		{"seconds of a long poll", nil, 0, get("/v1/events?wait=61", "Accept", "application/json"), 422, "validation"},
		{"presences of one request", nil, 1, func(f *gateway, i int) answer {
			return f.call("GET", "/v1/presence?"+strings.Repeat("jid=bob@example.net&", 200+i), "")
		}, 422, "validation"},
		{"types of a stream", nil, 0, get("/v1/events?wait=0&types="+strings.Repeat("session.state,", 64)+"session.state", "Accept", "application/json"), 422, "validation"},
		{"bytes of an idempotency key", nil, 1, func(f *gateway, i int) answer {
			return f.call("POST", "/v1/messages", `{"to":"bob@example.net","body":"x"}`, "Idempotency-Key", bulk(128+i))
		}, 422, "validation"},
		{"bytes of a token", nil, 0, func(f *gateway, _ int) answer {
			return f.do("GET", "/v1/session", "", "Authorization", "Bearer "+bulk(12<<10+1))
		}, 401, "unauthorized"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newGateway(t, func(o *gatewayOptions) {
				o.IPRate, o.TokenRate = api.Rate{PerSecond: 1e6, Burst: 1e6}, api.Rate{PerSecond: 1e6, Burst: 1e6}
			})
			f.signIn()
			if tt.set != nil { // a second gateway over the same sessions, whose limits are unused
				m := f.manager
				f = newBare(t, m, tt.set)
			}
			stopped(f)
			for i := range tt.limit {
				if a := tt.use(f, i); a.status == tt.status {
					t.Fatalf("use %d of %d: %d %s, want it allowed", i+1, tt.limit, a.status, a.body)
				}
			}
			wantQuota(t, tt.use(f, tt.limit), tt.status, tt.code)
		})
	}
}

// slow is a rate of so many at once, and hardly more later.
func slow(burst int) api.Rate { return api.Rate{PerSecond: 0.001, Burst: burst} }

// wantQuota checks a refusal by a limit.
func wantQuota(t *testing.T, a answer, status int, code string) {
	t.Helper()
	if p := a.problem(t); p.Status != status || p.Code != code {
		t.Errorf("%s, want %d %s", a.body, status, code)
	}
	if status != 429 {
		if wait := a.header.Get("Retry-After"); wait != "" {
			t.Errorf("%d has Retry-After %s, want none: waiting does not help", status, wait)
		}
		return
	}
	if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 {
		t.Errorf("Retry-After %q, want seconds", a.header.Get("Retry-After"))
	}
	if a.header.Get("RateLimit") == "" || a.header.Get("RateLimit-Policy") == "" {
		t.Errorf("got 429 without RateLimit: %v, want the fields", a.header)
	}
}
