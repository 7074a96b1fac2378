package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// requestTime is what a client waits for an answer before it asks again.
const requestTime = 8 * time.Second

// newHTTP makes a client whose every request is a connection of its own: the balancer may
// give it to any node.
func newHTTP() *http.Client {
	dial := &net.Dialer{Timeout: 4 * time.Second}
	return &http.Client{Transport: &http.Transport{DialContext: dial.DialContext, DisableKeepAlives: true}}
}

// answer is what the gateway said to a request.
type answer struct {
	status int
	after  time.Duration // Retry-After
	body   []byte
}

func (a answer) decode(v any) error {
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("answer %d: %w", a.status, err)
	}
	return nil
}

// problem is the code of a refusal.
func (a answer) problem() string {
	var p struct{ Code, Detail string }
	_ = json.Unmarshal(a.body, &p)
	return fmt.Sprintf("%d %s: %s", a.status, p.Code, p.Detail)
}

// call sends one request to whatever node the balancer chooses.
func (a *account) call(ctx context.Context, method, path, key string, body any) (answer, error) {
	return a.callAt(ctx, a.base, method, path, key, body)
}

// callAt sends one request to the gateway at base.
func (a *account) callAt(ctx context.Context, base, method, path, key string, body any) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, content)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", strconv.Quote(key))
	}
	res, err := a.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<24))
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	return answer{res.StatusCode, time.Duration(seconds) * time.Second, text}, err
}

// insist calls again and again until it goes well, for two minutes at most.
func (a *account) insist(ctx context.Context, method, path string, body any) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		got, err := a.call(ctx, method, path, "", body)
		if err == nil && got.status/100 == 2 {
			return got, nil
		}
		if err == nil {
			err = errors.New(got.problem())
		}
		if !pause(ctx, max(500*time.Millisecond, got.after)) {
			return got, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
}

// pause waits, and is false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
