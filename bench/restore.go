package main

import (
	"context"
	"fmt"
	"time"
)

const restoreLimit = 5 * time.Minute

// restore measures how long a new process needs until all sessions are online that another one had,
// which was killed: from Redis, with the credentials that are stored there. The server closes
// the old connections when it sees their end.
func restore(ctx context.Context, l *lab) (err error) {
	count := l.effort.restore
	l.note("%d sessions of a process that is killed", count)
	_, ready, err := l.serve(ctx, count, buddiesShared)
	if err != nil {
		return err
	}
	url, _ := l.redis()
	first, err := l.gateway(count, ready, gatewayOptions{redis: url})
	if err != nil {
		return err
	}
	if err := newGatewayClient(first.url, l.buddies).openRange(ctx, 0, count); err != nil {
		return err
	}
	if err := first.awaitOnline(ctx, count, time.Minute); err != nil {
		return err
	}
	if err := sleep(ctx, 2*time.Second); err != nil { // for the last commits
		return err
	}
	first.end()
	began := time.Now()
	second, err := l.gateway(count, ready, gatewayOptions{redis: url})
	if err != nil {
		return err
	}
	defer second.end()
	if err := second.awaitOnline(ctx, count, restoreLimit); err != nil {
		online, _ := second.online(ctx)
		return fmt.Errorf("%d of %d sessions were restored: %w", online, count, err)
	}
	took := time.Since(began)
	used, err := cpuTime(second.PID())
	n := float64(count)
	l.report.add("restore, time", took.Seconds(), "s", "")
	l.report.add("restore, rate", n/took.Seconds(), "sessions/s", "")
	l.report.add("restore, CPU of a session", 1000*used.sum()/n, "ms", "")
	return err
}
