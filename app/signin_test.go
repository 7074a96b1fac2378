package app_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
)

// TestSignsInToRealServers signs in to both servers in every way, and is refused with the
// wrong credential.
func TestSignsInToRealServers(t *testing.T) {
	for _, l := range logins {
		t.Run(l.name, func(t *testing.T) {
			s := l.server(t)
			a := start(t, l.upstream(s, l.address(s)))
			u := s.NewUserAt(t, "carol", l.domainOn(s))
			g := l.signIn(t, a, s, u)
			g.Get(t, "/v1/buddies")
			session := g.Get(t, "/v1/session")
			if session.Str("jid") != u.JID || session.Str("state") != "online" || session.Str("resource") == "" {
				t.Errorf("session %v, want %s online", session, u.JID)
			}

			stranger := testkit.NewGateway(t, a.URL(), "")
			if l.pass {
				stranger.Token = "bm90IGEgdG9rZW4gb2YgYW55Ym9keQ=="
				answer := stranger.Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/buddies", nil)
				wantProblem(t, answer, "unauthorized")
				return
			}
			body := map[string]string{"jid": u.JID, "mechanism": l.mechanism}
			if l.token {
				body["token"] = "bm90IGEgdG9rZW4gb2YgYW55Ym9keQ=="
			} else {
				body["password"] = "wrong"
			}
			wantProblem(t, stranger.Call(t, http.StatusUnauthorized, http.MethodPost, "/v1/session", body), "unauthorized")
		})
	}
}

func wantProblem(t *testing.T, a testkit.Answer, code string) {
	t.Helper()
	if got := a.JSON(t).Str("code"); got != code {
		t.Errorf("problem %q, want %q: %s", got, code, a.Body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q, want %q", got, "application/problem+json")
	}
}

// TestOneLogin opens a session with thirty requests and five sockets at once: the server
// sees one login.
func TestOneLogin(t *testing.T) {
	for _, l := range conversations() {
		t.Run(l.name, func(t *testing.T) {
			s := l.server(t)
			w := &world{server: s, alice: s.NewUserAt(t, "alice", l.domainOn(s))}
			w.app = start(t, l.upstream(s, l.address(s)))
			w.api = l.signIn(t, w.app, s, w.alice)

			var wg sync.WaitGroup
			failed := make(chan error, 30)
			for i := range 30 {
				path := []string{"/v1/buddies", "/v1/presence", "/v1/session"}[i%3]
				wg.Go(func() {
					a, err := w.api.Do(t.Context(), http.MethodGet, path, nil)
					if err == nil && a.Status != http.StatusOK {
						err = fmt.Errorf("%s: %d %s", path, a.Status, a.Body)
					}
					if err != nil {
						failed <- err
					}
				})
			}
			wg.Wait()
			close(failed)
			for err := range failed {
				t.Errorf("got %v, want none", err)
			}
			for range 5 {
				stream := w.api.Stream(t, "")
				stream.ExpectType(t, "live")
				stream.Close()
			}
			if !l.pass {
				w.api = l.again(t, w)
				w.api.Get(t, "/v1/buddies")
			}
			w.wantLogins(t, 1)
		})
	}
}

// again signs in with the very same account and credential: the session is there already.
func (l login) again(t *testing.T, w *world) *testkit.Gateway {
	t.Helper()
	if l.token {
		return w.api // another token is another credential
	}
	g := testkit.NewGateway(t, w.app.URL(), "")
	answer := g.Call(t, http.StatusOK, http.MethodPost, "/v1/session",
		map[string]string{"jid": w.alice.JID, "mechanism": l.mechanism, "password": w.alice.Password}).JSON(t)
	g.Token = answer.Str("token")
	return g
}

// TestRefusesAnUnknownAuthority shows that nothing is sent to a server whose certificate
// no known authority has signed.
func TestRefusesAnUnknownAuthority(t *testing.T) {
	s := testkit.SharedProsody(t)
	u := s.NewUser(t, "alice")
	for name, upstream := range map[string]app.Upstream{
		"authority": {Name: "real", Domain: s.Domain, Address: s.Addr},
		"name":      {Name: "real", Domain: "elsewhere.test", Address: s.Addr, CAFile: s.CAFile},
	} {
		t.Run(name, func(t *testing.T) {
			g := testkit.NewGateway(t, start(t, upstream).URL(), "")
			a, err := g.Do(t.Context(), http.MethodPost, "/v1/session", map[string]string{"jid": "alice@" + upstream.Domain, "password": u.Password})
			if err != nil {
				t.Fatalf("g.Do: got error %v, want none", err)
			}
			if a.Status < 500 {
				t.Errorf("status %d: %s, want at least 500", a.Status, a.Body)
			}
			if n := s.CountLogins(t, u.JID); n != 0 {
				t.Errorf("%d logins, want 0", n)
			}
		})
	}
}
