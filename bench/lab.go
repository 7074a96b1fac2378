package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch/internal/testkit"
)

// lab is what a part of the measurement works with. What it starts ends with the part.
type lab struct {
	*bencher
	report   *report
	progress io.Writer
	program  string // the gateway that is measured
	buddies  int    // of each session
	effort   effort
	cores    *cores
}

// note tells whoever waits what is done now.
func (l *lab) note(format string, args ...any) { fmt.Fprintf(l.progress, format+" ...\n", args...) }

// build makes the gateway of this source, unless another one is measured.
func (l *lab) build(flags ...string) {
	if l.program == "" {
		l.program = testkit.Build(l, "cmd/api", flags...)
	}
}

// child starts a role in a process of its own. It ends with the part, or before by its stop.
func (l *lab) child(ctx context.Context, kind, role string, args ...string) (*child, error) {
	c, err := startChild(ctx, role, args...)
	if err != nil {
		return nil, err
	}
	c.watched = l.cores.watch(kind, c.cmd.Process.Pid)
	l.Cleanup(func() { _ = c.stop() })
	return c, nil
}

// How the buddies of sessions are: the same ones for all, or other ones for each.
const (
	buddiesShared = "shared"
	buddiesOwn    = "own"
)

// serve starts the embedded service with accounts for a load.
func (l *lab) serve(ctx context.Context, accounts int, buddies string) (server *child, ready serverReady, err error) {
	server, err = l.child(ctx, kindServer, "server", strconv.Itoa(accounts), strconv.Itoa(l.buddies), buddies)
	if err != nil {
		return nil, ready, err
	}
	return server, ready, server.read(&ready)
}

// gateway starts a gateway in front of a server role, for the sessions of its accounts.
func (l *lab) gateway(sessions int, ready serverReady, o gatewayOptions) (*gateway, error) {
	o.sessions = sessions
	o.upstreams = append([]upstream{ready.upstream("load")}, o.upstreams...)
	return l.startGateway(o)
}

// prosody starts a real server.
func (l *lab) prosody() *testkit.Server {
	s := testkit.Prosody(l, testkit.ProsodyOptions{WebSocket: true})
	l.cores.watch(kindServer, s.PID())
	return s
}

// redis starts a store.
func (l *lab) redis() (url string, c *redis.Client) {
	s := testkit.Redis(l, testkit.RedisOptions{})
	l.cores.watch(kindStore, s.PID())
	return s.URL(), s.Client(l)
}
