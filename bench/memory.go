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

// footprint is what a client role reports of itself.
type footprint struct {
	RSS        float64 // bytes
	Goroutines float64
	URL        string // of a gateway, whose clients live in the parent
}

// warmUp is how many sessions a process has before it is weighed for the first time: what
// it needs once, such as certificate pools and tables of the encoders, is no part of what
// one more session costs.
const warmUp = 100

// memory measures what one idle session costs in resident memory: a process is weighed
// warm, and again with count sessions more, against the same server in another process.
func memory(ctx context.Context, r *report, progress io.Writer, count, buddies int) (err error) {
	server, err := startChild(ctx, "server", strconv.Itoa(warmUp+count), strconv.Itoa(buddies))
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
	c, err := startChild(ctx, role, s.Addr, s.Domain, string(s.CA), strconv.Itoa(warmUp+count), strconv.Itoa(buddies))
	if err != nil {
		return before, after, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	var began footprint
	if err := c.read(&began); err != nil {
		return before, after, err
	}
	// The clients of a gateway are no part of what it weighs, so they live here.
	g := newGatewayClient(began.URL, buddies)
	weigh := func(from, to int, into *footprint) error {
		if began.URL != "" {
			if err := g.openRange(ctx, from, to); err != nil {
				return err
			}
		}
		return c.ask(strconv.Itoa(from)+" "+strconv.Itoa(to), into)
	}
	if err := weigh(0, warmUp, &before); err != nil {
		return before, after, err
	}
	return before, after, weigh(warmUp, warmUp+count, &after)
}
