package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// fleet is several gateways over one Redis, in front of several servers. Each server has as many
// accounts as a gateway has sessions, and an address and a domain of its own: between two
// addresses there are only so many ports.
type fleet struct {
	*lab
	most, each int
	servers    []upstream
	url        string
	store      *redis.Client
	empty      float64 // bytes of Redis before
	gateways   []*gateway
	bases      []weight // of each gateway with warm sessions
	warm       int      // how many those are
	open       int      // sessions so far
	tokens     []string // of the gateway, some of them
	mu         sync.Mutex
	rate       float64 // logins a second of the last growth
}

// start starts the servers and the store.
func (f *fleet) start(ctx context.Context) (err error) {
	f.warm = f.effort.warm
	for i := range (f.most + f.each - 1) / f.each {
		var ready serverReady
		c, err := f.child(ctx, kindServer, "server", strconv.Itoa(f.each), strconv.Itoa(f.buddies), buddiesShared,
			fmt.Sprintf("127.0.%d.%d:0", 1+i/200, 1+i%200), fmt.Sprintf("server-%d.test", i))
		if err != nil {
			return err
		}
		if err := c.read(&ready); err != nil {
			return err
		}
		f.servers = append(f.servers, ready.upstream(fmt.Sprint("server-", i)))
	}
	f.url, f.store = f.redis()
	f.empty, err = redisMemory(ctx, f.store)
	return err
}

// add starts one more gateway.
func (f *fleet) add() error {
	g, err := f.startGateway(gatewayOptions{
		name: fmt.Sprint("node-", len(f.gateways)), upstreams: f.servers, sessions: 2 * f.each, redis: f.url,
		flags: []string{"--drain-time=" + scaleDrain.String()},
	})
	if err == nil {
		f.gateways = append(f.gateways, g)
	}
	return err
}

// grow opens sessions until there are n, in a further process when one is full. Each process is
// weighed with its first ones.
func (f *fleet) grow(ctx context.Context, n int) error {
	f.note("%d sessions in %d processes", n, (n+f.each-1)/f.each)
	began, before := time.Now(), f.open
	var paused time.Duration
	for f.open < n {
		i := f.open / f.each
		to := min(n, (i+1)*f.each)
		fresh := i == len(f.gateways)
		if fresh {
			if err := f.add(); err != nil {
				return err
			}
			to = min(to, f.open+f.warm)
		}
		if err := openAll(ctx, f.open, to, func(ctx context.Context, s int) error { return f.signIn(ctx, f.gateways[i], s) }); err != nil {
			return err
		}
		f.open = to
		if !fresh {
			continue
		}
		weighing := time.Now()
		w, err := f.gateways[i].weigh(ctx, f.effort.quiet)
		if err != nil {
			return err
		}
		paused += time.Since(weighing)
		f.bases = append(f.bases, w)
	}
	f.rate = float64(n-before) / (time.Since(began) - paused).Seconds()
	return f.check(ctx)
}

// signIn opens a session of the fleet at a gateway.
func (f *fleet) signIn(ctx context.Context, g *gateway, session int) error {
	token, err := signIn(ctx, g.url, map[string]string{
		"upstream": f.servers[session/f.each].name, "token": fmt.Sprint("load-", session%f.each),
	})
	if err != nil {
		return fmt.Errorf("session %d: %w", session, err)
	}
	if session%f.each%100 == 0 {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.tokens = append(f.tokens, token)
	}
	return nil
}

// check asks some of the sessions, by any gateway, whether they know all their buddies.
func (f *fleet) check(ctx context.Context) error {
	for i, token := range f.tokens {
		c := newGatewayClient(f.gateways[i%len(f.gateways)].url, f.buddies)
		err := c.awaitPresenceOf(ctx, token)
		c.http.CloseIdleConnections()
		if err != nil {
			return err
		}
	}
	return nil
}
