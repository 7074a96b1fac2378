package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const requestSessions = 100 // that are asked one after the other

// requestKind is a request whose CPU is measured.
type requestKind struct {
	name, path string
	same       bool // with the ETag of the answer before: 304
}

var requestKinds = []requestKind{
	{"GET /v1/session", "/v1/session", false},
	{"GET /v1/presence", "/v1/presence", false},
	{"GET /v1/presence, 304", "/v1/presence", true},
	{"GET /v1/buddies", "/v1/buddies", false},
	{"GET /v1/buddies, 304", "/v1/buddies", true},
}

// requests measures the CPU that the gateway uses for a request: one at a time, over a
// connection that stays, of one session after the other.
func requests(ctx context.Context, l *lab) (err error) {
	_, ready, err := l.serve(ctx, requestSessions, buddiesShared)
	if err != nil {
		return err
	}
	g, err := l.gateway(requestSessions, ready, gatewayOptions{})
	if err != nil {
		return err
	}
	defer g.end()
	c := newGatewayClient(g.url, l.buddies)
	if err := c.openRange(ctx, 0, requestSessions); err != nil {
		return err
	}
	defer c.http.CloseIdleConnections()
	l.note("%d requests of each kind", l.effort.fewTurns*l.effort.requests)
	found := map[string][]float64{}
	for range l.effort.fewTurns {
		for _, k := range requestKinds {
			each, err := c.cost(ctx, g, k, l.effort.requests)
			if err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			found[k.name] = append(found[k.name], 1000*each.sum())
			found[k.name+" system"] = append(found[k.name+" system"], 1000*each.system)
		}
	}
	for _, k := range requestKinds {
		with := ""
		if k != requestKinds[0] {
			with = "CPU of " + requestKinds[0].name
		}
		l.report.add("CPU of "+k.name, median(found[k.name]), "ms", with)
		l.report.add("CPU of "+k.name+", system", median(found[k.name+" system"]), "ms", "")
	}
	return nil
}

// cost makes n requests of a kind and returns what each has cost the gateway, in seconds.
func (g *gatewayClient) cost(ctx context.Context, of *gateway, k requestKind, n int) (cpu, error) {
	tags := make([]string, requestSessions)
	for i := range tags {
		var err error
		if tags[i], err = g.ask(ctx, k, i, ""); err != nil {
			return cpu{}, err
		}
	}
	before, err := cpuTime(of.PID())
	if err != nil {
		return cpu{}, err
	}
	for i := range n {
		session := i % requestSessions
		tag := ""
		if k.same {
			tag = tags[session]
		}
		if _, err := g.ask(ctx, k, session, tag); err != nil {
			return cpu{}, err
		}
	}
	after, err := cpuTime(of.PID())
	used := after.minus(before)
	return cpu{used.user / float64(n), used.system / float64(n)}, err
}

// ask makes one request, and returns the ETag of the answer. With a tag it must be answered with
// 304.
func (g *gatewayClient) ask(ctx context.Context, k requestKind, session int, tag string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url+k.path, nil)
	if err != nil {
		return "", err
	}
	req.Header = bearer(session)
	want := http.StatusOK
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
		want = http.StatusNotModified
	}
	resp, err := g.http.Do(req)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return "", err
	}
	if resp.StatusCode != want {
		return "", fmt.Errorf("got %s, want %d", resp.Status, want)
	}
	return resp.Header.Get("ETag"), nil
}
