package sessions

import (
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func numbered(n int) (d digest) {
	binary.BigEndian.PutUint64(d[:], uint64(n))
	return d
}

// TestRejectionsAreBounded: however many credentials are refused, as many as rejectedMax are
// remembered, the newest among them, and those that have expired go first.
func TestRejectionsAreBounded(t *testing.T) {
	const most = 8192
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("refused")
		var r rejections
		for i := range most {
			r.add(numbered(i), why)
		}
		if n := len(r.at); n != most {
			t.Fatalf("%d remembered, want %d", n, most)
		}
		for i := most; i < 3*most; i++ {
			if r.add(numbered(i), why); r.get(numbered(i)) != why {
				t.Fatalf("the newest, %d, is not remembered", i)
			}
			if n := len(r.at); n > most {
				t.Fatalf("%d remembered, want at most %d", n, most)
			}
		}

		r = rejections{}
		const old = 100
		for i := range old {
			r.add(numbered(i), why)
		}
		time.Sleep(rejectedFor - time.Second)
		for i := old; i < most; i++ {
			r.add(numbered(i), why)
		}
		time.Sleep(time.Second)
		r.add(numbered(most), why)
		for i := range most + 1 {
			if got, want := r.get(numbered(i)) != nil, i >= old; got != want {
				t.Fatalf("%d is remembered: %v, want %v", i, got, want)
			}
		}
	})
}

// TestFullRejectionsAreCheap: a full table is searched for expired ones once in a while, not
// for every credential that is refused.
func TestFullRejectionsAreCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("refused")
		var r rejections
		sweeps, last := 0, time.Time{}
		for i := range rejectedMax + 1000 {
			if r.add(numbered(i), why); r.swept != last {
				sweeps, last = sweeps+1, r.swept
			}
			if i >= rejectedMax {
				time.Sleep(10 * time.Millisecond)
			}
		}
		if sweeps < 9 || sweeps > 11 {
			t.Errorf("%d searches in 10 s, want one a second", sweeps)
		}
	})
}
