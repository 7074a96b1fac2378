package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// clientArgs are the arguments of the roles that open sessions.
type clientArgs struct {
	addr, domain   string
	ca             []byte
	count, buddies int
}

func parseClientArgs(args []string) (c clientArgs, err error) {
	if len(args) != 5 {
		return c, fmt.Errorf("want address, domain, CA, sessions and buddies, got %d arguments", len(args))
	}
	c = clientArgs{addr: args[0], domain: args[1], ca: []byte(args[2])}
	if c.count, err = strconv.Atoi(args[3]); err != nil {
		return c, err
	}
	c.buddies, err = strconv.Atoi(args[4])
	return c, err
}

// opens at a time: enough to keep both cores busy, few enough not to time out.
const opensAtOnce = 16

// footprint is what a client role reports of itself, memory in bytes.
type footprint struct{ Resident, Returned, Goroutines float64 }

// serveFootprint opens, for each line "from to idle", those sessions, leaves them alone for that
// time and reports what the process weighs. It returns when standard input closes.
func serveFootprint(ctx context.Context, open func(from, to int) error) error {
	return serveLines(func(line string) (any, error) {
		var from, to int
		var idle string
		if _, err := fmt.Sscan(line, &from, &to, &idle); err != nil {
			return nil, err
		}
		wait, err := time.ParseDuration(idle)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(open(from, to), sleep(ctx, wait)); err != nil {
			return nil, err
		}
		return ownFootprint()
	})
}

// ownFootprint weighs this process as it is, and again when everything free was given back.
func ownFootprint() (f footprint, err error) {
	f.Goroutines = float64(runtime.NumGoroutine())
	if f.Resident, err = rssOf(ownPID); err != nil {
		return f, err
	}
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	f.Returned, err = rssOf(ownPID)
	return f, err
}

// openAll opens the sessions from..to-1 from a few goroutines and waits for them.
func openAll(ctx context.Context, from, to int, open func(ctx context.Context, i int) error) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs error
		next = make(chan int)
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range opensAtOnce {
		wg.Go(func() {
			for i := range next {
				if err := open(ctx, i); err != nil {
					mu.Lock()
					if ctx.Err() == nil {
						errs = fmt.Errorf("session %d: %w", i, err) // the others end because of it
					}
					mu.Unlock()
					cancel()
					return
				}
			}
		})
	}
	go func() {
		defer close(next)
		for i := from; i < to; i++ {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	wg.Wait()
	if errs != nil {
		return errs
	}
	return ctx.Err()
}
