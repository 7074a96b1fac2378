package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

// owner commits to one session as its owner would.
type owner struct {
	*sessions.Saved
	t     *testing.T
	store *cache.Redis
	id    sessions.ID
}

func own(t *testing.T, s *cache.Redis, id sessions.ID) *owner {
	t.Helper()
	saved, err := s.Open(t.Context(), id, sessions.OpenOptions{})
	if err != nil {
		t.Fatalf("Open: got error %v, want none", err)
	}
	return &owner{saved, t, s, id}
}

func (o *owner) event(offset uint64, body string) []*perch.Event {
	return []*perch.Event{perch.NewEvent(perch.Position{Epoch: o.Epoch, Offset: offset}, perch.EventMessageReceived, 1, perch.Message{Body: body})}
}

func (o *owner) start(c *sessions.Commit) <-chan sessions.Result {
	c.Fence = o.Fence
	ch := make(chan sessions.Result, 1)
	o.store.Commit(o.id, c, func(r sessions.Result) { ch <- r })
	return ch
}

func (o *owner) commit(c *sessions.Commit) sessions.Result {
	o.t.Helper()
	return o.await(o.start(c))
}

func (o *owner) await(ch <-chan sessions.Result) sessions.Result {
	o.t.Helper()
	select {
	case r := <-ch:
		return r
	case <-time.After(20 * time.Second):
		o.t.Fatal("a commit was not answered, want it in time")
		return sessions.Result{}
	}
}

func (o *owner) ok(c *sessions.Commit) {
	o.t.Helper()
	if r := o.commit(c); r.Err != nil || r.Existing != nil {
		o.t.Fatalf("Commit: %v, existing %v, want no error and nil", r.Err, r.Existing)
	}
}

func (o *owner) tip(want uint64) {
	o.t.Helper()
	p, err := o.store.Log(o.t.Context(), o.id, 0, 100)
	if err != nil || p.Tip != want || len(p.Events) != int(want) {
		o.t.Errorf("tip %d with %d events, want %d: %v", p.Tip, len(p.Events), want, err)
	}
}

// eventually waits for what comes with the outside's own time.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s: got it never, want it in time", what)
		}
	}
}

func unavailable(err error) bool { return perch.KindOf(err) == perch.KindStorageUnavailable }

func TestRedisUnavailable(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{AppendOnly: true})
	w := &world{url: server.URL()}
	s := w.open(t, cache.RedisOptions{RetryFor: 300 * time.Millisecond, Timeout: 100 * time.Millisecond})
	o := own(t, s, "a1")
	o.ok(&sessions.Commit{Events: o.event(1, "1")})
	server.Kill()

	var waiting []<-chan sessions.Result
	for n := uint64(2); n < 7; n++ {
		waiting = append(waiting, o.start(&sessions.Commit{Events: o.event(n, "lost")}))
	}
	for i, ch := range waiting {
		if r := o.await(ch); !unavailable(r.Err) {
			t.Errorf("commit %d without Redis gave %v, want the kind storage-unavailable", i, r.Err)
		}
	}
	if err := s.Healthy(t.Context()); !unavailable(err) {
		t.Errorf("Healthy without Redis gave %v, want the kind storage-unavailable", err)
	}
	if _, err := s.Open(t.Context(), "a2", sessions.OpenOptions{}); !unavailable(err) {
		t.Errorf("Open without Redis gave %v, want the kind storage-unavailable", err)
	}
	if _, err := s.Log(t.Context(), "a1", 0, 1); !unavailable(err) {
		t.Errorf("Log without Redis gave %v, want the kind storage-unavailable", err)
	}

	server.Start(t)
	eventually(t, "healthy again", func() bool { return s.Healthy(t.Context()) == nil })
	o.ok(&sessions.Commit{Events: o.event(2, "2")})
	o.tip(2)
	if again := own(t, s, "a1"); again.Epoch != o.Epoch || again.Tip != 2 {
		t.Errorf("after the restart: %+v, want %v and 2", again.Saved, o.Epoch)
	}
}

