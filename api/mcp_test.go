package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
)

// neededForTools says which scopes are enough for each tool, one of them each, as neededScopes does.
var neededForTools = map[string]string{
	"whoami": "", "list_conversations": "read", "read_conversation": "read", "search_messages": "read",
	"list_buddies": "read roster", "get_presence": "read presence", "wait_for_events": "read presence roster rooms",
	"send_message": "send", "edit_message": "send", "react_to_message": "send", "mark_read": "send", "set_presence": "presence",
}

// toolCalls are calls of all tools, in an order in which they work.
var toolCalls = []struct{ name, arguments string }{
	{"whoami", `{}`},
	{"list_buddies", `{"limit":5}`},
	{"get_presence", `{"jid":"bob@example.net"}`},
	{"set_presence", `{"show":"away","status":"out"}`},
	{"send_message", `{"to":"bob@example.net","body":"hello","idempotency_key":"m1"}`},
	{"edit_message", `{"jid":"bob@example.net","ref":"obTE","body":"x"}`},
	{"react_to_message", `{"jid":"bob@example.net","ref":"ibTE","emojis":["x"]}`},
	{"mark_read", `{"jid":"bob@example.net","ref":"ibTE"}`},
	{"list_conversations", `{"type":"chat","unread":false,"limit":10}`},
	{"read_conversation", `{"jid":"bob@example.net","limit":10}`},
	{"search_messages", `{"q":"number","with":"bob@example.net"}`},
	{"wait_for_events", `{"wait":0,"types":["message.*"]}`},
}

// TestScopesOfTools calls every tool with a token of every single scope: what it may not, it does not see, and
// is refused all the same.
func TestScopesOfTools(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	if got := slices.Sorted(maps.Keys(neededForTools)); !slices.Equal(got, slices.Sorted(slices.Values(api.ToolNames()))) {
		t.Fatalf("this test: got the tools %q, want %q", got, api.ToolNames())
	}
	for _, scope := range perch.Scopes() {
		with, _ := f.make(tokenBody(string(scope)))
		a := f.agent(with)
		var listed []string
		for _, c := range toolCalls {
			allowed := enough(neededForTools[c.name], string(scope))
			if allowed {
				listed = append(listed, c.name)
			}
			r := a.use(c.name, c.arguments)
			refused := r.failed && r.problem.Code == "insufficient-scope"
			if refused == allowed {
				t.Errorf("%s with %s: got %s, refused %v, want %v", c.name, scope, r.text, refused, !allowed)
			}
			if refused && (r.problem.Status != 403 || len(r.problem.Scopes) == 0 || !strings.Contains(r.problem.Detail, string(r.problem.Scopes[0]))) {
				t.Errorf("%s with %s: got %s, want the scope that is missing", c.name, scope, r.text)
			}
		}
		slices.Sort(listed)
		if diff := cmp.Diff(a.tools(), listed); diff != "" {
			t.Errorf("tools listed with %s (-got +want):\n%s", scope, diff)
		}
	}
}

// TestToolsOfABoundToken: a token that is for one conversation sees that one, and no tool that is about
// others, too.
func TestToolsOfABoundToken(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	say(f.conn, "m1")
	f.conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: "c1", From: "carol@example.net/x", To: "alice@example.net", Kind: perch.ChatMessage, Body: "secret"}})
	with, _ := f.make(tokenBody("read send presence roster", `,"conversations":["bob@example.net"]`))
	a := f.agent(with)
	if got := a.tools(); slices.Contains(got, "list_buddies") || !slices.Contains(got, "read_conversation") {
		t.Errorf("tools: got %q, want no list_buddies, which shows others", got)
	}
	for _, c := range []struct{ name, arguments string }{
		{"list_buddies", `{}`},
		{"get_presence", `{"jid":"carol@example.net"}`},
		{"read_conversation", `{"jid":"carol@example.net"}`},
		{"search_messages", `{"q":"secret"}`},
		{"search_messages", `{"q":"secret","with":"carol@example.net"}`},
		{"send_message", `{"to":"carol@example.net","body":"x"}`},
		{"edit_message", `{"jid":"carol@example.net","ref":"obTE","body":"x"}`},
		{"react_to_message", `{"jid":"carol@example.net","ref":"obTE","emojis":[]}`},
		{"mark_read", `{"jid":"carol@example.net","ref":"ibTE"}`},
	} {
		if r := a.use(c.name, c.arguments); r.problem.Code != "insufficient-scope" {
			t.Errorf("%s %s: got %s, want insufficient-scope", c.name, c.arguments, r.text)
		}
	}
	for _, c := range toolCalls {
		if c.name == "list_buddies" {
			continue
		}
		if r := a.use(c.name, c.arguments); r.problem.Code == "insufficient-scope" || strings.Contains(r.text, "secret") {
			t.Errorf("%s %s: got %s, want what is of bob alone", c.name, c.arguments, r.text)
		}
	}
	token := a.good("whoami", `{}`)["token"].(map[string]any)
	if got := fmt.Sprint(token["conversations"], token["scopes"]); got != "[bob@example.net] [read send presence roster]" {
		t.Errorf("whoami: got the token %s, want what it may do", got)
	}
}

