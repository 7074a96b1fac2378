package main

import (
	"context"
	"fmt"
	"slices"
)

// latencyRates are messages a second. At the first one a Prosody has about half a core
// left; at the second the machine sleeps between two messages, and every process on the way
// must be woken.
var latencyRates = []int{1000, 200}

// latency measures the time from a stanza leaving a sender to the frame that a reader of
// the gateway's event socket has, beside the reader of the server's own WebSocket (RFC
// 7395), on a real Prosody.
//
// In a round both read the same messages, as two resources of one account, four times: so
// often as it needs to let each be served first equally often. And each reads alone, since
// two readers on one machine are in each other's way.
func latency(ctx context.Context, l *lab) (err error) {
	server := l.prosody()
	perch, err := l.startGateway(gatewayOptions{sessions: 100, upstreams: []upstream{
		{name: "real", addr: server.Addr, domain: server.Domain, caFile: server.CAFile},
	}})
	if err != nil {
		return err
	}
	defer perch.end()
	g := &latencyRig{l.bencher, l.effort, server, perch}
	for _, rate := range latencyRates {
		l.note("latency at %d messages a second", rate)
		if err := g.rate(ctx, l.report, rate); err != nil {
			return err
		}
	}
	return nil
}

// rate records the medians of some rounds.
func (g *latencyRig) rate(ctx context.Context, r *report, rate int) error {
	rounds := map[string][]float64{}
	for range g.effort.turns {
		both, direct, alone, err := g.round(ctx, rate)
		if err != nil {
			return err
		}
		note := func(name string, v float64) { rounds[name] = append(rounds[name], v) }
		for name, times := range map[string][]float64{
			"direct": both.direct, "perch": both.gateway, "added": both.added,
			"alone, direct": direct.direct, "alone, perch": alone.gateway,
			"sender's delay": slices.Concat(both.lag, direct.lag, alone.lag),
		} {
			note(name+" p50", quantile(times, 0.50))
			note(name+" p99", quantile(times, 0.99))
		}
		note("alone, added p50", quantile(alone.gateway, 0.50)-quantile(direct.direct, 0.50))
		note("alone, added p99", quantile(alone.gateway, 0.99)-quantile(direct.direct, 0.99))
		note("server's CPU", both.serverCPU/both.time)
		note("perch's CPU", both.gatewayCPU/both.time)
	}
	of := func(name string) string { return fmt.Sprintf("latency at %d/s, %s", rate, name) }
	for _, alone := range []string{"", "alone, "} {
		for _, q := range []string{" p50", " p99"} {
			direct, perch, added := alone+"direct"+q, alone+"perch"+q, alone+"added"+q
			r.add(of(direct), median(rounds[direct]), "ms", "")
			r.add(of(perch), median(rounds[perch]), "ms", of(direct))
			r.add(of(added), median(rounds[added]), "ms", "")
		}
	}
	for _, name := range []string{"sender's delay p50", "sender's delay p99"} {
		r.add(of(name), median(rounds[name]), "ms", "")
	}
	for _, name := range []string{"server's CPU", "perch's CPU"} {
		r.add(of(name), median(rounds[name]), "cores", "")
	}
	return nil
}

// round lets both read, in every order, and each of them alone.
func (g *latencyRig) round(ctx context.Context, rate int) (both, direct, gateway flow, err error) {
	for _, gatewayFirst := range []bool{false, true} {
		for _, swap := range []bool{false, true} {
			f, err := g.run(ctx, latencyRun{rate: rate, direct: true, gateway: true, gatewayFirst: gatewayFirst, swap: swap})
			if err != nil {
				return both, direct, gateway, err
			}
			both = both.and(f)
		}
	}
	if direct, err = g.run(ctx, latencyRun{rate: rate, direct: true}); err != nil {
		return both, direct, gateway, err
	}
	gateway, err = g.run(ctx, latencyRun{rate: rate, gateway: true})
	return both, direct, gateway, err
}

// and puts two runs together.
func (f flow) and(o flow) flow {
	return flow{
		direct: append(f.direct, o.direct...), gateway: append(f.gateway, o.gateway...),
		added: append(f.added, o.added...), lag: append(f.lag, o.lag...),
		serverCPU: f.serverCPU + o.serverCPU, gatewayCPU: f.gatewayCPU + o.gatewayCPU, time: f.time + o.time,
	}
}

// quantile is the nearest rank.
func quantile(v []float64, q float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if len(v) == 0 {
		return 0
	}
	return v[int(q*float64(len(v)-1)+0.5)]
}
