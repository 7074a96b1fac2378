package cache_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

func beat(t *testing.T, s *cache.Redis, id sessions.NodeID) sessions.Membership {
	t.Helper()
	membership, err := s.Beat(t.Context(), sessions.Node{ID: id})
	if err != nil {
		t.Fatalf("Beat: got error %v, want none", err)
	}
	return membership
}

func idsOf(membership sessions.Membership) string {
	var ids []string
	for _, m := range membership.Members {
		ids = append(ids, string(m.ID))
	}
	return strings.Join(ids, " ")
}

// score is when a node's entry was renewed, in ms by the clock of Redis.
func (w *world) score(t *testing.T, id sessions.NodeID) float64 {
	at, err := w.client.ZScore(t.Context(), "perch:{nodes}:beats", string(id)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatalf("got %v, want %v", err, redis.Nil)
	}
	return at
}

// A Redis that was flushed knows no nodes: that others are missing says nothing then.
func TestRedisFlushedBetweenBeats(t *testing.T) {
	w := realRedis(t)
	a, b := w.open(t, cache.RedisOptions{}), w.open(t, cache.RedisOptions{})
	beat(t, b, "b/1")
	beat(t, a, "a/1")
	if membership := beat(t, a, "a/1"); membership.Missed < 0 || idsOf(membership) != "a/1 b/1" {
		t.Fatalf("before: %+v, want at least 0 and %q", membership, "a/1 b/1")
	}
	if err := w.client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatalf("client.FlushAll: got error %v, want none", err)
	}
	if membership := beat(t, a, "a/1"); membership.Missed >= 0 || idsOf(membership) != "a/1" {
		t.Errorf("after FLUSHALL: %+v, want less than 0 and %q", membership, "a/1")
	}
	if membership := beat(t, b, "b/1"); membership.Missed >= 0 || idsOf(membership) != "a/1 b/1" {
		t.Errorf("after FLUSHALL: %+v, want less than 0 and %q", membership, "a/1 b/1")
	}
	if membership := beat(t, a, "a/1"); membership.Missed < 0 {
		t.Errorf("the beat after: %+v: got %v, want at least 0", membership, membership.Missed)
	}
}

// A Redis that hangs does the beats that reached it when it continues, and the answers are
// not read. The next one must not say that this node was there all the time.
func TestRedisHangsBetweenBeats(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL(), client: server.Client(t)}
	s := w.open(t, cache.RedisOptions{RetryFor: 300 * time.Millisecond, Timeout: 100 * time.Millisecond})
	beat(t, s, "a/1")
	score := func() float64 { return w.score(t, "a/1") }
	before, start := score(), time.Now()
	server.Pause()
	for range 2 {
		if _, err := s.Beat(t.Context(), sessions.Node{ID: "a/1"}); !unavailable(err) {
			t.Errorf("a beat to a hanging Redis gave %v, want the kind storage-unavailable", err)
		}
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("two beats took %v, want at most %v", d, 5*time.Second)
	}
	away := time.Since(start)
	server.Continue()
	eventually(t, "a late beat", func() bool { return score() > before })
	if membership := beat(t, s, "a/1"); membership.Missed < away-50*time.Millisecond {
		t.Errorf("after %v: %+v: got %v, want at least %v", away, membership, membership.Missed, away-50*time.Millisecond)
	}
	if membership := beat(t, s, "a/1"); membership.Missed < 0 || membership.Missed >= away {
		t.Errorf("and the next: %+v, want at least 0 and less than %v", membership, away)
	}
}

