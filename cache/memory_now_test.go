package cache_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/cache/storetest"
	"github.com/perch-im/perch/sessions"
)

// prompt is a store in memory whose commits are made at once, and reported as those of any store.
// What CommitNow was given is changed afterwards: nothing of it may be kept.
type prompt struct {
	*cache.Memory
	mu      sync.Mutex
	closed  bool
	results []func()
	wake    chan struct{}
	ended   chan struct{}
}

func newPrompt(m *cache.Memory) *prompt {
	p := &prompt{Memory: m, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		for range p.wake {
			p.mu.Lock()
			results := p.results
			p.results = nil
			p.mu.Unlock()
			for _, f := range results {
				f()
			}
		}
	}()
	return p
}

func (p *prompt) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	now := *c
	now.Events, now.Messages = slices.Clone(c.Events), slices.Clone(c.Messages)
	res := p.CommitNow(id, &now)
	clear(now.Events)
	clear(now.Messages)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		go done(res)
		return
	}
	p.results = append(p.results, func() { done(res) })
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *prompt) Close(ctx context.Context) error {
	err := p.Memory.Close(ctx)
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.wake)
	}
	p.mu.Unlock()
	<-p.ended
	return err
}

// TestMemoryNow: a commit that is made at once is as any other.
func TestMemoryNow(t *testing.T) {
	storetest.RunInBubble(t, func(t testing.TB) storetest.Harness {
		h := memory(t)
		p := newPrompt(h.Store.(*cache.Memory))
		t.Cleanup(func() { _ = p.Close(context.Background()) })
		h.Store = p
		return h
	})
}

// TestCommitNowRefuses: it says why it does nothing.
func TestCommitNowRefuses(t *testing.T) {
	m := cache.NewMemory(cache.MemoryOptions{})
	if res := m.CommitNow("a", &sessions.Commit{Fence: 1}); res.Err != sessions.ErrLost {
		t.Errorf("CommitNow of a session that was not opened: got %v, want %v", res.Err, sessions.ErrLost)
	}
	saved, err := m.Open(t.Context(), "a", sessions.OpenOptions{})
	if err != nil {
		t.Fatalf("Open: got error %v, want none", err)
	}
	if res := m.CommitNow("a", &sessions.Commit{Fence: saved.Fence + 1}); res.Err != sessions.ErrFenced {
		t.Errorf("CommitNow of another owner: got %v, want %v", res.Err, sessions.ErrFenced)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Fatalf("Close: got error %v, want none", err)
	}
	if res := m.CommitNow("a", &sessions.Commit{Fence: saved.Fence}); perch.KindOf(res.Err) != perch.KindStorageUnavailable {
		t.Errorf("CommitNow of a closed store: got %v, want %s", res.Err, perch.KindStorageUnavailable)
	}
}
