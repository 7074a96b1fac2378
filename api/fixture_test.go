package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// fixture is a gateway with a real manager and store, over a scripted upstream.
type fixture struct {
	t     *testing.T
	up    *fakexmpp.Server
	api   *api.API
	url   string
	admin string
	ctx   context.Context
	conn  *fakexmpp.Conn // of the first session; see signIn
	store *heldStore
	clock *atomic.Pointer[clock] // of all limits, once a test has stopped it

	manager *sessions.Manager
}

// heldStore is a store that counts no attempts while a test takes it away.
type heldStore struct {
	sessions.Store
	down atomic.Bool
}

func (s *heldStore) Reserve(ctx context.Context, key string, q sessions.Quota) (sessions.Allowance, error) {
	if s.down.Load() {
		return sessions.Allowance{}, perch.Errorf(perch.KindStorageUnavailable, "down")
	}
	return s.Store.Reserve(ctx, key, q)
}

func (f *fixture) now() time.Time {
	if c := f.clock.Load(); c != nil {
		return c.now()
	}
	return time.Now()
}

// token is accepted by the scripted upstream as the account alice@example.net.
const token = canary.Mark + "good-token"

const fixtureSecret = canary.Mark + "0123456789abcdef0123"

// The tokens that tests write out; those that begin with "bad" are refused.
func init() {
	canary.Note(token, "tok-alice", "tok-other", "tok-canary", "good-fresh-token", "bad-fresh-token", "bad-canary", "bad-token")
}

func newFixture(t *testing.T, change ...func(*api.Options)) *fixture {
	t.Helper()
	up, f := fakexmpp.New(), &fixture{clock: new(atomic.Pointer[clock])}
	store := &heldStore{Store: cache.NewMemory(cache.MemoryOptions{Now: f.now})}
	m, err := sessions.NewManager(sessions.Options{
		Dial: up.Dial, Verify: up.Verify, Store: store, Secret: []byte(fixtureSecret), DefaultUpstream: "default", Logger: canary.Logger(),
		Upstreams: map[string]sessions.Upstream{
			"default": {Name: "default", TokenBearer: true},
			"other":   {Name: "other", NeedsJID: true},
		},
		OpenTimeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after the listeners are closed
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := m.Close(ctx); err != nil {
			t.Errorf("closing the manager: %v", err)
		}
		if err := store.Close(ctx); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	f.serve(t, m, change...)
	f.up, f.store, f.manager = up, store, m
	return f
}

// newBare serves a manager as it is; new(sessions.Manager) is good enough for whatever
// needs no session.
func newBare(t *testing.T, m *sessions.Manager, change ...func(*api.Options)) *fixture {
	t.Helper()
	f := &fixture{clock: new(atomic.Pointer[clock])}
	f.serve(t, m, change...)
	return f
}

func (f *fixture) serve(t *testing.T, m *sessions.Manager, change ...func(*api.Options)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	o := api.Options{Sessions: m, Version: "test", Logger: canary.Logger()}
	for _, c := range change {
		c(&o)
	}
	a, err := api.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv, admin := httptest.NewServer(a.Handler()), httptest.NewServer(a.AdminHandler())
	t.Cleanup(func() {
		cancel()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		a.Drain(ctx)
		srv.Close()
		admin.Close()
	})
	f.t, f.api, f.url, f.admin, f.ctx = t, a, srv.URL, admin.URL, ctx
}

// answer is a whole response.
type commandResult struct {
	status int
	header http.Header
	body   []byte
}

// problem reads the body as a problem and checks what every problem has.
func (a commandResult) problem(t *testing.T) api.Problem {
	t.Helper()
	var p api.Problem
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("status %d, content type %q, body %q", a.status, ct, a.body)
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("%v in %q", err, a.body)
	}
	if p.Status != a.status || p.Type != "/problems/"+p.Code || p.Title == "" || p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") {
		t.Errorf("an incomplete problem: %s", a.body)
	}
	if (a.status == 429 || a.status == 503) && a.header.Get("Retry-After") == "" {
		t.Errorf("%d without Retry-After", a.status)
	}
	if (a.status == 401) != strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("%d with WWW-Authenticate %q", a.status, a.header.Get("WWW-Authenticate"))
	}
	return p
}

// do sends a request as it is; header holds names and values in turn.
func (f *fixture) do(method, path, body string, header ...string) commandResult {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.ctx, method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for pair := range slices.Chunk(header, 2) {
		if pair[0] == "Host" {
			req.Host = pair[1]
		}
		req.Header.Add(pair[0], pair[1])
	}
	transport := described(f.t, http.DefaultTransport)
	if f.url == f.admin { // which is no part of the description
		transport = http.DefaultTransport
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	if resp.Header.Get("X-Request-Id") == "" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		f.t.Errorf("%s %s: headers %v", method, path, resp.Header)
	}
	return commandResult{resp.StatusCode, resp.Header, b}
}

// call sends a request of the account alice, with a JSON body if there is one.
func (f *fixture) call(method, path, body string, header ...string) commandResult {
	f.t.Helper()
	header = append([]string{"Authorization", "Bearer " + token}, header...)
	if body != "" && !slices.Contains(header, "Content-Type") {
		header = append(header, "Content-Type", "application/json")
	}
	return f.do(method, path, body, header...)
}

// want is call, for a status and, when into is not nil, a JSON answer.
func (f *fixture) want(status int, method, path, body string, into any, header ...string) commandResult {
	f.t.Helper()
	a := f.call(method, path, body, header...)
	if a.status != status {
		f.t.Fatalf("%s %s: %d %s, want %d", method, path, a.status, a.body, status)
	}
	if status >= 400 {
		a.problem(f.t)
	}
	if into != nil {
		dec := json.NewDecoder(bytes.NewReader(a.body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(into); err != nil {
			f.t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
	return a
}

// refused is want for a problem with a code and the pointer of a field, or "".
func (f *fixture) refused(status int, code, pointer, method, path, body string, header ...string) commandResult {
	f.t.Helper()
	a := f.want(status, method, path, body, nil, header...)
	p := a.problem(f.t)
	if p.Code != code || pointer != "" && (len(p.Errors) == 0 || p.Errors[0].Pointer != pointer) {
		f.t.Errorf("%s %s: %s, want %s at %q", method, path, a.body, code, pointer)
	}
	return a
}

// signIn opens the session of alice and takes its connection.
func (f *fixture) signIn() *fakexmpp.Conn {
	f.t.Helper()
	f.want(200, "GET", "/v1/session", "", nil)
	if f.conn = f.up.Accepted(f.ctx); f.conn == nil {
		f.t.Fatal("no login reached the upstream")
	}
	f.eventually("online", func() bool { return f.state().State == perch.StateOnline })
	return f.conn
}

func (f *fixture) state() (info perch.SessionInfo) {
	f.t.Helper()
	f.want(200, "GET", "/v1/session", "", &info)
	return info
}

// eventually asks until something has come true that the session does in its own time.
func (f *fixture) eventually(what string, ok func() bool) {
	f.t.Helper()
	for !ok() {
		if f.ctx.Err() != nil {
			f.t.Fatalf("never %s", what)
		}
	}
}

// next waits for the next thing of type T that is sent to the upstream.
func next[T perch.Outbound](f *fixture) T {
	f.t.Helper()
	for {
		out := f.conn.Next(f.ctx)
		if out == nil {
			var want T
			f.t.Fatalf("no %T was sent", want)
		}
		if got, ok := out.(T); ok {
			return got
		}
	}
}
