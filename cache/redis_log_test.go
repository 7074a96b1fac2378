package cache_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

// streamed makes the log of a1 a stream again, as versions before this one kept it.
func (w *world) streamed(t *testing.T) {
	t.Helper()
	const key = "perch:{a1}:log"
	life := w.client.PTTL(t.Context(), key).Val()
	entries, err := w.client.LRange(t.Context(), key, 0, -1).Result()
	if err != nil {
		t.Fatalf("LRange: got error %v, want none", err)
	}
	tip, err := w.client.HGet(t.Context(), "perch:{a1}:state", "tip").Int()
	if err != nil {
		t.Fatalf("HGet: got error %v, want none", err)
	}
	if err := w.client.Del(t.Context(), key).Err(); err != nil {
		t.Fatalf("Del: got error %v, want none", err)
	}
	for i, e := range entries {
		p := strings.SplitN(e, " ", 4)
		id := fmt.Sprintf("%d-1", tip-len(entries)+1+i)
		if err := w.client.XAdd(t.Context(), &redis.XAddArgs{Stream: key, ID: id, Values: []any{"t", p[0], "e", p[1], "y", p[2], "w", p[3]}}).Err(); err != nil {
			t.Fatalf("XAdd: got error %v, want none", err)
		}
	}
	if err := w.client.PExpire(t.Context(), key, life).Err(); err != nil {
		t.Fatalf("PExpire: got error %v, want none", err)
	}
}

// TestRedisOldLog: a log that an earlier version kept as a stream goes on where it was, with all
// its events and its end, under the ACL of the guide.
func TestRedisOldLog(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{})
	user(t, server.Client(t), "perch", aclOfTheDocs(t))
	w := &world{url: "redis://perch:pw@" + server.Addr, client: server.Client(t)}
	s := w.open(t, cache.RedisOptions{Retention: sessions.Retention{Events: 200}})
	o := own(t, s, "a1")
	for i := range uint64(250) {
		o.ok(&sessions.Commit{Events: o.event(i+1, fmt.Sprint("text with spaces ", i))})
	}
	log := func() sessions.LogPage {
		p, err := s.Log(t.Context(), "a1", 0, 1000)
		if err != nil {
			t.Fatalf("Log: got error %v, want none", err)
		}
		return p
	}
	want := log()
	w.streamed(t)
	held := w.client.PTTL(t.Context(), "perch:{a1}:log").Val()
	next := own(t, s, "a1")
	if got := log(); next.Epoch != o.Epoch || next.Stale || got.First != 51 || got.Tip != 250 || !slices.EqualFunc(got.Events, want.Events, sameEvent) {
		t.Errorf("got epoch %s, stale %v, %d to %d; want %s with 51 to 250, as they were", next.Epoch, next.Stale, got.First, got.Tip, o.Epoch)
	}
	if kind, life := w.client.Type(t.Context(), "perch:{a1}:log").Val(), w.client.PTTL(t.Context(), "perch:{a1}:log").Val(); kind != "list" || life <= 0 || life > held || held-life > time.Minute {
		t.Errorf("got a %s that ends in %v, want a list that ends in %v", kind, life, held)
	}
	next.ok(&sessions.Commit{Events: next.event(251, "one more")})
	if got := log(); got.First != 52 || got.Tip != 251 || len(got.Events) != 200 {
		t.Errorf("after one more: got %d events from %d to %d, want 200 from 52 to 251", len(got.Events), got.First, got.Tip)
	}
}

func sameEvent(a, b *perch.Event) bool {
	return a.Position == b.Position && a.Time == b.Time && a.Type == b.Type && string(a.Wire) == string(b.Wire)
}

// TestRedisOldLogIsDoubted: where a log of an earlier version cannot be continued, the time of its
// last event is known, and a node that does not get the session leaves it as it is.
func TestRedisOldLogIsDoubted(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	before := perch.At(time.Now())
	saved, err := s.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "a/1"})
	if err != nil {
		t.Fatalf("Open: got error %v, want none", err)
	}
	o := &owner{saved, t, s, "a1"}
	o.ok(&sessions.Commit{Events: o.event(1, "1")})
	w.streamed(t)
	other := w.open(t, cache.RedisOptions{})
	if _, err := other.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "b/1"}); err == nil {
		t.Error("Open of a session that another node has: got none, want an error")
	}
	if kind := w.client.Type(t.Context(), "perch:{a1}:log").Val(); kind != "stream" {
		t.Errorf("got a %s in a session that another node has, want the stream as it was", kind)
	}
	if err := w.client.HSet(t.Context(), "perch:{a1}:state", "server", "another").Err(); err != nil {
		t.Fatalf("HSet: got error %v, want none", err)
	}
	cold, err := other.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "b/1", TakeoverFrom: "a/1"})
	if err != nil {
		t.Fatalf("Open: got error %v, want none", err)
	}
	if !cold.Stale || cold.Epoch == saved.Epoch || cold.StaleSince < before || cold.StaleSince > perch.At(time.Now()) {
		t.Errorf("got stale %v since %v in epoch %s; want a new log, and the time of the last event", cold.Stale, cold.StaleSince, cold.Epoch)
	}
}
