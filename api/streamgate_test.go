package api_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// gate is a gateway with everything real but the XMPP side.
type gate struct {
	t       testing.TB
	up      *fakexmpp.Server
	manager *sessions.Manager
	api     *api.API
	srv     *httptest.Server
	client  *http.Client
	sockets *http.Client
	pipes   *pipes
	store   sessions.Store
}

// gateOptions are what a test may want otherwise.
type gateOptions struct {
	api.Options
	retention sessions.Retention
	pipes     *pipes // instead of TCP
	tls       bool   // with HTTP/2

	// Of one node among several; see newNodes.
	node  string
	at    string         // where the others reach it; "" = where it listens
	store sessions.Store // shared, and closed by its owner
	up    *fakexmpp.Server
}

func newGate(t testing.TB, edit ...func(*gateOptions)) *gate {
	t.Helper()
	g := &gate{t: t, up: fakexmpp.New()}
	o := gateOptions{}
	o.Logger = canary.Logger()
	o.IPRate, o.TokenRate = api.Rate{PerSecond: 1e6, Burst: 1e6}, api.Rate{PerSecond: 1e6, Burst: 1e6}
	for _, f := range edit {
		f(&o)
	}
	g.up.Edit(func(d *fakexmpp.Data) {
		d.Roster = []perch.Buddy{{JID: "bob@example.net", Name: "Bob", Groups: []string{"Work"}, Subscription: perch.SubscriptionBoth}}
	})
	store := o.store
	if o.up != nil {
		g.up = o.up
	}
	if store == nil {
		store = cache.NewMemory(cache.MemoryOptions{Retention: o.retention})
	}
	var err error
	g.manager, err = sessions.NewManager(sessions.Options{
		Dial: g.up.Dial, Verify: g.up.Verify, Store: store, Secret: []byte(fixtureSecret), Logger: canary.Logger(),
		Upstreams:       map[string]sessions.Upstream{"test": {Name: "test", TokenBearer: true}},
		DefaultUpstream: "test", OpenTimeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	g.store = store
	o.Sessions = g.manager
	if g.api, err = api.New(o.Options); err != nil {
		t.Fatal(err)
	}
	g.srv = httptest.NewUnstartedServer(nil)
	g.srv.Config = api.NewServer(g.api.Handler(), canary.Logger())
	transport := &http.Transport{}
	if o.pipes != nil {
		_ = g.srv.Listener.Close()
		g.srv.Listener = o.pipes
		transport.DialContext = o.pipes.dial
	}
	g.pipes = o.pipes
	g.client = &http.Client{Transport: described(t, transport)}
	g.sockets = g.client
	if o.tls {
		g.srv.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
		g.srv.EnableHTTP2 = true
		g.srv.StartTLS()
		g.client = g.srv.Client()
		roots := g.client.Transport.(*http.Transport).TLSClientConfig.RootCAs
		transport.TLSClientConfig = &tls.Config{RootCAs: roots} // sockets need HTTP/1.1
	} else {
		g.srv.Start()
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		g.api.Drain(ctx)
		g.srv.Close()
		g.api.Close()
		g.client.CloseIdleConnections()
		end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err := g.manager.Close(end)
		if o.store == nil {
			err = errors.Join(err, store.Close(end))
		}
		if err != nil {
			t.Error(err)
		}
	})
	g.join(o)
	return g
}

// open signs a token in and returns its XMPP connection. In a bubble the login is over and
// in the log afterwards, so that no stream sees the end of it as an event.
func (g *gate) open(token string) *fakexmpp.Conn {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := g.manager.Authenticate(ctx, perch.NewSecret(token)); err != nil {
		g.t.Fatal(err)
	}
	c := g.up.Accepted(ctx)
	if c == nil {
		g.t.Fatal("no connection to the upstream")
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
func (g *gate) request(ctx context.Context, method, path, token string, header http.Header) *http.Request {
	g.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, g.srv.URL+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	for k, v := range header {
		r.Header[http.CanonicalHeaderKey(k)] = v
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// get makes one whole request.
func (g *gate) get(path, token string, header http.Header) (*http.Response, []byte) {
	g.t.Helper()
	return g.do(http.MethodGet, path, token, header)
}

func (g *gate) do(method, path, token string, header http.Header) (*http.Response, []byte) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 70*time.Second)
	defer cancel()
	res, err := g.client.Do(g.request(ctx, method, path, token, header))
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return res, body
}

// envelope is any frame.
type envelope struct {
	ID     string          `json:"id"`
	Type   string          `json:"type"`
	Time   string          `json:"time"`
	Data   json.RawMessage `json:"data"`
	Ref    string          `json:"ref"`
	Status int             `json:"status"`
	Error  *api.Problem    `json:"error"`
	Close  *struct {
		Code   int
		Reason string
	} `json:"close"`
}

func (e envelope) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(e.Data, v); err != nil {
		t.Fatalf("%s: %v in %s", e.Type, err, e.Data)
	}
}

// helloFrame is the part of hello that tests look at.
type helloFrame struct {
	Protocol     int     `json:"protocol"`
	ConnectionID string  `json:"connection_id"`
	HeartbeatMS  int     `json:"heartbeat_ms"`
	Resumed      bool    `json:"resumed"`
	ResetReason  *string `json:"reset_reason"`
	Tip          string  `json:"tip"`
	Session      struct {
		JID   string `json:"jid"`
		State string `json:"state"`
	} `json:"session"`
	Limits    map[string]int `json:"limits"`
	Retention map[string]int `json:"retention"`
}

func (h helloFrame) reason() string {
	if h.ResetReason == nil {
		return ""
	}
	return *h.ResetReason
}

// feed is an open stream in one of the streaming encodings.
type feed interface {
	next() (envelope, error)
	close()
}

var encodings = []string{"ws", "sse", "ndjson"}

// stream opens a stream; query is such as "since=...&types=...".
func (g *gate) stream(encoding, token, query string) feed {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	if encoding == "ws" {
		return g.socket(ctx, cancel, token, query, nil)
	}
	accept := map[string]string{"sse": "text/event-stream", "ndjson": "application/x-ndjson"}[encoding]
	res, err := g.client.Do(g.request(ctx, http.MethodGet, "/v1/events?"+query, token, http.Header{"Accept": {accept}}))
	if err != nil {
		g.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != accept {
		body, _ := io.ReadAll(res.Body)
		g.t.Fatalf("%s: status %d, type %s: %s", encoding, res.StatusCode, res.Header.Get("Content-Type"), body)
	}
	f := newLines(res, encoding == "sse")
	f.cancel = cancel
	return f
}

func newLines(res *http.Response, sse bool) *lines {
	return &lines{sse: sse, res: res, r: bufio.NewReader(res.Body), cancel: func() {}}
}

// socketFeed is a WebSocket client.
type socketFeed struct {
	t      testing.TB
	ctx    context.Context
	ws     *websocket.Conn
	cancel func()
	sent   sentCommands
}

func (g *gate) wsURL(query string) string {
	return strings.Replace(g.srv.URL, "http", "ws", 1) + "/v1/events/ws?" + query
}

func (g *gate) socket(ctx context.Context, cancel func(), token, query string, header http.Header) *socketFeed {
	g.t.Helper()
	h := http.Header{}
	maps.Copy(h, header)
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	ws, _, err := websocket.Dial(ctx, g.wsURL(query), &websocket.DialOptions{
		HTTPClient: g.sockets, HTTPHeader: h, Subprotocols: []string{"perch.v1"},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	ws.SetReadLimit(4 << 20)
	return &socketFeed{g.t, ctx, ws, cancel, sentCommands{}}
}

// dial opens a socket and reads up to live.
func (g *gate) dial(token string) *socketFeed {
	g.t.Helper()
	f := g.stream("ws", token, "").(*socketFeed)
	upTo(g.t, f, "live")
	return f
}

func (f *socketFeed) next() (e envelope, err error) {
	typ, data, err := f.ws.Read(f.ctx)
	if err != nil {
		return e, err
	}
	if typ != websocket.MessageText {
		return e, fmt.Errorf("frame of type %v", typ)
	}
	describedFrame(f.t, data)
	if err := json.Unmarshal(data, &e); err != nil {
		return e, err
	}
	f.sent.answered(f.t, e)
	return e, nil
}

func (f *socketFeed) send(text string) {
	f.t.Helper()
	f.sent.sent(text)
	if err := f.ws.Write(f.ctx, websocket.MessageText, []byte(text)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *socketFeed) close() {
	_ = f.ws.Close(websocket.StatusNormalClosure, "")
	f.cancel()
}

// lines reads SSE or NDJSON.
type lines struct {
	sse    bool
	res    *http.Response
	r      *bufio.Reader
	lastID string // as an EventSource would keep it
	retry  string
	cancel func()
}

func (f *lines) next() (e envelope, err error) {
	id := ""
	for {
		line, err := f.r.ReadString('\n')
		if err != nil {
			return e, err
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case !f.sse:
			return e, json.Unmarshal([]byte(line), &e)
		case strings.HasPrefix(line, "retry: "):
			f.retry = line[len("retry: "):]
		case strings.HasPrefix(line, "id: "):
			id = line[len("id: "):]
			f.lastID = id
		case strings.HasPrefix(line, "data: "):
			if err := json.Unmarshal([]byte(line[len("data: "):]), &e); err != nil {
				return e, err
			}
			if e.ID != id {
				return e, fmt.Errorf("id line %q of event %q", id, e.ID)
			}
		case line == "" && e.Type != "":
			return e, nil
		case line != "":
			return e, fmt.Errorf("unexpected line %q", line)
		}
	}
}

func (f *lines) close() {
	f.cancel()
	_ = f.res.Body.Close()
}

// upTo reads frames up to and including one of this type, and returns all of them.
func upTo(t testing.TB, f feed, typ string) []envelope {
	t.Helper()
	var all []envelope
	for {
		e, err := f.next()
		if err != nil {
			t.Fatalf("waiting for %s after %s: %v", typ, typesIn(all), err)
		}
		all = append(all, e)
		if e.Type == typ {
			return all
		}
	}
}

func typesIn(all []envelope) []string {
	names := []string{}
	for _, e := range all {
		names = append(names, e.Type)
	}
	return names
}

// durable returns the ids of the durable events.
func durable(all []envelope) []string {
	ids := []string{}
	for _, e := range all {
		if e.ID != "" {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// poll is one long poll.
type pollAnswer struct {
	Events []envelope `json:"events"`
	Next   string     `json:"next"`
	Reset  *struct {
		Reason string `json:"reason"`
	} `json:"reset"`
}

func (g *gate) poll(token, query string) pollAnswer {
	g.t.Helper()
	res, body := g.get("/v1/events?"+query, token, nil)
	if res.StatusCode != http.StatusOK {
		g.t.Fatalf("poll: status %d: %s", res.StatusCode, body)
	}
	var p pollAnswer
	if err := json.Unmarshal(body, &p); err != nil {
		g.t.Fatalf("poll: %v in %s", err, body)
	}
	if p.Events == nil {
		g.t.Fatalf("poll: events is null in %s", body)
	}
	return p
}

func since(id string) string { return "since=" + url.QueryEscape(id) }

// closeCode reads to the end of a socket and returns the frames before it and its code.
func closeCode(t testing.TB, f *socketFeed) ([]envelope, websocket.StatusCode) {
	t.Helper()
	var all []envelope
	for {
		e, err := f.next()
		if err != nil {
			return all, websocket.CloseStatus(err)
		}
		all = append(all, e)
	}
}
