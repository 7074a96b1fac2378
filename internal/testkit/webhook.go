package testkit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/perch-im/perch/internal/canary"
)

// WebhookReceiver stands for a server that the calls of one webhook come to: it keeps them, fails as it is
// told to, and judges what has come by what docs/webhooks.md promises.
type WebhookReceiver struct {
	URL string

	addr    string
	mu      sync.Mutex
	server  *http.Server // nil: it is down
	serving sync.WaitGroup
	secrets []string
	answer  func(n int, c *WebhookCall) WebhookAnswer
	calls   []*WebhookCall
	changed chan struct{} // closed when something has come
}

// WebhookCall is one attempt at a delivery, as it came.
type WebhookCall struct {
	ID        string
	Timestamp int64 // seconds, of the header
	Signature string
	Came      time.Time
	Body      []byte
	Header    http.Header
	WebhookBody

	Answer WebhookAnswer
	rewind bool // the first one after Rewind
}

// WebhookBody is the body of a call.
type WebhookBody struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      struct {
		Webhook string         `json:"webhook"`
		Account string         `json:"account"`
		Events  []WebhookEvent `json:"events"`
		Cursor  *string        `json:"cursor"`
		Reset   *string        `json:"reset"`
	} `json:"data"`
}

// WebhookEvent is an event in a call.
type WebhookEvent struct {
	ID   string          `json:"id"`
	Type string          `json:"type"`
	Time string          `json:"time"`
	Data json.RawMessage `json:"data"`
}

// Body is the text of a message, or "".
func (e *WebhookEvent) Body() string {
	var d struct{ Body string }
	_ = json.Unmarshal(e.Data, &d) // an event of another kind has none
	return d.Body
}

// WebhookAnswer is what a receiver does with a call. The zero value takes it and answers 204.
type WebhookAnswer struct {
	Status int // 0: 204
	Header map[string]string
	Hang   bool // no answer, for as long as the other side waits
	Cut    bool // the connection is closed without an answer
	Worked bool // of a call that is not answered by 2xx: it was worked on before
}

// OK reports whether the other side was told that the call has arrived.
func (a WebhookAnswer) OK() bool {
	return !a.Hang && !a.Cut && (a.Status == 0 || a.Status >= 200 && a.Status < 300)
}

// NewWebhookReceiver starts one on a free port of 127.0.0.1, without TLS, that takes every call.
func NewWebhookReceiver(t TB) *WebhookReceiver {
	t.Helper()
	r := &WebhookReceiver{addr: "127.0.0.1:0", changed: make(chan struct{})}
	r.Up(t)
	r.URL = "http://" + r.addr + "/perch"
	t.Cleanup(r.Down)
	return r
}

// Up starts it again, on the same port.
func (r *WebhookReceiver) Up(t TB) {
	t.Helper()
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		t.Fatalf("testkit: the receiver of a webhook: got error %v, want none", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: time.Minute}
	r.addr, r.server = l.Addr().String(), s
	r.serving.Go(func() { _ = s.Serve(l) }) // until Down
}

// Down kills it: connections end without an answer.
func (r *WebhookReceiver) Down() {
	r.mu.Lock()
	s := r.server
	r.server = nil
	r.mu.Unlock()
	if s != nil {
		_ = s.Close()
	}
	r.serving.Wait()
}

// Trust adds a secret of the webhook.
func (r *WebhookReceiver) Trust(secret string) {
	canary.Note(secret)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets, secret)
}

// Behave decides from now on what becomes of a call; n counts all of them from 0. nil: each is taken. It is
// called by one goroutine at a time, before the call is kept.
func (r *WebhookReceiver) Behave(answer func(n int, c *WebhookCall) WebhookAnswer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// Rewind says that the webhook is to bring again what it has brought: it was replayed, or put anew.
func (r *WebhookReceiver) Rewind() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.calls); n > 0 {
		r.calls[n-1].rewind = true
	}
}

func (r *WebhookReceiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 64<<20))
	if err != nil {
		return // it was cut on its way
	}
	a := r.keep(req, body)
	switch {
	case a.Hang:
		<-req.Context().Done()
		panic(http.ErrAbortHandler)
	case a.Cut:
		panic(http.ErrAbortHandler)
	}
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	if a.Status == 0 {
		a.Status = http.StatusNoContent
	}
	w.WriteHeader(a.Status)
}

// keep notes a call and what becomes of it.
func (r *WebhookReceiver) keep(req *http.Request, body []byte) WebhookAnswer {
	c := &WebhookCall{ID: req.Header.Get("Webhook-Id"), Signature: req.Header.Get("Webhook-Signature"), Came: time.Now(), Body: body, Header: req.Header}
	c.Timestamp, _ = strconv.ParseInt(req.Header.Get("Webhook-Timestamp"), 10, 64) // 0 is found by Problems
	_ = json.Unmarshal(body, &c.WebhookBody)                                       // so is this
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answer != nil {
		c.Answer = r.answer(len(r.calls), c)
	}
	r.calls = append(r.calls, c)
	close(r.changed)
	r.changed = make(chan struct{})
	return c.Answer
}

// Calls are all attempts so far.
func (r *WebhookReceiver) Calls() []*WebhookCall {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// Events are what the receiver has worked on, each id once, in the order in which it came.
func (r *WebhookReceiver) Events() (all []WebhookEvent) {
	seen := map[string]bool{}
	for _, c := range r.Calls() {
		if seen[c.ID] || !c.Answer.OK() && !c.Answer.Worked {
			continue
		}
		seen[c.ID] = true
		all = append(all, c.Data.Events...)
	}
	return all
}

// Await waits until what has come is enough.
func (r *WebhookReceiver) Await(t TB, what string, within time.Duration, enough func() bool) {
	t.Helper()
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		r.mu.Lock()
		changed := r.changed
		r.mu.Unlock()
		if enough() {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("testkit: the receiver of a webhook: got %d calls within %v, want %s", len(r.Calls()), within, what)
		}
	}
}

// signed reports whether one of the signatures is by one of the secrets.
func (c *WebhookCall) signed(secrets []string) bool {
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(c.ID + "." + strconv.FormatInt(c.Timestamp, 10) + "."))
		mac.Write(c.Body)
		if slices.Contains(strings.Fields(c.Signature), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
			return true
		}
	}
	return false
}
