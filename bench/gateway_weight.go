package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

// weight is what a process holds when it has been quiet for a while; memory is in bytes.
type weight struct {
	goroutines, descriptors float64
	resident                float64 // RSS as the process sits
	returned                float64 // RSS when all that is free in it were given back
	heap                    float64 // live objects, after a collection
}

// quiet says how a process is waited for before it is weighed. What a session needs for some
// seconds after its last byte is no part of an idle one.
type quiet struct {
	atLeast, atMost time.Duration
	every           time.Duration // look
	same            int           // so many looks in a row must see no fewer goroutines
}

// settle waits until the goroutines of a gateway do not get fewer any more, and returns the least
// that were seen of goroutines and of descriptors: what comes for a moment, such as the
// answer to a ping, is not counted. It looks seldom, since a gateway that makes an answer is
// not quiet.
func (g *gateway) settle(ctx context.Context, q quiet) (w weight, err error) {
	began, same := time.Now(), 0
	for {
		s, err := g.metrics(ctx)
		if err != nil {
			return w, err
		}
		goroutines, err := s.get("go_goroutines")
		if err != nil {
			return w, err
		}
		descriptors, err := s.get("process_open_fds")
		if err != nil {
			return w, err
		}
		if w.goroutines == 0 || goroutines < w.goroutines {
			w.goroutines, same = goroutines, 0
		}
		if w.descriptors == 0 || descriptors < w.descriptors {
			w.descriptors = descriptors
		}
		same++
		if took := time.Since(began); took >= q.atMost || took >= q.atLeast && same > q.same {
			return w, nil
		}
		if err := sleep(ctx, q.every); err != nil {
			return w, err
		}
	}
}

// weigh waits until the gateway is quiet, and weighs it.
//
// The program has no door through which free memory is given back, and gets none for this. What
// debug.FreeOSMemory would leave is computed instead: a profile of the heap with ?gc=1 collects
// twice as it does, and what is then idle in the heap and not yet released is what it would
// give to the system. Taken from the RSS of that moment, the rest is what was returned.
func (g *gateway) weigh(ctx context.Context, q quiet) (weight, error) {
	w, err := g.settle(ctx, q)
	if err != nil {
		return w, err
	}
	if w.resident, err = rssOf(g.PID()); err != nil {
		return w, err
	}
	for range 2 {
		if _, err := request(ctx, http.MethodGet, g.admin+"/debug/pprof/heap?gc=1", nil, nil); err != nil {
			return w, err
		}
	}
	s, err := g.metrics(ctx)
	if err != nil {
		return w, err
	}
	var figures [3]float64
	for i, name := range []string{"go_memstats_heap_alloc_bytes", "go_memstats_heap_idle_bytes", "go_memstats_heap_released_bytes"} {
		if figures[i], err = s.get(name); err != nil {
			return w, err
		}
	}
	now, err := rssOf(g.PID())
	w.heap, w.returned = figures[0], now-(figures[1]-figures[2])
	return w, err
}

// rssOf is the resident memory of a process in bytes.
func rssOf(pid int) (float64, error) {
	path := fmt.Sprintf("/proc/%d/statm", pid)
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return parseStatm(path, b)
}

// parseStatm reads the second figure of /proc/PID/statm: resident pages.
func parseStatm(path string, b []byte) (float64, error) {
	f := bytes.Fields(b)
	if len(f) < 2 {
		return 0, fmt.Errorf("%s: %q", path, b)
	}
	pages, err := strconv.ParseFloat(string(f[1]), 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return pages * float64(os.Getpagesize()), nil
}
