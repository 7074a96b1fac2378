package api_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/perch-im/perch"
)

// bearing sends every request with a token, and with more headers.
type bearing struct {
	base   http.RoundTripper
	token  string
	header http.Header
}

// RoundTrip implements http.RoundTripper.
func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	maps.Copy(r.Header, b.header)
	return b.base.RoundTrip(r)
}

// agent is a client of MCP, the one of the official SDK, with a token.
type agent struct {
	t testing.TB
	*mcp.ClientSession
	progress chan *mcp.ProgressNotificationParams
}

func (g *gateway) agent(token string) *agent {
	g.t.Helper()
	a := &agent{t: g.t, progress: make(chan *mcp.ProgressNotificationParams, 100)}
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { a.progress <- r.Params },
	})
	s, err := client.Connect(g.ctx, &mcp.StreamableClientTransport{
		Endpoint: g.srv.URL + "/mcp", HTTPClient: &http.Client{Transport: bearing{g.client.Transport, token, nil}}, MaxRetries: -1,
	}, nil)
	if err != nil {
		g.t.Fatalf("Connect: got error %v, want none", err)
	}
	a.ClientSession = s
	g.t.Cleanup(func() { _ = s.Close() })
	return a
}

// tools are the names of the tools that are listed.
func (a *agent) tools() []string {
	a.t.Helper()
	list, err := a.ListTools(a.t.Context(), nil)
	if err != nil {
		a.t.Fatalf("ListTools: got error %v, want none", err)
	}
	names := make([]string, len(list.Tools))
	for i, tool := range list.Tools {
		names[i] = tool.Name
	}
	slices.Sort(names)
	return names
}

// toolResult is the answer of a tool, or its problem.
type toolResult struct {
	text    string
	failed  bool
	problem struct {
		Code, Detail string
		Status       int
		Scopes       []perch.Scope
		Errors       []perch.FieldError
	}
	body map[string]any
}

// use calls a tool with arguments in JSON.
func (a *agent) use(name, arguments string) (r toolResult) {
	a.t.Helper()
	got, err := a.CallTool(a.t.Context(), &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(arguments)})
	if err != nil {
		a.t.Fatalf("%s %s: got error %v, want a result", name, arguments, err)
	}
	return a.result(got)
}

func (a *agent) result(got *mcp.CallToolResult) (r toolResult) {
	a.t.Helper()
	text, ok := got.Content[0].(*mcp.TextContent)
	if !ok || len(got.Content) != 1 {
		a.t.Fatalf("content: got %v, want one text", got.Content)
	}
	r.text, r.failed = text.Text, got.IsError
	if r.failed {
		if err := json.Unmarshal([]byte(r.text), &r.problem); err != nil {
			a.t.Fatalf("got the error %q, want a problem", r.text)
		}
		return r
	}
	structured, _ := json.Marshal(got.StructuredContent)
	if err := json.Unmarshal([]byte(r.text), &r.body); err != nil {
		a.t.Fatalf("got the answer %q, want an object", r.text)
	}
	var again map[string]any
	if err := json.Unmarshal(structured, &again); err != nil || len(again) != len(r.body) {
		a.t.Errorf("structured content: got %s, want what the text has, %s", structured, r.text)
	}
	return r
}

// good is use, of a call that must not fail.
func (a *agent) good(name, arguments string) map[string]any {
	a.t.Helper()
	r := a.use(name, arguments)
	if r.failed {
		a.t.Fatalf("%s %s: got the error %s, want none", name, arguments, r.text)
	}
	return r.body
}
