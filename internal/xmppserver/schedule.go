package xmppserver

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Schedule runs functions at their time on one goroutine, under the lock of its owner. Its zero value
// is ready.
type Schedule struct {
	mu   sync.Mutex
	jobs jobHeap
	wake chan struct{}
}

// maxJobs bounds what clients can make a service do later.
const maxJobs = 10_000

// After puts a job into the schedule, and reports whether there was a place for it: a full schedule drops it.
func (s *Schedule) After(d time.Duration, do func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.jobs) >= maxJobs {
		return false
	}
	s.push(d, do)
	return true
}

// Always puts a job into the schedule though it is full: one that no client can make many of.
func (s *Schedule) Always(d time.Duration, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.push(d, do)
}

// push is called with mu held.
func (s *Schedule) push(d time.Duration, do func()) {
	heap.Push(&s.jobs, job{time.Now().Add(d), do})
	select {
	case s.waker() <- struct{}{}:
	default:
	}
}

// waker is called with mu held.
func (s *Schedule) waker() chan struct{} {
	if s.wake == nil {
		s.wake = make(chan struct{}, 1)
	}
	return s.wake
}

// Run does the jobs, each with owner locked, until ctx ends.
func (s *Schedule) Run(ctx context.Context, owner sync.Locker) {
	for {
		due, wait, wake := s.next()
		if due != nil {
			owner.Lock()
			due()
			owner.Unlock()
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-wake:
			t.Stop()
		case <-t.C:
		}
	}
}

// next removes the next job that is due, or says how long there is nothing to do.
func (s *Schedule) next() (func(), time.Duration, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.jobs) == 0 {
		return nil, time.Hour, s.waker()
	}
	if d := time.Until(s.jobs[0].at); d > 0 {
		return nil, d, s.waker()
	}
	return heap.Pop(&s.jobs).(job).do, 0, nil
}

type job struct {
	at time.Time
	do func()
}

type jobHeap []job

func (h jobHeap) Len() int           { return len(h) }
func (h jobHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h jobHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *jobHeap) Push(x any)        { *h = append(*h, x.(job)) }
func (h *jobHeap) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = job{}
	*h = (*h)[:len(*h)-1]
	return last
}
