package mcptools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/perch-im/perch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a server whose API answers what a test wants, and notes what it was asked.
type fixture struct {
	*Server
	answer http.HandlerFunc

	mu     sync.Mutex
	asked  []string // method, target, body
	header http.Header
	called []string
	left   int      // calls that count as another request
	faults []string // errors of ours
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{left: 2, answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{\"items\":[]}\n") }}
	f.Server = New(Options{
		Version: "test", Heartbeat: 25e9,
		API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			f.mu.Lock()
			f.asked, f.header = append(f.asked, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body))), r.Header
			answer := f.answer
			f.mu.Unlock()
			answer(w, r)
		}),
		Allows: func(_ context.Context, operation string) bool { return strings.HasPrefix(operation, "GET ") },
		Token:  func(context.Context) any { return map[string]any{"scopes": []string{"read"}} },
		Caller: func(context.Context) string { return "caller" },
		Count: func(context.Context) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.left--; f.left < 0 {
				return perch.Errorf(perch.KindQuotaExceeded, "too many")
			}
			return nil
		},
		Problem: func(_ context.Context, err error) []byte {
			e, _ := errors.AsType[*perch.Error](err)
			if e == nil {
				e = &perch.Error{Kind: perch.KindInternal}
				f.mu.Lock()
				defer f.mu.Unlock()
				f.faults = append(f.faults, err.Error())
			}
			text, _ := json.Marshal(map[string]string{"code": string(e.Kind), "detail": e.Detail})
			return text
		},
		Refuse: func(w http.ResponseWriter, _ *http.Request, err error) {
			e, _ := errors.AsType[*perch.Error](err)
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(400)
			_, _ = fmt.Fprintf(w, "%s: %s", e.Kind, e.Detail)
		},
		Called: func(_ context.Context, tool string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.called = append(f.called, tool)
		},
		Ended: func(string, bool) {},
	})
	return f
}

// post sends a body as a client of the version 2025-06-18 does, or of the one in the header.
func (f *fixture) post(ctx context.Context, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/mcp", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Mcp-Protocol-Version", "2025-06-18")
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// callBody is the message that calls a tool.
func callBody(name, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name, arguments)
}

// call calls a tool and returns the text of the result.
func (f *fixture) use(t testing.TB, name, arguments string) (text string, failed bool) {
	t.Helper()
	w := f.post(t.Context(), callBody(name, arguments))
	_, data, ok := strings.Cut(w.Body.String(), "data: ")
	var m struct {
		Result struct {
			Content []struct{ Text string }
			IsError bool
		}
	}
	if !ok || json.Unmarshal([]byte(strings.TrimSpace(data)), &m) != nil || len(m.Result.Content) != 1 {
		t.Fatalf("%s %s: got %d %s, want a result", name, arguments, w.Code, w.Body)
	}
	return m.Result.Content[0].Text, m.Result.IsError
}

// TestRequests: what each tool asks the API.
func TestRequests(t *testing.T) {
	for _, tt := range []struct{ name, arguments, want string }{
		{"whoami", `{}`, "GET /v1/session"},
		{"list_conversations", `{}`, "GET /v1/conversations?limit=20"},
		{"list_conversations", `{"unread":true,"type":"room","limit":5,"cursor":"a b&c"}`, "GET /v1/conversations?cursor=a+b%26c&limit=5&type=room&unread=true"},
		{"list_conversations", `{"type":null,"limit":1e3}`, "GET /v1/conversations?limit=1e3"},
		{"read_conversation", `{"jid":"a/b@x.example","before":"p","q":"ü","start":"2026-01-31T12:00:00Z","end":"x"}`, "GET /v1/conversations/a%2Fb@x.example/messages?before=p&end=x&limit=20&q=%C3%BC&start=2026-01-31T12%3A00%3A00Z"},
		{"read_conversation", `{"jid":"{ref}","after":"p"}`, "GET /v1/conversations/%7Bref%7D/messages?after=p&limit=20"},
		{"search_messages", `{"q":"x","with":"bob@example.net"}`, "GET /v1/archive?limit=20&q=x&with=bob%40example.net"},
		{"list_buddies", `{"q":"bo","group":"Work"}`, "GET /v1/buddies?group=Work&include=presence&limit=20&q=bo"},
		{"get_presence", `{"jid":".."}`, "GET /v1/presence/.."},
		{"wait_for_events", `{}`, "GET /v1/events?limit=50&types=message.received&wait=30"},
		{"wait_for_events", `{"cursor":"e-1","wait":0,"types":["message.*","presence"],"conversations":["a@b"]}`, "GET /v1/events?conversations=a%40b&limit=50&since=e-1&types=message.%2A%2Cpresence&wait=0"},
		{"send_message", `{"to":"bob@example.net","body":"hi","idempotency_key":"k"}`, `POST /v1/messages {"body":"hi","to":"bob@example.net"}`},
		{"edit_message", `{"jid":"b@x","ref":"ob","body":"hi"}`, `PATCH /v1/conversations/b@x/messages/ob {"body":"hi"}`},
		{"edit_message", `{"jid":"{ref}","ref":"ob","body":"hi"}`, `PATCH /v1/conversations/%7Bref%7D/messages/ob {"body":"hi"}`},
		{"react_to_message", `{"jid":"b@x","ref":"ob","emojis":[]}`, `PUT /v1/conversations/b@x/messages/ob/reactions {"emojis":[]}`},
		{"mark_read", `{"jid":"b@x","ref":"ob","receipts":false}`, `PUT /v1/conversations/b@x/read {"receipts":false,"ref":"ob"}`},
		{"set_presence", `{"available":false}`, `PUT /v1/presence/me {"available":false}`},
	} {
		f := newFixture(t)
		if text, failed := f.use(t, tt.name, tt.arguments); failed {
			t.Errorf("%s %s: got the error %s, want none", tt.name, tt.arguments, text)
		}
		if len(f.asked) != 1 || f.asked[0] != tt.want {
			t.Errorf("%s %s: asked %q, want %q", tt.name, tt.arguments, f.asked, tt.want)
		}
		if got := f.header.Get("Idempotency-Key"); (got == "k") != strings.Contains(tt.arguments, `"k"`) {
			t.Errorf("%s %s: got the key %q, want that of the arguments", tt.name, tt.arguments, got)
		}
		if !slices.Equal(f.called, []string{tt.name}) {
			t.Errorf("%s: noted %q, want it once", tt.name, f.called)
		}
	}
}

