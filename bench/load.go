package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const loadBuddies = 10 // that change at once; every session gets each

// load measures what it costs to keep everything in Redis: its memory for each session,
// its round trips and commands for each inbound stanza, and the rate of messages from the
// server to the clients' sockets, beside that of the memory store.
func load(ctx context.Context, l *lab) error {
	count := l.effort.load
	server, ready, err := l.serve(ctx, count, buddiesShared)
	if err != nil {
		return err
	}
	d := &loaded{lab: l, server: server, ready: ready, count: count}
	l.note("%d sessions under load, memory", count)
	if err := d.run(ctx, "", nil); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	l.note("%d sessions under load, redis", count)
	url, c := l.redis()
	return d.run(ctx, url, c)
}

// loaded is a server with the gateway that is measured.
type loaded struct {
	*lab
	server *child
	ready  serverReady
	count  int
}

// run measures one store; c is nil for memory.
func (l *loaded) run(ctx context.Context, url string, c *redis.Client) (err error) {
	perch, err := l.gateway(l.count, l.ready, gatewayOptions{redis: url})
	if err != nil {
		return err
	}
	defer perch.end()
	if c == nil {
		if err := l.open(ctx, perch.url); err != nil {
			return err
		}
		_, err := l.rate(ctx, perch, "memory", "memory")
		return err
	}
	empty, err := redisMemory(ctx, c)
	if err != nil {
		return err
	}
	if err := l.open(ctx, perch.url); err != nil {
		return err
	}
	opened, err := awaitIdle(ctx, c, perch)
	if err != nil {
		return err
	}
	l.report.add("redis memory of a session", (opened.memory-empty)/float64(l.count), "bytes/session", "")
	if err := l.alone(ctx, c, perch); err != nil {
		return err
	}
	return l.messages(ctx, c, perch)
}

// open opens all sessions and waits for their presences.
func (l *loaded) open(ctx context.Context, url string) error {
	g := newGatewayClient(url, l.buddies)
	return g.openRange(ctx, 0, l.count)
}

// alone lets things happen without listeners: one stanza for each session, and then
// several at once.
func (l *loaded) alone(ctx context.Context, c *redis.Client, perch *gateway) error {
	many := min(loadBuddies, l.buddies)
	for _, x := range []struct {
		traffic, name string
		stanzas       int
	}{
		{"presence 1 lunch", "inbound presence", l.count},
		{fmt.Sprintf("presence %d party", many), fmt.Sprintf("inbound presence, %d at once", many), many * l.count},
		{fmt.Sprintf("messages %d %d 0", l.count, l.count), "inbound message", l.count},
	} {
		before, err := awaitIdle(ctx, c, perch)
		if err != nil {
			return err
		}
		if err := l.server.traffic(x.traffic); err != nil {
			return err
		}
		after, err := awaitIdle(ctx, c, perch)
		if err != nil {
			return err
		}
		l.cost(x.name, after.minus(before), x.stanzas)
	}
	return nil
}

// messages measures the rate, and what each message cost Redis.
func (l *loaded) messages(ctx context.Context, c *redis.Client, perch *gateway) error {
	before, err := awaitIdle(ctx, c, perch)
	if err != nil {
		return err
	}
	sent, err := l.rate(ctx, perch, "redis", "memory")
	if err != nil {
		return err
	}
	after, err := awaitIdle(ctx, c, perch)
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
func (l *loaded) rate(ctx context.Context, perch *gateway, store, beside string) (sent int, err error) {
	e := l.effort
	ears, err := listen(ctx, perch.url, e.listeners)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, ears.close()) }()
	var rates, costs []float64
	for range e.fewTurns {
		before, err := cpuTime(perch.PID())
		if err != nil {
			return sent, err
		}
		begun := time.Now()
		for n := 0; n < e.messages; n += e.burst {
			if err := ears.until(ctx, sent-(e.window-e.burst)); err != nil {
				return sent, err
			}
			if err := l.server.traffic(fmt.Sprintf("messages %d %d 0", e.burst, e.listeners)); err != nil {
				return sent, err
			}
			sent += e.burst
		}
		if err := ears.until(ctx, sent); err != nil {
			return sent, err
		}
		rates = append(rates, float64(e.messages)/time.Since(begun).Seconds())
		after, err := cpuTime(perch.PID())
		if err != nil {
			return sent, err
		}
		costs = append(costs, 1e6*after.minus(before).sum()/float64(e.messages))
	}
	for _, f := range []struct {
		name, unit string
		values     []float64
	}{{"messages end to end, ", "messages/s", rates}, {"CPU of a message under load, ", "µs", costs}} {
		with := ""
		if store != beside {
			with = f.name + beside
		}
		l.report.add(f.name+store, median(f.values), f.unit, with)
	}
	return sent, nil
}
