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
		r := newRejections()
		for i := range most {
			r.add(numbered(i), why)
		}
		if n := r.why.Len(); n != most {
			t.Fatalf("got %d rejections after as many, want %d", n, most)
		}
		for i := most; i < 3*most; i++ {
			if r.add(numbered(i), why); r.get(numbered(i)) != why {
				t.Fatalf("get(%d), the newest: got no rejection, want %v", i, why)
			}
			if n := r.why.Len(); n > most {
				t.Fatalf("got %d rejections after %d, want at most %d", n, i+1, most)
			}
		}

		r = newRejections()
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
				t.Fatalf("get(%d): got it remembered %v, want %v", i, got, want)
			}
		}
	})
}

// TestFullRejectionsAreCheap: no credential that is refused makes a full table be searched. When
// all of them have expired, each one frees two.
func TestFullRejectionsAreCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("refused")
		r := newRejections()
		for i := range rejectedMax {
			r.add(numbered(i), why)
		}
		time.Sleep(rejectedFor)
		for i := range rejectedMax {
			r.add(numbered(rejectedMax+i), why)
			if got, want := r.why.Len(), rejectedMax-1-i; i < rejectedMax/2 && got != want {
				t.Fatalf("after %d more: got %d rejections, want %d", i+1, got, want)
			}
		}
		if got := r.why.Len(); got != rejectedMax {
			t.Errorf("got %d rejections, want as many as were refused since, %d", got, rejectedMax)
		}
	})
}
