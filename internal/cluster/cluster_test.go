package cluster_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/cluster"
	"github.com/perch-im/perch/internal/testkit"
)

// body fits the event of a message.
func body(typ, text string) func(testkit.Frame) bool {
	return func(f testkit.Frame) bool { return f.Type == typ && f.Data.Str("body") == text }
}

func send(t *testing.T, g *testkit.Gateway, to testkit.User, text string) {
	t.Helper()
	g.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": to.JID, "body": text})
}

// lines opens a stream that is no WebSocket, and reads it until a line has the text.
func lines(t *testing.T, g *testkit.Gateway, accept string) (wait func(text string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+"/v1/events", nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	req.Header.Set("Authorization", "Bearer "+g.Token)
	req.Header.Set("Accept", accept)
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("DefaultClient.Do: got error %v, want none", err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != accept {
		t.Fatalf("%s: %d %s, want %d and %v", accept, res.StatusCode, got, http.StatusOK, accept)
	}
	in := bufio.NewScanner(res.Body)
	wait = func(text string) {
		t.Helper()
		for in.Scan() {
			if strings.Contains(in.Text(), text) {
				return
			}
		}
		t.Fatalf("%s: got the end of the stream (%v), want %s", accept, in.Err(), text)
	}
	wait(`"type":"live"`)
	return wait
}

// TestAnyNodeTakesAnyRequest: a client that comes through nginx, or to the wrong node,
// does not notice that its session is on another one.
func TestAnyNodeTakesAnyRequest(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, cluster.Options{})
	alice, bob := c.SignIn(t, c.Alice), c.SignIn(t, c.Bob)
	ways := map[string]*testkit.Gateway{"nginx": alice}
	for _, n := range c.Nodes {
		ways[n.Name] = n.Client(t, alice.Token)
	}
	heard := bob.Stream(t, "")
	heard.ExpectType(t, "live")
	for name, g := range ways {
		t.Run(name, func(t *testing.T) {
			if jid := g.Get(t, "/v1/session").Str("session.jid"); jid != "" && jid != c.Alice.JID {
				t.Errorf("the session is %s's, want %q or %v", jid, "", c.Alice.JID)
			}
			ws, sse, ndjson := g.Stream(t, ""), lines(t, g, "text/event-stream"), lines(t, g, "application/x-ndjson")
			cursor := g.Get(t, "/v1/events").Str("next")
			ws.ExpectType(t, "live")
			for i := range 4 { // more than there are nodes
				text := fmt.Sprintf("to %s %d", name, i)
				send(t, bob, c.Alice, text)
				ws.Expect(t, text, body("message.received", text))
				sse(text)
				ndjson(text)
				polled := g.Get(t, "/v1/events?wait=20&since="+url.QueryEscape(cursor))
				cursor = polled.Str("next")
				if !strings.Contains(fmt.Sprint(polled.List("events")), text) {
					t.Errorf("the long poll has %v, want %q in it", polled, text)
				}
				text = fmt.Sprintf("from %s %d", name, i)
				send(t, g, c.Bob, text)
				ws.Expect(t, text, body("message.sent", text))
				heard.Expect(t, text, body("message.received", text))
			}
			ws.Send(t, "by-"+name, "message.send", map[string]string{"to": c.Bob.JID, "body": "by socket, " + name})
			ws.Expect(t, "reply", func(f testkit.Frame) bool { return f.Type == "reply" && f.Ref == "by-"+name })
			heard.Expect(t, "message", body("message.received", "by socket, "+name))
		})
	}
	for _, u := range []testkit.User{c.Alice, c.Bob} {
		if n := c.XMPP.CountLogins(t, u.JID); n != 1 {
			t.Errorf("%d logins of %s, want 1", n, u.JID)
		}
	}
}

// TestDeployedStreamIsResumed: with what docker-compose.yml sets, a session goes over to the
// other node at a drain, and Prosody resumes its stream.
func TestDeployedStreamIsResumed(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, cluster.Options{})
	alice := c.SignIn(t, c.Alice)
	first := alice.Stream(t, "")
	first.ExpectType(t, "live")
	bob := c.XMPP.SlixmppFor(t, c.Bob)
	bob.Presence(t, "", "")
	bob.ExpectPresence(t, c.Alice.JID, "available", "")
	bob.Message(t, c.Alice.JID, "before")
	first.Expect(t, "message", body("message.received", "before"))
	owner := c.Owner(t, c.Alice)
	owner.Drain(t)
	first.ExpectType(t, "reconnect")
	bob.Message(t, c.Alice.JID, "after")
	second := alice.Stream(t, first.Last())
	if hello := second.ExpectType(t, "hello"); !hello.Data.Bool("resumed") {
		t.Errorf("not resumed: %s, want resumed true", hello.Raw)
	}
	second.Expect(t, "message", body("message.received", "after"))
	second.Expect(t, "resumed XMPP stream", func(f testkit.Frame) bool { return f.Type == "session.state" && f.Data.Bool("resumed") })
	if other := c.Owner(t, c.Alice); other == owner {
		t.Errorf("%s still owns the session: got %v, want anything but %v", owner.Name, other, owner)
	}
	for _, e := range bob.Events() {
		if e.Event == "presence" && strings.HasPrefix(e.From, c.Alice.JID) {
			t.Errorf("bob has seen alice %s, want none", e.Type)
		}
	}
}