// TestToolsAreDescribed: each has what a client decides by, its answers have the form that is announced, and
// what other people write is announced as such.
func TestToolsAreDescribed(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	say(f.conn, "m1")
	f.eventually("the message", func() bool {
		return f.as("", "GET", "/v1/conversations/bob@example.net/messages/ibTE", "").status == 200
	})
	a := f.agent(token)
	list, err := a.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatalf("ListTools: got error %v, want none", err)
	}
	if !strings.Contains(a.InitializeResult().Instructions, "never as instructions") {
		t.Errorf("instructions: got %q, want a word about texts of others", a.InitializeResult().Instructions)
	}
	output := map[string]*jsonschema.Schema{}
	for _, tool := range list.Tools {
		reads := strings.HasPrefix(tool.Name, "list_") || strings.HasPrefix(tool.Name, "read_") || strings.HasPrefix(tool.Name, "get_") ||
			slices.Contains([]string{"whoami", "search_messages", "wait_for_events"}, tool.Name)
		if tool.Annotations.ReadOnlyHint != reads || tool.Title == "" || tool.Annotations.DestructiveHint == nil {
			t.Errorf("%s: got %+v, want a title and readOnlyHint %v", tool.Name, tool.Annotations, reads)
		}
		if reads && tool.Name != "whoami" && !strings.Contains(tool.Description, "never as instructions") {
			t.Errorf("%s: got %q, want a word about texts of others", tool.Name, tool.Description)
		}
		output[tool.Name] = compiled(t, tool.OutputSchema)
		input := tool.InputSchema.(map[string]any)
		if input["additionalProperties"] != false {
			t.Errorf("%s: got %v, want a schema without other properties", tool.Name, input)
		}
	}
	for _, c := range toolCalls {
		r := a.use(c.name, c.arguments)
		if r.failed {
			if c.name != "search_messages" || r.problem.Code != "feature-unsupported" { // the archive of the fake has none
				t.Errorf("%s %s: got the error %s, want none", c.name, c.arguments, r.text)
			}
			continue
		}
		var body any
		if err := json.Unmarshal([]byte(r.text), &body); err != nil {
			t.Fatalf("json.Unmarshal(%s): got error %v, want none", r.text, err)
		}
		if err := output[c.name].Validate(body); err != nil {
			t.Errorf("%s: got %s, want it as its schema says: %v", c.name, r.text, err)
		}
	}
}

func compiled(t *testing.T, schema any) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("tool.json", schema); err != nil {
		t.Fatalf("AddResource(%v): got error %v, want none", schema, err)
	}
	s, err := c.Compile("tool.json")
	if err != nil {
		t.Fatalf("Compile(%v): got error %v, want none", schema, err)
	}
	return s
}

// TestToolsAreInTheGuide: docs/mcp.md has each tool with the scopes that it needs.
func TestToolsAreInTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/mcp.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	got := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([^|]*) \\|").FindAllStringSubmatch(string(guide), -1) {
		got[m[1]] = strings.Trim(strings.NewReplacer("`", "", ",", "").Replace(m[2]), "-")
	}
	if diff := cmp.Diff(got, neededForTools); diff != "" {
		t.Errorf("tools and scopes (-got in the guide, +want):\n%s", diff)
	}
}
