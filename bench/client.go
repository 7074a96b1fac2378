package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
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

// idleFor is how long the sessions are left alone before they are weighed: what a login
// needs for some seconds is no part of an idle session.
const idleFor = 10 * time.Second

// leaveAlone waits for idleFor.
func leaveAlone(ctx context.Context) error {
	select {
	case <-time.After(idleFor):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serveFootprint reports what the process weighs; then, for each line "from to", it opens
// those sessions, leaves them alone for a while and reports again. It returns when
// standard input closes.
func serveFootprint(ctx context.Context, url string, open func(from, to int) error) error {
	if err := sayFootprint(url); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var from, to int
		if _, err := fmt.Sscan(in.Text(), &from, &to); err != nil {
			return err
		}
		if err := errors.Join(open(from, to), leaveAlone(ctx), sayFootprint(url)); err != nil {
			return err
		}
	}
	return nil
}

func sayFootprint(url string) error {
	m, err := rss()
	if err != nil {
		return err
	}
	return say(footprint{RSS: m, Goroutines: float64(runtime.NumGoroutine()), URL: url})
}

// openAll opens the sessions from..to-1 from a few goroutines and waits for them.
func openAll(ctx context.Context, from, to int, open func(ctx context.Context, i int) error) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs error
		next = make(chan int)
	)
	for range opensAtOnce {
		wg.Go(func() {
			for i := range next {
				if err := open(ctx, i); err != nil {
					mu.Lock()
					errs = errors.Join(errs, fmt.Errorf("session %d: %w", i, err))
					mu.Unlock()
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
	return errors.Join(errs, ctx.Err())
}
