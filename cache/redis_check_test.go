package cache_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

// refusal is what NewRedis says to a server that it must not use.
func refusal(t *testing.T, url string) string {
	t.Helper()
	r, err := cache.NewRedis(t.Context(), cache.RedisOptions{URL: url, Timeout: time.Second, RetryFor: time.Second, Logger: canary.Logger()})
	if err == nil {
		_ = r.Close(t.Context())
		t.Fatal("NewRedis takes it, want an error")
	}
	return err.Error()
}

func TestRedisVersion(t *testing.T) {
	for version, ok := range map[string]bool{"6.2.14": false, "7.0.0": true, "10.1": true, "": false, "x": false} {
		m := miniredis.RunT(t)
		m.Server().SetPreHook(func(c *server.Peer, cmd string, args ...string) bool {
			if cmd == "INFO" {
				c.WriteBulk("redis_version:" + version + "\r\nrun_id:aa\r\nmaster_replid:bb\r\nmaxmemory_policy:noeviction\r\n")
			}
			return cmd == "INFO"
		})
		if ok {
			(&world{}).open(t, cache.RedisOptions{URL: "redis://" + m.Addr()})
		} else if s := refusal(t, "redis://"+m.Addr()); !strings.Contains(s, "too old") {
			t.Errorf("%q: %s, want %q in it", version, s, "too old")
		}
	}
}

func TestRedisMayNotEvict(t *testing.T) {
	s := testkit.Redis(t, testkit.RedisOptions{})
	admin := s.Client(t)
	set := func(policy string) {
		if err := admin.ConfigSet(t.Context(), "maxmemory-policy", policy).Err(); err != nil {
			t.Fatalf("admin.ConfigSet: got error %v, want none", err)
		}
	}
	// A user who may not ask CONFIG: INFO says the same.
	user(t, admin, "shy", "~* +@all -config")
	shy := "redis://shy:pw@" + s.Addr
	for _, url := range []string{s.URL(), shy} {
		set("allkeys-lru")
		if text := refusal(t, url); !strings.Contains(text, "noeviction") || !strings.Contains(text, "allkeys-lru") {
			t.Errorf("got %s, want %q in it and %q in it", text, "noeviction", "allkeys-lru")
		}
		set("noeviction")
		(&world{}).open(t, cache.RedisOptions{URL: url})
	}
}

func user(t *testing.T, admin *redis.Client, name, rules string) {
	t.Helper()
	args := []any{"ACL", "SETUSER", name, "reset", "on", ">pw"}
	for rule := range strings.FieldsSeq(rules) {
		args = append(args, rule)
	}
	if err := admin.Do(t.Context(), args...).Err(); err != nil {
		t.Fatalf("admin.Do: got error %v, want none", err)
	}
}

func TestRedisMustTakeWrites(t *testing.T) {
	master := testkit.Redis(t, testkit.RedisOptions{})
	replica := testkit.Redis(t, testkit.RedisOptions{})
	host, port, _ := strings.Cut(master.Addr, ":")
	if err := replica.Client(t).ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatalf("ReplicaOf: got error %v, want none", err)
	}
	eventually(t, "the replica is in step", func() bool {
		info, err := replica.Client(t).Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	if s := refusal(t, replica.URL()); !strings.Contains(s, "read-only replica") {
		t.Errorf("a replica: %s, want %q in it", s, "read-only replica")
	}
	admin := master.Client(t)
	for name, rules := range map[string]string{
		"reader":   "~* +@all -@write",
		"foreign":  "~other:* +@all",
		"norpush":  "~* +@all -rpush",
		"notime":   "~* +@all -time",
		"nozscore": "~* +@all -zscore",
	} {
		user(t, admin, name, rules)
		if s := refusal(t, "redis://"+name+":pw@"+master.Addr); !strings.Contains(s, "docs/redis.md") {
			t.Errorf("%s: got %s, want %q in it", name, s, "docs/redis.md")
		}
	}
	if s := refusal(t, "redis://reader:wrong@"+master.Addr); !strings.Contains(s, "PING") {
		t.Errorf("a wrong password: %s, want %q in it", s, "PING")
	}
	full := testkit.Redis(t, testkit.RedisOptions{MaxMemory: "1kb"})
	if s := refusal(t, full.URL()); !strings.Contains(s, "out of memory") {
		t.Errorf("a full server: %s, want %q in it", s, "out of memory")
	}
	killed := testkit.Redis(t, testkit.RedisOptions{})
	killed.Kill()
	if s := refusal(t, killed.URL()); !strings.Contains(s, "no answer") {
		t.Errorf("no server: %s, want %q in it", s, "no answer")
	}
	if keys := (&world{client: admin}).keys(t); strings.Join(keys, " ") != "perch:probe" && len(keys) > 0 {
		t.Errorf("the checks left %q, want nothing but perch:probe", keys)
	}
}

// The ACL line of docs/redis.md is enough, and no more than what it says.
func TestRedisACLOfTheDocs(t *testing.T) {
	s := testkit.Redis(t, testkit.RedisOptions{})
	user(t, s.Client(t), "perch", aclOfTheDocs(t))
	w := &world{url: "redis://perch:pw@" + s.Addr, client: s.Client(t)}
	w.advance = w.shorten
	r := w.open(t, cache.RedisOptions{})
	o := own(t, r, "a1")
	o.ok(&sessions.Commit{
		Events: o.event(1, "1"), Record: &sessions.Record{}, Once: &sessions.Once{Key: "k"},
		VCards: sessions.Delta[perch.VCard]{Reset: true, Del: []string{"a@x"}, Put: []*perch.VCard{{JID: "b@x"}}},
	})
	if _, err := r.Bind(t.Context(), "t1", sessions.Binding{ID: "a1"}); err != nil {
		t.Errorf("Bind: got error %v, want none", err)
	}
	if _, err := r.Lookup(t.Context(), "t1"); err != nil {
		t.Errorf("Lookup: got error %v, want none", err)
	}
	if all, err := r.Bindings(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("Bindings: %v, %v, want no error and 1", all, err)
	}
	if _, err := r.VCard(t.Context(), "a1", "b@x"); err != nil {
		t.Errorf("VCard: got error %v, want none", err)
	}
	if _, err := r.Message(t.Context(), "a1", "m"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("Message: %v, want an error of the kind %v", err, perch.KindNotFound)
	}
	if err := s.Client(t).ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatalf("ScriptFlush: got error %v, want none", err)
	}
	o.ok(&sessions.Commit{Events: o.event(2, "2")})
	if all, err := r.BindingsOf(t.Context(), "a1"); err != nil || len(all) != 1 {
		t.Errorf("BindingsOf: %v, %v, want no error and 1", all, err)
	}
	if err := r.Unbind(t.Context(), "t1"); err != nil {
		t.Errorf("Unbind: got error %v, want none", err)
	}
	asNodes(t, r, o)
	if err := r.Forget(t.Context(), "a1"); err != nil {
		t.Errorf("Forget: got error %v, want none", err)
	}
	// What the user is denied shows in the server's own log of denials.
	denied, err := s.Client(t).Do(context.Background(), "ACL", "LOG").Slice()
	if err != nil {
		t.Fatalf("Do: got error %v, want none", err)
	}
	for _, d := range denied {
		if !strings.Contains(strings.ToLower(textOf(d)), "config") { // asked for politely
			t.Errorf("denied: %v, want %q in it", d, "config")
		}
	}
}

