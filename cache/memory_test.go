package cache_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/cache/storetest"
	"github.com/perch-im/perch/sessions"
)

func memory(t testing.TB) storetest.Harness {
	m := cache.NewMemory(cache.MemoryOptions{Retention: storetest.Keep})
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Errorf("Close: got error %v, want none", err)
		}
	})
	return storetest.Harness{Store: m, Advance: time.Sleep}
}

func TestMemory(t *testing.T) { storetest.RunInBubble(t, memory) }

// with wraps the store of a harness in a faulty one.
func with(make storetest.Maker, fault func(sessions.Store) sessions.Store) storetest.Maker {
	return func(t testing.TB) storetest.Harness {
		h := make(t)
		h.Store = fault(h.Store)
		return h
	}
}

// The suite must notice a store that is wrong, or it proves nothing.
func TestSuiteCatchesFaultsOfMemory(t *testing.T) {
	for name, f := range map[string]struct {
		fault func(sessions.Store) sessions.Store
		want  []string // the cases that must notice
	}{
		"a lost TTL":                   {func(s sessions.Store) sessions.Store { return &endless{Store: s} }, []string{"message records are put and end"}},
		"a reordered commit":           {func(s sessions.Store) sessions.Store { return &reordered{Store: s} }, []string{"commits keep their order"}},
		"a repeated append":            {func(s sessions.Store) sessions.Store { return &repeating{Store: s} }, []string{"log pages and bounds", "a repeated commit counts once"}},
		"an answer from inside Commit": {func(s sessions.Store) sessions.Store { return &inline{Store: s} }, []string{"done comes from the store"}},
		"a lease passed over":          {func(s sessions.Store) sessions.Store { return &greedy{s} }, []string{"open takes what no other node owns"}},
		"a token given away":           {func(s sessions.Store) sessions.Store { return &generous{s} }, []string{"a token leads to one session"}},
		"contacts left out":            {func(s sessions.Store) sessions.Store { return &blind{Store: s} }, []string{"contacts change", "a large roster"}},
		"readers left out":             {func(s sessions.Store) sessions.Store { return &readerless{s} }, []string{"a cursor is written with its events"}},
		"rooms left out":               {func(s sessions.Store) sessions.Store { return &roomless{s} }, []string{"rooms are written with their event"}},
		"half a commit":                {func(s sessions.Store) sessions.Store { return &half{Store: s} }, []string{"a refused commit changes nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			caught(t, storetest.Failures(t, true, with(memory, f.fault), f.want...), f.want)
		})
	}
	if names := storetest.Failures(t, true, memory); len(names) > 0 {
		t.Errorf("the store without a fault fails %q, want none", names)
	}
}

func caught(t *testing.T, got, want []string) {
	t.Helper()
	t.Logf("noticed by %q", got)
	noticed := map[string]bool{}
	for _, name := range got {
		noticed[name] = true
	}
	for _, name := range want {
		if !noticed[name] {
			t.Errorf("%q did not notice, want a failed case", name)
		}
	}
}

// What has expired is deleted with the next commit of the session, not merely hidden.
func TestMemoryDropsExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := cache.NewMemory(cache.MemoryOptions{})
		o, err := m.Open(t.Context(), "a1", sessions.OpenOptions{})
		if err != nil {
			t.Fatalf("m.Open: got error %v, want none", err)
		}
		commit := func(c *sessions.Commit) {
			c.Fence = o.Fence
			m.Commit("a1", c, func(r sessions.Result) {
				if r.Err != nil {
					t.Errorf("Commit: got error %v, want none", r.Err)
				}
			})
		}
		for i := range 3000 {
			o.Tip++
			commit(&sessions.Commit{
				Events:   []*perch.Event{received(o.Epoch, o.Tip)},
				Messages: []*perch.MessageRecord{{ID: fmt.Sprint(i % 100)}},
				Once:     &sessions.Once{Key: fmt.Sprint(i)},
			})
			time.Sleep(time.Minute)
		}
		events, timed := m.Held("a1")
		if day := 24 * 60; events != day || timed != day+100 {
			t.Errorf("after two days: got %d events and %d records, want %d and %d", events, timed, day, day+100)
		}
		time.Sleep(25 * time.Hour)
		commit(&sessions.Commit{})
		if events, timed := m.Held("a1"); events+timed != 0 {
			t.Errorf("after a day of silence: got %d events and %d records, want none", events, timed)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Errorf("Close: got error %v, want none", err)
		}
	})
}

