package cluster_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/cluster"
	"github.com/perch-im/perch/internal/testkit"
)

// texts are the bodies of messages that a receiver has got.
func texts(r *testkit.WebhookReceiver) (list []string) {
	for _, e := range r.Events() {
		list = append(list, e.Body())
	}
	return list
}

// TestWebhookOverNodes: a receiver that fails, hangs, redirects and dies gets every message, in order, while nodes
// are killed and drained; what comes again has the webhook-id of before.
func TestWebhookOverNodes(t *testing.T) {
	for i, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			k := newWorld(t, i, cluster.Options{Lease: 3 * time.Second, Flags: []string{"--drain-time=5s", "--webhook-allow=127.0.0.0/8"}})
			r := testkit.NewWebhookReceiver(t)
			made := k.alice.Call(t, http.StatusCreated, "PUT", "/v1/webhooks/bot", map[string]any{"url": r.URL, "types": []string{"message.received"}}).JSON(t)
			r.Trust(made.Str("secret"))
			ways := []testkit.WebhookAnswer{{Status: 500}, {Cut: true, Worked: true}, {Status: 307, Header: map[string]string{"Location": r.URL}}, {Cut: true}}
			r.Behave(func(n int, _ *testkit.WebhookCall) testkit.WebhookAnswer {
				if n%2 == 0 {
					return ways[n/2%len(ways)]
				}
				return testkit.WebhookAnswer{}
			})
			var want []string
			burst := func() {
				for range 5 {
					want = append(want, k.say(t))
				}
			}
			arrived := func() {
				t.Helper()
				r.Await(t, "all messages", time.Minute, func() bool { return len(texts(r)) >= len(want) })
			}
			burst()
			arrived()
			hangs := testkit.WebhookAnswer{Hang: true}
			r.Behave(func(int, *testkit.WebhookCall) testkit.WebhookAnswer { return hangs })
			before := len(r.Calls())
			burst()
			r.Await(t, "a call that hangs", time.Minute, func() bool { return len(r.Calls()) > before })
			owner := k.Owner(t, k.Alice)
			owner.Kill9() // with a call under way, and more behind it
			burst()
			next := k.owned(t, k.Others(owner)...)
			r.Behave(nil)
			arrived()
			owner.Start(t)
			r.Down()
			burst()
			next.Term() // while its receiver is down
			next.Drain(t)
			r.Up(t)
			burst()
			arrived()
			if got := texts(r); !slices.Equal(got, want) {
				t.Errorf("got the messages %q, want %q", got, want)
			}
			if problems := r.Problems(); len(problems) > 0 {
				t.Errorf("the receiver: got %s, want nothing that must not be", strings.Join(problems, "\n"))
			}
			if x := k.alice.Get(t, "/v1/webhooks/bot"); x.Str("state") != "active" || x.At("failures") != 0.0 {
				t.Errorf("at the end: got %v, want it active", x)
			}
			k.oneOwnerPerFence(t)
		})
	}
}