// A beat is repeated when its answer is lost, and only what was answered counts.
func TestRedisBeatLosesAnswers(t *testing.T) {
	w := realRedis(t)
	h := w.harness(t)
	s := h.Store.(*cache.Redis)
	for _, flush := range []bool{false, true} {
		beat(t, s, "a/1")
		before := w.score(t, "a/1")
		eventually(t, "a moment", func() bool { return float64(time.Now().UnixMilli()) > before+20 })
		heal := h.LoseAnswers()
		if flush {
			if err := w.client.FlushAll(t.Context()).Err(); err != nil {
				t.Fatalf("client.FlushAll: got error %v, want none", err)
			}
		}
		memberships := make(chan sessions.Membership, 1)
		go func() {
			membership, err := s.Beat(context.Background(), sessions.Node{ID: "a/1"})
			if err != nil {
				t.Errorf("Beat: got error %v, want none", err)
			}
			memberships <- membership
		}()
		eventually(t, "the beat is there", func() bool { return w.score(t, "a/1") > before })
		heal()
		membership := <-memberships
		gap := w.score(t, "a/1") - before
		switch {
		case flush && membership.Missed >= 0:
			t.Errorf("after FLUSHALL and a lost answer: %+v, want Missed below 0", membership)
		case !flush && membership.Missed < time.Duration(gap)*time.Millisecond:
			t.Errorf("after a lost answer: %+v, want Missed of at least %v ms", membership, gap)
		}
	}
}

// A clock of Redis that is set back, or another one after a failover, must not let the dead
// look alive until it has caught up.
func TestRedisClockGoesBack(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	beat(t, s, "a/1")
	beat(t, s, "b/1")
	w.age(t, -40*time.Minute)
	for _, m := range beat(t, s, "b/1").Members {
		if m.Age < 0 || m.Age > 10*time.Second {
			t.Errorf("an entry of the future: %+v, want at least 0 and at most %v", m, 10*time.Second)
		}
	}
	w.age(t, 20*time.Second)
	for _, m := range beat(t, s, "b/1").Members {
		if m.ID == "a/1" && m.Age < 20*time.Second {
			t.Errorf("an entry of the future stays young: %+v, want an age of at least 20s", m)
		}
	}
}

// What many sessions that end together cost: not one round trip each.
func TestRedisReleasesTogether(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{})
	var ops = make(chan string, 10_000)
	w := &world{url: server.URL(), client: server.Client(t)}
	s := w.open(t, cache.RedisOptions{RetryFor: time.Minute, Observer: func(op string, _ time.Duration, _ error) { ops <- op }})
	const n = 500
	var owners []*owner
	for i := range n {
		id := sessions.ID("a" + strings.Repeat("a", i))
		saved, err := s.Open(t.Context(), id, sessions.OpenOptions{Owner: "a/1"})
		if err != nil {
			t.Fatalf("s.Open: got error %v, want none", err)
		}
		owners = append(owners, &owner{saved, t, s, id})
	}
	for len(ops) > 0 {
		<-ops
	}
	var waiting []<-chan sessions.Result
	for _, o := range owners {
		waiting = append(waiting, o.start(&sessions.Commit{Record: &sessions.Record{Stream: []byte("x")}, Release: true}))
	}
	for i, ch := range waiting {
		if r := owners[i].await(ch); r.Err != nil {
			t.Fatalf("commit %d: got error %v, want none", i, r.Err)
		}
	}
	count := map[string]int{}
	for len(ops) > 0 {
		count[<-ops]++
	}
	if listed, err := w.client.ZCard(t.Context(), "perch:{nodes}:released").Result(); err != nil || listed != n {
		t.Errorf("%d of %d sessions are listed: %v, want no error and %v", listed, n, err, n)
	}
	if count["released"] != count["commit"] || count["released"] > n/5 {
		t.Errorf("%d sessions were released with %v round trips, want %v and at most %v", n, count, count["commit"], n/5)
	}
}

// That a release cannot be listed for the other nodes neither undoes nor blocks it.
func TestRedisReleaseIsNotListed(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{RetryFor: 300 * time.Millisecond})
	saved, err := s.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "a/1"})
	if err != nil {
		t.Fatalf("s.Open: got error %v, want none", err)
	}
	o := &owner{saved, t, s, "a1"}
	if err := w.client.Set(t.Context(), "perch:{nodes}:released", "not a list", time.Minute).Err(); err != nil {
		t.Fatalf("client.Set: got error %v, want none", err)
	}
	o.ok(&sessions.Commit{Events: o.event(1, "1"), Release: true})
	if owners, err := s.Owners(t.Context(), []sessions.ID{"a1"}); err != nil || len(owners) != 0 {
		t.Errorf("owners %v: %v, want no error and 0", owners, err)
	}
	next, err := s.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "b/1"})
	if err != nil || next.Tip != 1 {
		t.Errorf("Open gave %v, %v, want no error and 1", next, err)
	}
}

