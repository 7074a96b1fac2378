package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
)

// guesser sends wrong credentials to several nodes.
type guesser struct {
	t      *testing.T
	apps   []*app.App
	client *http.Client
}

// guess is a wrong credential of an account, or of a bearer for none, from an address.
type guess struct{ jid, secret, address string }

// send sends a guess to one node, and returns the status.
func (g *guesser) send(node int, x guess) (int, http.Header, error) {
	method, path, body := http.MethodGet, "/v1/session", []byte(nil)
	if x.jid != "" {
		method = http.MethodPost
		body, _ = json.Marshal(map[string]string{"jid": x.jid, "password": x.secret})
	}
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.apps[node].URL()+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Forwarded-For", x.address)
	if x.jid != "" {
		req.Header.Set("Content-Type", "application/json")
	} else {
		req.Header.Set("Authorization", "Bearer "+x.secret)
	}
	res, err := g.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	return res.StatusCode, res.Header, nil
}

// spread sends guesses to the nodes in turn, all at once, and counts the answers.
func (g *guesser) spread(guesses []guess) map[int]int {
	var group sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for i, x := range guesses {
		group.Go(func() {
			status, header, err := g.send(i%len(g.apps), x)
			mu.Lock()
			defer mu.Unlock()
			if count[status]++; err != nil || status == http.StatusTooManyRequests && (header.Get("Retry-After") == "" || header.Get("RateLimit-Policy") == "") {
				g.t.Errorf("guess %d: got status %d, headers %v, error %v; want 429 to say until when", i, status, header, err)
			}
		})
	}
	group.Wait()
	return count
}

// TestGuessesOverTwoNodes: who spreads wrong credentials over the nodes of one Redis gets no more attempts
// than at one node, whether they are of one address or of one account. What counts them ends by itself.
func TestGuessesOverTwoNodes(t *testing.T) {
	const limit = 5
	few, many := app.Rate{PerSecond: 0.001, Burst: limit}, app.Rate{PerSecond: 1000, Burst: 1000}
	l := loginNamed("prosody SCRAM-SHA-1")
	for name, c := range map[string]struct {
		limits app.Limits
		guess  func(i int, jid string) guess
	}{
		"one address": {app.Limits{SignInRate: few, AccountRate: many}, func(i int, jid string) guess {
			if i%3 == 0 {
				return guess{"", fmt.Sprint("bad-bearer-", i), "203.0.113.1"}
			}
			return guess{fmt.Sprint("nobody-", i, jid[strings.IndexByte(jid, '@'):]), fmt.Sprint("bad-", i), "203.0.113.1"}
		}},
		"one account": {app.Limits{SignInRate: many, AccountRate: few}, func(i int, jid string) guess {
			if i%4 > 1 {
				jid = strings.ToUpper(jid[:1]) + jid[1:]
			}
			return guess{jid, fmt.Sprint("bad-", i/2), fmt.Sprint("203.0.113.", i)} // each is sent to both nodes
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newRedisWorld(t, l)
			k.o.Limits, k.o.TrustedProxies = c.limits, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			g := &guesser{t: t, client: &http.Client{Transport: &http.Transport{}}}
			t.Cleanup(g.client.CloseIdleConnections)
			for _, node := range []string{"a", "b"} {
				k.o.Node = node
				k.start(t)
				g.apps = append(g.apps, k.app)
			}
			var guesses []guess
			for i := range 60 {
				guesses = append(guesses, c.guess(i, k.alice.JID))
			}
			if got := g.spread(guesses); got[http.StatusUnauthorized] != limit || got[http.StatusTooManyRequests] != len(guesses)-limit {
				t.Errorf("got the answers %v of two nodes, want %d refusals and the rest 429, as of one", got, limit)
			}
			var list struct {
				Items []struct{ Failures []struct{ Count int } }
			}
			newOperator(t, g.apps[0], "").ask(http.StatusOK, "GET", "admin/v1/upstreams", &list)
			tried := 0
			for _, f := range list.Items[0].Failures {
				tried += f.Count
			}
			if tried > limit {
				t.Errorf("got %d guesses that reached the upstream, want at most %d", tried, limit)
			}
			keys, err := k.keys.Keys(t.Context(), "perch:attempts:*").Result()
			if err != nil || len(keys) == 0 {
				t.Fatalf("got the counters %q, error %v, want some", keys, err)
			}
			for _, key := range keys {
				if left, err := k.keys.PTTL(t.Context(), key).Result(); err != nil || left <= 0 || left > limit*1000*time.Second {
					t.Errorf("%s ends in %s, error %v, want it to end once all attempts are there again", key, left, err)
				}
			}
		})
	}
}
