package api

import (
	"runtime"
	"sync"
)

// runner runs the turns of the streams that no request belongs to. There are as many goroutines as
// there are processors, and only while a turn is due: an event that goes to a thousand sockets is
// written to one after the other, and a stream in which nothing happens has no goroutine here. So a
// turn must not wait. One that would have to, because its client is slow, goes on in a goroutine of
// its own.
type runner struct {
	mu      sync.Mutex
	queue   []*stream // whose turn is due, from head on
	head    int
	workers int
	wg      sync.WaitGroup
}

// add begins a turn. It does not wait.
func (r *runner) add(st *stream) {
	if st.detached.raw == nil {
		r.wg.Go(func() { st.goOn(turnWaits) }) // over TLS every write may wait
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, st)
	if r.workers < runtime.GOMAXPROCS(0) {
		r.workers++
		r.wg.Go(r.work)
	}
}

// next returns the stream that has waited longest; nil: none does, and the worker ends.
func (r *runner) next() *stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head == len(r.queue) {
		r.queue, r.head = r.queue[:0], 0
		if cap(r.queue) > 1024 {
			r.queue = nil
		}
		r.workers--
		return nil
	}
	st := r.queue[r.head]
	r.queue[r.head] = nil
	if r.head++; r.head >= len(r.queue)/2 && r.head >= 64 {
		n := copy(r.queue, r.queue[r.head:])
		clear(r.queue[n:])
		r.queue, r.head = r.queue[:n], 0
	}
	return st
}

func (r *runner) work() {
	for st := r.next(); st != nil; st = r.next() {
		if o := st.turnGuarded(false); o != turnIdle {
			r.wg.Go(func() { st.goOn(o) })
		}
	}
}
