package cache_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/cache/storetest"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/conversations"
	"github.com/perch-im/perch/sessions"
)

// player plays one side of a random game against two stores.
type player struct {
	t      *testing.T
	store  sessions.Store
	owners map[sessions.ID]*playerOwner
}

// playerOwner is an owner of a session, with what it believes to be stored.
type playerOwner struct{ *sessions.Saved }

// applied notes a commit that was taken: one that repeats events has changed nothing.
func (o playerOwner) applied(c *sessions.Commit) {
	if len(c.Events) > 0 {
		if c.Events[0].Position.Offset != o.Tip+1 {
			return
		}
		o.Tip = c.Events[len(c.Events)-1].Position.Offset
	}
	if !c.Contacts.Empty() {
		o.Contacts = c.Contacts.Table
	}
	if !c.Conversations.Empty() {
		o.Conversations = c.Conversations.Table
	}
}

// TestStoresAreAlike gives the same random commits to both stores, right and wrong ones,
// and looks for the first difference. The suite has what we thought of; this has the rest.
func TestStoresAreAlike(t *testing.T) {
	w := mini(t)
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := w.harness(t)
			m := cache.NewMemory(cache.MemoryOptions{Retention: storetest.Keep})
			t.Cleanup(func() { _ = m.Close(t.Context()) })
			sides := []*player{{t, m, map[sessions.ID]*playerOwner{}}, {t, h.Store, map[sessions.ID]*playerOwner{}}}
			for step := range 250 {
				var got [2]string
				for i, p := range sides {
					// Each side draws the same numbers, and builds on its own epoch.
					got[i] = p.step(rand.New(rand.NewPCG(seed, uint64(step))))
				}
				if got[0] != got[1] {
					t.Fatalf("step %d: memory and redis differ:\n%s, want %v", step, cmp.Diff(got[0], got[1]), got[1])
				}
			}
		})
	}
}

func (p *player) step(r *rand.Rand) string {
	id := sessions.ID(fmt.Sprint("a", r.IntN(3)))
	o := p.owners[id]
	switch n := r.IntN(20); {
	case o == nil || n == 0:
		return p.open(id, sessions.OpenOptions{Owner: someNode(r), TakeoverFrom: someNode(r)})
	case n == 1 && r.IntN(4) == 0:
		if err := p.store.Forget(p.t.Context(), id); err != nil {
			return err.Error()
		}
		return "forgotten"
	case n < 4:
		return p.read(id, r)
	}
	c := p.commit(o, r)
	ch := make(chan sessions.Result, 1)
	p.store.Commit(id, c, func(r sessions.Result) { ch <- r })
	select {
	case res := <-ch:
		if res.Err == nil && res.Existing == nil {
			o.applied(c)
		}
		return p.result(res)
	case <-time.After(20 * time.Second):
		return "no answer"
	}
}

// someNode is empty (no node) most of the time.
func someNode(r *rand.Rand) sessions.NodeID {
	return []sessions.NodeID{"", "", "", "a/1", "a/2", "b/1"}[r.IntN(6)]
}

func (p *player) open(id sessions.ID, o sessions.OpenOptions) string {
	s, err := p.store.Open(p.t.Context(), id, o)
	if err != nil {
		return err.Error()
	}
	p.owners[id] = &playerOwner{s}
	shown := *s
	shown.Epoch, shown.Contacts, shown.Conversations = "", contacts.Table{}, conversations.Table{} // the one may differ, and the other in its chunks
	text := cmp.Diff(&sessions.Saved{}, &shown, cmpopts.EquateEmpty())
	for k := range s.Contacts.All() {
		text += fmt.Sprintf("%+v %+v\n", k.Buddy, k.Presence)
	}
	for c := range s.Conversations.All() {
		text += fmt.Sprintf("%+v\n", c)
	}
	return text
}

func (p *player) read(id sessions.ID, r *rand.Rand) string {
	page, err := p.store.Log(p.t.Context(), id, r.Uint64N(60), r.IntN(20))
	s := fmt.Sprint(page.First, page.Tip, err)
	for _, e := range page.Events {
		s += fmt.Sprint(" ", e.Position.Offset, e.Key, e.Type, e.Time, len(e.Wire)-len(e.Position.Epoch))
	}
	m, err := p.store.Message(p.t.Context(), id, fmt.Sprint("m", r.IntN(5)))
	s += fmt.Sprint(m, err)
	v, err := p.store.VCard(p.t.Context(), id, perch.JID(fmt.Sprint(r.IntN(5))))
	s += fmt.Sprint(v, err)
	details, err := p.store.Conversations(p.t.Context(), id, []perch.JID{"0", "1", "2", "3", "4"})
	for _, d := range details {
		for _, text := range d.Texts() {
			if *text != nil {
				s += **text
			}
			s += ","
		}
	}
	s += fmt.Sprint(err)
	owners, err := p.store.Owners(p.t.Context(), []sessions.ID{"a0", "a1", "a2"})
	return s + fmt.Sprint(owners, err)
}

