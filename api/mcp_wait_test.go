package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// waited is what wait_for_events has answered.
type waited struct {
	toolResult
	err  error
	took time.Duration
}

// wait begins a wait_for_events.
func (a *agent) wait(ctx context.Context, arguments string) <-chan waited {
	a.t.Helper()
	out, began := make(chan waited, 1), time.Now()
	go func() {
		got, err := a.CallTool(ctx, &mcp.CallToolParams{Name: "wait_for_events", Arguments: json.RawMessage(arguments)})
		w := waited{err: err, took: time.Since(began)}
		if err == nil {
			w.toolResult = a.result(got)
		}
		out <- w
	}()
	return out
}

// cursor is that of now, and what no client has had is in no later answer.
func (a *agent) cursor() string {
	a.t.Helper()
	return fmt.Sprint(a.good("wait_for_events", `{}`)["next"])
}

// bodies are the texts of the messages in an answer.
func (w waited) bodies() (list []string) {
	events, _ := w.body["events"].([]any)
	for _, e := range events {
		data, _ := e.(map[string]any)["data"].(map[string]any)
		list = append(list, fmt.Sprint(data["body"]))
	}
	return list
}

// polls waits until the node of the session has so many calls that wait.
func (g *gateway) polls(n int) {
	g.t.Helper()
	g.eventually(fmt.Sprint(n, " polls"), func() bool { return g.api.Streams()["poll"] == n })
}

// TestToolWaits: it waits for what is to come, misses nothing between two calls, and sees no other types.
func TestToolWaits(t *testing.T) {
	for _, through := range []string{"the owner", "another node"} {
		t.Run(through, func(t *testing.T) {
			n := newNodes(t)
			conn := n.openAtB(token)
			g := n.b
			if through == "another node" {
				g = n.a
			}
			a := g.agent(token)
			cursor := a.cursor()
			waiting := a.wait(t.Context(), fmt.Sprintf(`{"cursor":%q,"wait":60}`, cursor))
			n.b.polls(1)
			say(conn, "m1")
			w := <-waiting
			if got := w.bodies(); w.err != nil || len(got) != 1 || got[0] != "number m1" {
				t.Fatalf("got %v %s, want the message", w.err, w.text)
			}
			say(conn, "m2")
			say(conn, "m3")
			cursor = fmt.Sprint(w.body["next"])
			for _, want := range []string{"number m2", "number m3"} {
				w = <-a.wait(t.Context(), fmt.Sprintf(`{"cursor":%q,"limit":1,"wait":60}`, cursor))
				if got := w.bodies(); w.err != nil || len(got) != 1 || got[0] != want || w.body["reset"] != nil {
					t.Fatalf("got %v %s, want %s", w.err, w.text, want)
				}
				cursor = fmt.Sprint(w.body["next"])
			}
			w = <-a.wait(t.Context(), fmt.Sprintf(`{"cursor":%q,"wait":0}`, cursor))
			if len(w.bodies()) != 0 || w.body["next"] != cursor {
				t.Errorf("got %s, want nothing, and the same cursor", w.text)
			}
			w = <-a.wait(t.Context(), `{"cursor":"garbage","wait":60}`)
			if reset, ok := w.body["reset"].(map[string]any); !ok || reset["reason"] != "unknown" {
				t.Errorf("got %s, want a reset", w.text)
			}
		})
	}
}

