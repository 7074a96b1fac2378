package app

import (
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/canary"
)

// TestDrainByCallWhileStopping: Stop ends the drain that an operator has asked for, and waits for it; a
// call that comes later begins none, and takes nothing back. goleak sees what would be left behind.
func TestDrainByCallWhileStopping(t *testing.T) {
	a, err := New(Options{Listen: "127.0.0.1:0", AdminListen: "off", DrainTime: time.Minute, Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("New: got error %v, want none", err)
	}
	a.drainByCall()
	if a.draining.Load() == 0 {
		t.Fatal("got a node that does not drain, want it draining")
	}
	if err := a.Stop(t.Context()); err != nil { // it never served
		t.Errorf("Stop: got error %v, want none", err)
	}
	select {
	case <-a.called.done:
	default:
		t.Error("after Stop: got a drain that goes on, want it ended")
	}
	a.resumeByCall()
	if a.draining.Load() == 0 {
		t.Error("resumed after Stop: got a node that does not drain, want it as it was")
	}
	a.draining.Store(0)
	a.drainByCall()
	if a.draining.Load() != 0 {
		t.Error("called after Stop: got a drain, want none")
	}
}

// TestDrainsByCall from many operators at once: one at a time, and in the end none.
func TestDrainsByCall(t *testing.T) {
	a, err := New(Options{Listen: "127.0.0.1:0", AdminListen: "off", Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("New: got error %v, want none", err)
	}
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(a.drainByCall)
		calls.Go(a.resumeByCall)
	}
	calls.Wait()
	a.resumeByCall()
	if a.draining.Load() != 0 || a.called.cancel != nil {
		t.Errorf("got draining since %d, want it ended", a.draining.Load())
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Errorf("Stop: got error %v, want none", err)
	}
}
