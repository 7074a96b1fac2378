package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

var ownPID = os.Getpid()

// soakQuiet is how long the gateway is left alone before a look, of what a cycle has left.
func soakQuiet(left time.Duration) quiet {
	return quiet{atLeast: left * 3 / 4, atMost: left * 9 / 10, every: min(left/10, 5*time.Second), same: 3}
}

// soakFigures are what a look sees, without Redis: in their order.
func soakFigures() []series {
	return []series{
		{name: "goroutines", scale: 1, slack: 5, short: growthLimit},
		{name: "descriptors", scale: 1, slack: 5, short: growthLimit},
		memorySeries("heap"), memorySeries("returned"), memorySeries("resident"),
	}
}

func memorySeries(name string) series {
	return series{name: name, unit: "KiB", scale: 1024, short: memoryLimit}
}

// look waits until the gateway is quiet, weighs it and prints a line.
func (s *soak) look(ctx context.Context, n int, next time.Time) error {
	if err := s.gateway.awaitOnline(ctx, s.o.sessions, s.o.cycle+time.Minute); err != nil {
		return err
	}
	w, err := s.gateway.weigh(ctx, soakQuiet(time.Until(next)))
	if err != nil {
		return err
	}
	at := time.Since(s.began)
	values := []float64{w.goroutines, w.descriptors, w.heap, w.returned, w.resident}
	if s.redis != nil {
		used, err := redisMemory(ctx, s.redis)
		if err != nil {
			return err
		}
		values = append(values, used)
	}
	var line strings.Builder
	fmt.Fprintf(&line, "%4d %8s", n, at.Round(time.Second))
	for i, v := range values {
		f := &s.figures[i]
		f.samples = append(f.samples, sample{at, v})
		fmt.Fprintf(&line, "  %s %.0f", f.name, v/f.scale)
	}
	_, err = fmt.Fprintln(s.out, line.String())
	return err
}
