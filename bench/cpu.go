package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks a second of /proc: the kernel shows times to programs in this unit on every
// architecture that Go knows.
const ticks = 100

// cpu is how long a process has run on a core, in seconds.
type cpu struct{ user, system float64 }

func (c cpu) sum() float64    { return c.user + c.system }
func (c cpu) minus(o cpu) cpu { return cpu{c.user - o.user, c.system - o.system} }
func (c cpu) plus(o cpu) cpu  { return cpu{c.user + o.user, c.system + o.system} }

// cpuTime is how long a process has run so far.
func cpuTime(pid int) (cpu, error) {
	path := fmt.Sprintf("/proc/%d/stat", pid)
	b, err := os.ReadFile(path)
	if err != nil {
		return cpu{}, err
	}
	return parseStat(path, b)
}

// parseStat reads two figures of /proc/PID/stat: utime and stime.
func parseStat(path string, b []byte) (c cpu, err error) {
	// The name of the program stands in parentheses and may have spaces.
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return c, fmt.Errorf("%s: %q", path, b)
	}
	for i, into := range []*float64{&c.user, &c.system} {
		v, err := strconv.ParseFloat(f[11+i], 64)
		if err != nil {
			return c, fmt.Errorf("%s: %w", path, err)
		}
		*into = v / ticks
	}
	return c, nil
}

// rigUse is what the two processes of a rig have used.
type rigUse struct {
	server, gateway float64
	at              time.Time
}

func (g *latencyRig) used() (u rigUse, err error) {
	server, err := cpuTime(g.server.PID())
	if err != nil {
		return u, err
	}
	perch, err := cpuTime(g.gateway.PID())
	return rigUse{server.sum(), perch.sum(), time.Now()}, err
}
