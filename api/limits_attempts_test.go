package api_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// atOnce sends requests at the same time and counts the answers by status.
func (g *gateway) atOnce(n int, request func(i int) answer) map[int]int {
	g.t.Helper()
	var group sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for i := range n {
		group.Go(func() {
			a := request(i)
			mu.Lock()
			defer mu.Unlock()
			if count[a.status]++; a.status == 429 && (a.header.Get("Retry-After") == "" || a.header.Get("RateLimit") == "" || a.header.Get("RateLimit-Policy") == "") {
				g.t.Errorf("got 429 without its headers: %v, want Retry-After and RateLimit", a.header)
			}
		})
	}
	group.Wait()
	return count
}

func (g *gateway) password(jid, text string) answer {
	body := fmt.Sprintf(`{"jid":%q,"password":%q,"upstream":"other"}`, jid, text)
	return g.do("POST", "/v1/session", body, "Content-Type", "application/json")
}

// Many guesses at once are bounded like many in a row: an attempt is taken before anything is
// tried. Whatever is guessed counts at one address, with the store or without.
func TestRefusedCredentialsAtOnce(t *testing.T) {
	for _, down := range []bool{false, true} {
		f := newGateway(t, func(o *gatewayOptions) { o.SignInRate = api.Rate{PerSecond: 0.001, Burst: 5} })
		stopped(f)
		f.attempts.down.Store(down)
		count := f.atOnce(120, func(i int) answer {
			switch i % 3 {
			case 0:
				return f.password("carol@example.net", fmt.Sprint("bad-", i))
			case 1:
				return f.do("GET", "/v1/session", "", "Authorization", fmt.Sprint("Bearer bad-", i))
			}
			return f.do("GET", fmt.Sprint("/v1/events/ws?ticket=guess-", i), "", "Connection", "Upgrade", "Upgrade", "websocket",
				"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
		})
		if count[401] != 5 || count[429] != 115 {
			t.Errorf("store down %v: answers %v, want 5 refusals and the rest 429", down, count)
		}
		if n := len(f.up.Dials()); n > 5 {
			t.Errorf("%d guesses reached the upstream, want at most 5", n)
		}
	}
}

// Right credentials that come together wait for each other, and are not refused.
func TestValidCredentialsAtOnce(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) {
		o.SignInRate, o.AccountRate = api.Rate{PerSecond: 0.001, Burst: 3}, api.Rate{PerSecond: 0.001, Burst: 2}
	})
	stopped(f)
	if count := f.atOnce(60, func(i int) answer {
		if i%2 == 0 {
			return f.password("carol@example.net", "good")
		}
		return f.do("GET", "/v1/session", "", "Authorization", fmt.Sprint("Bearer good-", i))
	}); count[200]+count[201] != 60 {
		t.Errorf("answers %v, want 60 successes", count)
	}
}

// The passwords of one account are limited over all addresses, in the store that all nodes
// share; neither another account nor the address pays for it.
func TestRefusedCredentialsOfOneAccount(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) {
		o.SignInRate, o.AccountRate = api.Rate{PerSecond: 0.001, Burst: 1000}, api.Rate{PerSecond: 0.001, Burst: 4}
	})
	stopped(f)
	count := f.atOnce(40, func(i int) answer {
		return f.password([]string{"carol@example.net", "Carol@EXAMPLE.net"}[i%2], fmt.Sprint("bad-", i))
	})
	if count[401] != 4 || count[429] != 36 {
		t.Errorf("answers %v, want 4 refusals", count)
	}
	if a := f.password("dave@example.net", "good"); a.status != 201 {
		t.Errorf("another account: %d %s, want 201", a.status, a.body)
	}
	if a := f.password("carol@example.net", "good"); a.status != 429 {
		t.Errorf("the right password while its account is guessed at: %d, want 429", a.status)
	}
}

// The credential of a live session is guessed at by PUT as well.
func TestRefusedCredentialsByReplacement(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.AccountRate = api.Rate{PerSecond: 0.001, Burst: 3} })
	f.signIn()
	stopped(f)
	count := f.atOnce(30, func(i int) answer {
		return f.do("PUT", "/v1/session/credentials", fmt.Sprintf(`{"token":"bad-%d"}`, i), "Content-Type", "application/json", "Authorization", "Bearer "+token)
	})
	if count[401] != 3 || count[429] != 27 || len(f.up.Verified()) != 3 {
		t.Errorf("answers %v and %d verifications, want 3", count, len(f.up.Verified()))
	}
}

// A client that hangs up before the verdict has had its attempt.
func TestDisconnectIsNoRefund(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.SignInRate = api.Rate{PerSecond: 0.001, Burst: 2} })
	stopped(f)
	asked := make(chan struct{}, 100)
	f.up.Edit(func(d *fakexmpp.Data) {
		d.SignIn = func(ctx context.Context, _ sessions.DialRequest) (perch.Login, error) {
			asked <- struct{}{}
			<-ctx.Done()
			return perch.Login{}, ctx.Err()
		}
	})
	for i := range 2 {
		ctx, cancel := context.WithCancel(f.ctx)
		r, err := http.NewRequestWithContext(ctx, "GET", f.url+"/v1/session", nil)
		if err != nil {
			t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
		}
		r.Header.Set("Authorization", fmt.Sprint("Bearer bad-hang-", i))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if res, err := http.DefaultClient.Do(r); err == nil {
				_ = res.Body.Close()
			}
		}()
		<-asked
		cancel()
		<-ended
	}
	if a := f.do("GET", "/v1/session", "", "Authorization", "Bearer bad-hang-3"); a.status != 429 {
		t.Errorf("the third guess: %d, want 429", a.status)
	}
}

// The nodes count together: a client that one node refuses has no attempts left at another.
func TestRefusedCredentialsOnSeveralNodes(t *testing.T) {
	n := newNodes(t, func(o *gatewayOptions) { o.SignInRate = api.Rate{PerSecond: 0.001, Burst: 4} })
	count := map[int]int{}
	for i := range 12 {
		g := []*gateway{n.a, n.b}[i%2]
		status, h := g.status("GET", "/v1/session", fmt.Sprint("bad-node-", i), "")
		if count[status]++; status == 429 && h.Get("Retry-After") == "" {
			t.Errorf("got 429 without Retry-After: %v, want its seconds", h)
		}
	}
	if count[401] != 4 || count[429] != 8 {
		t.Errorf("answers of two nodes %v, want 4 refusals", count)
	}
}
