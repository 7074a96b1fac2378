package webpush_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/webpush"
)

// watchedStore notes what is written.
type watchedStore struct {
	webpush.Agreement
	mu     sync.Mutex
	values []string
	err    error
}

func (s *watchedStore) Agree(ctx context.Context, name, value string, instead ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = append(s.values, value)
	if s.err != nil {
		return "", s.err
	}
	return s.Agreement.Agree(ctx, name, value, instead...)
}

func newStore(t *testing.T) *watchedStore {
	m := cache.NewMemory(cache.MemoryOptions{})
	t.Cleanup(func() { _ = m.Close(context.Background()) })
	return &watchedStore{Agreement: m}
}

// keep has a new node take the key, and returns its public half.
func keep(t *testing.T, store webpush.Agreement, wantReplaced bool, secrets ...perch.Secret) string {
	t.Helper()
	k := webpush.NewKeeper(store)
	if got := k.Key(); got != nil {
		t.Errorf("a new keeper: got %v, want no key", got)
	}
	replaced, err := k.Keep(t.Context(), secrets...)
	if err != nil || replaced != wantReplaced {
		t.Fatalf("Keep: got replaced %v, error %v, want %v, none", replaced, err, wantReplaced)
	}
	canary.Note(k.Key().Private().Reveal())
	return k.Key().Public()
}

// TestKeeperOneKeyForAll: all nodes have the key that the first one has made, over restarts and rotations, and
// the Store has it sealed alone.
func TestKeeperOneKeyForAll(t *testing.T) {
	store := newStore(t)
	a, b := perch.NewSecret(canary.Secret()), perch.NewSecret(canary.Secret())
	first := keep(t, store, false, a)
	for name, secrets := range map[string][]perch.Secret{"another node": {a}, "one that will rotate": {a, b}} {
		if got := keep(t, store, false, secrets...); got != first {
			t.Errorf("%s: got %s, want %s", name, got, first)
		}
	}
	if got := keep(t, store, false, b, a); got != first {
		t.Errorf("while the secret is rotated: got %s, want %s", got, first)
	}
	if got := keep(t, store, false, b); got != first {
		t.Errorf("after the rotation: got %s, want %s", got, first)
	}
	if got := keep(t, store, true, a); got == first {
		t.Errorf("with a secret that opens nothing: got the same key, want another one")
	}
	for _, v := range store.values {
		if k, err := webpush.ParseKey(v); err == nil || strings.Contains(v, first) {
			t.Errorf("in the store: got %v in plain, want it sealed", k)
		}
	}
}

// TestKeeperOfOperator: the key of an operator is used while it is given, and is not written to the Store.
func TestKeeperOfOperator(t *testing.T) {
	store := newStore(t)
	secret := perch.NewSecret(canary.Secret())
	first := keep(t, store, false, secret)
	k, own := webpush.NewKeeper(store), newKey(t)
	for range 2 {
		k.Use(own)
		if got := k.Key(); got != own {
			t.Errorf("with a key of the operator: got %v, want %v", got, own)
		}
		if _, err := k.Keep(t.Context(), secret); err != nil || k.Key().Public() != first {
			t.Errorf("without it again: got %v, error %v, want %s, none", k.Key(), err, first)
		}
	}
	other := webpush.NewKeeper(newStore(t))
	other.Use(own)
	if _, err := other.Keep(t.Context(), secret); err != nil || other.Key().Public() == own.Public() {
		t.Errorf("a store that has no key: got %v, error %v, want another one than %v, none", other.Key(), err, own)
	}
	canary.Note(other.Key().Private().Reveal())
}

// TestKeeperManyAtOnce: nodes that start together agree.
func TestKeeperManyAtOnce(t *testing.T) {
	store := newStore(t)
	secret := perch.NewSecret(canary.Secret())
	var nodes sync.WaitGroup
	got := make([]string, 16)
	for i := range got {
		nodes.Go(func() { got[i] = keep(t, store, false, secret) })
	}
	nodes.Wait()
	for i, k := range got {
		if k != got[0] {
			t.Errorf("node %d: got %s, want %s", i, k, got[0])
		}
	}
}

// TestKeeperKeepsWhatItHas: a node goes on with its key while the Store does not answer, and writes it again
// where the Store has lost it.
func TestKeeperKeepsWhatItHas(t *testing.T) {
	store := newStore(t)
	secret := perch.NewSecret(canary.Secret())
	k := webpush.NewKeeper(store)
	if _, err := k.Keep(t.Context(), secret); err != nil {
		t.Fatalf("Keep: got error %v, want none", err)
	}
	was := k.Key().Public()
	store.err = errors.New("down")
	if _, err := k.Keep(t.Context(), secret); !errors.Is(err, store.err) || k.Key().Public() != was {
		t.Errorf("a store that is down: got %v, error %v, want %s, %v", k.Key(), err, was, store.err)
	}
	empty := newStore(t)
	store.err, store.Agreement = nil, empty
	if _, err := k.Keep(t.Context(), secret); err != nil || k.Key().Public() != was {
		t.Errorf("a store that is empty: got %v, error %v, want %s, none", k.Key(), err, was)
	}
	if got := keep(t, empty, false, secret); got != was {
		t.Errorf("another node: got %s, want %s", got, was)
	}
}

// TestKeeperGarbage: what somebody else has written there is replaced, whatever it is.
func TestKeeperGarbage(t *testing.T) {
	for _, text := range []string{"", "x", "AQ", "AQAA", strings.Repeat("A", 200), "§"} {
		store := newStore(t)
		if _, err := store.Agree(t.Context(), "vapid", text); err != nil {
			t.Fatalf("Agree: got error %v, want none", err)
		}
		secret := perch.NewSecret(canary.Secret())
		first := keep(t, store, true, secret)
		if got := keep(t, store, false, secret); got != first {
			t.Errorf("%q: got %s after it, want %s", text, got, first)
		}
	}
}
