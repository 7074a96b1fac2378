package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch/sessions"
)

var quotaCases = []Case{
	{"nodes agree about a value", agree},
	{"attempts are bounded", attempts},
	{"attempts at once are bounded", attemptsAtOnce},
}

func reserve(t testing.TB, s sessions.Store, key string, q sessions.Quota) sessions.Allowance {
	t.Helper()
	a, err := s.Reserve(t.Context(), key, q)
	if err != nil {
		t.Fatalf("Reserve(%s): got error %v, want none", key, err)
	}
	return a
}

func refund(t testing.TB, s sessions.Store, key string, q sessions.Quota) {
	t.Helper()
	if err := s.Refund(t.Context(), key, q); err != nil {
		t.Fatalf("Refund(%s): got error %v, want none", key, err)
	}
}

// agree keeps the first value of many, for all nodes.
func agree(t testing.TB, h Harness) {
	other := h.Store
	if h.Reopen != nil {
		other = h.Reopen()
	}
	for _, tt := range []struct {
		store             sessions.Store
		name, value, want string
	}{
		{h.Store, "n1", "v1", "v1"}, {other, "n1", "v2", "v1"}, {h.Store, "n1", "v1", "v1"},
		{other, "n2", "v2", "v2"}, {h.Store, "n2", "v1", "v2"},
	} {
		if got, err := tt.store.Agree(t.Context(), tt.name, tt.value); err != nil || got != tt.want {
			t.Errorf("Agree(%s, %s) = %q, %v, want %q", tt.name, tt.value, got, err, tt.want)
		}
	}
	// n1 has v1: only who names it replaces it.
	for _, tt := range []struct {
		value   string
		instead []string
		want    string
	}{{"v3", []string{"v2"}, "v1"}, {"v3", []string{"v2", "v1"}, "v3"}, {"v1", nil, "v3"}, {"v3", []string{"v1"}, "v3"}} {
		if got, err := other.Agree(t.Context(), "n1", tt.value, tt.instead...); err != nil || got != tt.want {
			t.Errorf("Agree(n1, %s, instead of %q) = %q, %v, want %q", tt.value, tt.instead, got, err, tt.want)
		}
	}
}

func attempts(t testing.TB, h Harness) {
	s, other := h.Store, h.Store
	if h.Reopen != nil {
		other = h.Reopen() // the nodes count together
	}
	q := sessions.Quota{Burst: 3, Every: 10 * time.Minute}
	for i, store := range []sessions.Store{s, other, s} {
		if a := reserve(t, store, "k1", q); !a.OK || a.Left != 2-i || a.Wait != 0 {
			t.Errorf("attempt %d: %+v, want %d left", i+1, a, 2-i)
		}
	}
	for _, store := range []sessions.Store{s, other} {
		if a := reserve(t, store, "k1", q); a.OK || a.Wait <= 9*time.Minute || a.Wait > 10*time.Minute {
			t.Errorf("one too many: %+v, want a wait of 10 minutes", a)
		}
	}
	if a := reserve(t, s, "k2", q); !a.OK || a.Left != 2 {
		t.Errorf("another counter: %+v, want OK true and 2", a)
	}
	refund(t, other, "k1", q)
	if a := reserve(t, s, "k1", q); !a.OK || a.Left != 0 {
		t.Errorf("after a refund: %+v, want OK true and 0", a)
	}
	h.Advance(11 * time.Minute)
	if a := reserve(t, s, "k1", q); !a.OK {
		t.Errorf("after the wait: %+v, want OK true", a)
	}
	if a := reserve(t, s, "k1", q); a.OK {
		t.Errorf("two after the wait for one: %+v, want OK false", a)
	}
	for range 5 { // a counter never has more than its burst, nor less for a refund that comes late
		refund(t, s, "k3", q)
		refund(t, s, "k2", q)
	}
	for _, key := range []string{"k2", "k3"} {
		for i := range 3 {
			if a := reserve(t, s, key, q); !a.OK || a.Left != 2-i {
				t.Errorf("%s after refunds, attempt %d: %+v, want %d left", key, i+1, a, 2-i)
			}
		}
		if a := reserve(t, s, key, q); a.OK {
			t.Errorf("%s has more than its burst: %+v, want OK false", key, a)
		}
	}
	h.Advance(time.Hour)
	if a := reserve(t, s, "k1", q); !a.OK || a.Left != 2 {
		t.Errorf("after an hour: %+v, want all back", a)
	}
}

func attemptsAtOnce(t testing.TB, h Harness) {
	q := sessions.Quota{Burst: 10, Every: time.Hour}
	var group sync.WaitGroup
	var got atomic.Int32
	for range 60 {
		group.Go(func() {
			if a, err := h.Store.Reserve(t.Context(), "k1", q); err != nil {
				t.Errorf("Reserve: got error %v, want none", err)
			} else if a.OK {
				got.Add(1)
			}
		})
	}
	if group.Wait(); got.Load() != 10 {
		t.Errorf("%d attempts at once passed, want 10", got.Load())
	}
}
