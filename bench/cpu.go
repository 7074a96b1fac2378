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

// cpuTime is how long a process has run on a core so far, in seconds.
func cpuTime(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name of the program stands in parentheses and may have spaces.
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, b)
	}
	user, err := strconv.ParseFloat(f[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(f[12], 64)
	return (user + system) / ticks, err
}

// rigUse is what the two processes of a rig have used.
type rigUse struct {
	server, gateway float64
	at              time.Time
}

func (g *latencyRig) used() (u rigUse, err error) {
	if u.server, err = cpuTime(g.server.PID()); err != nil {
		return u, err
	}
	u.gateway, err = cpuTime(g.gateway.cmd.Process.Pid)
	u.at = time.Now()
	return u, err
}
