package app

import (
	"os"
	"runtime/debug"
	"slices"
	"testing"
)

// TestGCPacer: what is decided after each second, from the share of the CPU that the collector had.
func TestGCPacer(t *testing.T) {
	quiet := func(n int) []float64 { return slices.Repeat([]float64{0}, n) }
	for _, tt := range []struct {
		name     string
		shares   []float64
		percent  int
		released int
	}{
		{"quiet from the beginning", quiet(100), 25, 0},
		{"some work", slices.Repeat([]float64{0.05}, 100), 25, 0},
		{"a second of much work", []float64{0.4}, 50, 0},
		{"much work", slices.Repeat([]float64{0.4}, 20), 100, 0},
		{"just after it", append([]float64{0.4, 0.4}, quiet(9)...), 100, 0},
		{"ten seconds after it", append([]float64{0.4, 0.4}, quiet(10)...), 25, 1},
		{"long after it", append([]float64{0.4, 0.4}, quiet(100)...), 25, 1},
		{"work between", slices.Concat([]float64{0.4, 0.4}, quiet(9), []float64{0.05}, quiet(9)), 100, 0},
		{"two bursts", slices.Concat([]float64{0.4}, quiet(10), []float64{0.4}, quiet(10)), 25, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, released := newGCPacer(), 0
			for _, share := range tt.shares {
				percent, release := p.next(share)
				p.set = percent
				if release {
					released++
				}
			}
			if p.set != tt.percent || released != tt.released {
				t.Errorf("got %d %%, memory released %d times; want %d %%, %d times", p.set, released, tt.percent, tt.released)
			}
		})
	}
}

// TestTuneMemory: it sets the percentage at once, stops, and leaves alone what GOGC says.
func TestTuneMemory(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "150")
	TuneMemory()()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("got %d %% with GOGC set, want 100", got)
	}
	if err := os.Unsetenv("GOGC"); err != nil {
		t.Fatalf("Unsetenv: got error %v, want none", err)
	}
	TuneMemory()()
	if got := debug.SetGCPercent(100); got != quietPercent {
		t.Errorf("got %d %%, want %d", got, quietPercent)
	}
}

// TestCPUReader: work that makes garbage shows as a share of the collector.
func TestCPUReader(t *testing.T) {
	r := newCPUReader()
	r.share()
	for range 20 {
		debug.FreeOSMemory()
	}
	if got := r.share(); got <= 0 || got > 1 {
		t.Errorf("got a share of %v after twenty collections, want one above 0 and up to 1", got)
	}
	if got := r.share(); got != 0 {
		t.Errorf("got a share of %v right after, want 0", got)
	}
}