// A release that was reported as failed may be done later. Its owner is not one any more
// then, and its next commit is refused.
func TestRedisHangsAtRelease(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL()}
	s, witness := w.open(t, cache.RedisOptions{RetryFor: 300 * time.Millisecond, Timeout: 100 * time.Millisecond}), w.open(t, cache.RedisOptions{})
	o := owned(t, s, "a1")
	o.ok(&sessions.Commit{}) // the connection is there before Redis hangs
	server.Pause()
	if r := o.commit(&sessions.Commit{Events: o.event(1, "1"), Release: true}); !unavailable(r.Err) {
		t.Errorf("a release to a hanging Redis gave %v, want the kind storage-unavailable", r.Err)
	}
	server.Continue()
	eventually(t, "the late release", func() bool {
		owners, err := witness.Owners(t.Context(), []sessions.ID{"a1"})
		return err == nil && len(owners) == 0
	})
	for _, c := range []*sessions.Commit{{Events: o.event(1, "1"), Release: true}, {Events: o.event(2, "2")}, {}} {
		if r := o.commit(c); !errors.Is(r.Err, sessions.ErrFenced) {
			t.Errorf("a commit after the late release gave %v, want %v", r.Err, sessions.ErrFenced)
		}
	}
	if next := owned(t, witness, "a1"); next.Tip != 1 || next.Epoch != o.Epoch {
		t.Errorf("after the late release: %+v, want 1 and %v", next.Saved, o.Epoch)
	}
}

func TestRedisRefusesForeignNodes(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	beat(t, s, "a/1")
	for _, row := range []string{"nonsense", "1 {", `1 {"id":"b/1"}`} {
		if err := w.client.HSet(t.Context(), "perch:{nodes}:names", "a/1", row).Err(); err != nil {
			t.Fatalf("client.HSet: got error %v, want none", err)
		}
		if membership, err := s.Beat(t.Context(), sessions.Node{ID: "c/1"}); err == nil || perch.KindOf(err) != perch.KindInternal {
			t.Errorf("%q gave %+v, %v, want an error and an error of the kind %v", row, membership, err, perch.KindInternal)
		}
		beat(t, s, "a/1") // writes its own again
		if membership := beat(t, s, "c/1"); idsOf(membership) != "a/1 c/1" {
			t.Errorf("after %q: %+v, want %q", row, membership, "a/1 c/1")
		}
	}
	expires := perch.At(time.Now().Add(time.Minute))
	if err := s.PutTicket(t.Context(), "h1", sessions.Ticket{Session: "a1", Expires: expires}, time.Hour); err != nil {
		t.Fatalf("s.PutTicket: got error %v, want none", err)
	}
	if err := w.client.Rename(t.Context(), "perch:ticket:h1", "perch:ticket:h2").Err(); err != nil {
		t.Fatalf("client.Rename: got error %v, want none", err)
	}
	if got, err := s.TakeTicket(t.Context(), "h2"); err == nil || perch.KindOf(err) != perch.KindInternal {
		t.Errorf("a ticket of another name gave %v, %v, want an error and an error of the kind %v", got, err, perch.KindInternal)
	}
	// The owner in a state that is not this session's does not count.
	if _, err := s.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "a/1"}); err != nil {
		t.Fatalf("s.Open: got error %v, want none", err)
	}
	if err := w.client.Copy(t.Context(), "perch:{a1}:state", "perch:{a2}:state", 0, true).Err(); err != nil {
		t.Fatalf("client.Copy: got error %v, want none", err)
	}
	if owners, err := s.Owners(t.Context(), []sessions.ID{"a1", "a2"}); err != nil || len(owners) != 1 {
		t.Errorf("owners %v: %v, want no error and 1", owners, err)
	}
	if n, err := w.client.Exists(t.Context(), "perch:ticket:h2").Result(); err != nil && err != redis.Nil || n != 0 {
		t.Errorf("%d tickets are left: %v, want %v and 0", n, err, redis.Nil)
	}
}
