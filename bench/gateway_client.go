package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// gatewayClient opens the sessions of a gateway as clients open them: by their first request.
type gatewayClient struct {
	url     string
	buddies int
	http    *http.Client
}

func newGatewayClient(url string, buddies int) *gatewayClient {
	return &gatewayClient{url, buddies, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: opensAtOnce}}}
}

// openRange opens sessions and waits until they know all their buddies. It leaves no connection
// to the gateway, which would be weighed.
func (g *gatewayClient) openRange(ctx context.Context, from, to int) error {
	defer g.http.CloseIdleConnections()
	if err := openAll(ctx, from, to, g.open); err != nil {
		return err
	}
	return g.awaitPresence(ctx, from, to)
}

// open makes the session with a GET, as any client does.
func (g *gatewayClient) open(ctx context.Context, i int) error {
	_, err := g.get(ctx, loadToken(i), "/v1/session")
	return err
}

// call makes a request of the session of a token, and reads the answer.
func (g *gatewayClient) call(ctx context.Context, method, token, path, body string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, g.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := g.http.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

func (g *gatewayClient) get(ctx context.Context, token, path string) (items []json.RawMessage, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
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
		if err := g.awaitPresenceOf(ctx, loadToken(i)); err != nil {
			return err
		}
	}
	return nil
}

func (g *gatewayClient) awaitPresenceOf(ctx context.Context, token string) error {
	for {
		items, err := g.get(ctx, token, "/v1/presence")
		if err != nil || len(items) >= g.buddies {
			return err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// loadToken is that of an account of the server role.
func loadToken(i int) string { return fmt.Sprint("load-", i) }
