package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	loadBuddies   = 10     // that change at once; every session gets each
	loadMessages  = 40_000 // to listening clients
	loadListeners = 200    // sessions with a socket
	loadWindow    = 4_000  // messages under way at most
	loadBurst     = 1_000
	loadRounds    = 3 // the median counts
)

// load measures what it costs to keep everything in Redis: its memory for each session,
// its round trips and commands for each inbound stanza, and the rate of messages from the
// server to the clients' sockets, beside that of the memory store.
func load(ctx context.Context, r *report, progress io.Writer, count, buddies int) (err error) {
	server, err := startChild(ctx, "server", strconv.Itoa(count), strconv.Itoa(buddies))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	var ready serverReady
	if err := server.read(&ready); err != nil {
		return err
	}
	l := &loaded{report: r, server: server, ready: ready, count: count, buddies: buddies}
	fmt.Fprintf(progress, "%d sessions under load, memory ...\n", count)
	if err := l.run(ctx, "", nil); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	fmt.Fprintf(progress, "%d sessions under load, redis ...\n", count)
	return withRedis(func(url string, c *redis.Client) error { return l.run(ctx, url, c) })
}

// loaded is a server with the gateway that is measured.
type loaded struct {
	report         *report
	server         *child
	ready          serverReady
	count, buddies int
}

// run measures one store; c is nil for memory.
func (l *loaded) run(ctx context.Context, url string, c *redis.Client) (err error) {
	gateway, err := startChild(ctx, "load", url, l.ready.Addr, l.ready.Domain, string(l.ready.CA), strconv.Itoa(l.count), strconv.Itoa(l.buddies))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gateway.stop()) }()
	var at loadReady
	if err := gateway.read(&at); err != nil {
		return err
	}
	if c == nil {
		if err := l.open(ctx, at.URL); err != nil {
			return err
		}
		_, err := l.rate(ctx, at.URL, "memory", "")
		return err
	}
	before, err := c.InfoMap(ctx, "memory").Result()
	if err != nil {
		return err
	}
	if err := l.open(ctx, at.URL); err != nil {
		return err
	}
	opened, err := awaitIdle(ctx, c, at.Admin)
	if err != nil {
		return err
	}
	empty, err := strconv.ParseFloat(before["Memory"]["used_memory"], 64)
	if err != nil {
		return err
	}
	l.report.add("redis memory of a session", (opened.memory-empty)/float64(l.count), "bytes/session", "")
	if err := l.alone(ctx, c, at); err != nil {
		return err
	}
	return l.messages(ctx, c, at)
}

// open opens all sessions and waits for their presences.
func (l *loaded) open(ctx context.Context, url string) error {
	g := newGatewayClient(url, l.buddies)
	return g.openRange(ctx, 0, l.count)
}

// alone lets things happen without listeners: one stanza for each session, and then
// several at once.
func (l *loaded) alone(ctx context.Context, c *redis.Client, at loadReady) error {
	many := min(loadBuddies, l.buddies)
	for _, x := range []struct {
		traffic, name string
		stanzas       int
	}{
		{"presence 1 lunch", "inbound presence", l.count},
		{fmt.Sprintf("presence %d party", many), fmt.Sprintf("inbound presence, %d at once", many), many * l.count},
		{fmt.Sprintf("messages %d %d", l.count, l.count), "inbound message", l.count},
	} {
		before, err := awaitIdle(ctx, c, at.Admin)
		if err != nil {
			return err
		}
		if err := l.server.traffic(x.traffic); err != nil {
			return err
		}
		after, err := awaitIdle(ctx, c, at.Admin)
		if err != nil {
			return err
		}
		l.cost(x.name, after.minus(before), x.stanzas)
	}
	return nil
}

// messages measures the rate, and what each message cost Redis.
func (l *loaded) messages(ctx context.Context, c *redis.Client, at loadReady) error {
	before, err := awaitIdle(ctx, c, at.Admin)
	if err != nil {
		return err
	}
	sent, err := l.rate(ctx, at.URL, "redis", "messages end to end, memory")
	if err != nil {
		return err
	}
	after, err := awaitIdle(ctx, c, at.Admin)
	if err != nil {
		return err
	}
	used := after.minus(before)
	l.cost("inbound message under load", used, sent)
	l.report.add("redis memory of a logged message", used.memory/float64(sent), "bytes/message", "")
	return nil
}

// cost records what n stanzas of a kind have used.
func (l *loaded) cost(what string, u usage, n int) {
	each := func(name string, v float64, unit string) {
		l.report.add("redis "+name+" per "+what, v/float64(n), unit, "")
	}
	each("round trips", u.trips, "trips/stanza")
	each("commands", u.commands, "commands/stanza")
	each("commands in scripts", u.inner, "commands/stanza")
}

// rate sends messages to sessions with a socket each, as fast as they arrive there, and
// records the median of some rounds. It returns how many were sent in all.
func (l *loaded) rate(ctx context.Context, url, store, with string) (sent int, err error) {
	listeners := min(loadListeners, l.count)
	ears, err := listen(ctx, url, listeners)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, ears.close()) }()
	var rates []float64
	for range loadRounds {
		begun := time.Now()
		for n := 0; n < loadMessages; n += loadBurst {
			if err := ears.until(ctx, sent-(loadWindow-loadBurst)); err != nil {
				return sent, err
			}
			if err := l.server.traffic(fmt.Sprintf("messages %d %d", loadBurst, listeners)); err != nil {
				return sent, err
			}
			sent += loadBurst
		}
		if err := ears.until(ctx, sent); err != nil {
			return sent, err
		}
		rates = append(rates, loadMessages/time.Since(begun).Seconds())
	}
	l.report.add("messages end to end, "+store, median(rates), "messages/s", with)
	return sent, nil
}
