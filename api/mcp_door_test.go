package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/canary"
)

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// mcpPost sends a message as a plain HTTP client does.
func (g *gateway) mcpPost(with, body string, header ...string) answer {
	g.t.Helper()
	return g.as(with, "POST", "/mcp", body, append([]string{"Accept", "application/json, text/event-stream"}, header...)...)
}

// TestMCPIsOff: without the option there is nothing at the address, and it can be turned on and off.
func TestMCPIsOff(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.MCP = false })
	for _, on := range []bool{false, true, false} {
		if err := f.api.Reconfigure(func(o *api.Options) { o.MCP = on }); err != nil {
			t.Fatalf("Reconfigure: got error %v, want none", err)
		}
		for _, method := range []string{"POST", "GET", "DELETE", "PUT"} {
			want := 404
			switch {
			case on && method == "POST":
				want = 200
			case on:
				want = 405
			}
			a := f.as("", method, "/mcp", map[string]string{"POST": ping}[method], "Accept", "*/*")
			if a.status != want || want == 405 && a.header.Get("Allow") != "POST" {
				t.Errorf("%s with %v: got %d %v %s, want %d", method, on, a.status, a.header, a.body, want)
			}
			if want != 200 {
				a.problem(t)
			}
		}
	}
}

// TestMCPDoor: what is refused before a tool is called, as a problem, and before there is a login.
func TestMCPDoor(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.Origins = []string{"https://chat.example"} })
	for name, tt := range map[string]struct {
		with, body string
		header     []string
		status     int
		code       string
	}{
		"good":                  {token, ping, nil, 200, ""},
		"no token":              {"", ping, []string{"Authorization", ""}, 401, "unauthorized"},
		"a bad token":           {"bad-token", ping, nil, 401, "unauthorized"},
		"another origin":        {token, ping, []string{"Origin", "https://evil.example"}, 403, "forbidden"},
		"the same host":         {token, ping, []string{"Origin", "http://rebound.example", "Host", "rebound.example"}, 403, "forbidden"},
		"of this listener":      {token, ping, []string{"Origin", f.srv.URL}, 403, "forbidden"},
		"null":                  {token, ping, []string{"Origin", "null"}, 403, "forbidden"},
		"two origins":           {token, ping, []string{"Origin", "https://chat.example", "Origin", "https://chat.example"}, 403, "forbidden"},
		"a listed origin":       {token, ping, []string{"Origin", "https://chat.example"}, 200, ""},
		"no JSON":               {token, ping, []string{"Content-Type", "text/plain"}, 415, "unsupported-media-type"},
		"too large":             {token, `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", 300<<10) + `"}`, nil, 413, "body-too-large"},
		"malformed":             {token, `{`, nil, 400, "malformed-json"},
		"an unspoken version":   {token, ping, []string{"Mcp-Protocol-Version", "1999-01-01"}, 400, "malformed-json"},
		"the session of others": {token, ping, []string{"Mcp-Session-Id", "AAAA"}, 200, ""},
	} {
		a := f.mcpPost(tt.with, tt.body, tt.header...)
		if a.status != tt.status {
			t.Errorf("%s: got %d %s, want %d", name, a.status, a.body, tt.status)
		} else if tt.code != "" && a.problem(t).Code != tt.code {
			t.Errorf("%s: got %s, want %s", name, a.body, tt.code)
		}
		if a.header.Get("Mcp-Session-Id") != "" {
			t.Errorf("%s: got a session of MCP, want none", name)
		}
	}
	if a := f.as(token, "POST", "/mcp?access_token=x", ping); a.status != 401 {
		t.Errorf("a token in the URL: got %d, want 401", a.status)
	}
	preflight := f.do("OPTIONS", "/mcp", "", "Origin", "https://chat.example", "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name")
	if preflight.header.Get("Access-Control-Allow-Origin") != "https://chat.example" || preflight.header.Get("Access-Control-Allow-Headers") == "" {
		t.Errorf("preflight: got %v, want it allowed", preflight.header)
	}
}

