package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// The tests of this file use limits up to their edge, and once more. The numbers are those of
// the documentation, never the constants of the code.

// TestAcceptEdge: 64 ranges of an Accept header are read.
func TestAcceptEdge(t *testing.T) {
	for before, want := range map[int]string{63: "text/vcard", 64: "application/json"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", "application/json;q=0.1"+strings.Repeat(", image/png", before-1)+", text/vcard")
		if got := api.Negotiate(r, "application/json", "text/vcard"); got != want {
			t.Errorf("a range behind %d others leads to %s, want %s", before, got, want)
		}
	}
}

// TestPageEdge: a page has 50 items, unless it is asked for up to 200.
func TestPageEdge(t *testing.T) {
	f := newGateway(t)
	names := make([]string, 210)
	for i := range names {
		names[i] = fmt.Sprintf("b%03d", i)
	}
	withRoster(f, names...)
	for query, want := range map[string]int{"": 50, "?limit=200": 200} {
		var list buddyList
		if f.want(200, "GET", "/v1/buddies"+query, "", &list); len(list.Items) != want {
			t.Errorf("a page with %q has %d items, want %d", query, len(list.Items), want)
		}
	}
	f.refused(422, "validation", "?limit", "GET", "/v1/buddies?limit=201", "")
}

// TestNamesOfTypesEdge: a filter has 64 names, and a request asks for 200 presences.
func TestNamesOfTypesEdge(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	for n, status := range map[int]int{64: 200, 65: 422} {
		types := strings.Repeat("session.state,", n-1) + "session.state"
		f.want(status, "GET", "/v1/events?wait=0&types="+types, "", nil, "Accept", "application/json")
	}
	for n, status := range map[int]int{200: 200, 201: 422} {
		f.want(status, "GET", "/v1/presence?"+strings.Repeat("jid=bob@example.net&", n-1)+"jid=bob@example.net", "", nil)
	}
}

// TestTokenEdges: a token has four bytes to 12 KiB; what has not is refused unread, without
// asking the upstream.
func TestTokenEdges(t *testing.T) {
	for n, asked := range map[int]int{3: 0, 4: 1, 12 << 10: 1, 12<<10 + 1: 0} {
		f := newGateway(t)
		secret := canary.Mark + "bad"
		if n < len(secret) {
			secret = secret[:n]
		}
		secret += strings.Repeat("x", n-len(secret))
		r := httptest.NewRequest("GET", "/v1/session", nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		w := httptest.NewRecorder()
		f.api.Handler().ServeHTTP(w, r)
		if got := len(f.up.Dials()); got != asked {
			t.Errorf("a token of %d bytes: %d, the upstream was asked %d times, want %d", n, w.Code, got, asked)
		}
	}
}

// slowStore is memory that survives a process, and that a test can stop.
type slowStore struct {
	durableStore
	mu      sync.Mutex
	held    bool
	waiting []func()
}

func newSlowStore() *slowStore {
	return &slowStore{durableStore: durableStore{cache.NewMemory(cache.MemoryOptions{})}}
}

func (s *slowStore) hold(held bool) {
	s.mu.Lock()
	s.held = held
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

func (s *slowStore) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held {
		s.waiting = append(s.waiting, func() { s.durableStore.Commit(id, c, done) })
		return
	}
	s.durableStore.Commit(id, c, done)
}

// Healthy waits as long as it may while the store is stopped.
func (s *slowStore) Healthy(ctx context.Context) error {
	s.mu.Lock()
	held := s.held
	s.mu.Unlock()
	if held {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// withSlowStore runs a test in a bubble, with a store of its own that is closed in the end.
func withSlowStore(t *testing.T, f func(t *testing.T, g *gateway, s *slowStore), edit ...func(*gatewayOptions)) {
	t.Helper()
	s := newSlowStore()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { _ = s.Close(context.Background()) })
		g := newGateway(t, append(edit, func(o *gatewayOptions) { o.pipes, o.store = newPipes(), s })...)
		f(t, g, s)
	})
}

// TestReadyEdge: a look at the store ends after two seconds.
func TestReadyEdge(t *testing.T) {
	withSlowStore(t, func(t *testing.T, g *gateway, s *slowStore) {
		s.hold(true)
		defer s.hold(false)
		began, w := time.Now(), httptest.NewRecorder()
		g.api.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/readyz", nil))
		if took := time.Since(began); w.Code != 503 || took != 2*time.Second {
			t.Errorf("%d after %v, want 503 after 2 s", w.Code, took)
		}
	})
}

// TestCommandEdge: a command of a socket has 15 seconds.
func TestCommandEdge(t *testing.T) {
	withSlowStore(t, func(t *testing.T, g *gateway, s *slowStore) {
		g.open("tok-alice")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		f := g.socket(ctx, cancel, "tok-alice", "", nil)
		defer f.close()
		upTo(t, f, "live")
		s.hold(true)
		defer s.hold(false)
		began := time.Now()
		e := f.answerTo(`{"id":"c1","type":"message.send","data":{"to":"bob@example.net","body":"x"}}`)
		if took := time.Since(began); e.Type != "error" || took != 15*time.Second {
			t.Errorf("%s after %v, want an error after 15 s", e.Type, took)
		}
	})
}

// TestHandOverEdge: a stream waits five seconds for its session to be ready for another node,
// and then ends all the same.
func TestHandOverEdge(t *testing.T) {
	withSlowStore(t, func(t *testing.T, g *gateway, s *slowStore) {
		conn := g.open("tok-alice")
		f := g.stream("ndjson", "tok-alice", "")
		defer f.close()
		upTo(t, f, "live")
		s.hold(true)
		defer s.hold(false)
		say(conn, "m1") // it is to be written before the session can go
		synctest.Wait()
		began, ended := time.Now(), make(chan time.Duration, 1)
		go func() {
			for {
				if _, err := f.next(); err != nil {
					ended <- time.Since(began)
					return
				}
			}
		}()
		g.api.Drain(t.Context())
		// The moment of a single stream is within a quarter of a second.
		if took := <-ended; took < 5*time.Second || took > 5250*time.Millisecond {
			t.Errorf("the stream ended after %v, want 5 s after its moment", took)
		}
	}, func(o *gatewayOptions) { o.node = "a" })
}

// deadlines is an answer that notes which deadlines it was given.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write time.Duration
}

func (d *deadlines) SetReadDeadline(at time.Time) error  { d.read = time.Until(at); return nil }
func (d *deadlines) SetWriteDeadline(at time.Time) error { d.write = time.Until(at); return nil }

// TestProfileEdge: a profile may take ten minutes.
func TestProfileEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := api.New(api.Options{Sessions: new(sessions.Manager), Logger: canary.Logger()})
		if err != nil {
			t.Fatalf("api.New: got error %v, want none", err)
		}
		defer a.Close()
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		a.AdminHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/debug/pprof/cmdline", nil))
		if w.Code != 200 || w.read != 10*time.Minute || w.write != 10*time.Minute {
			t.Errorf("%d, deadlines of %v and %v, want 10 minutes", w.Code, w.read, w.write)
		}
	})
}
