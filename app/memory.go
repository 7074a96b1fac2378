package app

import (
	"os"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"sync"
	"time"
)

// TuneMemory sets the garbage collector for a process of many idle sessions, unless GOGC says
// otherwise: it collects when the heap has grown by a quarter, not when it has doubled, and when
// the process has become quiet, what is free is given back to the system. What a burst of logins
// leaves between the live objects is most of what a session costs beyond them: room for the burst
// alone, taken back after it, was measured to cost 6 KiB a session for good, because what stays
// lies spread over the larger heap. A program calls it once, at its start, and stop at its end.
func TuneMemory() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	debug.SetGCPercent(25)
	r := &memoryReturn{read: readHeap, free: debug.FreeOSMemory}
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { r.run(ended) })
	return func() {
		close(ended)
		wg.Wait()
	}
}

const (
	memoryLook = 10 * time.Second
	// quietPart: a process is quiet when it allocates less than this part of its live heap between
	// two looks. Ten thousand idle sessions that are pinged, and two thousand idle streams, allocate
	// about a thirtieth.
	quietPart = 12
	// worthPart: giving memory back costs a collection, so less than this part is left alone.
	worthPart = 16
)

// heapFigures are bytes; allocated only grows.
type heapFigures struct{ allocated, live, garbageAndFree uint64 }

// memoryReturn gives memory back to the system, once each time that the process has become quiet.
type memoryReturn struct {
	read func() heapFigures
	free func()

	last  heapFigures
	given bool // since the process was busy last
}

func (r *memoryReturn) run(ended <-chan struct{}) {
	tick := time.NewTicker(memoryLook)
	defer tick.Stop()
	r.last = r.read()
	for {
		select {
		case <-tick.C:
			r.look()
		case <-ended:
			return
		}
	}
}

// look gives memory back if it is time to.
func (r *memoryReturn) look() {
	now := r.read()
	allocated := now.allocated - r.last.allocated
	if r.last = now; allocated > now.live/quietPart {
		r.given = false
		return
	}
	if !r.given && now.garbageAndFree > now.live/worthPart {
		r.given = true
		r.free()
	}
}

// readHeap asks the runtime, which answers without stopping anything.
func readHeap() heapFigures {
	s := []runtimemetrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	runtimemetrics.Read(s)
	live, objects := s[1].Value.Uint64(), s[2].Value.Uint64()
	return heapFigures{allocated: s[0].Value.Uint64(), live: live, garbageAndFree: max(objects, live) - live + s[3].Value.Uint64()}
}
