package sessions

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// countedWork is work of which every piece must be done once, by one goroutine at a time.
type countedWork struct {
	t       *testing.T
	waiting atomic.Int64
	busy    atomic.Int32
	before  func() // before a step looks for work; nil: nothing
	after   func() // after a step that found none; nil: nothing

	done  int64 // guarded by nothing: only the owner has it
	last  int64 // hasEnded after so many; 0: never
	ended chan struct{}
}

func (w *countedWork) step() bool {
	if w.busy.Add(1) != 1 {
		w.t.Error("got two goroutines in step, want one")
	}
	defer w.busy.Add(-1)
	if w.before != nil {
		w.before()
	}
	for {
		n := w.waiting.Load()
		if n == 0 {
			if w.after != nil {
				w.after()
			}
			return false
		}
		if w.waiting.CompareAndSwap(n, n-1) {
			w.done++
			return true
		}
	}
}

func (w *countedWork) hasEnded() bool { return w.last > 0 && w.done >= w.last }
func (w *countedWork) finish()        { close(w.ended) }

// TestRunnerMissesNothing: many goroutines make work, and all of it is done without another wake.
func TestRunnerMissesNothing(t *testing.T) {
	const wakers, each = 8, 2000
	w := &countedWork{t: t, last: wakers * each, ended: make(chan struct{})}
	r := &runner{work: w}
	r.start()
	var all sync.WaitGroup
	for i := range wakers {
		all.Go(func() {
			for range each {
				w.waiting.Add(1)
				if i%2 == 0 {
					r.wake()
				} else {
					r.wakeHere()
				}
			}
		})
	}
	all.Wait()
	<-w.ended
	if w.done != wakers*each {
		t.Errorf("did %d pieces of work, want %d", w.done, wakers*each)
	}
}

// TestWakeWhileTheRunnerEnds: work that comes after a step has found none, and before the goroutine
// has gone, is done all the same.
func TestWakeWhileTheRunnerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &countedWork{t: t}
		r := &runner{work: w}
		late := 5
		w.after = func() {
			if late > 0 {
				late--
				w.waiting.Add(1)
				r.wake()
			}
		}
		r.start()
		synctest.Wait()
		if w.done != 5 {
			t.Errorf("did %d pieces of work, want 5", w.done)
		}
	})
}

// TestRunnerStates: wake does nothing before start and after the end.
func TestRunnerStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &countedWork{t: t, last: 2, ended: make(chan struct{})}
		r := &runner{work: w}
		w.waiting.Store(1)
		r.wake()
		r.wakeHere()
		if synctest.Wait(); w.done != 0 {
			t.Errorf("before start: did %d pieces of work, want 0", w.done)
		}
		r.start()
		if synctest.Wait(); w.done != 1 {
			t.Errorf("after start: did %d pieces of work, want 1", w.done)
		}
		w.waiting.Store(3)
		r.wakeHere()
		<-w.ended
		r.wake()
		r.wakeHere()
		if synctest.Wait(); w.done != 2 {
			t.Errorf("after the end: did %d pieces of work, want 2", w.done)
		}
	})
}

// TestBorrowedGoroutine: who lends the owner a goroutine gets it back, however much there is to do.
func TestBorrowedGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &countedWork{t: t}
		r := &runner{work: w}
		r.start()
		synctest.Wait()
		gate := make(chan struct{})
		steps := 0
		w.before = func() {
			if steps++; steps > borrowedSteps {
				<-gate
			}
		}
		w.waiting.Store(2 * borrowedSteps)
		r.wakeHere() // would not return if it took the rest as well
		close(gate)
		if synctest.Wait(); w.done != 2*borrowedSteps {
			t.Errorf("did %d pieces of work, want %d", w.done, 2*borrowedSteps)
		}
	})
}