// TestArgumentsRefused: what is no argument makes no request.
func TestArgumentsRefused(t *testing.T) {
	for _, tt := range []struct{ name, arguments, want string }{
		{"list_conversations", `[]`, "malformed-json"},
		{"list_conversations", `{"before":"x"}`, "/before: is not an argument"},
		{"list_conversations", `{"limit":"5"}`, "/limit: must be of the type integer"},
		{"list_conversations", `{"unread":1}`, "/unread: must be of the type boolean"},
		{"list_conversations", `{"cursor":{"a":1}}`, "/cursor: must be of the type string"},
		{"read_conversation", `{}`, "/jid: is needed"},
		{"read_conversation", `{"jid":""}`, "/jid: is needed"},
		{"read_conversation", `{"jid":null}`, "/jid: is needed"},
		{"read_conversation", `{"jid":["a@b"]}`, "/jid: must be of the type string"},
		{"wait_for_events", `{"types":"presence"}`, "/types: must be of the type array"},
		{"wait_for_events", `{"types":["a","b,c"]}`, "/types/1: must be a text without a comma"},
		{"wait_for_events", `{"types":[1]}`, "/types/0: must be"},
		{"wait_for_events", `{"types":[""]}`, "/types/0: must be"},
		{"send_message", `{"to":"bob@example.net"}`, "/body: is needed"},
		{"send_message", `{"to":"a","body":"b","idempotency_key":5}`, "/idempotency_key: must be of the type string"},
		{"send_message", `{"to":"a","body":"b","jid":"x"}`, "/jid: is not an argument"},
		{"mark_read", `{"jid":"a@b","ref":"x","limit":1}`, "/limit: is not an argument"},
		{"send_message", `{"to":"a","body":"b","` + strings.Repeat("ü", 100) + `":1}`, "is not an argument"},
	} {
		f := newFixture(t)
		text, failed := f.use(t, tt.name, tt.arguments)
		if !failed || !strings.Contains(text, tt.want) || len(text) > 300 || len(f.asked) != 0 {
			t.Errorf("%s %s: got %v %s and the requests %q, want an error with %q and none", tt.name, tt.arguments, failed, text, f.asked, tt.want)
		}
	}
}

// TestAnswers: an answer is a result, a problem is an error in its own words, a fault of ours is one, too.
func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string
		failed bool
	}{
		"good": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{\"jid\":\"a@b\"}\n") }, `{"jid":"a@b","token":{"scopes":["read"]}}`, false},
		"a problem": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			w.WriteHeader(200)
			_, _ = io.WriteString(w, "{\"code\":\"insufficient-scope\"}\n")
		}, `{"code":"insufficient-scope"}`, true},
		"a panic": {func(http.ResponseWriter, *http.Request) { panic("canary") }, `{"code":"internal","detail":""}`, true},
	} {
		f := newFixture(t)
		f.answer = tt.answer
		if text, failed := f.use(t, "whoami", `{}`); text != tt.want || failed != tt.failed {
			t.Errorf("%s: got %v %s, want %v %s", name, failed, text, tt.failed, tt.want)
		}
		fault := strings.Join(f.faults, "\n")
		if panicked := name == "a panic"; panicked != (strings.Contains(fault, "whoami panicked: canary") && strings.Contains(fault, "mcptools.(*Server).call(")) {
			t.Errorf("%s: got the fault %q, want one with its stack: %v", name, fault, panicked)
		}
	}
}
