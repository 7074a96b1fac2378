package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/perch-im/perch/app"
)

const (
	stormSessions = 5000 // that lose their connections at once

	stormCalm  = 5 * time.Second  // before the cut
	stormRough = 10 * time.Second // after it
	stormEvery = 10 * time.Millisecond
	stormBack  = 3 * time.Minute // that all sessions may take to be online again
)

// storm measures what it costs the others when every session of an upstream loses its connection
// at once: the latency of a message of another upstream before it and in its first ten seconds, and
// how long it is until all are online again.
func storm(ctx context.Context, r *report, progress io.Writer, count, buddies int) (err error) {
	fmt.Fprintf(progress, "%d sessions that lose their connections at once ...\n", count)
	var servers [2]*child // of the storm, and of the one that is watched
	var ready [2]serverReady
	for i, accounts := range []int{count, 1} {
		if servers[i], err = startChild(ctx, "server", strconv.Itoa(accounts), strconv.Itoa(buddies)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, servers[i].stop()) }()
		if err := servers[i].read(&ready[i]); err != nil {
			return err
		}
	}
	gateway, err := startChild(ctx, "storm", ready[0].Addr, ready[0].Domain, string(ready[0].CA),
		strconv.Itoa(count+1), strconv.Itoa(buddies), ready[1].Addr, ready[1].Domain, string(ready[1].CA))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gateway.stop()) }()
	var at loadReady
	if err := gateway.read(&at); err != nil {
		return err
	}
	if err := newGatewayClient(at.URL, buddies).openRange(ctx, 0, count); err != nil {
		return err
	}
	watched, err := openWatched(ctx, at.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, watched.close()) }()
	before, err := watched.latencies(ctx, servers[1], stormCalm)
	if err != nil {
		return err
	}
	if err := servers[0].traffic("drop " + strconv.Itoa(count) + " -"); err != nil {
		return err
	}
	var back time.Duration
	var lost error
	began, online := time.Now(), make(chan struct{})
	go func() {
		defer close(online)
		back, lost = awaitOnline(ctx, at.Admin, count+1, began)
	}()
	during, err := watched.latencies(ctx, servers[1], stormRough)
	<-online
	if err := errors.Join(err, lost); err != nil {
		return err
	}
	r.add("others before a storm p50", quantile(before, 0.50), "ms", "")
	r.add("others before a storm p99", quantile(before, 0.99), "ms", "")
	r.add("others in a storm p50", quantile(during, 0.50), "ms", "others before a storm p50")
	r.add("others in a storm p99", quantile(during, 0.99), "ms", "others before a storm p99")
	r.add("all online after a storm", back.Seconds(), "s", "")
	return nil
}

// stormRole is a gateway with two upstreams: that of the storm, and that of the session that is
// watched.
func stormRole(ctx context.Context, args []string) (err error) {
	if len(args) != 8 {
		return fmt.Errorf("storm: want the arguments of a gateway and a second server, got %d arguments", len(args))
	}
	c, err := parseClientArgs(args[:5])
	if err != nil {
		return err
	}
	calm, remove, err := upstreamAt("calm", args[5], args[6], []byte(args[7]))
	if err != nil {
		return err
	}
	defer remove()
	a, stop, err := startGateway(ctx, c, app.Options{AdminListen: "127.0.0.1:0"}, calm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := say(loadReady{URL: a.URL(), Admin: a.AdminAddr()}); err != nil {
		return err
	}
	return untilClosed()
}

// openWatched signs in at the upstream without a storm, and opens an event socket.
func openWatched(ctx context.Context, url string) (*lane, error) {
	token, err := signIn(ctx, url, map[string]string{"upstream": "calm", "token": "load-0"})
	if err != nil {
		return nil, err
	}
	return openSocket(ctx, url, token)
}

// latencies sends numbered messages for a while, and returns how long each took, in milliseconds.
func (l *lane) latencies(ctx context.Context, server *child, d time.Duration) ([]float64, error) {
	n := int(d / stormEvery)
	left, arrived := make([]time.Duration, n), make([]time.Duration, n)
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, d+runTimeout)
	defer cancel()
	var wg sync.WaitGroup
	var heard error
	wg.Go(func() { heard = l.hear(ctx, began, arrived) })
	err := func() error {
		tick := time.NewTicker(stormEvery)
		defer tick.Stop()
		for i := range n {
			left[i] = time.Since(began)
			if err := server.traffic("message 0 " + numbered(i)); err != nil {
				return err
			}
			<-tick.C
		}
		return nil
	}()
	if err != nil {
		cancel()
	}
	wg.Wait()
	list := make([]float64, n)
	for i := range list {
		list[i] = milliseconds(arrived[i] - left[i])
	}
	return list, errors.Join(err, heard)
}

// awaitOnline waits until so many sessions are online that were not at first, and returns how long
// that was since a moment.
func awaitOnline(ctx context.Context, admin string, n int, since time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, stormBack)
	defer cancel()
	for lost := false; ; {
		online, err := metric(ctx, admin, `perch_sessions{state="online"}`)
		if err != nil {
			return 0, err
		}
		lost = lost || int(online) < n
		if lost && int(online) >= n {
			return time.Since(since), nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return 0, fmt.Errorf("not all of %d sessions are online again after %s", n, stormBack)
		}
	}
}