// TestMCPBeforeALogin: a page of another origin causes no login.
func TestMCPBeforeALogin(t *testing.T) {
	f := newGateway(t)
	f.mcpPost(token, ping, "Origin", "https://evil.example")
	if got := len(f.up.Dials()); got != 0 {
		t.Errorf("got %d logins, want none", got)
	}
}

// TestMCPLimits: a POST is a request of its session, and a call in a batch is one, too.
func TestMCPLimits(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.TokenRate = api.Rate{PerSecond: 0.001, Burst: 6} })
	f.open(token)
	call := func(id string) string {
		return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"whoami","arguments":{}}}`
	}
	a := f.mcpPost(token, call("1"))
	if a.status != 200 || !strings.HasPrefix(a.header.Get("RateLimit"), `"token";r=5`) {
		t.Fatalf("got %d %v, want 200, and 5 left", a.status, a.header)
	}
	batch := "[" + call("1") + "," + call("2") + "," + call("3") + "]"
	for i, want := range []int{0, 1} { // it takes three; then two are left for three
		a = f.mcpPost(token, batch, "Mcp-Protocol-Version", "2025-03-26")
		if got := strings.Count(string(a.body), `"isError":true`); a.status != 200 || got != want {
			t.Errorf("batch %d: got %d refusals in %d %s, want %d", i, got, a.status, a.body, want)
		}
	}
	if a = f.mcpPost(token, ping); a.status != 429 {
		t.Errorf("got %d %s, want 429", a.status, a.body)
	}
}

// TestMCPLines: the line of a request names the tool, on the node that has called it, and nothing that the
// client has chosen; it is counted, and its time is not.
func TestMCPLines(t *testing.T) {
	var log lockedBuffer
	l := &ledger{}
	f := newGateway(t, func(o *gatewayOptions) {
		o.Logger = canary.Logger(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
		o.Observer = l
	})
	f.signIn()
	a := f.agent(token)
	a.good("send_message", `{"to":"bob@example.net","body":"canary-text"}`)
	a.use("get_presence", `{"jid":"canary-jid"}`)
	var tools []string
	f.eventually("both lines", func() bool {
		tools = nil
		for line := range bytes.SplitSeq([]byte(log.String()), []byte("\n")) {
			var x struct{ Msg, Route, Tool, Session, Client string }
			if json.Unmarshal(line, &x) == nil && x.Tool != "" && x.Msg == "request" && x.Route == "/mcp" && x.Session != "" && x.Client != "" {
				tools = append(tools, x.Tool)
			}
		}
		return len(tools) == 2
	})
	if got := strings.Join(tools, " "); got != "send_message get_presence" || strings.Contains(log.String(), "canary-") {
		t.Errorf("got the tools %s in\n%s\nwant both, and no words of the client", got, log.String())
	}
	requests, _ := l.text()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := strings.Join(l.tools, ","); got != "send_message false,get_presence true" || strings.Contains(requests, `POST "/mcp" 200`) {
		t.Errorf("got the calls %s and the requests %s, want both calls and no time", got, requests)
	}
}

// TestFaultsOfTools: what the answer says is in the log is there, and what the client did wrong is not.
func TestFaultsOfTools(t *testing.T) {
	var log lockedBuffer
	f := newGateway(t, logged(&log))
	for _, tt := range []struct {
		err   error
		code  string
		lines int
	}{{perch.Invalid("/jid", "is needed"), "validation", 0}, {errors.New("whoami panicked"), "internal", 1}} {
		if got := string(f.api.ProblemOfTool(t.Context(), tt.err)); !strings.Contains(got, `"code":"`+tt.code+`"`) || strings.Contains(got, "panicked") {
			t.Errorf("%v: got %s, want %s, and nothing of a fault", tt.err, got, tt.code)
		}
		lines := linesOf(t, &log, "request failed")
		if len(lines) != tt.lines || tt.lines > 0 && (lines[0]["error"] != tt.err.Error() || lines[0]["route"] != "/mcp") {
			t.Errorf("%v: got the lines %v, want %d, of /mcp with the error", tt.err, lines, tt.lines)
		}
	}
}
