package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch/internal/testkit"
)

// redisOutages is a gateway whose Redis can be taken away, with alice online and bob talking.
type redisOutages struct {
	*redisWorld
	login  login
	link   *testkit.Proxy // to Redis
	stream *testkit.Stream
	sent   []string // by bob, to alice
}

func newRedisOutages(t *testing.T) *redisOutages {
	t.Helper()
	l := loginNamed("prosody X-MESSENGER-OAUTH2")
	k := &redisOutages{redisWorld: newRedisWorld(t, l), login: l}
	k.redis = testkit.Redis(t, testkit.RedisOptions{AppendOnly: true})
	k.keys, k.link = k.redis.Client(t), testkit.NewProxy(t, k.redis.Addr)
	k.o.RedisURL = strings.Replace(k.redis.URL(), k.redis.Addr, k.link.Addr, 1)
	k.start(t)
	k.peer = k.server.SlixmppFor(t, k.bob)
	k.peer.Presence(t, "", "")
	k.api.Token = k.server.IssueToken(t, k.alice.JID)
	k.stream = live(t, k.api, "")
	k.befriend(t, k.stream)
	k.peer.Presence(t, "dnd", "")
	k.stream.Expect(t, "bob busy", k.presence(true, "dnd"))
	k.wantReady(t, http.StatusOK)
	return k
}

// TestRedisInTrouble takes Redis away in several ways, for longer than a lease in some, and
// gives it back.
func TestRedisInTrouble(t *testing.T) {
	for _, c := range []struct {
		name  string
		least time.Duration
		begin func(*testing.T, *redisOutages) (end func())
	}{
		{"down", time.Minute, func(t *testing.T, k *redisOutages) func() {
			k.redis.Kill()
			return func() { k.redis.Start(t) }
		}},
		{"hanging", 10 * time.Second, func(_ *testing.T, k *redisOutages) func() {
			k.redis.Pause()
			return k.redis.Continue
		}},
		{"slow", 0, func(t *testing.T, k *redisOutages) func() {
			return k.link.Toxic(t, "latency", "downstream", map[string]any{"latency": 2500})
		}},
		{"full", 20 * time.Second, func(t *testing.T, k *redisOutages) func() {
			k.config(t, "maxmemory", "1")
			return func() { k.config(t, "maxmemory", "0") }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newRedisOutages(t)
			t.Parallel() // from here on most of it is waiting
			begun := time.Now()
			end := c.begin(t, k)
			k.wantRefused(t)
			k.wantReads(t)
			k.wantReady(t, http.StatusServiceUnavailable)
			k.wantHeldBack(t)
			k.wantRefused(t)
			k.wantReads(t)
			look := time.NewTicker(time.Second)
			defer look.Stop()
			for ; time.Since(begun) < c.least; <-look.C {
				k.wantRefused(t)
				k.wantReads(t)
			}
			end()
			k.wantRecovery(t)
		})
	}
}

func (k *redisOutages) config(t *testing.T, name, value string) {
	t.Helper()
	if err := k.keys.ConfigSet(t.Context(), name, value).Err(); err != nil {
		t.Fatalf("keys.ConfigSet: got error %v, want none", err)
	}
}

// wantRefused sends messages that must not be accepted, with and without a key.
func (k *redisOutages) wantRefused(t *testing.T) {
	t.Helper()
	for i := range 3 {
		body := map[string]string{"to": k.bob.JID, "body": "refused"}
		if i > 0 {
			body["id"] = fmt.Sprintf("refused-%d-%d", len(k.sent), i)
		}
		begun := time.Now()
		wantProblem(t, k.api.Call(t, http.StatusServiceUnavailable, http.MethodPost, "/v1/messages", body), "storage-unavailable")
		if d := time.Since(begun); d > 10*time.Second {
			t.Errorf("refused after %s, want at most %v", d, 10*time.Second)
		}
	}
}

// wantReads shows that the live session answers as if nothing had happened.
func (k *redisOutages) wantReads(t *testing.T) {
	t.Helper()
	if p := k.cached(t); p.Bool("stale") || p.Str("show") != "dnd" {
		t.Errorf("presence %v, want stale false and show %q", p, "dnd")
	}
	if b := k.api.Get(t, "/v1/buddies").Find("items", "jid", k.bob.JID); b.Str("subscription") != "both" {
		t.Errorf("buddy %v, want subscription %q", b, "both")
	}
	if s := k.api.Get(t, "/v1/session"); s.Str("state") != "online" {
		t.Errorf("session %v, want state %q", s, "online")
	}
}

