package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// serverReady is the first line of the server role.
type serverReady struct {
	Addr, Domain string
	CA           []byte // PEM
}

// footprint is what a client role says of itself.
type footprint struct {
	RSS        float64 // bytes
	Goroutines float64
	URL        string // of a gateway, whose clients live in the parent
}

// memory measures what one idle session costs in resident memory: a process is measured
// without sessions and with them, against the same server in another process.
func memory(ctx context.Context, r *report, progress io.Writer, count, buddies int) (err error) {
	server, err := startChild(ctx, "server", strconv.Itoa(count), strconv.Itoa(buddies))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	var ready serverReady
	if err := server.read(&ready); err != nil {
		return err
	}
	for _, m := range []struct{ role, name, with string }{
		{"bare", "bare mellium session", ""},
		{"gateway", "perch session", "bare mellium session"},
	} {
		fmt.Fprintf(progress, "%d idle sessions, %s ...\n", count, m.name)
		before, after, err := measure(ctx, m.role, ready, count, buddies)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		n := float64(count)
		with := func(suffix string) string {
			if m.with == "" {
				return ""
			}
			return m.with + suffix
		}
		r.add(m.name+" RSS", (after.RSS-before.RSS)/n/1024, "KiB/session", with(" RSS"))
		r.add(m.name+" goroutines", (after.Goroutines-before.Goroutines)/n, "goroutines/session", with(" goroutines"))
	}
	return nil
}

func measure(ctx context.Context, role string, s serverReady, count, buddies int) (before, after footprint, err error) {
	c, err := startChild(ctx, role, s.Addr, s.Domain, string(s.CA), strconv.Itoa(count), strconv.Itoa(buddies))
	if err != nil {
		return before, after, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.read(&before); err != nil {
		return before, after, err
	}
	if before.URL != "" {
		// The clients of a gateway are no part of what it weighs.
		g := newGatewayClient(before.URL, buddies)
		if err := openAll(ctx, count, g.open); err != nil {
			return before, after, err
		}
		if err := errors.Join(g.settled(ctx, count), leaveAlone(ctx)); err != nil {
			return before, after, err
		}
	}
	return before, after, c.ask("weigh", &after)
}
