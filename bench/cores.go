package main

import (
	"syscall"
	"time"
)

// cores says where each core went in a part of the measurement: what the processes of each kind
// have run, the set-up included.
type cores struct {
	part  string
	began time.Time
	own   cpu
	list  []*watched
}

// watched is a process of a kind, and what it had used when it was last looked at.
type watched struct {
	kind string
	pid  int
	used cpu
}

// The kinds of processes. What they are is said in docs/performance.md.
const (
	kindGateway  = "gateway"
	kindServer   = "server"   // of XMPP
	kindStore    = "store"    // Redis
	kindBaseline = "baseline" // what the gateway is compared with
	kindClient   = "client"   // this process
)

var kinds = []string{kindGateway, kindServer, kindStore, kindBaseline, kindClient}

func watchCores(part string) *cores {
	return &cores{part: part, began: time.Now(), own: ownCPU()}
}

// watch counts a process in. It is looked at when the part ends; one that ends before is to be
// looked at by who ends it.
func (c *cores) watch(kind string, pid int) *watched {
	w := &watched{kind: kind, pid: pid}
	c.list = append(c.list, w)
	return w
}

// look notes what the process has used so far. One that has ended keeps what was seen last.
func (w *watched) look() {
	if now, err := cpuTime(w.pid); err == nil {
		w.used = now
	}
}

// coresOf begins the names of the figures of a part.
const coresOf = "cores of "

// record adds the figures of the part, when it had processes.
func (c *cores) record(r *report) {
	if len(c.list) == 0 {
		return
	}
	used := map[string]cpu{kindClient: ownCPU().minus(c.own)}
	for _, w := range c.list {
		w.look()
		used[w.kind] = used[w.kind].plus(w.used)
	}
	name := coresOf + c.part
	r.add(name+", time", time.Since(c.began).Seconds(), "s", "")
	for _, kind := range kinds {
		if u := used[kind]; u.sum() > 0 {
			r.add(name+", "+kind+" user", u.user, "s", "")
			r.add(name+", "+kind+" system", u.system, "s", "")
		}
	}
}

// ownCPU is what this process has used so far, to the microsecond.
func ownCPU() cpu {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return cpu{} // it cannot fail
	}
	return cpu{time.Duration(u.Utime.Nano()).Seconds(), time.Duration(u.Stime.Nano()).Seconds()}
}
