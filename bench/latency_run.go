package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// latencyRig is a real server, and a gateway in front of it.
type latencyRig struct {
	b       *bencher
	effort  effort
	server  *testkit.Server
	gateway *gateway
}

// latencyRun is one flow of messages to one account.
type latencyRun struct {
	rate            int
	direct, gateway bool // the readers
	gatewayFirst    bool // signs in first
	swap            bool // the resources' names
}

// flow is what a run has measured, in milliseconds. Every slice but lag belongs to one
// message after the other.
type flow struct {
	direct, gateway, added, lag []float64
	serverCPU, gatewayCPU       float64 // seconds of one core
	time                        float64 // seconds
}

// runTimeout is for the last message of a run, too.
const runTimeout = 30 * time.Second

// run sends messages from an account to another, both fresh, so that no archive grows from
// run to run.
func (g *latencyRig) run(ctx context.Context, r latencyRun) (f flow, err error) {
	ctx, cancel := context.WithTimeout(ctx, g.effort.flow+runTimeout)
	defer cancel()
	alice, bob := g.server.NewUser(g.b, "alice"), g.server.NewUser(g.b, "bob")
	direct, gateway, err := g.lanes(ctx, r, bob)
	for _, l := range []*lane{direct, gateway} {
		if l != nil {
			defer func() { err = errors.Join(err, l.close()) }()
		}
	}
	if err != nil {
		return f, err
	}
	sender, err := openXMPP(ctx, g.server.HTTPAddr, alice.JID, alice.Password, "sender")
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, sender.close()) }()
	before, err := g.used()
	if err != nil {
		return f, err
	}
	m := newMeasurement(r.rate, g.effort.flow)
	if err := m.flow(ctx, r.rate, sender, bob.JID, direct, gateway); err != nil {
		return f, err
	}
	f = m.result()
	after, err := g.used()
	f.serverCPU, f.gatewayCPU, f.time = after.server-before.server, after.gateway-before.gateway, after.at.Sub(before.at).Seconds()
	return f, err
}

// lanes signs in the readers of a run. Which of two resources is served first is decided by
// the server's table of them: by their names, or, where those collide in the table, by the
// order of the sign-ins. So both are to be turned around in turn.
func (g *latencyRig) lanes(ctx context.Context, r latencyRun, u testkit.User) (direct, gateway *lane, err error) {
	one, two := "one", "two"
	if r.swap {
		one, two = two, one
	}
	openDirectLane := func() (err error) {
		direct, err = openDirect(ctx, g.server.HTTPAddr, u.JID, u.Password, one)
		return err
	}
	openGatewayLane := func() (err error) {
		gateway, err = openGateway(ctx, g.gateway.url, u.JID, u.Password, two)
		return err
	}
	var steps []func() error
	if r.direct {
		steps = append(steps, openDirectLane)
	}
	if r.gateway {
		steps = append(steps, openGatewayLane)
	}
	if r.gatewayFirst && len(steps) == 2 {
		steps[0], steps[1] = steps[1], steps[0]
	}
	for _, open := range steps {
		if err := open(); err != nil {
			return direct, gateway, err
		}
	}
	return direct, gateway, nil
}

// measurement has times by the number of the message, since one moment.
type measurement struct {
	skip                       int
	left, lag, direct, gateway []time.Duration
}

// newMeasurement is for messages at a rate for a time; the first eighth of them is not counted.
func newMeasurement(rate int, d time.Duration) *measurement {
	n := int(d.Seconds() * float64(rate))
	times := func() []time.Duration { return make([]time.Duration, n) }
	return &measurement{n / 8, times(), times(), times(), times()}
}

// flow sends the messages and waits until they have arrived. Sender and readers are in one
// process, so there is one clock.
func (m *measurement) flow(ctx context.Context, rate int, sender *xmppSocket, to string, direct, gateway *lane) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	began := time.Now()
	for _, reader := range []struct {
		lane    *lane
		arrived []time.Duration
	}{{direct, m.direct}, {gateway, m.gateway}} {
		if reader.lane != nil {
			wg.Go(func() {
				if err := reader.lane.hear(ctx, began, reader.arrived); err != nil {
					cancel(err)
				}
			})
		}
	}
	err := pace(ctx, rate, began, m.left, m.lag, func(n int) error {
		return sender.write(ctx, fmt.Sprintf("<message xmlns='jabber:client' to='%s' type='chat' id='m%d'><body>%s</body></message>", to, n, numbered(n)))
	})
	if err != nil {
		cancel(err)
	}
	wg.Wait()
	return context.Cause(ctx)
}

// result drops the warm-up.
func (m *measurement) result() (f flow) {
	for n := m.skip; n < len(m.left); n++ {
		f.lag = append(f.lag, milliseconds(m.lag[n]))
		direct, gateway := m.direct[n], m.gateway[n]
		if direct > 0 {
			f.direct = append(f.direct, milliseconds(direct-m.left[n]))
		}
		if gateway > 0 {
			f.gateway = append(f.gateway, milliseconds(gateway-m.left[n]))
		}
		if direct > 0 && gateway > 0 {
			f.added = append(f.added, milliseconds(gateway-direct))
		}
	}
	return f
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
