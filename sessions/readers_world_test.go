package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// receiver is a sessions.Sender with the server behind it, whose answers a test decides about.
type receiver struct {
	mu     sync.Mutex
	answer func(sessions.Delivery) sessions.Outcome // nil: everything arrives
	held   chan struct{}                            // nil: nothing is; else no answer comes before it is closed
	calls  []*call
	now    int // under way
	most   int
}

// call is one attempt, as the server has seen it.
type call struct {
	id     string
	at     time.Time
	events []uint64
	bodies []string
	reset  string
	cursor perch.Position
	keys   int
	test   bool
	toward string // the id of the reader
	lost   bool   // there was no answer

	arrived bool // it was answered by 2xx
}

func (c *receiver) Check(t perch.ReaderTarget, _ perch.ReaderSpec) error {
	if t.URL == "" {
		return perch.Invalid("/url", "is missing")
	}
	return nil
}

func (c *receiver) Send(ctx context.Context, d sessions.Delivery) sessions.Outcome {
	k := &call{id: d.ID, at: time.Now(), reset: d.Reset, cursor: d.Cursor, keys: len(d.Secrets), test: d.Test, toward: d.Reader.ID}
	for _, e := range d.Events {
		k.events = append(k.events, e.Position.Offset)
		k.bodies = append(k.bodies, string(e.Wire))
	}
	c.mu.Lock()
	held, answer := c.held, c.answer
	c.calls = append(c.calls, k)
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	defer func() { c.mu.Lock(); c.now--; c.mu.Unlock() }()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			c.mu.Lock()
			k.lost = true
			c.mu.Unlock()
			return sessions.Outcome{Err: errors.New("no answer in time")}
		}
	}
	out := sessions.Outcome{Status: 200}
	if answer != nil {
		out = answer(d)
	}
	c.mu.Lock()
	k.arrived = out.Err == nil
	c.mu.Unlock()
	return out
}

func (c *receiver) answers(f func(sessions.Delivery) sessions.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

// mostAtOnce is how many attempts there were at once.
func (c *receiver) mostAtOnce() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most
}

// hold has no answer come until the function that it returns is called.
func (c *receiver) hold() (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := make(chan struct{})
	c.held = held
	return func() {
		c.mu.Lock()
		c.held = nil
		c.mu.Unlock()
		close(held)
	}
}

// seen are the calls since the last next.
func (c *receiver) seen() []call {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]call, len(c.calls))
	for i, k := range c.calls {
		list[i] = *k
	}
	return list
}

// next returns the calls since the last one.
func (c *receiver) next() []*call {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.calls
	c.calls = nil
	return list
}

// offsets are those of the events of calls, each call in brackets.
func offsets(calls []*call) string {
	text := ""
	for _, k := range calls {
		text += fmt.Sprint(k.events) + k.reset
	}
	return text
}

func failing(status int) func(sessions.Delivery) sessions.Outcome {
	return func(sessions.Delivery) sessions.Outcome {
		return sessions.Outcome{Status: status, Err: fmt.Errorf("the answer was %d", status)}
	}
}

// withReceiver gives a world somebody to bring events to.
func withReceiver(c *receiver) func(*sessions.Options) {
	return func(o *sessions.Options) { o.Webhooks, o.Push = c, c }
}

// hook is a webhook as most are; change it by the fields.
func hook(id string) sessions.NewReader {
	return sessions.NewReader{Kind: perch.WebhookReader, ID: id, Target: perch.ReaderTarget{URL: "https://" + id + ".example/" + canary.Secret()},
		Spec: perch.ReaderSpec{Types: []string{"message.*"}, When: perch.ReadAlways, Include: perch.IncludeFull}}
}

// access is that of a session's own credential.
func access(s *sessions.Session) sessions.Access { return sessions.Access{Session: s} }

func (w *world) putReader(s *sessions.Session, n sessions.NewReader) perch.Reader {
	w.t.Helper()
	r, _, _, err := w.m.PutReader(w.ctx(), access(s), n)
	must(w.t, "PutReader", err)
	synctest.Wait()
	return r
}

func (w *world) reader(s *sessions.Session, kind perch.ReaderKind, id string) perch.Reader {
	w.t.Helper()
	list, err := w.m.Readers(w.ctx(), access(s), kind)
	must(w.t, "Readers", err)
	for _, r := range list {
		if r.ID == id {
			return r
		}
	}
	w.t.Fatalf("Readers: got %v, want one with the id %s", list, id)
	return perch.Reader{}
}

// sayBody delivers a message of bob with a text.
func (w *world) sayBody(body string) {
	w.t.Helper()
	w.said++
	w.deliver(&perch.MessageIn{Message: perch.Message{ID: fmt.Sprint("m", w.said), From: bob + "/phone", Kind: perch.ChatMessage, Body: body}})
}

// say delivers messages of bob, and returns the tip.
func (w *world) say(s *sessions.Session, n int) uint64 {
	w.t.Helper()
	for range n {
		w.sayBody(fmt.Sprint("text ", w.said+1))
	}
	page, err := w.store.Log(w.ctx(), s.ID(), 0, 0)
	must(w.t, "Log", err)
	return page.Tip
}

// kill ends the process as kill -9 does: nothing that it was about to write is written. The next one begins
// with what the Store has.
func (w *world) kill() *sessions.Session {
	w.t.Helper()
	dead, deadStore := w.m, w.store
	deadStore.set(func(s *store) { s.down, s.waiting, s.held = errDown, nil, false })
	now, cancel := context.WithCancel(context.Background())
	cancel()
	if err := dead.Close(now); err == nil {
		w.t.Fatal("the process that is killed: got it closed in order, want it cut off")
	}
	w.store = &store{Store: deadStore.Store, durable: deadStore.durable}
	w.opts.Store = w.store
	w.start()
	return w.open()
}
