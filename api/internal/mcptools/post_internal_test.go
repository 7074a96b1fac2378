package mcptools

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestMessages: what a client may send beside a call of a tool.
func TestMessages(t *testing.T) {
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	latest := []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method"}
	for name, tt := range map[string]struct {
		body   string
		header []string
		status int
		want   string
	}{
		"initialize":      {`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`, nil, 200, `"tools":{}`},
		"initialized":     {`{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil, 202, ``},
		"ping":            {`{"jsonrpc":"2.0","id":1,"method":"ping"}`, nil, 200, `"result":{}`},
		"list":            {list, nil, 200, `"name":"read_conversation"`},
		"without version": {list, []string{"Mcp-Protocol-Version", ""}, 200, `"name":"read_conversation"`},
		"of a session":    {list, []string{"Mcp-Session-Id", "of-somebody-else"}, 200, `"name":"read_conversation"`},
		"old version":     {list, []string{"Mcp-Protocol-Version", "2023-01-01"}, 400, "malformed-json: Bad Request: Unsupported protocol version"},
		"latest, list":    {strings.Replace(list, `"}`, `","params":{`+meta+`}}`, 1), append(latest, "tools/list"), 200, `"cacheScope":"private"`},
		"latest, listens": {`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{` + meta + `,"notifications":{}}}`, append(latest, "subscriptions/listen"), 404, "method not found"},
		"resources":       {`{"jsonrpc":"2.0","id":1,"method":"resources/list"}`, nil, 200, "method not found"},
		"log level":       {`{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}`, nil, 200, "method not found"},
		"unknown method":  {`{"jsonrpc":"2.0","id":1,"method":"x"}`, nil, 400, "malformed-json: "},
		"unknown tool":    {callBody("x", `{}`), nil, 200, `unknown tool \"x\"`},
		"no JSON":         {`{"jsonrpc"`, nil, 400, "malformed-json: malformed payload"},
		"no message":      {`{}`, nil, 400, "malformed-json: "},
		"nothing":         {" \n", nil, 400, "malformed-json: the body must be"},
		"no UTF-8":        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", nil, 400, "malformed-json: the body must be"},
		"a batch":         {"[" + list + "]", nil, 400, "batching is not supported"},
		"a large batch":   {"[" + strings.Repeat(list+",", 20) + list + "]", []string{"Mcp-Protocol-Version", "2025-03-26"}, 400, "a batch may have 20 messages"},
		"a batch of 20":   {"[" + strings.Repeat(list+",", 19) + list + "]", []string{"Mcp-Protocol-Version", "2025-03-26"}, 200, "read_conversation"},
		"accepts nothing": {list, []string{"Accept", "application/json"}, 400, "Accept must contain"},
		"a last event":    {list, []string{"Last-Event-ID", "1"}, 400, "Last-Event-ID"},
	} {
		f := newFixture(t)
		w := f.post(t.Context(), tt.body, tt.header...)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: got %d %s, want %d with %q", name, w.Code, w.Body, tt.status, tt.want)
		}
		if w.Header().Get("Mcp-Session-Id") != "" {
			t.Errorf("%s: got a session of MCP, want none", name)
		}
		if strings.Contains(w.Body.String(), `"send_message"`) {
			t.Errorf("%s: got a tool that the token may not use, want it left out", name)
		}
		if text := w.Header().Get("Content-Type"); strings.HasPrefix(text, "text/plain") {
			t.Errorf("%s: got the type %s, want a problem", name, text)
		}
	}
}

// TestBatchCounts: the calls of one POST count as the requests that they are.
func TestBatchCounts(t *testing.T) {
	f := newFixture(t)
	batch := "[" + strings.TrimSuffix(strings.Repeat(`{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"whoami","arguments":{}}},`, 5), ",") + "]"
	for i := range 5 {
		batch = strings.Replace(batch, "ID", string(rune('1'+i)), 1)
	}
	w := f.post(t.Context(), batch, "Mcp-Protocol-Version", "2025-03-26")
	if got := strings.Count(w.Body.String(), "quota-exceeded"); got != 2 || len(f.asked) != 3 {
		t.Errorf("got %d refusals and %d requests, want 2 and 3: %s", got, len(f.asked), w.Body)
	}
}

