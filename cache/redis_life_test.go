package cache_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

func TestRedisStateExpiryIsExtended(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{StateTTL: 48 * time.Hour})
	o := own(t, s, "a1")
	o.ok(&sessions.Commit{Contacts: contacts.Change{Whole: true, Table: named("a@x")}})
	if _, err := s.Bind(t.Context(), "t1", sessions.Binding{ID: "a1", Minted: true}); err != nil {
		t.Fatalf("s.Bind: got error %v, want none", err)
	}
	left := func(key string) time.Duration {
		d, err := w.client.PTTL(t.Context(), key).Result()
		if err != nil {
			t.Fatalf("client.PTTL: got error %v, want none", err)
		}
		return d
	}
	w.shorten(t, 47*time.Hour)
	o.ok(&sessions.Commit{Record: &sessions.Record{JID: "me@x"}}) // a write keeps all of it
	for _, key := range []string{"perch:{a1}:state", "perch:{a1}:roster", "perch:{a1}:tokens", "perch:{a1}:minted", "perch:token:t1", "perch:tokens"} {
		eventually(t, key+" lives on", func() bool { return left(key) > 47*time.Hour })
	}
	w.shorten(t, 49*time.Hour)
	if keys := w.keys(t); len(keys) > 0 {
		t.Errorf("%q outlive the session, want none", keys)
	}
	if _, err := s.Lookup(t.Context(), "t1"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("the token outlives the session: %v, want an error of the kind %v", err, perch.KindNotFound)
	}
	if r := o.commit(&sessions.Commit{Record: &sessions.Record{}}); !errors.Is(r.Err, sessions.ErrLost) {
		t.Errorf("a commit to an ended session gave %v, want %v", r.Err, sessions.ErrLost)
	}
}

// Values that are not where they belong are refused, not shown to another user.
func TestRedisRefusesForeignRecords(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	a, b := own(t, s, "a1"), own(t, s, "a2")
	a.ok(&sessions.Commit{Messages: []*perch.MessageRecord{{ID: "m"}}, Once: &sessions.Once{Key: "k"}})
	b.ok(&sessions.Commit{Messages: []*perch.MessageRecord{{ID: "m"}}, Once: &sessions.Once{Key: "k"}})
	for _, part := range []string{"state", "message:m", "once:k"} {
		if err := w.client.Copy(t.Context(), "perch:{a1}:"+part, "perch:{a2}:"+part, 0, true).Err(); err != nil {
			t.Fatalf("client.Copy: got error %v, want none", err)
		}
		if part == "message:m" {
			if m, err := s.Message(t.Context(), "a2", "m"); err == nil {
				t.Errorf("a2 sees the message of a1: %v, want an error", m)
			}
		}
		if part == "state" {
			for what, err := range map[string]error{
				"Log":    second(s.Log(t.Context(), "a2", 0, 1)),
				"Open":   second(s.Open(t.Context(), "a2", sessions.OpenOptions{})),
				"Commit": b.commit(&sessions.Commit{Record: &sessions.Record{}}).Err,
			} {
				if err == nil {
					t.Errorf("%s uses the state of another session, want an error", what)
				}
			}
		}
	}
	var reply redis.Error
	if _, err := s.Open(t.Context(), "a2", sessions.OpenOptions{}); !errors.As(err, &reply) {
		t.Errorf("Open gave %v, want a HeldError", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestRedisSentinelFailsOver(t *testing.T) {
	rs := testkit.Sentinel(t)
	w := &world{url: rs.URL()}
	s := w.open(t, cache.RedisOptions{RetryFor: 2 * time.Minute, Timeout: 500 * time.Millisecond})
	saved, err := s.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "a/1"})
	if err != nil {
		t.Fatalf("s.Open: got error %v, want none", err)
	}
	o := &owner{saved, t, s, "a1"}
	o.ok(&sessions.Commit{Events: o.event(1, "1")})
	beat(t, s, "a/1")
	start := time.Now()
	master := rs.Master.Client(t)
	if n, err := master.Wait(t.Context(), 2, 10*time.Second).Result(); err != nil || n != 2 {
		t.Fatalf("%d replicas have it: %v, want no error and 2", n, err)
	}
	rs.Master.Kill()
	ch := o.start(&sessions.Commit{Events: o.event(2, "2")})
	select {
	case r := <-ch:
		if r.Err != nil {
			t.Fatalf("a commit over a failover gave %v, want no error", r.Err)
		}
	case <-time.After(100 * time.Second):
		t.Fatal("no failover, want it in time")
	}
	o.tip(2)
	// Lease and owner were replicated; Missed includes the time without a master.
	away := time.Since(start)
	if membership := beat(t, s, "a/1"); membership.Missed < away-time.Second || idsOf(membership) != "a/1" {
		t.Errorf("%v without a beat: %+v, want at least %v and %q", away, membership, away-time.Second, "a/1")
	}
	var held *sessions.HeldError
	if _, err := s.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "b/1"}); !errors.As(err, &held) || held.Owner != "a/1" {
		t.Errorf("Open gave %v, want a HeldError of %q", err, "a/1")
	}
	o.ok(&sessions.Commit{Release: true})
	if membership := beat(t, s, "b/1"); len(membership.Released) != 1 {
		t.Errorf("after the release: %+v: got %v, want 1", membership, len(membership.Released))
	}
}

// A node sees sessions come and go for months; what it remembers of them must not grow.
func TestRedisForgetsOldOwners(t *testing.T) {
	s := mini(t).open(t, cache.RedisOptions{StateTTL: time.Millisecond, Retention: sessions.Retention{Age: time.Millisecond}})
	for i := range 3000 {
		own(t, s, sessions.ID(fmt.Sprintf("%x", i)))
	}
	if n := s.Sequences(); n > 1100 {
		t.Errorf("%d sessions are remembered, want at most 1100", n)
	}
	o := own(t, s, "a1")
	n := s.Sequences()
	if err := s.Forget(t.Context(), o.id); err != nil {
		t.Fatalf("s.Forget: got error %v, want none", err)
	}
	if s.Sequences() != n-1 {
		t.Errorf("a forgotten session is remembered, want %v", n-1)
	}
}
