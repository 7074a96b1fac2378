package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/perch-im/perch/internal/testkit"
)

// lab is what a part of the measurement works with. What it starts ends with the part.
type lab struct {
	*bencher
	report         *report
	progress       io.Writer
	program        string // the gateway that is measured
	count, buddies int    // sessions, and buddies of each
}

// note tells whoever waits what is done now.
func (l *lab) note(format string, args ...any) { fmt.Fprintf(l.progress, format+" ...\n", args...) }

// build makes the gateway of this source, unless another one is measured.
func (l *lab) build() {
	if l.program == "" {
		l.program = testkit.Build(l, "cmd/api")
	}
}

// serve starts the embedded service with accounts for a load, in a process of its own.
func (l *lab) serve(ctx context.Context, accounts, buddies int) (server *child, ready serverReady, err error) {
	server, err = startChild(ctx, "server", strconv.Itoa(accounts), strconv.Itoa(buddies))
	if err != nil {
		return nil, ready, err
	}
	l.Cleanup(func() { _ = server.stop() })
	return server, ready, server.read(&ready)
}

// gateway starts a gateway in front of a server role, for the sessions of its accounts.
func (l *lab) gateway(sessions int, ready serverReady, o gatewayOptions) (*gateway, error) {
	o.program, o.sessions = l.program, sessions
	o.upstreams = append([]upstream{ready.upstream("load")}, o.upstreams...)
	return startGateway(l.bencher, o)
}
