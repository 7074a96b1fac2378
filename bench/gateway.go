package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/perch-im/perch/app"
)

// gatewayRole is a whole gateway whose sessions are opened as clients open them: by their
// first request.
func gatewayRole(ctx context.Context, args []string) (err error) {
	c, err := parseClientArgs(args)
	if err != nil {
		return err
	}
	a, stop, err := startGateway(ctx, c, app.Options{AdminListen: "off"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	return serveFootprint(ctx, a.URL(), func(int, int) error { return nil }) // the parent opens them
}

// startGateway runs a gateway in front of the server role, with o for the rest, and more
// upstreams.
func startGateway(ctx context.Context, c clientArgs, o app.Options, more ...app.Upstream) (a *app.App, stop func() error, err error) {
	load, remove, err := upstreamAt("load", c.addr, c.domain, c.ca)
	if err != nil {
		return nil, nil, err
	}
	defer remove()
	o.MaxSessions = c.count + 10
	o.SessionsPerAddress = o.MaxSessions // all of them are opened from here
	o.IPRate = app.Rate{PerSecond: 1e6, Burst: 1e6}
	o.Upstreams = append([]app.Upstream{load}, more...)
	o.TokenRate = o.IPRate
	return runGateway(ctx, o)
}

// upstreamAt is the server role at an address. The gateway reads the file of its CA at the start;
// remove deletes it.
func upstreamAt(name, addr, domain string, ca []byte) (u app.Upstream, remove func(), err error) {
	f, err := os.CreateTemp("", "bench-ca-*.pem")
	if err != nil {
		return u, nil, err
	}
	remove = func() { _ = os.Remove(f.Name()) }
	_, err = f.Write(ca)
	if err = errors.Join(err, f.Close()); err != nil {
		remove()
		return u, nil, err
	}
	return app.Upstream{Name: name, Domain: domain, Address: addr, CAFile: f.Name(), Profile: app.ProfileMessenger}, remove, nil
}

// runGateway runs a gateway on a free port, as the command does.
func runGateway(ctx context.Context, o app.Options) (a *app.App, stop func() error, err error) {
	app.TuneMemory()
	o.Listen, o.DrainTime = "127.0.0.1:0", time.Second
	if a, err = app.New(o); err != nil {
		return nil, nil, err
	}
	stop = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 60*time.Second)
		defer cancel()
		return a.Stop(ctx)
	}
	if err := a.Start(); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return a, stop, nil
}

type gatewayClient struct {
	url     string
	buddies int
	http    *http.Client
}

func newGatewayClient(url string, buddies int) *gatewayClient {
	return &gatewayClient{url, buddies, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// openRange opens sessions and waits until they know all their buddies.
func (g *gatewayClient) openRange(ctx context.Context, from, to int) error {
	if err := openAll(ctx, from, to, g.open); err != nil {
		return err
	}
	return g.awaitPresence(ctx, from, to)
}

// open makes the session with a GET, as any client does.
func (g *gatewayClient) open(ctx context.Context, i int) error {
	_, err := g.get(ctx, i, "/v1/session")
	return err
}

func (g *gatewayClient) get(ctx context.Context, i int, path string) (items []json.RawMessage, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", fmt.Sprintf("Bearer load-%d", i))
	resp, err := g.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	var body struct{ Items []json.RawMessage }
	return body.Items, json.NewDecoder(resp.Body).Decode(&body)
}

// awaitPresence waits until every session has the presence of all its buddies.
func (g *gatewayClient) awaitPresence(ctx context.Context, from, to int) error {
	for i := from; i < to; i++ {
		for {
			items, err := g.get(ctx, i, "/v1/presence")
			if err != nil {
				return err
			}
			if len(items) >= g.buddies {
				break
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}
