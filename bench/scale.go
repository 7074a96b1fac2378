package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	scaleDrain = 20 * time.Second // over which a process is drained
	scaleLimit = 10 * time.Minute // until its sessions are with the others
)

// scaleSizes are those of the curve, as far as there are sessions.
var scaleSizes = []int{1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000}

// scaleBeside is the size that the others are compared with.
const scaleBeside = 10_000

// scale opens more and more sessions in more and more gateway processes over one Redis, and weighs
// the gateways at each size. At last one of them is drained, and the others take its sessions
// over.
func scale(ctx context.Context, l *lab) error {
	f := &fleet{lab: l, most: l.effort.scale, each: l.effort.perProcess}
	if err := f.start(ctx); err != nil {
		return err
	}
	for _, n := range sizesUpTo(f.most) {
		if err := f.grow(ctx, n); err != nil {
			return fmt.Errorf("%d sessions: %w", n, err)
		}
		if err := f.record(ctx, n); err != nil {
			return fmt.Errorf("%d sessions: %w", n, err)
		}
	}
	return f.drain(ctx)
}

// sizesUpTo are the sizes of a curve that ends at most.
func sizesUpTo(most int) []int {
	i, _ := slices.BinarySearch(scaleSizes, most)
	return append(slices.Clone(scaleSizes[:i]), most)
}

// record weighs all gateways, and looks at what they use while nothing happens.
func (f *fleet) record(ctx context.Context, n int) error {
	weights := make([]weight, len(f.gateways))
	err := openAll(ctx, 0, len(weights), func(ctx context.Context, i int) (err error) {
		weights[i], err = f.gateways[i].weigh(ctx, f.effort.quiet)
		return err
	})
	if err != nil {
		return err
	}
	var sum weight
	for i, w := range weights {
		sum.resident += w.resident - f.bases[i].resident
		sum.returned += w.returned - f.bases[i].returned
		sum.goroutines += w.goroutines
	}
	idle, err := f.idleCPU(ctx)
	if err != nil {
		return err
	}
	stored, err := redisMemory(ctx, f.store)
	if err != nil {
		return err
	}
	of := func(size int, what string) string { return fmt.Sprintf("scale %d, %s", size, what) }
	add := func(what string, v float64, unit string, compare bool) {
		with := ""
		if compare && n != scaleBeside {
			with = of(scaleBeside, what)
		}
		f.report.add(of(n, what), v, unit, with)
	}
	weighed := float64(n - f.warm*len(f.gateways))
	add("resident", sum.resident/weighed/1024, "KiB/session", true)
	add("returned", sum.returned/weighed/1024, "KiB/session", true)
	add("goroutines", sum.goroutines, "goroutines", false)
	add("processes", float64(len(f.gateways)), "processes", false)
	add("idle CPU", idle, "cores", false)
	add("redis memory", (stored-f.empty)/float64(n), "bytes/session", true)
	add("logins", f.rate, "logins/s", false)
	return nil
}

// idleCPU is how many cores all gateways together use while nothing happens.
func (f *fleet) idleCPU(ctx context.Context) (float64, error) {
	before, err := f.used()
	if err != nil {
		return 0, err
	}
	if err := sleep(ctx, f.effort.scaleIdle); err != nil {
		return 0, err
	}
	after, err := f.used()
	return after.minus(before).sum() / f.effort.scaleIdle.Seconds(), err
}

func (f *fleet) used() (sum cpu, err error) {
	for _, g := range f.gateways {
		c, err := cpuTime(g.PID())
		if err != nil {
			return sum, err
		}
		sum = sum.plus(c)
	}
	return sum, nil
}

// drain ends the first gateway as an operator does, and waits until its sessions are online
// elsewhere.
func (f *fleet) drain(ctx context.Context) error {
	if len(f.gateways) == 1 {
		if err := f.add(); err != nil {
			return err
		}
	}
	leaves, stay := f.gateways[0], f.gateways[1:]
	its, err := leaves.online(ctx)
	if err != nil {
		return err
	}
	f.note("%d sessions of a process that is drained", its)
	began := time.Now()
	leaves.watched.look()
	leaves.Signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, scaleLimit)
	defer cancel()
	for {
		var online atomic.Int64
		err := openAll(ctx, 0, len(stay), func(ctx context.Context, i int) error {
			n, err := stay[i].online(ctx)
			online.Add(int64(n))
			return err
		})
		if err != nil {
			return err
		}
		if int(online.Load()) >= f.open {
			break
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d sessions are online after a drain: %w", online.Load(), f.open, err)
		}
	}
	took := time.Since(began)
	f.report.add("drain, sessions of the process", float64(its), "sessions", "")
	f.report.add("drain, time until all are online", took.Seconds(), "s", "")
	select {
	case <-leaves.Ended():
	case <-ctx.Done():
		return errors.Join(errors.New("the drained process has not ended"), ctx.Err())
	}
	f.report.add("drain, time until the process ended", time.Since(began).Seconds(), "s", "")
	return nil
}