// TestToolWaitsLongerThanARequest: the deadlines of a request are those of its body, and of calls that do not wait.
func TestToolWaitsLongerThanARequest(t *testing.T) {
	inBubble(t, func(t *testing.T, g *gateway) {
		g.open(token)
		began := time.Now()
		a := g.mcpPost(token, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait_for_events","arguments":{"cursor":"e-1","wait":60,"types":["presence"]}}}`)
		next := regexp.MustCompile(`"next":"([^"]+)"`).FindSubmatch(a.body)
		if len(next) != 2 || time.Since(began) != 0 {
			t.Fatalf("got %d %s after %v, want a reset at once", a.status, a.body, time.Since(began))
		}
		a = g.mcpPost(token, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"wait_for_events","arguments":{"cursor":"`+string(next[1])+`","wait":60}}}`)
		if took := time.Since(began); took != time.Minute || !strings.Contains(string(a.body), `"events":[]`) || strings.Count(string(a.body), ": waiting") != 2 {
			t.Errorf("got %d %s after %v, want no events after a minute, and two signs of life", a.status, a.body, took)
		}
	}, func(o *gatewayOptions) { o.RequestTime = 10 * time.Second })
}

// TestToolsOfARevokedToken: a token that has ended is out within a second, and what waits with it.
func TestToolsOfARevokedToken(t *testing.T) {
	for _, through := range []string{"the owner", "another node"} {
		for _, end := range []string{"revoked", "expired"} {
			t.Run(through+" "+end, func(t *testing.T) {
				n := newNodes(t)
				n.openAtB(token)
				g, body := n.b, tokenBody("read")
				if through == "another node" {
					g = n.a
				}
				if end == "expired" {
					body = tokenBody("read", `,"expires_in":2`)
				}
				with, id := g.make(body)
				a := g.agent(with)
				waiting := a.wait(t.Context(), fmt.Sprintf(`{"cursor":%q,"wait":60}`, a.cursor()))
				n.b.polls(1)
				began := time.Now()
				if end == "revoked" {
					g.want(204, "DELETE", "/v1/tokens/"+id, "", nil)
				}
				w := <-waiting
				if w.err != nil || w.problem.Code != "unauthorized" || !strings.Contains(w.problem.Detail, "revoked") {
					t.Errorf("got %v %s, want unauthorized", w.err, w.text)
				}
				if took := time.Since(began); took > 3*time.Second || end == "revoked" && took > time.Second {
					t.Errorf("it took %v, want less than a second", took)
				}
				for _, node := range []*gateway{n.a, n.b} {
					if got := node.as(with, "POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, "Accept", "*/*"); got.status != 401 {
						t.Errorf("afterwards: got %d %s, want 401", got.status, got.body)
					}
				}
			})
		}
	}
}

// TestToolWaitEnds: when its client leaves, the session signs out, too many wait, or the node stops.
func TestToolWaitEnds(t *testing.T) {
	t.Run("the client leaves", func(t *testing.T) {
		f := newGateway(t)
		f.signIn()
		a := f.agent(token)
		ctx, leave := context.WithCancel(t.Context())
		waiting := a.wait(ctx, fmt.Sprintf(`{"cursor":%q,"wait":60}`, a.cursor()))
		f.polls(1)
		leave()
		if w := <-waiting; !errors.Is(w.err, context.Canceled) {
			t.Errorf("got %v, want canceled", w.err)
		}
		f.polls(0)
	})
	t.Run("too many", func(t *testing.T) {
		f := newGateway(t, func(o *gatewayOptions) { o.StreamsPerToken = 2 })
		f.signIn()
		a := f.agent(token)
		cursor := fmt.Sprintf(`{"cursor":%q,"wait":60}`, a.cursor())
		one, two := a.wait(t.Context(), cursor), a.wait(t.Context(), cursor)
		f.polls(2)
		if r := a.use("wait_for_events", cursor); r.problem.Code != "quota-exceeded" || r.problem.Status != 429 {
			t.Errorf("the third: got %s, want quota-exceeded", r.text)
		}
		say(f.conn, "m1")
		for _, w := range []waited{<-one, <-two} {
			if len(w.bodies()) != 1 {
				t.Errorf("got %v %s, want the message", w.err, w.text)
			}
		}
	})
	t.Run("signed out", func(t *testing.T) {
		f := newGateway(t)
		f.signIn()
		a := f.agent(token)
		waiting := a.wait(t.Context(), fmt.Sprintf(`{"cursor":%q,"wait":60}`, a.cursor()))
		f.polls(1)
		f.want(204, "DELETE", "/v1/session", "", nil)
		if w := <-waiting; w.err != nil || !w.failed || w.took > 10*time.Second {
			t.Errorf("got %v %s after %v, want an error at once", w.err, w.text, w.took)
		}
	})
	for _, stops := range []string{"the owner", "the node between"} {
		t.Run(stops+" stops", func(t *testing.T) {
			n := newNodes(t)
			n.openAtB(token)
			a := n.a.agent(token)
			cursor := a.cursor()
			waiting := a.wait(t.Context(), fmt.Sprintf(`{"cursor":%q,"wait":60}`, cursor))
			n.b.polls(1)
			stopping := n.b
			if stops == "the node between" {
				stopping = n.a
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			stopping.api.Drain(ctx)
			w := <-waiting
			if stops == "the owner" && (w.err != nil || w.body["next"] != cursor || len(w.bodies()) != 0) {
				t.Errorf("got %v %s, want no events and the same cursor", w.err, w.text)
			}
			if stops == "the node between" && (w.err == nil || !strings.Contains(w.err.Error(), "Service Unavailable")) {
				t.Errorf("got %v %s, want 503", w.err, w.text)
			}
			if w.took > 10*time.Second {
				t.Errorf("it took %v, want it to end with the drain", w.took)
			}
		})
	}
}
