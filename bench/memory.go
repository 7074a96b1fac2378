package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// serverReady is the first line of the server role.
type serverReady struct {
	Addr, Domain string
	CA           []byte // PEM
}

// warmUp is how many sessions a process has before it is weighed for the first time: what
// it needs once, such as certificate pools and tables of the encoders, is no part of what
// one more session costs.
const warmUp = 100

// memory measures what one idle session costs in memory: a process is weighed warm, and again
// with count sessions more, against the same server in another process.
func memory(ctx context.Context, l *lab) error {
	_, ready, err := l.serve(ctx, warmUp+l.count, l.buddies)
	if err != nil {
		return err
	}
	l.note("%d idle sessions, bare mellium", l.count)
	before, after, err := weighBare(ctx, ready, l.count, l.buddies)
	if err != nil {
		return fmt.Errorf("bare mellium session: %w", err)
	}
	l.eachSession("bare mellium session", "", before, after)
	l.note("%d idle sessions, perch", l.count)
	if err := l.perchSessions(ctx, ready, "perch session"); err != nil {
		return fmt.Errorf("perch session: %w", err)
	}
	return nil
}

// perchSessions weighs those of a gateway.
func (l *lab) perchSessions(ctx context.Context, ready serverReady, name string) (err error) {
	g, err := l.gateway(warmUp+l.count, ready, gatewayOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.end()) }()
	c := newGatewayClient(g.url, l.buddies)
	if err := c.openRange(ctx, 0, warmUp); err != nil {
		return err
	}
	before, err := g.weigh(ctx, untilQuiet)
	if err != nil {
		return err
	}
	if err := c.openRange(ctx, warmUp, warmUp+l.count); err != nil {
		return err
	}
	after, err := g.weigh(ctx, untilQuiet)
	if err != nil {
		return err
	}
	l.eachSession(name, "bare mellium session", before, after)
	return nil
}

// eachSession records what one of count sessions costs, beside those of another name.
func (l *lab) eachSession(name, beside string, before, after weight) {
	n := float64(l.count)
	for _, f := range []struct {
		what  string
		value float64
		unit  string
	}{
		{"resident", (after.resident - before.resident) / n / 1024, "KiB/session"},
		{"returned", (after.returned - before.returned) / n / 1024, "KiB/session"},
		{"goroutines", (after.goroutines - before.goroutines) / n, "goroutines/session"},
	} {
		with := ""
		if beside != "" {
			with = beside + " " + f.what
		}
		l.report.add(name+" "+f.what, f.value, f.unit, with)
	}
}

// weighBare weighs the sessions of mellium, in a process of their own.
func weighBare(ctx context.Context, s serverReady, count, buddies int) (before, after weight, err error) {
	c, err := startChild(ctx, "bare", s.Addr, s.Domain, string(s.CA), strconv.Itoa(warmUp+count), strconv.Itoa(buddies))
	if err != nil {
		return before, after, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	ask := func(from, to int) (w weight, err error) {
		var f footprint
		err = c.ask(fmt.Sprint(from, " ", to), &f)
		return weight{goroutines: f.Goroutines, resident: f.Resident, returned: f.Returned}, err
	}
	if before, err = ask(0, warmUp); err != nil {
		return before, after, err
	}
	after, err = ask(warmUp, warmUp+count)
	return before, after, err
}
