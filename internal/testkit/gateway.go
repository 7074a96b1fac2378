package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/perch-im/perch/internal/contract"
)

// Gateway is a client of the gateway's API that knows nothing but its description: paths,
// JSON, and the WebSocket subprotocol.
type Gateway struct {
	URL   string // such as http://127.0.0.1:8080
	Token string // bearer; "" sends none

	http *http.Client
}

// NewGateway makes a client; its connections end with the test. What it is answered is
// held against openapi.yaml and asyncapi.yaml.
func NewGateway(t TB, baseURL, token string) *Gateway {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 50}
	t.Cleanup(transport.CloseIdleConnections)
	return &Gateway{URL: baseURL, Token: token, http: &http.Client{Transport: contract.Transport(t, transport), Timeout: 40 * time.Second}}
}

// Answer is what the gateway said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the body, which must be an object.
func (a Answer) JSON(t TB) Object {
	t.Helper()
	var o Object
	if err := json.Unmarshal(a.Body, &o); err != nil {
		t.Fatalf("answer %d is no JSON object: %v: %s", a.Status, err, a.Body)
	}
	return o
}

// Object is a decoded JSON object; paths such as "session.state" lead into it.
type Object map[string]any

// ParseObject decodes text that must be a JSON object.
func ParseObject(t TB, text string) Object {
	t.Helper()
	var o Object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("no JSON object: %v: %s", err, text)
	}
	return o
}

// At follows a path of names and gives nil where it leads nowhere.
func (o Object) At(path string) any {
	var v any = map[string]any(o)
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// Str is [Object.At] for text; "" for anything else.
func (o Object) Str(path string) string { s, _ := o.At(path).(string); return s }

// Bool is [Object.At] for a truth value.
func (o Object) Bool(path string) bool { b, _ := o.At(path).(bool); return b }

// Strings is [Object.At] for a list of texts.
func (o Object) Strings(path string) []string {
	raw, _ := o.At(path).([]any)
	list := make([]string, 0, len(raw))
	for _, v := range raw {
		if text, ok := v.(string); ok {
			list = append(list, text)
		}
	}
	return list
}

// List is [Object.At] for a list of objects.
func (o Object) List(path string) []Object {
	raw, _ := o.At(path).([]any)
	list := make([]Object, 0, len(raw))
	for _, v := range raw {
		if m, ok := v.(map[string]any); ok {
			list = append(list, Object(m))
		}
	}
	return list
}

// Find gives the first object of a list whose field has the value, or nil.
func (o Object) Find(list, field, value string) Object {
	for _, item := range o.List(list) {
		if item.Str(field) == value {
			return item
		}
	}
	return nil
}

// Do sends a request with a JSON body (nil: none) and gives the answer, whatever it is. It
// may be called from several goroutines.
func (g *Gateway) Do(ctx context.Context, method, path string, body any) (Answer, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return Answer{}, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, g.URL+path, content)
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if g.Token != "" {
		req.Header.Set("Authorization", "Bearer "+g.Token)
	}
	res, err := g.http.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return Answer{Status: res.StatusCode, Header: res.Header, Body: text}, err
}

// Call is [Gateway.Do] where the status is known beforehand; another one fails the test.
func (g *Gateway) Call(t TB, want int, method, path string, body any) Answer {
	t.Helper()
	a, err := g.Do(context.Background(), method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.Status != want {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, a.Status, want, a.Body)
	}
	return a
}

// Get reads a resource that must be there.
func (g *Gateway) Get(t TB, path string) Object {
	t.Helper()
	return g.Call(t, http.StatusOK, http.MethodGet, path, nil).JSON(t)
}

// Escape is a JID as a part of a path.
func Escape(jid string) string { return url.PathEscape(jid) }

// Frame is one frame of the event stream.
type Frame struct {
	ID   string // "" on what is not durable
	Type string
	Data Object
	Ref  string // of a reply or error: the command
	Raw  string // the whole of it
}

// Stream is an open WebSocket of the gateway. The goroutine of the test uses it.
type Stream struct {
	ws     *websocket.Conn
	frames *inbox[Frame]
	stop   context.CancelFunc
	closed error // why it ended; valid after frames.done
	last   string
}

