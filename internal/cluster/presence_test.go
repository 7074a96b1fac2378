package cluster_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/cluster"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/xmppconn"
)

// crowd signs n buddies in, who accept every subscription, and makes alice see them all.
func (k *world) crowd(t *testing.T, n int) []testkit.User {
	t.Helper()
	d, err := xmppconn.NewDialer(xmppconn.Upstream{Name: "crowd", Domain: k.XMPP.Domain, Address: k.XMPP.Addr, RootCAs: k.XMPP.CA}, xmppconn.Options{})
	if err != nil {
		t.Fatalf("xmppconn.NewDialer: got error %v, want none", err)
	}
	users := make([]testkit.User, n)
	for i := range users {
		users[i] = k.XMPP.NewUser(t, fmt.Sprintf("buddy%02d", i))
		c, err := d.Dial(t.Context(), perch.Account{JID: perch.JID(users[i].JID), Password: perch.NewSecret(users[i].Password)}, nil)
		if err != nil {
			t.Fatalf("d.Dial: got error %v, want none", err)
		}
		t.Cleanup(func() { _ = c.Close(context.Background()) })
		c.Start(func(seq uint64, in perch.Inbound) {
			if s, ok := in.(*perch.SubscriptionIn); ok && s.Type == "subscribe" {
				_, _ = c.Send(&perch.SubscriptionOut{To: s.From, Type: "subscribed"}) // alice waits for it below
			}
			c.Handled(seq)
		}, func() {})
		if _, err := c.Send(&perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true, Show: perch.ShowAway, Status: "in the crowd"}}); err != nil {
			t.Fatalf("c.Send: got error %v, want none", err)
		}
		k.alice.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies", map[string]string{"jid": users[i].JID})
	}
	return users
}

// wantCrowd waits until a node shows every one of the crowd as away, and stale or not.
func wantCrowd(t *testing.T, g *testkit.Gateway, users []testkit.User, stale bool) {
	t.Helper()
	testkit.Eventually(t, comeBack, func() error {
		a, err := g.Do(t.Context(), http.MethodGet, "/v1/presence", nil)
		if err != nil || a.Status != http.StatusOK {
			return fmt.Errorf("%d %s %w", a.Status, a.Body, err)
		}
		seen := a.JSON(t)
		for _, u := range users {
			p := seen.Find("items", "jid", u.JID)
			if !p.Bool("available") || p.Str("show") != "away" || p.Str("status") != "in the crowd" || p.Bool("stale") != stale {
				return fmt.Errorf("%s: %v", u.JID, p)
			}
		}
		return nil
	})
}

// The presence of 50 buddies is readable from any node right after every node was restarted,
// marked stale until the stream is back; then only differences are emitted.
func TestPresenceOutlivesEveryNode(t *testing.T) {
	t.Parallel()
	server := testkit.Prosody(t, testkit.ProsodyOptions{})
	link := testkit.NewProxy(t, server.Addr)
	k := &world{Cluster: cluster.Start(t, cluster.Options{XMPP: server, XMPPAddr: link.Addr})}
	k.bob = k.XMPP.SlixmppFor(t, k.Bob)
	k.bob.Presence(t, "", "")
	k.alice = k.SignIn(t, k.Alice)
	users := k.crowd(t, 50)
	for _, n := range k.Nodes {
		wantCrowd(t, k.at(t, n), users, false)
	}
	stream := k.alice.Stream(t, "")
	stream.ExpectType(t, "live")
	k.say(t)
	cursor := stream.Expect(t, "message", received("message 1")).ID

	link.Down() // no node gets a stream
	for _, n := range k.Nodes {
		n.Drain(t)
	}
	for _, n := range k.Nodes {
		n.Start(t)
	}
	for _, n := range k.Nodes {
		wantCrowd(t, k.at(t, n), users, true)
	}
	k.bob.Presence(t, "dnd", "busy meanwhile")
	back := k.alice.Stream(t, cursor)
	if hello := back.ExpectType(t, "hello"); !hello.Data.Bool("resumed") {
		t.Errorf("not resumed: %s, want resumed true", hello.Raw)
	}
	back.ExpectType(t, "live")
	link.Up(t)
	for _, n := range k.Nodes {
		wantCrowd(t, k.at(t, n), users, false)
	}
	back.Expect(t, "bob is busy", func(f testkit.Frame) bool { return f.Type == "presence" && f.Data.Str("jid") == k.Bob.JID })
	for _, f := range back.Frames() {
		if f.Type == "presence" && strings.HasPrefix(f.Data.Str("jid"), "buddy") {
			t.Errorf("no difference: %s, want none", f.Raw)
		}
	}
}
