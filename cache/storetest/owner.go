package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/sessions"
)

// patience is how long an answer may take before the store counts as stuck.
const patience = 20 * time.Second

// owner is a session's owner as the suite plays it.
type owner struct {
	t     testing.TB
	store sessions.Store
	id    sessions.ID
	*sessions.Saved
	tip uint64
}

func open(t testing.TB, s sessions.Store, id sessions.ID) *owner {
	t.Helper()
	saved, err := s.Open(t.Context(), id, sessions.OpenOptions{})
	if err != nil {
		t.Fatalf("Open(%s): got error %v, want none", id, err)
	}
	return &owner{t, s, id, saved, saved.Tip}
}

// events makes the next n events.
func (o *owner) events(n int) []*perch.Event {
	var all []*perch.Event
	for i := range n {
		all = append(all, o.event(o.tip+uint64(i)+1, "hello"))
	}
	return all
}

func (o *owner) event(offset uint64, body string) *perch.Event {
	return perch.NewEvent(perch.Position{Epoch: o.Epoch, Offset: offset}, perch.EventMessageReceived, 1_700_000_000_000,
		perch.Message{ID: fmt.Sprint(offset), From: "a@x", To: "b@x", Kind: perch.ChatMessage, Body: body, Source: perch.SourceLive})
}

// start commits without waiting; the answer comes on the channel.
func (o *owner) start(c *sessions.Commit) <-chan sessions.Result {
	if c.Fence == 0 {
		c.Fence = o.Fence
	}
	ch := make(chan sessions.Result, 1)
	o.store.Commit(o.id, c, func(r sessions.Result) { ch <- r })
	return ch
}

func (o *owner) commit(c *sessions.Commit) sessions.Result {
	o.t.Helper()
	return await(o.t, o.start(c))
}

func await(t testing.TB, ch <-chan sessions.Result) sessions.Result {
	t.Helper()
	select {
	case r := <-ch:
		return r
	case <-time.After(patience):
		t.Fatal("a commit was not answered, want it in time")
		return sessions.Result{}
	}
}

// ok commits what must be taken.
func (o *owner) ok(c *sessions.Commit) {
	o.t.Helper()
	if r := o.commit(c); r.Err != nil || r.Existing != nil {
		o.t.Fatalf("Commit: %v, existing %v, want no error and nil", r.Err, r.Existing)
	}
	if n := len(c.Events); n > 0 {
		o.tip = c.Events[n-1].Position.Offset
	}
}

// append commits n events.
func (o *owner) append(n int) {
	o.t.Helper()
	o.ok(&sessions.Commit{Events: o.events(n)})
}

// openAgain opens the session once more and returns what is stored.
func (o *owner) openAgain() *sessions.Saved {
	o.t.Helper()
	*o = *open(o.t, o.store, o.id)
	return o.Saved
}

func (o *owner) page(after uint64, limit int) sessions.LogPage {
	o.t.Helper()
	p, err := o.store.Log(o.t.Context(), o.id, after, limit)
	if err != nil {
		o.t.Fatalf("Log(%d, %d): got error %v, want none", after, limit, err)
	}
	return p
}

// bounds checks first and tip, and that the log holds exactly what is between.
func (o *owner) bounds(first, tip uint64) {
	o.t.Helper()
	p := o.page(0, 1000)
	if p.First != first || p.Tip != tip {
		o.t.Errorf("the log goes from %d to %d, want %d to %d", p.First, p.Tip, first, tip)
	}
	var want []uint64
	for n := first; n <= tip; n++ {
		want = append(want, n)
	}
	same(o.t, "offsets", offsets(p.Events), want)
}

func offsets(events []*perch.Event) []uint64 {
	var all []uint64
	for _, e := range events {
		all = append(all, e.Position.Offset)
	}
	return all
}

// list is what a table has, for a difference to be shown.
func list(t contacts.Table) (all []contacts.Contact) {
	for c := range t.All() {
		k := *c
		if c.Presence != nil {
			p := *c.Presence
			k.Presence = &p
		}
		all = append(all, k)
	}
	return all
}

// same compares what is stored with what was given; no rows and nil rows are the same.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Transformer("contacts", list)); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
