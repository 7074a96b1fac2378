package app_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
)

// blockWorld has alice behind the gateway and as a foreign client, and bob, whom she blocks.
type blockWorld struct {
	*world
	t      *testing.T
	stream *testkit.Stream
	device *testkit.Peer // of alice
	path   string        // of bob's entry
}

// inBlocking runs a test on each server, with what is kept in memory and in Redis.
func inBlocking(t *testing.T, f func(b *blockWorld)) {
	for _, l := range roomLogins() {
		for name, store := range map[string]func(*app.Options){
			"memory": func(*app.Options) {},
			"redis": func(o *app.Options) {
				o.RedisURL, o.Node, o.DrainTime = testkit.Redis(t, testkit.RedisOptions{}).URL(), "kept", time.Second
			},
		} {
			t.Run(l.name+" "+name, func(t *testing.T) {
				w := newWorld(t, l, l.server(t), store)
				b := &blockWorld{world: w, t: t, stream: live(t, w.api, ""), path: "/v1/blocked/" + testkit.Escape(w.bob.JID)}
				w.befriend(t, b.stream)
				b.device = w.server.SlixmppFor(t, w.alice)
				b.device.Presence(t, "", "")
				if list := b.device.Blocked(t); len(list) != 0 {
					t.Errorf("the other device has %q on the list, want nobody", list)
				}
				f(b)
			})
		}
	}
}

// changed waits for the event of a change by one entry.
func (b *blockWorld) changed(list string) {
	b.t.Helper()
	b.stream.Expect(b.t, list, func(f testkit.Frame) bool {
		return f.Type == "blocked.changed" && slices.Contains(f.Data.Strings(list), b.bob.JID)
	})
}

// lists compares the block list.
func (b *blockWorld) lists(want ...string) {
	b.t.Helper()
	v := b.api.Get(b.t, "/v1/blocked")
	var got []string
	for _, item := range v.List("items") {
		got = append(got, item.Str("jid"))
	}
	if !slices.Equal(got, want) || !v.Bool("complete") {
		b.t.Errorf("the list is %v, complete %v; want %v, complete", got, v.Bool("complete"), want)
	}
}

// TestBlocking: what is blocked here, or on another device, is blocked on both, looks offline, is not
// written to, and comes back.
func TestBlocking(t *testing.T) {
	inBlocking(t, func(b *blockWorld) {
		t := b.t
		if f := b.api.Get(t, "/v1/session").Strings("features"); !slices.Contains(f, "blocking") {
			t.Errorf("features are %q, want blocking among them", f)
		}
		b.lists()
		wantProblem(t, b.api.Call(t, http.StatusNotFound, http.MethodGet, b.path, nil), "item-not-found")

		b.api.Call(t, http.StatusNoContent, http.MethodPut, b.path, nil)
		b.device.ExpectBlock(t, "block", b.bob.JID)
		b.stream.Expect(t, "bob offline", b.presence(false, ""))
		b.changed("added")
		b.lists(b.bob.JID)
		b.api.Call(t, http.StatusNoContent, http.MethodPut, b.path, nil) // again

		wantProblem(t, b.api.Call(t, http.StatusForbidden, http.MethodPost, "/v1/messages", map[string]any{"to": b.bob.JID, "body": "x"}), "blocked")
		wantProblem(t, b.api.Call(t, http.StatusForbidden, http.MethodPut, "/v1/chat-states/"+testkit.Escape(b.bob.JID), map[string]any{"state": "composing"}), "blocked")
		b.peer.Presence(t, "dnd", "")
		b.peer.Message(t, b.alice.JID, "unheard")
		b.peer.Expect(t, "a bounce", func(e testkit.PeerEvent) bool {
			return e.Event == "message" && e.Type == "error" && e.Error == "service-unavailable"
		})
		if p := b.cached(t); p.Bool("available") {
			t.Errorf("bob is %v, want him offline", p)
		}

		b.api.Call(t, http.StatusNoContent, http.MethodDelete, b.path, nil)
		b.device.ExpectBlock(t, "unblock", b.bob.JID)
		b.changed("removed")
		b.stream.Expect(t, "bob as he is now", b.presence(true, "dnd"))
		b.lists()

		b.device.Block(t, b.bob.JID)
		b.stream.Expect(t, "bob offline", b.presence(false, ""))
		b.changed("added")
		b.lists(b.bob.JID)
		b.device.Unblock(t, b.bob.JID)
		b.changed("removed")
		b.stream.Expect(t, "bob as he is now", b.presence(true, "dnd"))
		b.peer.Message(t, b.alice.JID, "heard")
		b.stream.Expect(t, "a message", message("message.received", "heard"))
	})
}

// TestBlockingReports: a report goes along with a block, of what is blocked already, too, and all are
// unblocked at once.
func TestBlockingReports(t *testing.T) {
	inBlocking(t, func(b *blockWorld) {
		t := b.t
		b.peer.Message(t, b.alice.JID, "buy")
		m := b.stream.Expect(t, "spam", message("message.received", "buy")).Data
		if m.Str("stanza_id") == "" {
			t.Fatalf("got %v, want a message with a stanza_id", m)
		}
		report := map[string]any{"report": map[string]any{"reason": "spam", "text": "buy <now> & here", "stanza_ids": []string{m.Str("stanza_id")}}}
		for range 2 {
			b.api.Call(t, http.StatusNoContent, http.MethodPut, b.path, report)
		}
		for _, jid := range []string{"evil.example", b.bob.JID + "/phone"} {
			b.api.Call(t, http.StatusNoContent, http.MethodPut, "/v1/blocked/"+testkit.Escape(jid), nil)
		}
		b.lists(b.bob.JID, b.bob.JID+"/phone", "evil.example")
		if list := b.device.Blocked(t); len(list) != 3 {
			t.Errorf("the other device has %q on the list, want three entries", list)
		}
		wantProblem(t, b.api.Call(t, http.StatusUnprocessableEntity, http.MethodDelete, "/v1/blocked", nil), "validation")
		b.api.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/blocked?all=1", nil)
		b.stream.Expect(t, "all unblocked", func(f testkit.Frame) bool {
			return f.Type == "blocked.changed" && !f.Data.Bool("all") && f.Data.At("all") != nil
		})
		b.stream.Expect(t, "bob", b.presence(true, ""))
		b.lists()
		if list := b.device.Blocked(t); len(list) != 0 {
			t.Errorf("the other device has %q on the list, want nobody", list)
		}
	})
}
