package sessions_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// crowd signs in n accounts, each by a token of its own.
func (w *world) crowd(n int) []*sessions.Session {
	w.t.Helper()
	w.up.Edit(func(d *fakexmpp.Data) {
		d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
			var i int
			if _, err := fmt.Sscanf(req.Account.Token.Reveal(), canary.Mark+"crowd-%d", &i); err != nil {
				return perch.Login{}, perch.Errorf(perch.KindUnauthorized, "no such token")
			}
			return perch.Login{JID: perch.JID(fmt.Sprintf("user%d@example.net/perch", i))}, nil
		}
	})
	all := make([]*sessions.Session, n)
	for i := range all {
		s, err := w.m.Authenticate(w.ctx(), perch.NewSecret(fmt.Sprintf(canary.Mark+"crowd-%d", i)))
		must(w.t, "Authenticate", err)
		all[i] = s
	}
	synctest.Wait()
	return all
}

// everyConn are the connections that were made, in their order.
func (w *world) everyConn() []*conn {
	w.up.mu.Lock()
	defer w.up.mu.Unlock()
	return append([]*conn(nil), w.up.conns...)
}

// TestReconnectStorm cuts some hundreds of sessions at once, from an upstream that refuses
// every login for a while. Attempts are spread and bounded, and all sessions reconnect.
func TestReconnectStorm(t *testing.T) {
	const crowd, outage = 300, 2 * time.Minute
	inWorld(t, func(w *world) {
		all := w.crowd(crowd)
		var mu sync.Mutex
		perSecond, attempts, down := map[int64]int{}, 0, time.Now()

		var works func(context.Context, sessions.DialRequest) (perch.Login, error)
		w.up.Edit(func(d *fakexmpp.Data) {
			works = d.SignIn
			d.SignIn = func(ctx context.Context, req sessions.DialRequest) (perch.Login, error) {
				mu.Lock()
				perSecond[int64(time.Since(down)/time.Second)]++
				attempts++
				mu.Unlock()
				if time.Since(down) < outage {
					return perch.Login{}, linkLost
				}
				return works(ctx, req)
			}
		})
		// The lock orders what is read here before the attempts that come after it.
		made := func() int {
			mu.Lock()
			defer mu.Unlock()
			return attempts
		}
		for _, c := range w.everyConn() {
			c.Fail(linkLost)
		}
		synctest.Wait()
		if n := made(); n > crowd/20 {
			t.Errorf("got %d attempts at once, want them spread", n)
		}
		pass(outage + time.Minute + time.Second) // the longest back-off has passed
		for i, s := range all {
			if st := s.Info().State; st != perch.StateOnline {
				t.Fatalf("Info of session %d: got state %s, want online", i, st)
			}
		}
		// Full jitter of 1, 2, 4, 8, ... seconds: about 9 attempts in the outage, and one after.
		n := made()
		if n > crowd*16 {
			t.Errorf("got %d attempts of %d sessions in %v, want at most 16 of each", n, crowd, outage)
		}
		mu.Lock()
		seconds := maps.Clone(perSecond)
		mu.Unlock()
		for second, n := range seconds {
			if second >= 5 && n > crowd/2 || second >= 60 && n > crowd/8 {
				t.Errorf("got %d attempts in second %d, want at most %d, and %d after a minute", n, second, crowd/2, crowd/8)
			}
		}
		if pass(10 * time.Minute); made() != n {
			t.Errorf("got %d more logins of sessions that are online, want none", made()-n)
		}
	})
}
