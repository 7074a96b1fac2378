package app

import (
	"os"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"sync"
	"time"
)

const (
	quietPercent = 25  // what a burst leaves between live objects is most of what a session costs beyond them
	busyPercent  = 100 // as Go itself; less costs a quarter more CPU in a storm of logins
	gcEvery      = time.Second
	quietTicks   = 10 // without much work, until memory is preferred again

	busyShare  = 0.10 // of the CPU of the process that goes to the collector
	quietShare = 0.03
)

// TuneMemory adapts the garbage collector to a process of many idle sessions, unless GOGC says
// otherwise: quiet, it collects when the heap has grown by a quarter; while collecting takes much
// of the CPU, when it has doubled. After a burst, memory is given back to the system. A program
// calls it once, at its start; stop ends it.
func TuneMemory() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	debug.SetGCPercent(quietPercent)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { tuneUntil(done) })
	return func() { close(done); wg.Wait() }
}

func tuneUntil(done <-chan struct{}) {
	tick := time.NewTicker(gcEvery)
	defer tick.Stop()
	p := newGCPacer()
	read := newCPUReader()
	read.share()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		percent, release := p.next(read.share())
		if percent != p.set {
			p.set = percent
			debug.SetGCPercent(percent)
		}
		if release {
			debug.FreeOSMemory()
		}
	}
}

// gcPacer decides how much the heap may grow, from the share of the CPU that the collector takes.
type gcPacer struct {
	set   int // what was set last
	quiet int // ticks in a row
}

func newGCPacer() *gcPacer { return &gcPacer{set: quietPercent} }

// next returns the percentage of from now on, and whether memory is to be given back.
func (p *gcPacer) next(share float64) (percent int, release bool) {
	switch {
	case share >= busyShare:
		p.quiet = 0
		return min(2*p.set, busyPercent), false
	case share >= quietShare:
		p.quiet = 0
		return p.set, false
	}
	if p.quiet++; p.quiet < quietTicks || p.set == quietPercent {
		return p.set, false
	}
	p.quiet = 0
	return quietPercent, true
}

// cpuReader reads what the collector takes of the CPU of the process.
type cpuReader struct {
	samples   []runtimemetrics.Sample
	gc, total float64 // seconds, as of the last call
}

func newCPUReader() *cpuReader {
	return &cpuReader{samples: []runtimemetrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/user:cpu-seconds"}}}
}

// share is that of the time since the last call; 0: nothing was collected meanwhile.
func (r *cpuReader) share() float64 {
	runtimemetrics.Read(r.samples)
	gc := r.samples[0].Value.Float64()
	total := gc + r.samples[1].Value.Float64()
	dGC, dTotal := gc-r.gc, total-r.total
	r.gc, r.total = gc, total
	if dTotal <= 0 {
		return 0
	}
	return dGC / dTotal
}
