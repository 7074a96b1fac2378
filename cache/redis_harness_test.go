package cache_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/cache/storetest"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

// world is one Redis that the cases of a suite share, one after the other.
type world struct {
	url     string
	addr    string // to proxy; "": no proxy
	client  redis.UniversalClient
	advance func(t testing.TB, d time.Duration) // for what ends by itself
	plant   []string
	another func(t testing.TB) // makes the server another one; nil: DEBUG CHANGE-REPL-ID
	copies  bool               // what it has can be copied
}

// mini is Redis in this process. It reports of itself what the checks at the start require.
func mini(t testing.TB) *world {
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		t.Fatalf("m.Start: got error %v, want none", err)
	}
	t.Cleanup(m.Close)
	var starts atomic.Int64
	m.Server().SetPreHook(func(c *server.Peer, cmd string, args ...string) bool {
		switch {
		case cmd == "INFO" && strings.EqualFold(args[0], "server"):
			c.WriteBulk(fmt.Sprintf("# Server\r\nredis_version:7.2.4\r\nrun_id:%016x\r\nmaster_replid:aa\r\n", starts.Load()))
		case cmd == "INFO" && strings.EqualFold(args[0], "memory"):
			c.WriteBulk("# Memory\r\nmaxmemory_policy:noeviction\r\n")
		default:
			return false
		}
		return true
	})
	client := redis.NewClient(&redis.Options{Addr: m.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	w := &world{url: "redis://" + m.Addr(), addr: m.Addr(), client: client}
	w.another = func(testing.TB) { starts.Add(1) }
	w.advance = func(t testing.TB, d time.Duration) {
		w.age(t, d)
		m.FastForward(d)
	}
	return w
}

// real is a redis-server. Nothing moves its clock, so what has an end is moved nearer.
func realRedis(t testing.TB) *world {
	s := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: s.URL(), addr: s.Addr, client: s.Client(t), copies: true}
	w.advance = w.shorten
	return w
}

// sentinel is a master that is found by asking Sentinels.
func sentinel(t testing.TB) *world {
	s := testkit.Sentinel(t)
	w := &world{url: s.URL(), client: s.Master.Client(t), copies: true}
	w.advance = w.shorten
	return w
}

func cluster(t testing.TB) *world {
	c := testkit.Cluster(t)
	var addrs []string
	for _, n := range c.Nodes {
		addrs = append(addrs, n.Addr)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	t.Cleanup(func() { _ = client.Close() })
	w := &world{url: c.URL(), client: client, copies: true}
	w.advance = w.shorten
	return w
}

func (w *world) shorten(t testing.TB, d time.Duration) {
	ctx := context.Background()
	w.age(t, d)
	for _, key := range w.keys(t) {
		left, err := w.client.PTTL(ctx, key).Result()
		switch {
		case err != nil:
			t.Fatalf("PTTL: got error %v, want none", err)
		case left <= 0:
		case left <= d:
			err = w.client.Del(ctx, key).Err()
		default:
			err = w.client.PExpire(ctx, key, left-d).Err()
		}
		if err != nil {
			t.Fatalf("PEXPIRE: got error %v, want none", err)
		}
	}
}

// age moves what nodes keep by the clock of Redis into the past.
func (w *world) age(t testing.TB, d time.Duration) {
	ctx := context.Background()
	for _, part := range []string{"beats", "dead", "released"} {
		key := "perch:{nodes}:" + part
		all, err := w.client.ZRangeWithScores(ctx, key, 0, -1).Result()
		for i := range all {
			all[i].Score -= float64(d.Milliseconds())
		}
		if err == nil && len(all) > 0 {
			err = w.client.ZAdd(ctx, key, all...).Err()
		}
		if err != nil {
			t.Fatalf("%s: got error %v, want none", key, err)
		}
	}
}

// each calls f for every server that holds keys.
func (w *world) each(t testing.TB, f func(context.Context, redis.Cmdable) error) {
	ctx := context.Background()
	var err error
	if c, ok := w.client.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return f(ctx, c) })
	} else {
		err = f(ctx, w.client)
	}
	if err != nil {
		t.Fatalf("asking every server: got error %v, want none", err)
	}
}

func (w *world) keys(t testing.TB) []string {
	all := make(chan []string, 16)
	w.each(t, func(ctx context.Context, c redis.Cmdable) error {
		keys, err := c.Keys(ctx, "*").Result()
		all <- keys
		return err
	})
	close(all)
	var keys []string
	for k := range all {
		keys = append(keys, k...)
	}
	return keys
}

// endless lists the keys without a TTL.
func (w *world) endless(t testing.TB) []string {
	var bad []string
	for _, key := range w.keys(t) {
		if ttl, err := w.client.PTTL(context.Background(), key).Result(); err != nil || ttl == -1 {
			bad = append(bad, key)
		}
	}
	return bad
}

// restart makes every server another one, with the data that it has.
func (w *world) restart(t testing.TB) {
	if w.another != nil {
		w.another(t)
		return
	}
	w.each(t, func(ctx context.Context, c redis.Cmdable) error {
		return c.(redis.UniversalClient).Do(ctx, "DEBUG", "CHANGE-REPL-ID").Err()
	})
}

func (w *world) harness(t testing.TB) storetest.Harness {
	w.each(t, func(ctx context.Context, c redis.Cmdable) error { return c.FlushAll(ctx).Err() })
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	open := func(url string, plant []string, trace func(string, int)) *cache.Redis {
		r := w.open(t, cache.RedisOptions{URL: url, Retention: storetest.Keep, RetryFor: 30 * time.Second,
			Trace: func(_ context.Context, op string, n int) func(error) {
				return func(err error) {
					if err == nil {
						trace(op, n)
					}
				}
			}})
		r.SetNow(now)
		r.Plant(t, plant...)
		return r
	}
	url, h := w.url, storetest.Harness{}
	if w.addr != "" {
		p := testkit.NewProxy(t, w.addr)
		url = strings.Replace(w.url, w.addr, p.Addr, 1)
		h.LoseAnswers = func() func() {
			// What the server says next is cut off, and so is the connection.
			return p.Toxic(t, "limit_data", "downstream", map[string]any{"bytes": 0})
		}
	}
	var mu sync.Mutex
	proved := 0
	h.Store = open(url, w.plant, func(op string, n int) {
		mu.Lock()
		defer mu.Unlock()
		if op == "prove" {
			proved += n
		}
	})
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return proved
	}
	h.Restart = func() {
		mu.Lock()
		proved = 0
		mu.Unlock()
		w.restart(t)
	}
	h.Proved = func(n int) { eventually(t, "a proof", func() bool { return count() >= n }) }
	if w.copies {
		h.Snapshot = func() func() {
			restore := w.snapshot(t)
			return func() { restore(); h.Restart() }
		}
	}
	h.Reopen = func() sessions.Store { return open(w.url, w.plant, func(string, int) {}) }
	h.Endless = func() []string { return w.endless(t) }
	h.Advance = func(d time.Duration) {
		ahead.Add(int64(d))
		w.advance(t, d)
	}
	return h
}

// open makes a store that ends with the test.
func (w *world) open(t testing.TB, o cache.RedisOptions) *cache.Redis {
	t.Helper()
	if o.URL == "" {
		o.URL = w.url
	}
	if o.Logger == nil {
		o.Logger = canary.Logger()
	}
	r, err := cache.NewRedis(context.Background(), o)
	if err != nil {
		t.Fatalf("NewRedis: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Errorf("Close: got error %v, want none", err)
		}
	})
	return r
}