// A commit that is retried over a restart of Redis succeeds by itself.
func TestRedisRestartsWithinTheTime(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{AppendOnly: true})
	w := &world{url: server.URL()}
	s := w.open(t, cache.RedisOptions{RetryFor: time.Minute})
	o := own(t, s, "a1")
	server.Kill()
	var waiting []<-chan sessions.Result
	for n := uint64(1); n < 50; n++ {
		waiting = append(waiting, o.start(&sessions.Commit{Events: o.event(n, "x")}))
	}
	server.Start(t)
	for i, ch := range waiting {
		if r := o.await(ch); r.Err != nil {
			t.Errorf("commit %d: got error %v, want none", i, r.Err)
		}
	}
	o.tip(49)
}

// A Redis that hangs may do later what was reported as failed. The owner must be notified.
func TestRedisHangs(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL(), client: server.Client(t)}
	s := w.open(t, cache.RedisOptions{RetryFor: 300 * time.Millisecond, Timeout: 100 * time.Millisecond})
	witness := w.open(t, cache.RedisOptions{})
	late := func(id sessions.ID) *owner {
		o := own(t, s, id)
		o.ok(&sessions.Commit{}) // the connection is there before Redis hangs
		server.Pause()
		if r := o.commit(&sessions.Commit{Events: o.event(1, "1"), Once: &sessions.Once{Key: "k"}}); !unavailable(r.Err) {
			t.Errorf("a commit to a hanging Redis gave %v, want the kind storage-unavailable", r.Err)
		}
		server.Continue()
		eventually(t, "the late commit", func() bool {
			p, err := witness.Log(t.Context(), id, 0, 1)
			return err == nil && p.Tip == 1
		})
		return o
	}
	same, other := late("a1"), late("a2")
	same.ok(&sessions.Commit{Events: same.event(1, "1"), Once: &sessions.Once{Key: "k"}}) // the same again counts once
	same.tip(1)
	if r := other.commit(&sessions.Commit{Events: other.event(1, "another")}); !errors.Is(r.Err, sessions.ErrLost) {
		t.Errorf("another event under a used offset gave %v, want %v", r.Err, sessions.ErrLost)
	}
	if again := own(t, s, "a2"); again.Tip != 1 || again.Epoch != other.Epoch {
		t.Errorf("after the late commit: %+v, want 1 and %v", again.Saved, other.Epoch)
	}
}

func TestRedisOutOfMemory(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{MaxMemory: "6mb"})
	w := &world{url: server.URL(), client: server.Client(t)}
	s := w.open(t, cache.RedisOptions{Retention: sessions.Retention{Bytes: 64 << 20}})
	o, kept := own(t, s, "a1"), uint64(0)
	beat(t, s, "a/1")
	body := strings.Repeat("x", 100_000)
	for {
		r := o.commit(&sessions.Commit{
			Events:   o.event(kept+1, body),
			Contacts: contacts.Change{Whole: true, Table: named(fmt.Sprint(kept + 1))},
		})
		if r.Err != nil {
			if !unavailable(r.Err) {
				t.Fatalf("a full Redis gave %v, want the kind storage-unavailable", r.Err)
			}
			break
		}
		if kept++; kept > 1000 {
			t.Fatalf("Redis is never full: got %v, want at most 1000", kept)
		}
	}
	o.tip(kept) // reads still work
	if err := s.Healthy(t.Context()); !unavailable(err) {
		t.Errorf("Healthy with a full Redis gave %v, want the kind storage-unavailable", err)
	}
	if err := w.client.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil { // not even the smallest write
		t.Fatalf("client.ConfigSet: got error %v, want none", err)
	}
	for _, id := range []sessions.NodeID{"a/1", "a/2"} { // what cannot be entered replaces no node
		if _, err := s.Beat(t.Context(), sessions.Node{ID: id}); !unavailable(err) {
			t.Errorf("a beat to a full Redis gave %v, want the kind storage-unavailable", err)
		}
	}
	if err := w.client.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatalf("client.ConfigSet: got error %v, want none", err)
	}
	if membership := beat(t, s, "b/1"); idsOf(membership) != "a/1 b/1" || len(membership.Dead) > 0 {
		t.Errorf("after the beats that were refused: %+v, want %q and none", membership, "a/1 b/1")
	}
	o.ok(&sessions.Commit{Events: o.event(kept+1, "room again")})
	if err := s.Healthy(t.Context()); err != nil {
		t.Errorf("Healthy with room again gave %v, want no error", err)
	}
	if again := own(t, s, "a1"); !again.Contacts.Equal(named(fmt.Sprint(kept))) {
		t.Errorf("a refused commit left %d contacts, want %d alone", again.Contacts.Len(), kept)
	}
}