// commit makes a commit with a bit of everything, now and then a wrong one.
func (p *player) commit(o *playerOwner, r *rand.Rand) *sessions.Commit {
	c := &sessions.Commit{Fence: o.Fence}
	if r.IntN(15) == 0 {
		c.Fence += r.Uint64N(3) - 1
	}
	if r.IntN(4) == 0 {
		c.Epoch = o.Epoch
	}
	c.Release = r.IntN(12) == 0
	first := o.Tip + 1
	if r.IntN(8) == 0 {
		first += r.Uint64N(5) - 3
	}
	for i := range uint64(r.IntN(4)) {
		body := fmt.Sprint(first+i, r.IntN(30) == 0)
		c.Events = append(c.Events, perch.NewEvent(perch.Position{Epoch: o.Epoch, Offset: first + i}, perch.EventMessageReceived, 5, body))
	}
	if r.IntN(3) == 0 {
		c.Record = &sessions.Record{JID: perch.JID(fmt.Sprint(r.IntN(100))), Stream: []byte{byte(r.IntN(256))}}
	}
	if change := someContacts(r, o.Contacts); c.Fence == o.Fence { // nobody else knows what is stored
		c.Contacts = change
	}
	if change := someConversations(r, o.Conversations); c.Fence == o.Fence {
		c.Conversations = change
	}
	c.Invitations = delta(r, func(k string, n int) *perch.Invitation {
		return &perch.Invitation{JID: perch.JID(k), Nick: fmt.Sprint(n)}
	})
	c.VCards = delta(r, func(k string, n int) *perch.VCard { return &perch.VCard{JID: perch.JID(k), FullName: fmt.Sprint(n)} })
	c.Outbox = delta(r, func(k string, n int) *sessions.OutboxEntry {
		return &sessions.OutboxEntry{ID: k, Seq: uint64(k[0]), MessageOut: perch.MessageOut{Body: fmt.Sprint(n)}}
	})
	c.Rooms = delta(r, func(k string, n int) *sessions.StoredRoom {
		return &sessions.StoredRoom{JID: perch.JID(k), State: perch.RoomStateJoined, Text: fmt.Sprint(n), ArchiveAt: perch.Time(n)}
	})
	c.Readers = delta(r, func(k string, n int) *sessions.StoredReader {
		return &sessions.StoredReader{Kind: perch.WebhookReader, ID: k, Cursor: perch.Position{Epoch: "e", Offset: uint64(n)}}
	})
	for i, k := range c.Readers.Del {
		c.Readers.Del[i] = "webhook/" + k
	}
	for range r.IntN(2) {
		c.Messages = append(c.Messages, &perch.MessageRecord{ID: fmt.Sprint("m", r.IntN(5)), To: perch.JID(fmt.Sprint(r.IntN(9)))})
	}
	if r.IntN(4) == 0 {
		c.Once = &sessions.Once{Key: fmt.Sprint(r.IntN(20)), Answer: fmt.Sprint(r.IntN(9))}
	}
	return c
}

func someContacts(r *rand.Rand, t contacts.Table) (c contacts.Change) {
	if r.IntN(10) == 0 {
		t = contacts.Table{}
		c.Replace(t)
	}
	for range r.IntN(2) {
		jid := perch.JID(fmt.Sprint(r.IntN(5)))
		t = t.Remove(jid)
		c.Note(t, jid)
	}
	for range r.IntN(3) * r.IntN(6) {
		jid := perch.JID(fmt.Sprint(r.IntN(5)))
		k := &contacts.Contact{Buddy: perch.Buddy{JID: jid, Name: fmt.Sprint(r.IntN(1000)), Subscription: perch.SubscriptionBoth}}
		if r.IntN(2) == 0 {
			k.Presence = contacts.Aggregate(jid, nil, fmt.Sprint(r.IntN(1000)), 5)
		}
		t = t.Put(k)
		c.Note(t, jid)
	}
	return c
}

func someConversations(r *rand.Rand, t conversations.Table) (c conversations.Change) {
	if r.IntN(10) == 0 {
		t = conversations.Table{}
		c.Replace(t)
	}
	for range r.IntN(3) * r.IntN(6) {
		jid := perch.JID(fmt.Sprint(r.IntN(5)))
		if r.IntN(3) == 0 {
			t = t.Remove(jid)
			c.Removed(t, jid)
			continue
		}
		t = t.Put(&conversations.State{JID: jid, Kind: perch.ChatConversation, Notify: perch.NotifyAll, Unread: uint16(r.IntN(1000))})
		d := &conversations.Details{}
		for _, text := range d.Texts() {
			if value := []string{"", fmt.Sprint(r.IntN(1000))}[r.IntN(2)]; r.IntN(2) == 0 {
				*text = &value
			}
		}
		c.Note(t, jid, d)
	}
	return c
}

func delta[T any](r *rand.Rand, row func(string, int) *T) sessions.Delta[T] {
	d := sessions.Delta[T]{Reset: r.IntN(10) == 0}
	for range r.IntN(2) {
		d.Del = append(d.Del, fmt.Sprint(r.IntN(5)))
	}
	for range r.IntN(3) * r.IntN(6) {
		d.Put = append(d.Put, row(fmt.Sprint(r.IntN(5)), r.IntN(1000)))
	}
	return d
}

func (p *player) result(r sessions.Result) string {
	for _, known := range []error{sessions.ErrFenced, sessions.ErrLost, sessions.ErrOrder} {
		if errors.Is(r.Err, known) {
			return known.Error()
		}
	}
	return fmt.Sprint(r.Err, r.Existing)
}
