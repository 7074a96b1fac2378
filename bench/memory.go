package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// The names of what is weighed.
const (
	nameBare  = "bare mellium session"
	namePerch = "perch session"
	nameOwn   = "perch session, own buddies"
)

// memory measures what one idle session costs in memory: a process is weighed warm, and again
// with more sessions, against the same server in another process. What it needs once, such as
// certificate pools and tables of the encoders, is no part of what one more session costs.
// Then come sockets on top.
func memory(ctx context.Context, l *lab) error {
	count := l.effort.memory
	if err := sharedSessions(ctx, l, count); err != nil {
		return err
	}
	server, ready, err := l.serve(ctx, l.effort.warm+count, buddiesOwn)
	if err != nil {
		return err
	}
	l.note("%d idle sessions, perch, other buddies for each", count)
	if err := l.perchSessions(ctx, ready, nameOwn, count, nil); err != nil {
		return fmt.Errorf("%s: %w", nameOwn, err)
	}
	if err := server.stop(); err != nil {
		return err
	}
	return prosodySessions(ctx, l, l.effort.prosody)
}

// sharedSessions are those that all have the same buddies, of mellium and of the gateway.
func sharedSessions(ctx context.Context, l *lab, count int) (err error) {
	server, ready, err := l.serve(ctx, l.effort.warm+count, buddiesShared)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	l.note("%d idle sessions, bare mellium", count)
	before, after, err := weighBare(ctx, l, ready, count)
	if err != nil {
		return fmt.Errorf("%s: %w", nameBare, err)
	}
	l.each(nameBare, "session", "", count, before, after)
	l.note("%d idle sessions, perch", count)
	err = l.perchSessions(ctx, ready, namePerch, count, func(g *gateway, w weight) error { return eventSockets(ctx, l, g, count, w) })
	if err != nil {
		return fmt.Errorf("%s: %w", namePerch, err)
	}
	return nil
}

// perchSessions weighs those of a gateway, and lets then add more to what was weighed.
func (l *lab) perchSessions(ctx context.Context, ready serverReady, name string, count int, then func(*gateway, weight) error) (err error) {
	g, err := l.gateway(l.effort.warm+count, ready, gatewayOptions{})
	if err != nil {
		return err
	}
	defer g.end()
	c := newGatewayClient(g.url, l.buddies)
	if err := c.openRange(ctx, 0, l.effort.warm); err != nil {
		return err
	}
	before, err := g.weigh(ctx, l.effort.quiet)
	if err != nil {
		return err
	}
	if err := c.openRange(ctx, l.effort.warm, l.effort.warm+count); err != nil {
		return err
	}
	after, err := g.weigh(ctx, l.effort.quiet)
	if err != nil {
		return err
	}
	l.each(name, "session", nameBare, count, before, after)
	if then != nil {
		return then(g, after)
	}
	return nil
}

// each records what one of count things costs, beside those of another name.
func (l *lab) each(name, thing, beside string, count int, before, after weight) {
	n := float64(count)
	for _, f := range []struct {
		what  string
		value float64
		unit  string
	}{
		{"resident", (after.resident - before.resident) / n / 1024, "KiB/"},
		{"returned", (after.returned - before.returned) / n / 1024, "KiB/"},
		{"goroutines", (after.goroutines - before.goroutines) / n, "goroutines/"},
	} {
		with := ""
		if beside != "" {
			with = beside + " " + f.what
		}
		l.report.add(name+" "+f.what, f.value, f.unit+thing, with)
	}
}

// weighBare weighs the sessions of mellium, in a process of their own.
func weighBare(ctx context.Context, l *lab, s serverReady, count int) (before, after weight, err error) {
	c, err := l.child(ctx, kindBaseline, "bare", s.Addr, s.Domain, string(s.CA), strconv.Itoa(l.effort.warm+count), strconv.Itoa(l.buddies))
	if err != nil {
		return before, after, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	ask := func(from, to int) (w weight, err error) {
		var f footprint
		err = c.ask(fmt.Sprint(from, " ", to, " ", l.effort.idle), &f)
		return weight{goroutines: f.Goroutines, resident: f.Resident, returned: f.Returned}, err
	}
	if before, err = ask(0, l.effort.warm); err != nil {
		return before, after, err
	}
	after, err = ask(l.effort.warm, l.effort.warm+count)
	return before, after, err
}
