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
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+g.Token)
	req.Header.Set("Accept", accept)
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != accept {
		t.Fatalf("%s: %d %s", accept, res.StatusCode, got)
	}
	in := bufio.NewScanner(res.Body)
	wait = func(text string) {
		t.Helper()
		for in.Scan() {
			if strings.Contains(in.Text(), text) {
				return
			}
		}
		t.Fatalf("%s: no %s: %v", accept, text, in.Err())
	}
	wait(`"type":"live"`)
	return wait
}

// TestAnyNodeTakesAnyRequest: nobody who comes through nginx, or to the wrong node, notices
// that his session is on another one.
func TestAnyNodeTakesAnyRequest(t *testing.T) {
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
				t.Errorf("the session is %s's", jid)
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
					t.Errorf("the long poll has %v", polled)
				}
				text = fmt.Sprintf("from %s %d", name, i)
				send(t, g, c.Bob, text)
				ws.Expect(t, text, body("message.sent", text))
				heard.Expect(t, text, body("message.received", text))
			}
			ws.Send(t, "c1", "message.send", map[string]string{"to": c.Bob.JID, "body": "by socket, " + name})
			ws.Expect(t, "reply", func(f testkit.Frame) bool { return f.Type == "reply" && f.Ref == "c1" })
			heard.Expect(t, "message", body("message.received", "by socket, "+name))
		})
	}
	for _, u := range []testkit.User{c.Alice, c.Bob} {
		if n := c.XMPP.CountLogins(t, u.JID); n != 1 {
			t.Errorf("%d logins of %s", n, u.JID)
		}
	}
}

// TestNodeGoesAway: a client comes back through nginx with its cursor, whichever way the
// node went that had its session; what was sent meanwhile is there once, the XMPP stream was
// resumed, and buddies have seen nothing.
func TestNodeGoesAway(t *testing.T) {
	for _, server := range []string{"prosody", "ejabberd"} {
		for _, how := range []string{"drained", "killed"} {
			t.Run(server+", "+how, func(t *testing.T) {
				o := cluster.Options{Lease: 3 * time.Second}
				if server == "ejabberd" {
					o.XMPP = testkit.SharedEjabberd(t)
				}
				testNodeGoesAway(t, cluster.Start(t, o), how)
			})
		}
	}
}

func testNodeGoesAway(t *testing.T, c *cluster.Cluster, how string) {
	alice := c.SignIn(t, c.Alice)
	bob := c.XMPP.SlixmppFor(t, c.Bob)
	bob.Presence(t, "", "")
	bob.ExpectPresence(t, c.Alice.JID, "available", "")
	stream := alice.Stream(t, "")
	stream.ExpectType(t, "live")
	bob.Message(t, c.Alice.JID, "before")
	stream.Expect(t, "message", body("message.received", "before"))

	owner := c.Owner(t, c.Alice)
	gone := make(chan time.Duration, 1)
	if how == "drained" {
		gone <- owner.Drain(t)
		stream.ExpectType(t, "reconnect")
	} else {
		owner.Kill9()
		gone <- 0
	}
	t.Logf("%s was %s in %s", owner.Name, how, <-gone)
	bob.Message(t, c.Alice.JID, "meanwhile")
	began := time.Now()
	testkit.Eventually(t, 30*time.Second, func() error {
		a, err := alice.Do(t.Context(), http.MethodGet, "/v1/session", nil)
		if err != nil || a.Status != http.StatusOK || a.JSON(t).Str("state") != "online" {
			return fmt.Errorf("%d %s %w", a.Status, a.Body, err)
		}
		return nil
	})
	t.Logf("the session is online again after %s", time.Since(began).Round(time.Millisecond))
	if other := c.Owner(t, c.Alice); other == owner {
		t.Errorf("%s still owns the session", owner.Name)
	}
	back := alice.Stream(t, stream.Last())
	if hello := back.ExpectType(t, "hello"); !hello.Data.Bool("resumed") {
		t.Errorf("not resumed: %s", hello.Raw)
	}
	back.Expect(t, "message", body("message.received", "meanwhile"))
	bob.Message(t, c.Alice.JID, "afterwards")
	back.Expect(t, "message", body("message.received", "afterwards"))
	send(t, alice, c.Bob, "I am back")
	bob.ExpectMessage(t, c.Alice.JID, "I am back")
	for _, f := range back.Frames() {
		if f.Type == "message.received" || f.Type == "session.gap" {
			t.Errorf("there is also %s", f.Raw)
		}
	}
	if n := c.XMPP.CountLogins(t, c.Alice.JID); n != 1 {
		t.Errorf("%d logins: the stream was not resumed", n)
	}
	for _, e := range bob.Events() {
		if e.Event == "presence" && strings.HasPrefix(e.From, c.Alice.JID) {
			t.Errorf("bob has seen %+v", e)
		}
	}

	owner.Start(t)
	if status, body := owner.Ready(); status != http.StatusOK {
		t.Errorf("%s: %d %s", owner.Name, status, body)
	}
	direct := owner.Client(t, alice.Token)
	send(t, direct, c.Bob, "over the old node")
	bob.ExpectMessage(t, c.Alice.JID, "over the old node")
}
