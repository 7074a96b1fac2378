package ledger

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// wsStream is the WebSocket encoding.
type wsStream struct{ c *websocket.Conn }

func openWS(ctx context.Context, c *client) (stream, error) {
	conn, res, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.since("/v1/events/ws"), "http"), &websocket.DialOptions{
		HTTPClient: c.account.http, Subprotocols: []string{"perch.v1"},
		HTTPHeader: http.Header{"Authorization": {"Bearer " + c.account.token}},
	})
	if err != nil {
		return nil, refused(res, err)
	}
	conn.SetReadLimit(1 << 24)
	return &wsStream{conn}, nil
}

func (s *wsStream) next(ctx context.Context) (f frame, err error) {
	_, text, err := s.c.Read(ctx)
	if code := websocket.CloseStatus(err); code >= 4000 {
		return f, &refusal{code: int(code), text: err.Error()}
	}
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(text, &f)
}

func (s *wsStream) close() { _ = s.c.CloseNow() }

// sseStream is the encoding as Server-Sent Events.
type sseStream struct {
	body  io.Closer
	lines chan []byte
	done  chan struct{}
	end   error
}

func openSSE(ctx context.Context, c *client) (stream, error) {
	// The request lives as long as its body, not as long as the opening.
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	req, err := http.NewRequestWithContext(life, http.MethodGet, c.account.base+"/v1/events", nil)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.account.token)
	req.Header.Set("Accept", "text/event-stream")
	if c.cursor != "" {
		req.Header.Set("Last-Event-ID", c.cursor)
	}
	res, err := c.account.http.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		err = refused(res, err)
		cancel()
		return nil, err
	}
	stop()
	s := &sseStream{body: closer{res.Body, cancel}, lines: make(chan []byte), done: make(chan struct{})}
	go s.read(res.Body)
	return s, nil
}

type closer struct {
	io.Closer
	cancel func()
}

func (c closer) Close() error {
	c.cancel()
	return c.Closer.Close()
}

// read takes the data lines apart until the body ends.
func (s *sseStream) read(body io.Reader) {
	defer close(s.lines)
	scan := bufio.NewScanner(body)
	scan.Buffer(nil, 1<<24)
	for scan.Scan() {
		if data, ok := strings.CutPrefix(scan.Text(), "data: "); ok {
			select {
			case s.lines <- []byte(data):
			case <-s.done:
				return
			}
		}
	}
	if s.end = scan.Err(); s.end == nil {
		s.end = io.ErrUnexpectedEOF
	}
}

func (s *sseStream) next(ctx context.Context) (f frame, err error) {
	select {
	case text, ok := <-s.lines:
		if !ok {
			return f, s.end
		}
		if err := json.Unmarshal(text, &f); err != nil {
			return f, err
		}
		if f.Close != nil {
			return f, &refusal{code: f.Close.Code, text: f.Close.Reason}
		}
		return f, nil
	case <-ctx.Done():
		return f, ctx.Err()
	}
}

func (s *sseStream) close() {
	close(s.done)
	_ = s.body.Close()
	for range s.lines {
		continue // the reader has ended when there are no more
	}
}

// refused turns the answer to an opening into an error.
func refused(res *http.Response, err error) error {
	if res == nil || res.StatusCode < 300 {
		return err
	}
	text := ""
	if res.Body != nil {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
		_ = res.Body.Close()
		text = answer{status: res.StatusCode, body: b}.problem()
	}
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	return errors.Join(&refusal{code: res.StatusCode, after: time.Duration(seconds) * time.Second, text: text}, err)
}