// waits makes the API one that has a long poll.
func (f *fixture) waits(begun chan<- struct{}) {
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-time.After(22 * time.Second):
			_, _ = w.Write([]byte(`{"events":[],"next":"e-9","reset":null}`))
		}
	}
}

// TestSignsOfLife: a client that waits hears of it, in its own way.
func TestSignsOfLife(t *testing.T) {
	for name, tt := range map[string]struct {
		params    string
		heartbeat time.Duration
		want      string
		n         int
	}{
		"progress": {`"_meta":{"progressToken":"p"},`, 25 * time.Second, `{"progressToken":"p","message":"waiting for events","progress":5}`, 4},
		"comments": {``, 10 * time.Second, ": waiting\n\n", 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.o.Heartbeat = tt.heartbeat
			f.waits(make(chan struct{}, 1))
			w := f.post(t.Context(), strings.Replace(callBody("wait_for_events", `{"cursor":"e-1"}`), `"name"`, tt.params+`"name"`, 1))
			got := w.Body.String()
			if !strings.Contains(got, tt.want) || strings.Count(got, "waiting") != tt.n || strings.Count(got, `e-9`) == 0 {
				t.Errorf("%s: got %s, want %d times %s and the answer", name, got, tt.n, tt.want)
			}
		})
	}
}

// TestCancelled: a client gives a call up by leaving, or by a notification with its id.
func TestCancelled(t *testing.T) {
	for name, tt := range map[string]struct {
		id, want string
		leave    bool
		after    time.Duration
	}{
		"another id":  {id: `8`, want: `e-9`, after: 22 * time.Second},
		"the same id": {id: `7`, want: `e-1`},
		"leaves":      {leave: true, id: `8`},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			begun, answered := make(chan struct{}, 1), make(chan *httptest.ResponseRecorder, 1)
			f.waits(begun)
			began := time.Now()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			go func() { answered <- f.post(ctx, callBody("wait_for_events", `{"cursor":"e-1"}`)) }()
			<-begun
			if tt.leave {
				leave()
			}
			f.post(t.Context(), `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`+tt.id+`}}`)
			w := <-answered
			if got := w.Body.String(); !strings.Contains(got, tt.want) || time.Since(began) != tt.after {
				t.Errorf("%s: got %q after %v, want %q after %v", name, got, time.Since(began), tt.want, tt.after)
			}
			if len(f.running.calls) != 0 {
				t.Errorf("%s: got %d calls that run, want none", name, len(f.running.calls))
			}
		})
	}
}

// TestCancelledWithoutCursor has no cursor that would be good for the next call.
func TestCancelledWithoutCursor(t *testing.T) {
	if got := cancelled(toolNamed("wait_for_events"), json.RawMessage(`{}`)); !got.IsError {
		t.Errorf("got %+v, want an error", got)
	}
	if got := cancelled(toolNamed("whoami"), json.RawMessage(`{"cursor":"x"}`)); !got.IsError {
		t.Errorf("got %+v, want an error", got)
	}
}

// FuzzPost: whatever a client sends, it gets an answer, and the API only requests of tools.
func FuzzPost(f *testing.F) {
	f.Add([]byte(callBody("send_message", `{"to":"a","body":"b"}`)), "2025-06-18")
	f.Add([]byte(callBody("wait_for_events", `{"types":["a"]}`)), "2026-07-28")
	f.Add([]byte(`[{"jsonrpc":"2.0","id":1,"method":"tools/list"},{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}]`), "2025-03-26")
	f.Add([]byte(strings.Repeat("[", 10000)), "2025-06-18")
	f.Add([]byte(`{"jsonrpc":"2.0","id":`+strings.Repeat(`{"a":`, 5000)), "")
	f.Fuzz(func(t *testing.T, body []byte, version string) {
		x := newFixture(t)
		w := x.post(t.Context(), string(body), "Mcp-Protocol-Version", version)
		if w.Code != 200 && w.Code != 202 && w.Code != 400 && w.Code != 404 {
			t.Errorf("%q: got %d %s, want an answer or a refusal", body, w.Code, w.Body)
		}
		for _, asked := range x.asked {
			if !strings.Contains(asked, " /v1/") {
				t.Errorf("%q: asked %q, want what a tool asks", body, asked)
			}
		}
	})
}