func TestRedisFlushed(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	o := own(t, s, "a1")
	o.ok(&sessions.Commit{Events: o.event(1, "1")})
	if err := w.client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatalf("client.FlushAll: got error %v, want none", err)
	}
	for _, c := range []*sessions.Commit{{Events: o.event(2, "2")}, {Record: &sessions.Record{}}} {
		if r := o.commit(c); !errors.Is(r.Err, sessions.ErrLost) {
			t.Errorf("a commit after FLUSHALL gave %v, want %v", r.Err, sessions.ErrLost)
		}
	}
	if _, err := s.Log(t.Context(), o.id, 0, 1); !errors.Is(err, sessions.ErrLost) {
		t.Errorf("Log after FLUSHALL gave %v, want %v", err, sessions.ErrLost)
	}
	next := own(t, s, "a1")
	if next.Epoch == o.Epoch || next.Fence != 1 || next.Tip != 0 {
		t.Errorf("after FLUSHALL: %+v, want anything but %v and 1 and 0", next.Saved, o.Epoch)
	}
	next.ok(&sessions.Commit{Events: next.event(1, "1")})
	// Another node that was the owner before the flush has the same fence, not the epoch.
	if r := o.commit(&sessions.Commit{Epoch: o.Epoch, Record: &sessions.Record{}}); !errors.Is(r.Err, sessions.ErrFenced) {
		t.Errorf("a commit of the lost epoch gave %v, want %v", r.Err, sessions.ErrFenced)
	}
}

// A replica that takes over, or a restart from an older file, knows less than Redis had
// answered for. The store sees it by the number of the last commit.
func TestRedisLosesCommits(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	o := own(t, s, "a1")
	o.ok(&sessions.Commit{Events: o.event(1, "1"), Contacts: contacts.Change{Whole: true, Table: named("a@x")}})
	back := w.snapshot(t)
	o.ok(&sessions.Commit{Events: o.event(2, "2")})
	o.ok(&sessions.Commit{Events: o.event(3, "3")})
	back()
	if r := o.commit(&sessions.Commit{Events: o.event(4, "4")}); !errors.Is(r.Err, sessions.ErrLost) {
		t.Errorf("a commit after the loss gave %v, want %v", r.Err, sessions.ErrLost)
	}
	next := own(t, s, "a1")
	if next.Epoch == o.Epoch || next.Tip != 0 || next.Contacts.Len() != 1 {
		t.Errorf("offsets would be given twice: %+v after epoch %s, want anything but %v and 0 and 1", next.Saved, o.Epoch, o.Epoch)
	}
	next.ok(&sessions.Commit{Events: next.event(1, "1")})
	next.tip(1)

	// The Open itself may be what was taken back.
	back = w.snapshot(t)
	opened := own(t, s, "a1")
	opened.ok(&sessions.Commit{Events: opened.event(2, "2")})
	back()
	if r := opened.commit(&sessions.Commit{Events: opened.event(3, "3")}); !errors.Is(r.Err, sessions.ErrLost) {
		t.Errorf("a commit after the loss of an Open gave %v, want %v", r.Err, sessions.ErrLost)
	}
	if last := own(t, s, "a1"); last.Epoch == opened.Epoch {
		t.Errorf("the epoch stayed after the loss of an Open: got %v, want anything but %v", last.Epoch, opened.Epoch)
	}
}

