package main

import (
	"context"
	"runtime"
	"syscall"
	"time"
)

// pace calls send at even times, rate a second, and notes for each when it began, since
// began, and how late that was. It keeps its thread and sleeps in the kernel: the timers
// of the runtime wake up to a millisecond late when nothing else runs, and then two
// messages would leave together.
//
// A late message is measured from when it left: what the sender owes is reported, and not
// counted on the readers.
func pace(ctx context.Context, rate int, began time.Time, left, lag []time.Duration, send func(n int) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Since(began)
	for n := range left {
		at := start + time.Duration(n)*time.Second/time.Duration(rate)
		for wait := at - time.Since(began); wait > 0; wait = at - time.Since(began) {
			nap := syscall.NsecToTimespec(int64(wait))
			if err := syscall.Nanosleep(&nap, nil); err != nil && err != syscall.EINTR {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		left[n] = time.Since(began)
		lag[n] = left[n] - at
		if err := send(n); err != nil {
			return err
		}
	}
	return nil
}