// Stream opens a WebSocket, with a cursor or "". It ends with the test.
func (g *Gateway) Stream(t TB, since string) *Stream {
	t.Helper()
	s, err := g.TryStream(t, since)
	if err != nil {
		t.Fatalf("GET /v1/events/ws: %v", err)
	}
	return s
}

// TryStream is [Gateway.Stream] for a gateway that may refuse.
func (g *Gateway) TryStream(t TB, since string) (*Stream, error) {
	t.Helper()
	path := "/v1/events/ws"
	if since != "" {
		path += "?since=" + url.QueryEscape(since)
	}
	opening, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, res, err := websocket.Dial(opening, "ws"+strings.TrimPrefix(g.URL, "http")+path, &websocket.DialOptions{
		HTTPClient:   g.http,
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + g.Token}},
		Subprotocols: []string{"perch.v1"},
	})
	if err != nil {
		return nil, err
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	ws.SetReadLimit(1 << 24)
	ctx, stop := context.WithCancel(context.Background())
	s := &Stream{ws: ws, frames: newInbox[Frame](), stop: stop}
	go s.read(ctx, t)
	t.Cleanup(s.Close)
	return s, nil
}

// read collects frames until the socket ends. It is the only reader.
func (s *Stream) read(ctx context.Context, t TB) {
	defer close(s.frames.done)
	for {
		_, text, err := s.ws.Read(ctx)
		if err != nil {
			s.closed = err
			return
		}
		contract.Frame(t, text)
		f := Frame{Raw: string(text)}
		if err := json.Unmarshal(text, &f); err != nil {
			s.closed = err
			return
		}
		s.frames.put(f)
	}
}

// Send sends a command.
func (s *Stream) Send(t TB, id, typ string, data any) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"id": id, "type": typ, "data": data})
	if err != nil {
		t.Fatalf("%s: %v", typ, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.ws.Write(ctx, websocket.MessageText, text); err != nil {
		t.Fatalf("%s: %v", typ, err)
	}
}

// Expect takes the first frame that fits, in the order of arrival, and waits for it for 20
// seconds. Other frames stay for later calls.
func (s *Stream) Expect(t TB, what string, fits func(Frame) bool) Frame {
	t.Helper()
	f, ok := s.frames.await(fits)
	if ok {
		if f.ID != "" {
			s.last = f.ID
		}
		return f
	}
	why := ""
	select {
	case <-s.frames.done:
		why = s.closed.Error()
	default:
	}
	var text strings.Builder
	for _, f := range s.frames.all() {
		text.WriteString("\n\t" + f.Raw)
	}
	t.Fatalf("no %s on the stream; %s; there is:%s", what, why, text.String())
	return f
}

// ExpectType is [Stream.Expect] by the type of the event alone.
func (s *Stream) ExpectType(t TB, typ string) Frame {
	t.Helper()
	return s.Expect(t, typ, func(f Frame) bool { return f.Type == typ })
}

// Frames is what has arrived and was not taken yet.
func (s *Stream) Frames() []Frame { return s.frames.all() }

// Discard takes everything that has arrived, and gives it.
func (s *Stream) Discard() []Frame { return s.frames.drain() }

// Next takes the next frame, and waits for it for a moment. False: there is none, or the
// stream has ended.
func (s *Stream) Next(within time.Duration) (Frame, bool) {
	f, ok := s.frames.awaitFor(within, func(Frame) bool { return true })
	if ok && f.ID != "" {
		s.last = f.ID
	}
	return f, ok
}

// Closed waits for the end of the stream and gives the close code of the gateway; -1 is an
// end without one.
func (s *Stream) Closed(t TB) websocket.StatusCode {
	t.Helper()
	select {
	case <-s.frames.done:
		return websocket.CloseStatus(s.closed)
	case <-time.After(patience):
		t.Fatalf("the stream has not ended")
		return 0
	}
}

// Ended reports whether the stream has ended; frames may still be waiting to be read.
func (s *Stream) Ended() bool {
	select {
	case <-s.frames.done:
		return true
	default:
		return false
	}
}

// Last is the cursor: the id of the last durable event that was taken.
func (s *Stream) Last() string { return s.last }

// Close ends the socket as a lost network does, without a close frame. It may be called
// twice, and returns when the reader has ended.
func (s *Stream) Close() {
	s.stop()
	_ = s.ws.CloseNow()
	<-s.frames.done
}
