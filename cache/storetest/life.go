package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var lifeCases = []Case{
	{"close flushes", closeFlushes},
	{"a durable store survives", survives},
	{"a lost answer counts once", lostAnswer},
	{"lost answers keep the order", lostOrder},
	{"healthy while it takes commits", healthy},
}

func closeFlushes(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	const n = 100
	answers := make(chan error, n+1)
	for range n {
		h.Store.Commit(o.id, &sessions.Commit{Fence: o.Fence, Events: o.events(1)}, func(r sessions.Result) { answers <- r.Err })
		o.tip++
	}
	if err := h.Store.Close(t.Context()); err != nil {
		t.Errorf("Close: got error %v, want none", err)
	}
	if len(answers) != n {
		t.Errorf("Close has left %d of %d commits without an answer, want %v", n-len(answers), n, n)
	}
	for range len(answers) {
		if err := <-answers; err != nil {
			t.Errorf("a commit before Close: got error %v, want none", err)
		}
	}
	if r := o.commit(&sessions.Commit{Record: &sessions.Record{}}); perch.KindOf(r.Err) != perch.KindStorageUnavailable {
		t.Errorf("a commit after Close gave %v, want an error of the kind %v", r.Err, perch.KindStorageUnavailable)
	}
	if err := h.Store.Healthy(t.Context()); perch.KindOf(err) != perch.KindStorageUnavailable {
		t.Errorf("Healthy after Close gave %v, want an error of the kind %v", err, perch.KindStorageUnavailable)
	}
	if h.Reopen != nil {
		if s := open(t, h.Reopen(), "a1"); s.Tip != n {
			t.Errorf("tip %d of %d after Close, want them equal", s.Tip, n)
		}
	}
}

func survives(t testing.TB, h Harness) {
	if h.Store.Durable() != (h.Reopen != nil) {
		t.Fatalf("Durable says %v, want %v", h.Store.Durable(), h.Reopen != nil)
	}
	if h.Reopen == nil {
		return
	}
	o := open(t, h.Store, "a1")
	c := everything(o)
	o.ok(c)
	b := sessions.Binding{ID: "a1", Upstream: "up", Sealed: []byte("x")}
	bind(t, h.Store, "t1", b)
	old := *o
	next := h.Reopen()
	o = open(t, next, "a1")
	if o.Fence != old.Fence+1 || o.Epoch != old.Epoch {
		t.Errorf("fence %d and epoch %s after %d and %s, want %v and %v", o.Fence, o.Epoch, old.Fence, old.Epoch, old.Fence+1, old.Epoch)
	}
	o.holds(c)
	bindings(t, next, map[string]sessions.Binding{"t1": b})
	if r := o.commit(&sessions.Commit{Once: &sessions.Once{Key: "k1"}}); r.Existing == nil {
		t.Errorf("the idempotency key is missing: %v, want one", r.Err)
	}
	o.append(1)
	o.bounds(1, 3)
	if r := old.commit(&sessions.Commit{Events: old.events(1)}); r.Err == nil {
		t.Error("the node that was the owner can still write, want an error")
	}
}

// lostAnswer lets a commit arrive and its answer not, until the other store sees that it
// has arrived.
func lostAnswer(t testing.TB, h Harness) {
	if h.LoseAnswers == nil {
		return
	}
	o, witness := open(t, h.Store, "a1"), h.Reopen()
	for i, c := range []*sessions.Commit{
		everything(o),
		{Events: []*perch.Event{o.event(3, "3"), o.event(4, "4")}, Once: &sessions.Once{Key: "k2"}},
		{Events: []*perch.Event{o.event(5, "5")}, Outbox: sessions.Delta[sessions.OutboxEntry]{Del: []string{"m1"}}},
	} {
		tip := c.Events[len(c.Events)-1].Position.Offset
		heal := h.LoseAnswers()
		ch := o.start(c)
		until(t, func() bool {
			p, err := witness.Log(t.Context(), o.id, 0, 0)
			return err == nil && p.Tip == tip
		})
		heal()
		if r := await(t, ch); r.Err != nil || r.Existing != nil {
			t.Errorf("commit %d: %v, existing %v, want no error and nil", i, r.Err, r.Existing)
		}
		o.tip = tip
	}
	o.bounds(1, 5)
	o.append(1)
	o.bounds(1, 6)
}

// lostOrder has a whole queue sent again.
func lostOrder(t testing.TB, h Harness) {
	if h.LoseAnswers == nil {
		return
	}
	witness := h.Reopen()
	o := open(t, h.Store, "a1")
	heal := h.LoseAnswers()
	var answers []<-chan sessions.Result
	for i := range 40 {
		c := &sessions.Commit{Contacts: putting(o.Contacts, contact("a@x", string(rune('A'+i))))}
		if i%2 == 0 {
			c.Events = o.events(1)
			o.tip++
		}
		answers = append(answers, o.start(c))
	}
	until(t, func() bool {
		p, err := witness.Log(t.Context(), o.id, 0, 0)
		return err == nil && p.Tip > 0
	})
	heal()
	for i, ch := range answers {
		if r := await(t, ch); r.Err != nil {
			t.Errorf("commit %d: got error %v, want none", i, r.Err)
		}
	}
	o.bounds(1, 20)
	lastWord(t, o.openAgain(), string(rune('A'+39)))
}

func until(t testing.TB, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("this never came true, want it in time")
		}
	}
}

func healthy(t testing.TB, h Harness) {
	if err := h.Store.Healthy(t.Context()); err != nil {
		t.Errorf("Healthy: got error %v, want none", err)
	}
	o := open(t, h.Store, "a1")
	o.append(1)
	if err := h.Store.Healthy(t.Context()); err != nil {
		t.Errorf("Healthy: got error %v, want none", err)
	}
}
