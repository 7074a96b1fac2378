package xmppserver_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

// TestSchedule runs jobs at their time, and drops what is over its bound, but for what must always run.
func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s xmppserver.Schedule
		var mu sync.Mutex
		var ran []string
		job := func(name string) func() { return func() { ran = append(ran, name) } }
		s.Always(2*time.Second, job("second"))
		s.After(time.Second, job("first"))
		for n := 0; s.After(time.Hour, func() {}); n++ {
			if n > 1_000_000 {
				t.Fatal("got a million jobs, want a bound")
			}
		}
		if s.After(0, job("dropped")) {
			t.Error("a full schedule: got a job taken, want it dropped")
		}
		s.Always(0, job("always"))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx, &mu); close(done) }()
		time.Sleep(3 * time.Second)
		cancel()
		<-done
		if want := []string{"always", "first", "second"}; !slices.Equal(ran, want) {
			t.Errorf("got %q, want %q", ran, want)
		}
	})
}
