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
	app.TuneMemory()
	c, err := parseClientArgs(args)
	if err != nil {
		return err
	}
	ca, err := os.CreateTemp("", "bench-ca-*.pem")
	if err != nil {
		return err
	}
	defer os.Remove(ca.Name()) //nolint:errcheck // a leftover in the temporary folder
	if _, err := ca.Write(c.ca); err != nil {
		return err
	}
	a, err := app.New(app.Options{
		Listen: "127.0.0.1:0", AdminListen: "off", MaxSessions: c.count + 10, DrainTime: time.Second,
		IPRate:    app.Rate{PerSecond: 1e6, Burst: 1e6},
		Upstreams: []app.Upstream{{Name: "load", Domain: c.domain, Address: c.addr, CAFile: ca.Name(), Profile: app.ProfileMessenger}},
	})
	if err != nil {
		return err
	}
	defer func() {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		err = errors.Join(err, a.Stop(stopCtx))
	}()
	if err := a.Start(); err != nil {
		return err
	}
	return serveFootprint(a.URL(), func() error { return nil })
}

type gatewayClient struct {
	url     string
	buddies int
	http    *http.Client
}

func newGatewayClient(url string, buddies int) *gatewayClient {
	return &gatewayClient{url, buddies, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
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
	defer resp.Body.Close() //nolint:errcheck // read to its end
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	var body struct{ Items []json.RawMessage }
	return body.Items, json.NewDecoder(resp.Body).Decode(&body)
}

// settled waits until every session has the presence of all its buddies.
func (g *gatewayClient) settled(ctx context.Context, count int) error {
	for i := range count {
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