// asNodes does what only several nodes do: hand a session over, and a ticket.
func asNodes(t *testing.T, r *cache.Redis, o *owner) {
	t.Helper()
	o.ok(&sessions.Commit{Release: true})
	beat(t, r, "a/1")
	if membership := beat(t, r, "a/2"); len(membership.Released) != 1 || len(membership.Dead) != 1 {
		t.Errorf("Beat: %+v, want 1", membership)
	}
	if err := r.Leave(t.Context(), "a/2"); err != nil {
		t.Errorf("Leave: got error %v, want none", err)
	}
	if _, err := r.Open(t.Context(), o.id, sessions.OpenOptions{Owner: "b/1"}); err != nil {
		t.Errorf("Open: got error %v, want none", err)
	}
	if owners, err := r.Owners(t.Context(), []sessions.ID{o.id}); err != nil || owners[o.id] != "b/1" {
		t.Errorf("Owners: %v, %v, want no error and %q", owners, err, "b/1")
	}
	k := sessions.Ticket{Session: o.id, Expires: perch.At(time.Now().Add(time.Minute))}
	if err := r.PutTicket(t.Context(), "h", k, time.Minute); err != nil {
		t.Errorf("PutTicket: got error %v, want none", err)
	}
	if _, err := r.TakeTicket(t.Context(), "h"); err != nil {
		t.Errorf("TakeTicket: got error %v, want none", err)
	}
}

func textOf(v any) string {
	var b strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[any]any:
			for k, e := range v {
				walk(k)
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case string:
			b.WriteString(v + " ")
		}
	}
	walk(v)
	return b.String()
}

func TestRedisObserver(t *testing.T) {
	type round struct {
		op  string
		err error
	}
	seen := make(chan round, 100)
	s := mini(t).open(t, cache.RedisOptions{Observer: func(op string, d time.Duration, err error) {
		if d < 0 {
			t.Errorf("%s took %v, want at least 0", op, d)
		}
		seen <- round{op, err}
	}})
	for len(seen) > 0 {
		<-seen // the checks
	}
	o := own(t, s, "a1")
	o.ok(&sessions.Commit{})
	o.tip(0)
	_, _ = s.Lookup(t.Context(), "t1")
	_, _ = s.Message(t.Context(), "a1", "nosuch")
	_, _ = s.Owners(t.Context(), []sessions.ID{"a1"})
	beat(t, s, "a/1")
	o.ok(&sessions.Commit{Release: true})
	_, _ = s.TakeTicket(t.Context(), "nosuch")
	_ = s.Leave(t.Context(), "a/1")
	for _, want := range []string{"open", "commit", "log", "lookup", "message", "owners", "format", "format", "beat", "commit", "released", "ticket", "leave"} {
		// That there is no such key is an answer.
		if got := <-seen; got.op != want || got.err != nil {
			t.Errorf("round trip %q (%v), want %q", got.op, got.err, want)
		}
	}
}
