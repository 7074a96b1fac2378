package sessions_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// busyStore takes two seconds to open a session, and counts how many it opens at once.
type busyStore struct {
	sessions.Store
	mu        sync.Mutex
	now, most int
}

func (s *busyStore) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += n
	s.most = max(s.most, s.now)
}

func (s *busyStore) Open(ctx context.Context, id sessions.ID, o sessions.OpenOptions) (*sessions.Saved, error) {
	s.count(1)
	defer s.count(-1)
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.Store.Open(ctx, id, o)
}

// TestRestoreIsBounded: however many sessions a process brings back, it asks the Store for 48 at a
// time, and none is given up because of the others.
func TestRestoreIsBounded(t *testing.T) {
	const accounts = 500 // two seconds for each 48: 22 s, which is more than one session may take
	inWorld(t, func(w *world) {
		for i := range accounts {
			acc := perch.Account{Upstream: "named", JID: perch.JID(fmt.Sprintf("u%d@example.net", i)), Password: perch.NewSecret("good")}
			if _, _, _, err := w.m.SignIn(w.ctx(), acc); err != nil {
				t.Fatalf("SignIn %d: got error %v, want none", i, err)
			}
		}
		w.close()
		busy := &busyStore{Store: w.opts.Store}
		w.opts.Store = busy
		w.start()
		restored := make(chan error, 1)
		go func() { restored <- w.m.Restore(w.ctx()) }()
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if got, want := w.m.Recovering(), accounts-6*48; got < want-48 || got > want {
			t.Errorf("Recovering after ten seconds: got %d, want about %d", got, want)
		}
		if err := <-restored; err != nil {
			t.Errorf("Restore: got error %v, want none", err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := w.m.States()[perch.StateOnline]; n != accounts {
			t.Errorf("got %d sessions online after the restart, want %d", n, accounts)
		}
		if busy.most != 48 {
			t.Errorf("got %d sessions opened at once, want 48", busy.most)
		}
		if n := w.m.Recovering(); n != 0 {
			t.Errorf("Recovering after Restore: got %d, want 0", n)
		}
	}, durable, sealing(1))
}
