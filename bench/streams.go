package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// openStreams opens event streams of sessions, WebSocket and SSE in turn, others in each cycle.
func (s *soak) openStreams(ctx context.Context, n int) (streams []io.Closer, err error) {
	for i := range soakSockets {
		stream, err := openStream(ctx, s.gateway.url, (n*soakSockets+i)%s.o.active(), i%2 == 0)
		if err != nil {
			return streams, err
		}
		streams = append(streams, stream)
	}
	return streams, nil
}

// eventStream is an event stream that is read until it is closed.
type eventStream struct {
	cut     func()
	reading sync.WaitGroup
}

// Close ends it as a client does that goes away, and waits until nothing is read any more.
func (s *eventStream) Close() error {
	s.cut()
	s.reading.Wait()
	return nil
}

// openStream opens one, a WebSocket or SSE, up to its first live event.
func openStream(ctx context.Context, url string, session int, ws bool) (*eventStream, error) {
	if ws {
		return openWebSocket(ctx, url, session)
	}
	return openSSE(ctx, url, session)
}

func openWebSocket(ctx context.Context, url string, session int) (*eventStream, error) {
	conn, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/v1/events/ws", &websocket.DialOptions{
		HTTPHeader: bearer(session), Subprotocols: []string{"perch.v1"},
	})
	if err != nil {
		return nil, fmt.Errorf("event socket of session %d: %w", session, err)
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	conn.SetReadLimit(1 << 24)
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("event socket of session %d: %w", session, err), conn.CloseNow())
		}
		if bytes.Contains(text, liveEvent) {
			break
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &eventStream{cut: cancel}
	s.reading.Go(func() {
		for {
			if _, _, err := conn.Read(ctx); err != nil { // cut, or ended by the gateway
				_ = conn.CloseNow()
				return
			}
		}
	})
	return s, nil
}

var liveEvent = []byte(`"type":"live"`)

// sseClient keeps no connection when a stream has ended.
var sseClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func openSSE(ctx context.Context, url string, session int) (*eventStream, error) {
	ctx, cancel := context.WithCancel(ctx)
	fail := func(err error) (*eventStream, error) {
		cancel()
		return nil, fmt.Errorf("event stream of session %d: %w", session, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/events", nil)
	if err != nil {
		return fail(err)
	}
	req.Header = bearer(session)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := sseClient.Do(req)
	if err != nil {
		return fail(err)
	}
	in := bufio.NewReader(resp.Body)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return fail(errors.Join(err, resp.Body.Close()))
		}
		if bytes.Contains(line, liveEvent) {
			break
		}
	}
	s := &eventStream{cut: cancel}
	s.reading.Go(func() {
		_, _ = io.Copy(io.Discard, in) // until it is cut, or ended by the gateway
		_ = resp.Body.Close()
	})
	return s, nil
}

// bearer is the header of a session of the server role.
func bearer(session int) http.Header {
	return http.Header{"Authorization": {"Bearer " + loadToken(session)}}
}
