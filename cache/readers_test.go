package cache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// webhook is a sessions.Sender of one node, whose deliveries a test sees and answers.
type webhook struct {
	came   chan sessions.Delivery
	answer chan error
}

func (*webhook) Check(perch.ReaderTarget, perch.ReaderSpec) error { return nil }

func (h *webhook) Send(ctx context.Context, d sessions.Delivery) sessions.Outcome {
	select {
	case h.came <- d:
	case <-ctx.Done():
		return sessions.Outcome{Err: ctx.Err()}
	}
	select {
	case err := <-h.answer:
		return sessions.Outcome{Status: 200, Err: err}
	case <-ctx.Done():
		return sessions.Outcome{Err: ctx.Err()}
	}
}

// next is the next delivery.
func (h *webhook) next(t *testing.T) sessions.Delivery {
	t.Helper()
	select {
	case d := <-h.came:
		return d
	case <-time.After(20 * time.Second):
		t.Fatal("the next delivery: got none within 20 s, want one")
		return sessions.Delivery{}
	}
}

// texts are the events of a delivery, as they are sent.
func texts(d sessions.Delivery) (list []string) {
	for _, e := range d.Events {
		list = append(list, string(e.Wire))
	}
	return list
}

// readerNode is a process with a webhook to send to.
type readerNode struct {
	*sessions.Manager
	hook *webhook
}

func (w *world) readerNode(t *testing.T, server *fakexmpp.Server, id sessions.NodeID) *readerNode {
	t.Helper()
	n := &readerNode{hook: &webhook{came: make(chan sessions.Delivery), answer: make(chan error)}}
	m, err := sessions.NewManager(sessions.Options{
		Dial: server.Dial, Verify: server.Verify, EndToken: server.EndToken, Store: w.open(t, cache.RedisOptions{}),
		Secret: []byte(canary.Mark + "0123456789abcdef"), DefaultUpstream: "net", Upstreams: map[string]sessions.Upstream{"net": {Name: "net", TokenBearer: true}},
		Logger: canary.Logger(), Webhooks: n.hook,
	})
	if err != nil {
		t.Fatalf("NewManager: got error %v, want none", err)
	}
	n.Manager = m
	if err := m.Join(t.Context(), sessions.Node{ID: id, URL: "http://" + string(id)}, 5*time.Second); err != nil {
		t.Fatalf("Join: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = m.Close(ctx) // the one that was replaced has nothing to write
	})
	return n
}

func (n *readerNode) session(t *testing.T, token perch.Secret) *sessions.Session {
	t.Helper()
	s, err := n.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatalf("Authenticate: got error %v, want none", err)
	}
	return s
}

// TestRedisReadersOfTwoNodes: a node that is replaced while a delivery is under way sends nothing after that, and
// the next one sends the same delivery again, and then what has come since.
func TestRedisReadersOfTwoNodes(t *testing.T) {
	for _, answered := range []error{nil, errors.New("no")} {
		w := realRedis(t)
		server, token := fakexmpp.New(), perch.NewSecret(canary.Secret())
		a := w.readerNode(t, server, "n/1")
		s, conn := a.session(t, token), server.Accepted(t.Context())
		if _, _, _, err := a.PutReader(t.Context(), sessions.Access{Session: s}, sessions.NewReader{
			Kind: perch.WebhookReader, ID: "a", Target: perch.ReaderTarget{URL: "https://a.example/"}, Spec: perch.ReaderSpec{Types: []string{"message.*"}, When: perch.ReadAlways},
		}); err != nil {
			t.Fatalf("PutReader: got error %v, want none", err)
		}
		say := func(n int) {
			conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: fmt.Sprint("m", n), From: "bob@example.net", Body: fmt.Sprint("text ", n)}})
		}
		say(1)
		lost := a.hook.next(t)
		say(2)
		b := w.readerNode(t, server, "n/2") // of the same name
		b.session(t, token)
		again := b.hook.next(t)
		if again.ID != lost.ID || !slices.Equal(texts(again), texts(lost)) || len(again.Events) != 1 {
			t.Errorf("got %s with %q, want %s with %q again", again.ID, texts(again), lost.ID, texts(lost))
		}
		a.hook.answer <- answered
		select {
		case d := <-a.hook.came:
			t.Errorf("the node that was replaced: got it sending %s with %q, want nothing", d.ID, texts(d))
		case b.hook.answer <- nil:
		}
		d := b.hook.next(t)
		if len(d.Events) != 1 || d.ID == lost.ID || d.Reset != "" {
			t.Errorf("got %q, reset %q, want the second message", texts(d), d.Reset)
		}
		b.hook.answer <- nil
	}
}
