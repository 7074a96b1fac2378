package app

import (
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestMemoryIsReturned: once in each quiet time, and only what is worth a collection.
func TestMemoryIsReturned(t *testing.T) {
	type look struct {
		allocates, free uint64
		want            int // times that memory was given back, after this look
	}
	const live = 1000 * worthPart * quietPart
	for _, tt := range []struct {
		name  string
		looks []look
	}{
		{"busy", []look{{live, live, 0}, {live, live, 0}, {live/quietPart + 1, live, 0}}},
		{"quiet after a burst", []look{{live, live, 0}, {live / quietPart, live, 1}, {0, live, 1}, {0, live, 1}}},
		{"a second burst", []look{{0, live, 1}, {live, live, 1}, {0, live, 2}}},
		{"not worth it", []look{{0, live / worthPart, 0}, {0, live/worthPart + 1, 1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := heapFigures{allocated: 7, live: live}
			given := 0
			r := &memoryReturn{read: func() heapFigures { return now }, free: func() { given++ }, last: now}
			for i, l := range tt.looks {
				now.allocated += l.allocates
				now.garbageAndFree = l.free
				if r.look(); given != l.want {
					t.Errorf("look %d: memory was given back %d times, want %d", i, given, l.want)
				}
			}
		})
	}
}

// TestMemoryIsLookedAt: at every interval, until it is told to end.
func TestMemoryIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int32
		r := &memoryReturn{read: func() heapFigures { looks.Add(1); return heapFigures{live: 1} }, free: func() {}}
		ended := make(chan struct{})
		go r.run(ended)
		time.Sleep(3*memoryLook + time.Second)
		close(ended)
		if synctest.Wait(); looks.Load() != 4 {
			t.Errorf("looked %d times, want once at the begin and 3 times later", looks.Load())
		}
	})
}

// TestHeapIsRead: the runtime knows the figures by these names.
func TestHeapIsRead(t *testing.T) {
	before := readHeap()
	kept := make([]byte, 8<<20)
	after := readHeap()
	if before.live == 0 || after.allocated < before.allocated+uint64(len(kept)) {
		t.Errorf("got live %d, allocated %d and then %d, want live memory, and 8 MiB more allocated", before.live, before.allocated, after.allocated)
	}
}

// TestGOGCWins: what the environment says is left alone.
func TestGOGCWins(t *testing.T) {
	for _, tt := range []struct {
		gogc string
		want int
	}{{"77", 77}, {"", 25}} {
		t.Run("GOGC="+tt.gogc, func(t *testing.T) {
			t.Setenv("GOGC", tt.gogc)
			old := debug.SetGCPercent(77)
			stop := TuneMemory()
			stop()
			if got := debug.SetGCPercent(old); got != tt.want {
				t.Errorf("got a collection each %d %%, want %d", got, tt.want)
			}
		})
	}
}