func (k *redisOutages) wantReady(t *testing.T, want int) {
	t.Helper()
	testkit.Eventually(t, 15*time.Second, func() error {
		res, err := http.Get("http://" + k.admin + "/readyz")
		if err != nil {
			return err
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != want {
			return fmt.Errorf("/readyz: %d %s, want %d", res.StatusCode, text, want)
		}
		return nil
	})
	http.DefaultClient.CloseIdleConnections()
}

// wantHeldBack lets bob talk until the gateway stops listening, with nothing shown of it.
func (k *redisOutages) wantHeldBack(t *testing.T) {
	t.Helper()
	k.say(t, 280)
	heard := ""
	for still, rounds := 0, 0; still < 4 && rounds < 30; rounds++ { // on a busy machine it may only be slow
		now := k.api.Get(t, "/v1/session").Str("last_stanza_at")
		if still++; now != heard {
			heard, still = now, 0
		}
		k.say(t, 10)
	}
	if k.say(t, 10); k.api.Get(t, "/v1/session").Str("last_stanza_at") != heard {
		t.Errorf("after %d messages that cannot be committed the gateway takes more, want last_stanza_at %v", len(k.sent), heard)
	}
	for _, f := range k.stream.Frames() {
		if strings.HasPrefix(f.Type, "message.") {
			t.Errorf("got a frame that was published and not committed, want none: %s", f.Raw)
		}
	}
}

// say lets bob send n messages, and returns when the server has them all.
func (k *redisOutages) say(t *testing.T, n int) {
	t.Helper()
	for range n {
		body := fmt.Sprint("number ", len(k.sent))
		k.sent = append(k.sent, body)
		k.peer.Message(t, k.alice.JID, body)
	}
	mark := fmt.Sprint("that was number ", len(k.sent))
	k.peer.Message(t, k.peer.JID, mark)
	k.peer.ExpectMessage(t, k.bob.JID, mark)
}

// wantRecovery waits until everything is as before, and looks for what was held back.
func (k *redisOutages) wantRecovery(t *testing.T) {
	t.Helper()
	k.accepted(t, "after the trouble")
	k.wantReady(t, http.StatusOK)
	k.peer.ExpectMessage(t, k.alice.JID, "after the trouble")
	for _, e := range k.peer.Discard() {
		if e.Body == "refused" {
			t.Errorf("bob got what was not accepted: %+v: got %q, want anything but %q", e, e.Body, "refused")
		}
	}
	testkit.Eventually(t, 10*time.Second, func() error {
		if got := k.logged(t); !slices.Equal(got, k.sent) {
			return fmt.Errorf("%d messages in the log, %d were sent: %q", len(got), len(k.sent), got)
		}
		return nil
	})
	k.peer.Presence(t, "xa", "")
	k.wantContact(t, "presence", k.bob.JID, `"show":"xa"`)
	k.wantLogins(t, 1)
}

// accepted sends a message as often as it takes.
func (k *redisOutages) accepted(t *testing.T, body string) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, func() error {
		a, err := k.api.Do(t.Context(), http.MethodPost, "/v1/messages", map[string]string{"id": strings.ReplaceAll(body, " ", "-"), "to": k.bob.JID, "body": body})
		if err == nil && a.Status != http.StatusAccepted {
			err = fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return err
	})
}

// logged is what the log in Redis has from bob.
func (k *redisOutages) logged(t *testing.T) (bodies []string) {
	t.Helper()
	keys, err := k.keys.Keys(t.Context(), "perch:{*}:log").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("logs %q: %v, want no error and 1", keys, err)
	}
	entries, err := k.keys.LRange(t.Context(), keys[0], 0, -1).Result()
	if err != nil {
		t.Fatalf("keys.LRange: got error %v, want none", err)
	}
	for _, e := range entries {
		var f testkit.Frame
		_, wire, _ := strings.Cut(e, "{")
		wire = "{" + wire
		if err := json.Unmarshal([]byte(wire), &f); err != nil {
			t.Fatalf("%v in %q, want no error", err, wire)
		}
		if f.Type == "message.received" {
			bodies = append(bodies, f.Data.Str("body"))
		}
	}
	return bodies
}

// TestRedisIsFlushed empties Redis under a live session: it writes everything again, says
// plainly that the cursor is void, and outlives the next restart.
func TestRedisIsFlushed(t *testing.T) {
	k := newRedisOutages(t)
	k.say(t, 1)
	k.stream.Expect(t, "message", message("message.received", k.sent[0]))
	cursor := k.stream.Last()
	if err := k.keys.FlushAll(t.Context()).Err(); err != nil {
		t.Fatalf("keys.FlushAll: got error %v, want none", err)
	}
	k.wantReads(t)
	k.accepted(t, "after the flood")
	k.peer.ExpectMessage(t, k.alice.JID, "after the flood")
	k.wantReady(t, http.StatusOK)
	k.wantContact(t, "roster", k.bob.JID, `"subscription":"both"`)
	k.wantContact(t, "presence", k.bob.JID, `"show":"dnd"`)

	again := k.api.Stream(t, cursor)
	hello := again.ExpectType(t, "hello")
	if hello.Data.Bool("resumed") || hello.Data.Str("reset_reason") == "" {
		t.Errorf("a cursor of the lost log: %s, want resumed false and some text", hello.Raw)
	}
	again.ExpectType(t, "live")
	k.say(t, 1)
	again.Expect(t, "message", message("message.received", k.sent[1]))
	next := again.Last()
	again.Close()

	k.end(t)
	k.proxy.Down()
	k.start(t)
	k.wantStale(t)
	resumed := k.api.Stream(t, next)
	if hello := resumed.ExpectType(t, "hello"); !hello.Data.Bool("resumed") {
		t.Errorf("a cursor of the new log: %s, want resumed true", hello.Raw)
	}
	if state := k.stateOf(t); !strings.HasPrefix(next, state["epoch"]+"-") {
		t.Errorf("cursor %s of the epoch %s, want %q at its beginning", next, state["epoch"], state["epoch"]+"-")
	}
}

func (k *redisOutages) stateOf(t *testing.T) map[string]string {
	t.Helper()
	keys, err := k.keys.Keys(t.Context(), "perch:{*}:state").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("states %q: %v, want no error and 1", keys, err)
	}
	state, err := k.keys.HGetAll(t.Context(), keys[0]).Result()
	if err != nil && err != redis.Nil {
		t.Fatalf("got %v, want %v", err, redis.Nil)
	}
	return state
}