// Sessions that ended without Forget are deleted as well, with whatever is opened or bound
// later, and one that is written stays with its tokens.
func TestMemoryDropsExpiredSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const life, n = 48 * time.Hour, 100
		m := cache.NewMemory(cache.MemoryOptions{StateTTL: life})
		live, err := m.Open(t.Context(), "live", sessions.OpenOptions{})
		if err != nil {
			t.Fatalf("m.Open: got error %v, want none", err)
		}
		if _, err := m.Bind(t.Context(), "live", sessions.Binding{ID: "live"}); err != nil {
			t.Fatalf("m.Bind: got error %v, want none", err)
		}
		for i := range n {
			id := sessions.ID(fmt.Sprint("a", i))
			if _, err := m.Open(t.Context(), id, sessions.OpenOptions{}); err != nil {
				t.Fatalf("m.Open: got error %v, want none", err)
			}
			for _, minted := range []bool{false, true} {
				if _, err := m.Bind(t.Context(), fmt.Sprint(id, minted), sessions.Binding{ID: id, Minted: minted}); err != nil {
					t.Fatalf("m.Bind: got error %v, want none", err)
				}
			}
		}
		for range 3 {
			time.Sleep(life / 2)
			m.Commit("live", &sessions.Commit{Fence: live.Fence, Record: &sessions.Record{}}, func(r sessions.Result) {
				if r.Err != nil {
					t.Errorf("Commit: got error %v, want none", r.Err)
				}
			})
		}
		if _, err := m.Open(t.Context(), "next", sessions.OpenOptions{}); err != nil {
			t.Fatalf("m.Open: got error %v, want none", err)
		}
		if records, tokens, leading := m.Size(); records != 2 || tokens != 1 || leading != 1 {
			t.Errorf("%d records, %d tokens of %d sessions are left, want 2, 1 and 1", records, tokens, leading)
		}
		if _, err := m.Lookup(t.Context(), "live"); err != nil {
			t.Errorf("the token of a session that is written: got error %v, want none", err)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Errorf("Close: got error %v, want none", err)
		}
	})
}

// A session that begins anew has no tokens of one that has ended, swept or not.
func TestMemoryEndedTokensStayEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const life = 48 * time.Hour
		m := cache.NewMemory(cache.MemoryOptions{StateTTL: life})
		time.Sleep(time.Minute)
		if _, err := m.Bind(t.Context(), "t1", sessions.Binding{ID: "a1"}); err != nil {
			t.Fatalf("m.Bind: got error %v, want none", err)
		}
		time.Sleep(life - 2*time.Minute)
		if _, err := m.Open(t.Context(), "a2", sessions.OpenOptions{}); err != nil { // sweeps; the next sweep is far
			t.Fatalf("m.Open: got error %v, want none", err)
		}
		time.Sleep(3 * time.Minute)
		if _, err := m.Open(t.Context(), "a1", sessions.OpenOptions{}); err != nil {
			t.Fatalf("m.Open: got error %v, want none", err)
		}
		if b, err := m.Lookup(t.Context(), "t1"); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("a token that has ended leads to %v, %v, want KindNotFound", b, err)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Errorf("Close: got error %v, want none", err)
		}
	})
}

// Close waits for callbacks no longer than its context allows.
func TestMemoryCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := cache.NewMemory(cache.MemoryOptions{})
		stuck := make(chan struct{})
		m.Commit("nobody", &sessions.Commit{}, func(sessions.Result) { <-stuck })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close gave %v, want %v", err, context.DeadlineExceeded)
		}
		close(stuck)
		if err := m.Close(t.Context()); err != nil {
			t.Errorf("Close: got error %v, want none", err)
		}
		if _, err := m.Open(t.Context(), "a1", sessions.OpenOptions{}); err == nil {
			t.Error("a closed store opens a session, want an error")
		}
		if _, err := m.Bind(t.Context(), "t", sessions.Binding{}); err == nil {
			t.Error("a closed store binds a token, want an error")
		}
	})
}

// TestCountersEvict: of 65,536 counters of attempts in a memory store one more takes the place
// of the one that has all its attempts again soonest.
func TestCountersEvict(t *testing.T) {
	const most = 65_536
	now := time.Now()
	m := cache.NewMemory(cache.MemoryOptions{Now: func() time.Time { return now }})
	t.Cleanup(func() { _ = m.Close(t.Context()) })
	q := sessions.Quota{Burst: 3, Every: time.Minute}
	left := func(key string) int {
		t.Helper()
		a, err := m.Reserve(t.Context(), key, q)
		if err != nil || !a.OK {
			t.Fatalf("%s: got %+v, %v, want an attempt", key, a, err)
		}
		return a.Left
	}
	left("kept") // twice, so that others are full sooner
	left("kept")
	for i := range most - 1 {
		left(fmt.Sprint(i))
	}
	if got := left("1"); got != 1 {
		t.Errorf("with as many as may be: got %d left, want 1", got)
	}
	left("one more")
	for key, want := range map[string]int{"kept": 0, "1": 0, "0": 2} {
		if got := left(key); got != want {
			t.Errorf("%s with one more: got %d left, want %d", key, got, want)
		}
	}
}
