package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// machine says what the figures were measured on, as far as it decides about them.
var machine = sync.OnceValue(func() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	memory, _ := os.ReadFile("/proc/meminfo")
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return describeMachine(runtime.NumCPU(), info, memory, kernel)
})

// describeMachine reads the files of /proc; what they lack is left out.
func describeMachine(cores int, info, memory, kernel []byte) string {
	words := []string{fmt.Sprintf("%d cores", cores)}
	if model := procField(info, "model name"); model != "" {
		words[0] += " of " + model
	}
	if kib, err := strconv.ParseFloat(strings.TrimSuffix(procField(memory, "MemTotal"), " kB"), 64); err == nil {
		words = append(words, fmt.Sprintf("%.0f GiB", kib/(1<<20)))
	}
	if v := strings.Split(string(bytes.TrimSpace(kernel)), "."); len(v) > 1 {
		words = append(words, "Linux "+v[0]+"."+v[1])
	}
	return strings.Join(append(words, "Go "+strings.TrimPrefix(runtime.Version(), "go")), ", ")
}

// procField is the first "name: value" of a file.
func procField(b []byte, name string) string {
	for line := range bytes.Lines(b) {
		if key, value, ok := bytes.Cut(line, []byte(":")); ok && string(bytes.TrimSpace(key)) == name {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// commit is that of the source which is measured; "" when git does not know, or another program
// is measured.
func commit(ctx context.Context, program string) string {
	if program != "" {
		return ""
	}
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=10", "HEAD").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
