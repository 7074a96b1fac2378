package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/perch-im/perch/api"
)

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
		t.Fatalf("%s: %v in %s, want data that can be decoded", e.Type, err, e.Data)
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
func (g *gateway) stream(encoding, token, query string) feed {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	if encoding == "ws" {
		return g.socket(ctx, cancel, token, query, nil)
	}
	accept := map[string]string{"sse": "text/event-stream", "ndjson": "application/x-ndjson"}[encoding]
	res, err := g.client.Do(g.request(ctx, http.MethodGet, "/v1/events?"+query, token, http.Header{"Accept": {accept}}))
	if err != nil {
		g.t.Fatalf("g.client.Do: got error %v, want none", err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != accept {
		body, _ := io.ReadAll(res.Body)
		g.t.Fatalf("%s: status %d, type %s: %s, want 200 and the type that was asked for", encoding, res.StatusCode, res.Header.Get("Content-Type"), body)
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

func (g *gateway) wsURL(query string) string {
	return strings.Replace(g.srv.URL, "http", "ws", 1) + "/v1/events/ws?" + query
}

func (g *gateway) socket(ctx context.Context, cancel func(), token, query string, header http.Header) *socketFeed {
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
		g.t.Fatalf("websocket.Dial: got error %v, want none", err)
	}
	ws.SetReadLimit(4 << 20)
	return &socketFeed{g.t, ctx, ws, cancel, sentCommands{}}
}

// dial opens a socket and reads up to live.
func (g *gateway) dial(token string) *socketFeed {
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
		f.t.Fatalf("f.ws.Write: got error %v, want none", err)
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
			t.Fatalf("waiting for %s after %s: %v, want %s", typ, typesIn(all), err, typ)
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

func (g *gateway) poll(token, query string) pollAnswer {
	g.t.Helper()
	res, body := g.get("/v1/events?"+query, token, nil)
	if res.StatusCode != http.StatusOK {
		g.t.Fatalf("poll: status %d: %s, want 200", res.StatusCode, body)
	}
	var p pollAnswer
	if err := json.Unmarshal(body, &p); err != nil {
		g.t.Fatalf("poll: %v in %s, want JSON", err, body)
	}
	if p.Events == nil {
		g.t.Fatalf("poll: events is null in %s, want a list", body)
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
