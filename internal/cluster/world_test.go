package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/cluster"
	"github.com/perch-im/perch/internal/testkit"
)

// comeBack is how long the slowest thing here may take on a busy machine: a lease that
// runs out, a login, and what the client waits between two tries.
const comeBack = 60 * time.Second

// servers are the XMPP servers that the promises are shown with, and how their logs tell
// that a stream was resumed.
var servers = []struct {
	name    string
	start   func(testkit.TB) *testkit.Server
	resumed string
}{
	{"prosody", func(t testkit.TB) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{Debug: true}) }, "mod_smacks resuming existing session"},
	{"ejabberd", func(t testkit.TB) *testkit.Server { return testkit.Ejabberd(t) }, "Resumed session for"},
}

// world is a cluster with alice behind the gateways and bob, a foreign client, who watches
// her presence.
type world struct {
	*cluster.Cluster
	alice   *testkit.Gateway // through nginx
	bob     *testkit.Peer
	resumed string
	said    int
}

func newWorld(t *testing.T, server int, o cluster.Options) *world {
	t.Helper()
	o.XMPP = servers[server].start(t)
	k := &world{Cluster: cluster.Start(t, o), resumed: servers[server].resumed}
	t.Cleanup(func() { k.diary(t) })
	k.bob = k.XMPP.SlixmppFor(t, k.Bob)
	k.bob.Presence(t, "", "")
	k.alice = k.SignIn(t, k.Alice)
	k.bob.ExpectPresence(t, k.Alice.JID, "available", "")
	k.bob.Discard() // that she was away before
	return k
}

// at is alice's client of one node.
func (k *world) at(t *testing.T, n *cluster.Node) *testkit.Gateway {
	t.Helper()
	return n.Client(t, k.alice.Token)
}

// say lets bob send a message of its own to alice.
func (k *world) say(t *testing.T) (body string) {
	t.Helper()
	k.said++
	body = fmt.Sprint("message ", k.said)
	k.bob.Message(t, k.Alice.JID, body)
	return body
}

func received(body string) func(testkit.Frame) bool {
	return func(f testkit.Frame) bool { return f.Type == "message.received" && f.Data.Str("body") == body }
}

// wantResumed waits until the server has logged that it resumed so many streams; its log is
// written with a little delay.
func (k *world) wantResumed(t *testing.T, want int) {
	t.Helper()
	n := 0
	testkit.Eventually(t, comeBack, func() error {
		if n = strings.Count(k.XMPP.Log(t), k.resumed); n < want {
			return fmt.Errorf("the server has resumed %d streams, want %d", n, want)
		}
		return nil
	})
	if n > want {
		t.Errorf("the server has resumed %d streams, want %d", n, want)
	}
}

// owned waits until one of these nodes has alice's session.
func (k *world) owned(t *testing.T, by ...*cluster.Node) *cluster.Node {
	t.Helper()
	var owner *cluster.Node
	testkit.Eventually(t, comeBack, func() error {
		if owner = k.Owner(t, k.Alice); !slices.Contains(by, owner) {
			return fmt.Errorf("%s has the session", owner.Name)
		}
		return nil
	})
	return owner
}

// online waits until alice's session is online as a node tells it.
func (k *world) online(t *testing.T, g *testkit.Gateway) {
	t.Helper()
	testkit.Eventually(t, comeBack, func() error {
		a, err := g.Do(t.Context(), "GET", "/v1/session", nil)
		if err != nil {
			return err
		}
		if a.Status != 200 || a.JSON(t).Str("state") != "online" {
			return fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return nil
	})
}

// diary prints the server's log when the test has failed.
func (k *world) diary(t *testing.T) {
	if t.Failed() {
		t.Logf("the server's log:\n%s", k.XMPP.Log(t))
	}
}

// noFlap checks that bob has not seen alice go or come.
func (k *world) noFlap(t *testing.T) {
	t.Helper()
	for _, e := range k.bob.Events() {
		if e.Event == "presence" && strings.HasPrefix(e.From, k.Alice.JID) {
			t.Errorf("bob saw alice %s, want none", e.Type)
		}
	}
}

// oneOwnerPerFence holds the logs of all nodes against the promise that an epoch and fence
// of a session belong to one process.
func (k *world) oneOwnerPerFence(t *testing.T) {
	t.Helper()
	owners := map[string]string{}
	for _, n := range k.Nodes {
		for line := range strings.Lines(n.Log()) {
			if !strings.Contains(line, `"session ownership acquired"`) {
				continue
			}
			l := testkit.ParseObject(t, line)
			key := fmt.Sprint(l.At("session"), " ", l.At("epoch"), " ", l.At("fence"))
			if by, taken := owners[key]; taken && by != l.Str("node") {
				t.Errorf("%s: %s and %s, want them equal", key, by, l.Str("node"))
			}
			owners[key] = l.Str("node")
		}
	}
	if len(owners) == 0 {
		t.Errorf("no node has logged what it owns: got %v, want more than 0", len(owners))
	}
}
