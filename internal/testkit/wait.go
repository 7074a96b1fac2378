package testkit

import (
	"context"
	"os/exec"
	"time"
)

// waitFor asks again and again until check is content, or fails with its last complaint.
func waitFor(t TB, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), StartTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("testkit: waited in vain for %s: %v", what, err)
		case <-tick.C:
		}
	}
}

// Eventually asks again and again until check is content, at most for the given time, and
// then fails with the last complaint. It is for facts that nothing announces, such as a
// line in a server's log; for events there is a way to wait for each.
func Eventually(t TB, within time.Duration, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %v", within, err)
		case <-tick.C:
		}
	}
}

// run runs a program to its end, which must be a good one.
func run(t TB, dir string, argv ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), StartTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("testkit: %v: %v\n%s", argv, err, out)
	}
}