// snapshot returns what puts everything back as it is now.
func (w *world) snapshot(t testing.TB) func() {
	ctx, dump := context.Background(), map[string]string{}
	for _, key := range w.keys(t) {
		v, err := w.client.Dump(ctx, key).Result()
		if err != nil {
			t.Fatalf("client.Dump: got error %v, want none", err)
		}
		dump[key] = v
	}
	return func() {
		w.each(t, func(ctx context.Context, c redis.Cmdable) error { return c.FlushAll(ctx).Err() })
		for key, v := range dump {
			if err := w.client.Restore(ctx, key, time.Hour, v).Err(); err != nil {
				t.Fatalf("client.Restore: got error %v, want none", err)
			}
		}
	}
}

// Scripts may vanish at any time (SCRIPT FLUSH, a restart, a new master). Parts of a
// pipeline are then refused, and nothing may come out of order.
func TestRedisForgetsScripts(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	o := own(t, s, "a1")
	stop := make(chan struct{})
	flushed := make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				flushed <- nil
				return
			default:
			}
			if err := w.client.ScriptFlush(context.Background()).Err(); err != nil {
				flushed <- err
				return
			}
		}
	}()
	var waiting []<-chan sessions.Result
	const n = 2000
	last := func(i uint64) contacts.Table { return named("a@x", fmt.Sprint(i, "@x")) }
	for i := range uint64(n) {
		c := contacts.Change{Table: last(i), Keys: []perch.JID{"a@x", perch.JID(fmt.Sprint(i, "@x")), perch.JID(fmt.Sprint(i-1, "@x"))}}
		waiting = append(waiting, o.start(&sessions.Commit{Events: o.event(i+1, "x"), Contacts: c}))
	}
	for i, ch := range waiting {
		if r := o.await(ch); r.Err != nil {
			t.Fatalf("commit %d: got error %v, want none", i, r.Err)
		}
	}
	close(stop)
	if err := <-flushed; err != nil {
		t.Fatalf("the result of flushed: got error %v, want none", err)
	}
	if again := own(t, s, "a1"); again.Tip != n || !again.Contacts.Equal(last(n-1)) {
		t.Errorf("tip %d, %d contacts, want %v and the last table", again.Tip, again.Contacts.Len(), n)
	}
}

func TestRedisQueueIsBounded(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL()}
	s := w.open(t, cache.RedisOptions{MaxQueue: 10, RetryFor: time.Minute, Timeout: 200 * time.Millisecond})
	o := own(t, s, "a1")
	server.Pause()
	type answer struct {
		i   int
		err error
	}
	answers := make(chan answer, 2000)
	const n = 1000 // more than one pipeline and the queue after it
	for i := range n {
		s.Commit(o.id, &sessions.Commit{Fence: o.Fence, Events: o.event(uint64(i+1), "x")}, func(r sessions.Result) { answers <- answer{i, r.Err} })
	}
	server.Continue()
	kept, refused := 0, 0
	for want := range n {
		select {
		case a := <-answers:
			switch {
			case a.i != want:
				t.Fatalf("answer %d came when %d was due, want them equal", a.i, want)
			case a.err == nil && refused > 0:
				t.Fatalf("commit %d was accepted after one that was refused, want none", want)
			case a.err == nil:
				kept++
			case unavailable(a.err):
				refused++
			default:
				t.Fatalf("commit %d: got error %v, want none or a refusal", want, a.err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("a commit was not answered, want it in time")
		}
	}
	if kept == 0 || refused == 0 {
		t.Errorf("%d kept and %d refused, want more than 0", kept, refused)
	}
	o.ok(&sessions.Commit{Events: o.event(uint64(kept+1), "x")})
}

func TestRedisCloseDoesNotWaitForEver(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{})
	s, err := cache.NewRedis(t.Context(), cache.RedisOptions{URL: server.URL(), RetryFor: time.Hour})
	if err != nil {
		t.Fatalf("cache.NewRedis: got error %v, want none", err)
	}
	o := own(t, s, "a1")
	server.Kill()
	ch := o.start(&sessions.Commit{Record: &sessions.Record{}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close gave %v, want %v", err, context.DeadlineExceeded)
	}
	if r := o.await(ch); !unavailable(r.Err) {
		t.Errorf("a commit that Close gave up gave %v, want the kind storage-unavailable", r.Err)
	}
}
