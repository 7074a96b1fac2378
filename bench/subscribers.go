package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// ears are the sockets of many sessions, which count the messages that arrive.
type ears struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	heard int
	err   error
	more  chan struct{} // closed when either has changed
}

// listen opens a socket for each of the first n sessions and waits until all are at the
// present.
func listen(ctx context.Context, url string, n int) (*ears, error) {
	e := &ears{more: make(chan struct{})}
	ctx, e.cancel = context.WithCancel(ctx)
	for i := range n {
		ws, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/v1/events/ws", &websocket.DialOptions{
			HTTPHeader:   http.Header{"Authorization": {fmt.Sprintf("Bearer load-%d", i)}},
			Subprotocols: []string{"perch.v1"},
		})
		if err != nil {
			return nil, errors.Join(err, e.close())
		}
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		ws.SetReadLimit(1 << 24)
		for {
			_, text, err := ws.Read(ctx)
			if err != nil {
				return nil, errors.Join(err, e.close())
			}
			if bytes.Contains(text, []byte(`"type":"live"`)) {
				break
			}
		}
		e.wg.Go(func() { e.hear(ctx, ws) })
	}
	return e, nil
}

// hear counts until the socket ends.
func (e *ears) hear(ctx context.Context, ws *websocket.Conn) {
	defer func() { _ = ws.CloseNow() }()
	for {
		_, text, err := ws.Read(ctx)
		e.mu.Lock()
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case err != nil:
			e.err = err
		case bytes.Contains(text, []byte(`"type":"message.received"`)):
			e.heard++
		}
		close(e.more)
		e.more = make(chan struct{})
		e.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// until waits until n messages have been heard. It fails when none comes for a while.
func (e *ears) until(ctx context.Context, n int) error {
	for {
		e.mu.Lock()
		heard, err, more := e.heard, e.err, e.more
		e.mu.Unlock()
		if heard >= n || err != nil {
			return err
		}
		select {
		case <-more:
		case <-time.After(20 * time.Second):
			return fmt.Errorf("%d of %d messages have arrived, and no more come", heard, n)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close ends the sockets and waits for them.
func (e *ears) close() error {
	e.cancel()
	e.wg.Wait()
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
