package cache_test

import (
	"context"
	"testing"
	"time"

	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/cache/storetest"
	"github.com/perch-im/perch/sessions"
)

func memory(t testing.TB) storetest.Harness {
	m := cache.NewMemory(cache.MemoryOptions{Retention: storetest.Keep})
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
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
		want  []string // cases that must notice; others may
	}{
		"a lost TTL":                   {func(s sessions.Store) sessions.Store { return &endless{Store: s} }, []string{"message records are put and end"}},
		"a reordered commit":           {func(s sessions.Store) sessions.Store { return &reordered{Store: s} }, []string{"commits keep their order"}},
		"a repeated append":            {func(s sessions.Store) sessions.Store { return &repeating{Store: s} }, []string{"log pages and bounds", "a repeated commit counts once"}},
		"an answer from inside Commit": {func(s sessions.Store) sessions.Store { return &inline{Store: s} }, []string{"done comes from the store"}},
		"half a commit":                {func(s sessions.Store) sessions.Store { return &half{Store: s} }, []string{"a refused commit changes nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			caught(t, storetest.Failures(t, true, with(memory, f.fault)), f.want)
		})
	}
	if names := storetest.Failures(t, true, memory); len(names) > 0 {
		t.Errorf("the store without a fault fails %q", names)
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
			t.Errorf("%q did not notice", name)
		}
	}
}
