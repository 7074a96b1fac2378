package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

const (
	stormEvery = 10 * time.Millisecond
	stormBack  = 3 * time.Minute // that all sessions may take to be online again
)

// storm measures what it costs the others when every session of an upstream loses its connection
// at once: the latency of a message of another upstream before it and in its first ten seconds, and
// how long it is until all are online again.
func storm(ctx context.Context, l *lab) (err error) {
	count := l.effort.storm
	l.note("%d sessions that lose their connections at once", count)
	struck, ready, err := l.serve(ctx, count, buddiesShared)
	if err != nil {
		return err
	}
	calm, other, err := l.serve(ctx, 1, buddiesShared)
	if err != nil {
		return err
	}
	perch, err := l.gateway(count+1, ready, gatewayOptions{upstreams: []upstream{other.upstream("calm")}})
	if err != nil {
		return err
	}
	defer perch.end()
	if err := newGatewayClient(perch.url, l.buddies).openRange(ctx, 0, count); err != nil {
		return err
	}
	watched, err := openWatched(ctx, perch.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, watched.close()) }()
	return stormOf(ctx, l, perch, watched, struck, calm)
}

// stormOf cuts the connections of all sessions of one server, and watches that of another before
// and after.
func stormOf(ctx context.Context, l *lab, perch *gateway, watched *lane, struck, calm *child) error {
	count, r := l.effort.storm, l.report
	before, err := watched.latencies(ctx, calm, l.effort.calm)
	if err != nil {
		return err
	}
	if err := struck.traffic("drop " + strconv.Itoa(count) + " 0"); err != nil {
		return err
	}
	var back time.Duration
	var lost error
	began, online := time.Now(), make(chan struct{})
	go func() {
		defer close(online)
		back, lost = awaitBack(ctx, perch, count+1, began)
	}()
	during, err := watched.latencies(ctx, calm, l.effort.rough)
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

// awaitBack waits until so many sessions are online that were not at first, and returns how long
// that was since a moment.
func awaitBack(ctx context.Context, g *gateway, n int, since time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, stormBack)
	defer cancel()
	for lost := false; ; {
		online, err := g.online(ctx)
		if err != nil {
			return 0, err
		}
		lost = lost || online < n
		if lost && online >= n {
			return time.Since(since), nil
		}
		if sleep(ctx, 100*time.Millisecond) != nil {
			return 0, fmt.Errorf("not all of %d sessions are online again after %s", n, stormBack)
		}
	}
}
