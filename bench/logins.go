package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// logins measures what a session costs until it is online and knows its buddies, beside a bare
// TLS handshake with the same server, in turns.
func logins(ctx context.Context, l *lab) (err error) {
	turns, each := l.effort.fewTurns, l.effort.logins
	l.note("logins, %d times %d", turns, each)
	all := (turns + 1) * each
	server, ready, err := l.serve(ctx, all, buddiesShared)
	if err != nil {
		return err
	}
	shake, err := l.child(ctx, kindBaseline, "handshake", ready.Addr, ready.Domain, string(ready.CA), strconv.Itoa(all), strconv.Itoa(l.buddies))
	if err != nil {
		return err
	}
	g, err := l.gateway(all, ready, gatewayOptions{})
	if err != nil {
		return err
	}
	defer g.end()
	m := &loginMeter{client: newGatewayClient(g.url, l.buddies), gateway: g, server: server, shake: shake}
	defer m.client.http.CloseIdleConnections()
	for i := range turns + 1 {
		if err := m.turn(ctx, i*each, (i+1)*each); err != nil {
			return err
		}
		if i == 0 {
			m.found = nil // what a process does for the first time takes longer
		}
	}
	m.record(l.report)
	return nil
}

// loginMeter has what was measured, a value for each turn.
type loginMeter struct {
	client        *gatewayClient
	gateway       *gateway
	server, shake *child
	found         map[string][]float64
}

func (m *loginMeter) note(name string, v float64) {
	if m.found == nil {
		m.found = map[string][]float64{}
	}
	m.found[name] = append(m.found[name], v)
}

// turn makes handshakes, and then as many logins.
func (m *loginMeter) turn(ctx context.Context, from, to int) error {
	n := float64(to - from)
	var h handshakes
	if err := m.shake.ask(fmt.Sprint(from, " ", to), &h); err != nil {
		return err
	}
	m.note("handshake", (h.User+h.System)/n)
	m.note("handshakes", n/h.Took.Seconds())
	before, err := m.used()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := openAll(ctx, from, to, m.client.open); err != nil {
		return err
	}
	m.note("logins", n/time.Since(began).Seconds())
	if err := m.gateway.awaitOnline(ctx, to, time.Minute); err != nil {
		return err
	}
	if err := sleep(ctx, time.Second); err != nil { // the last presences
		return err
	}
	after, err := m.used()
	if err != nil {
		return err
	}
	gateway, server := after[0].minus(before[0]), after[1].minus(before[1])
	m.note("user", gateway.user/n)
	m.note("system", gateway.system/n)
	m.note("login", gateway.sum()/n)
	m.note("server", server.sum()/n)
	return nil
}

func (m *loginMeter) used() (c [2]cpu, err error) {
	if c[0], err = cpuTime(m.gateway.PID()); err != nil {
		return c, err
	}
	c[1], err = cpuTime(m.server.cmd.Process.Pid)
	return c, err
}

func (m *loginMeter) record(r *report) {
	for _, f := range []struct {
		name, from string
		scale      float64
		unit, with string
	}{
		{"CPU of a TLS handshake", "handshake", 1000, "ms", ""},
		{"CPU of a login", "login", 1000, "ms", "CPU of a TLS handshake"},
		{"CPU of a login, user", "user", 1000, "ms", ""},
		{"CPU of a login, system", "system", 1000, "ms", ""},
		{"server's CPU of a login", "server", 1000, "ms", ""},
		{"TLS handshakes", "handshakes", 1, "handshakes/s", ""},
		{"logins", "logins", 1, "logins/s", "TLS handshakes"},
	} {
		r.add(f.name, median(m.found[f.from])*f.scale, f.unit, f.with)
	}
}
