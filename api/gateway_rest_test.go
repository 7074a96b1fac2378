package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// open signs a token in and returns its XMPP connection. In a bubble the login is over and
// in the log afterwards, so that no stream sees the end of it as an event.
func (g *gateway) open(token string) *fakexmpp.Conn {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := g.manager.Authenticate(ctx, perch.NewSecret(token)); err != nil {
		g.t.Fatalf("g.manager.Authenticate: got error %v, want none", err)
	}
	c := g.up.Accepted(ctx)
	if c == nil {
		g.t.Fatal("got no connection to the upstream, want one")
	}
	if g.pipes != nil {
		synctest.Wait()
	}
	return c
}

// say delivers a message with this id.
func say(c *fakexmpp.Conn, id string) {
	c.Deliver(&perch.MessageIn{Message: perch.Message{
		ID: id, From: "bob@example.net/phone", To: "alice@example.net", Kind: perch.ChatMessage, Body: "number " + id,
	}})
}

// request makes a request with a bearer token; "" leaves it out.
func (g *gateway) request(ctx context.Context, method, path, token string, header http.Header) *http.Request {
	g.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, g.srv.URL+path, nil)
	if err != nil {
		g.t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	for k, v := range header {
		r.Header[http.CanonicalHeaderKey(k)] = v
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// get is fetch with GET.
func (g *gateway) get(path, token string, header http.Header) (*http.Response, []byte) {
	g.t.Helper()
	return g.fetch(http.MethodGet, path, token, header)
}

// fetch makes one whole request with a bearer token.
func (g *gateway) fetch(method, path, token string, header http.Header) (*http.Response, []byte) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 70*time.Second)
	defer cancel()
	res, err := g.client.Do(g.request(ctx, method, path, token, header))
	if err != nil {
		g.t.Fatalf("g.client.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatalf("io.ReadAll: got error %v, want none", err)
	}
	return res, body
}

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem reads the body as a problem and checks what every problem has.
func (a answer) problem(t testing.TB) api.Problem {
	t.Helper()
	var p api.Problem
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("got status %d, content type %q, body %q, want application/problem+json", a.status, ct, a.body)
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("got %v in %q, want a problem", err, a.body)
	}
	if p.Status != a.status || p.Type != "/problems/"+p.Code || p.Title == "" || p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") {
		t.Errorf("got an incomplete problem: %s, want its status, type, title and request id", a.body)
	}
	if (a.status == 429 || a.status == 503) && a.header.Get("Retry-After") == "" {
		t.Errorf("got %d without Retry-After, want the seconds", a.status)
	}
	if (a.status == 401 || p.Code == "insufficient-scope") != strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("got %d with WWW-Authenticate %q, want the Bearer challenge with 401 and insufficient-scope only", a.status, a.header.Get("WWW-Authenticate"))
	}
	return p
}

// do sends a request as it is; header holds names and values in turn.
func (g *gateway) do(method, path, body string, header ...string) answer {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.ctx, method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	for pair := range slices.Chunk(header, 2) {
		if pair[0] == "Host" {
			req.Host = pair[1]
		}
		req.Header.Add(pair[0], pair[1])
	}
	transport := g.client.Transport
	if g.url == g.admin { // which is no part of the description
		transport = http.DefaultTransport
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		g.t.Fatalf("transport.RoundTrip: got error %v, want none", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatalf("io.ReadAll: got error %v, want none", err)
	}
	if resp.Header.Get("X-Request-Id") == "" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		g.t.Errorf("%s %s: headers %v, want a request id and nosniff", method, path, resp.Header)
	}
	return answer{resp.StatusCode, resp.Header, b}
}

// call sends a request of the account alice, with a JSON body if there is one.
func (g *gateway) call(method, path, body string, header ...string) answer {
	g.t.Helper()
	header = append([]string{"Authorization", "Bearer " + token}, header...)
	if body != "" && !slices.Contains(header, "Content-Type") {
		header = append(header, "Content-Type", "application/json")
	}
	return g.do(method, path, body, header...)
}

// want is call, for a status and, when into is not nil, a JSON answer.
func (g *gateway) want(status int, method, path, body string, into any, header ...string) answer {
	g.t.Helper()
	a := g.call(method, path, body, header...)
	if a.status != status {
		g.t.Fatalf("%s %s: %d %s, want %d", method, path, a.status, a.body, status)
	}
	if status >= 400 {
		a.problem(g.t)
	}
	if into != nil {
		dec := json.NewDecoder(bytes.NewReader(a.body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(into); err != nil {
			g.t.Fatalf("%s %s: %v in %s, want an answer without unknown fields", method, path, err, a.body)
		}
	}
	return a
}

// refused is want for a problem with a code and the pointer of a field, or "".
func (g *gateway) refused(status int, code, pointer, method, path, body string, header ...string) answer {
	g.t.Helper()
	a := g.want(status, method, path, body, nil, header...)
	p := a.problem(g.t)
	if p.Code != code || pointer != "" && (len(p.Errors) == 0 || p.Errors[0].Pointer != pointer) {
		g.t.Errorf("%s %s: %s, want %s at %q", method, path, a.body, code, pointer)
	}
	return a
}

// signIn opens the session of alice and takes its connection.
func (g *gateway) signIn() *fakexmpp.Conn {
	g.t.Helper()
	g.want(200, "GET", "/v1/session", "", nil)
	if g.conn = g.up.Accepted(g.ctx); g.conn == nil {
		g.t.Fatal("got no login at the upstream, want one")
	}
	g.eventually("online", func() bool { return g.state().State == perch.StateOnline })
	return g.conn
}

func (g *gateway) state() (info perch.SessionInfo) {
	g.t.Helper()
	g.want(200, "GET", "/v1/session", "", &info)
	return info
}

// eventually asks until something has come true that the session does in its own time.
func (g *gateway) eventually(what string, ok func() bool) {
	g.t.Helper()
	for !ok() {
		if g.ctx.Err() != nil {
			g.t.Fatalf("got no such state in the time of the test, want: %s", what)
		}
	}
}

// next waits for the next thing of type T that is sent to the upstream.
func next[T perch.Outbound](f *gateway) T {
	f.t.Helper()
	for {
		out := f.conn.Next(f.ctx)
		if out == nil {
			var want T
			f.t.Fatalf("no %T was sent, want one", want)
		}
		if got, ok := out.(T); ok {
			return got
		}
	}
}
