package sessions_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

func text(id, body string) *perch.MessageIn {
	return &perch.MessageIn{Message: perch.Message{ID: id, From: bob + "/x", To: alice, Kind: perch.ChatMessage, Body: body}}
}

// Nothing is published, and nothing acknowledged, before it is committed; ephemeral events stay
// in their place between the durable ones.
func TestCommitThenPublish(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		c := w.attach(w.open(), sessions.SubscribeOptions{})
		handled := w.conn().HandledSeq()
		w.store.set(func(s *store) { s.held = true })
		w.deliver(text("1", "a"), &perch.ChatStateIn{From: bob + "/x", State: perch.StateComposing}, text("2", "b"), here(bob+"/x", "", 0))
		c.wantTypes()
		if n := w.conn().HandledSeq(); n != handled {
			t.Errorf("HandledSeq before the commit: got %d, want %d", n, handled)
		}
		w.store.set(func(s *store) { s.held = false })
		c.wantTypes(perch.EventMessageReceived, perch.EventChatState, perch.EventMessageReceived, perch.EventPresence)
		if c := w.conn(); c.HandledSeq() != c.Delivered() {
			t.Errorf("HandledSeq after the commit: got %d, want %d", c.HandledSeq(), c.Delivered())
		}
	})
}

// What needs no Store is handled at once.
func TestChatStatesAreNotStored(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.attach(w.open(), sessions.SubscribeOptions{})
		before := w.store.commits
		w.deliver(&perch.ChatStateIn{From: bob + "/x", State: perch.StateComposing})
		if c.wantTypes(perch.EventChatState); w.store.commits != before || w.conn().HandledSeq() != w.conn().Delivered() {
			t.Errorf("a chat state: got %d commits and %d handled, want none and %d", w.store.commits-before, w.conn().HandledSeq(), w.conn().Delivered())
		}
	})
}

// The store is down: reads still work, a POST is refused, inbound waits, and everything comes
// in order when it is back.
func TestStoreDown(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.store.set(func(s *store) { s.down = errDown })
		_, err := s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "refused", Key: "k"})
		kindOf(t, err, perch.KindStorageUnavailable)
		fed := make(chan struct{})
		go func() {
			for i := range 2000 {
				w.up.newest().Deliver(text(fmt.Sprint(i), fmt.Sprint(i)))
			}
			close(fed)
		}()
		pass(time.Minute)
		if n := w.up.newest().Delivered(); n > 300 {
			t.Errorf("got %d stanzas taken while nothing is committed, want at most 300", n)
		}
		if n := w.up.newest().HandledSeq(); n != 0 {
			t.Errorf("HandledSeq while nothing is committed: got %d, want 0", n)
		}
		if items, _ := s.Buddies(); len(items) != 1 || s.Info().State != perch.StateOnline {
			t.Errorf("reads while nothing is committed: got buddies %v, state %s, want bob, online", items, s.Info().State)
		}
		_, err = s.SendMessage(w.ctx(), hi("refused"))
		kindOf(t, err, perch.KindStorageUnavailable)
		if sub, err := s.Subscribe(w.ctx(), sessions.SubscribeOptions{}); err != nil {
			t.Errorf("Subscribe: got error %v, want none", err)
		} else {
			sub.Close()
		}
		c.wantTypes()
		c.sub.Close()

		w.store.set(func(s *store) { s.down = nil })
		pass(10 * time.Second)
		<-fed
		var got []string
		for _, e := range w.durable(s) {
			var m perch.Message
			if e.Type == perch.EventMessageReceived {
				e.into(t, &m)
				got = append(got, m.Body)
			}
		}
		for i, b := range got {
			if b != fmt.Sprint(i) {
				t.Fatalf("event %d: got %s, want the one with its number", i, b)
			}
		}
		if len(got) != 2000 {
			t.Errorf("got %d messages, want 2000", len(got))
		}
		w.send(s, sessions.NewMessage{To: bob, Body: "refused", Key: "k"})
		if got := bodies(w.conn()); !slices.Equal(got, []string{"refused"}) {
			t.Errorf("got messages %v sent, want refused", got)
		}
	})
}

// The answer of the Store was lost after it had accepted a message: the client's second
// try finds the key taken, and the message goes out once.
func TestAcceptedButUnanswered(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.store.set(func(s *store) { s.lost = 1 })
		m := sessions.NewMessage{To: bob, Body: "x", Key: "k"}
		_, err := s.SendMessage(w.ctx(), m)
		kindOf(t, err, perch.KindStorageUnavailable)
		pass(time.Second)
		id := w.send(s, m)
		w.send(s, m)
		if got := bodies(w.conn()); len(got) != 1 {
			t.Errorf("got messages %v sent, want one", got)
		}
		w.conn().Ack()
		if h := w.history(s, id); h != "accepted sent acked " {
			t.Errorf("history of the message: got %q, want accepted, sent, acked", h)
		}
	})
}

// The answer was lost for a batch of events: the batch is committed again and counts once.
func TestBatchIsCommittedTwice(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.store.set(func(s *store) { s.lost = 3 })
		w.deliver(text("1", "a"), text("2", "b"))
		pass(10 * time.Second)
		c.wantTypes(perch.EventMessageReceived, perch.EventMessageReceived)
		if evs := w.durable(s); len(evs) != 3 {
			t.Errorf("got the log %v, want 3 events", types(evs))
		}
	})
}

func TestFencedSessionEnds(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		conn := w.conn()
		if _, err := w.store.Open(w.ctx(), s.ID(), sessions.OpenOptions{}); err != nil { // another node
			t.Fatalf("Open: got error %v, want none", err)
		}
		w.deliver(text("1", "a"))
		if _, err := c.sub.Take(); !errors.Is(err, sessions.ErrMoved) {
			t.Errorf("Take of a fenced session: got error %v, want %v", err, sessions.ErrMoved)
		}
		if conn.Closed() || conn.Err() == nil {
			t.Errorf("connection of a fenced session: got closed %v, error %v; want it dropped and not closed", conn.Closed(), conn.Err())
		}
		if w.m.Len() != 0 {
			t.Errorf("got %d sessions after one was fenced, want none", w.m.Len())
		}
	})
}

// The record is lost: the live session writes all it knows into a new log, and clients
// reconnect with a cursor of another epoch.
func TestLostRecordIsWrittenAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob, carol)
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.deliver(here(bob+"/a", "dnd", 0), &perch.SubscriptionIn{From: "eve@example.net", Type: "subscribe", Nick: "Eve"})
		old := c.next()
		cursor := old[len(old)-1].ID
		must(t, "Forget", w.store.Forget(w.ctx(), s.ID()))
		w.deliver(text("1", "a"))
		pass(time.Second)
		if _, err := c.sub.Take(); !errors.Is(err, sessions.ErrMoved) {
			t.Errorf("Take after the record was lost: got error %v, want %v", err, sessions.ErrMoved)
		}
		c = w.attach(s, sessions.SubscribeOptions{Since: cursor})
		if c.sub.Resumed || c.sub.ResetReason != sessions.ResetEpoch {
			t.Errorf("Subscribe after the record was lost: got resumed %v, reset %q, want false, %q", c.sub.Resumed, c.sub.ResetReason, sessions.ResetEpoch)
		}
		if evs := w.durable(s); !slices.Equal(types(evs), []perch.EventType{perch.EventMessageReceived}) {
			t.Errorf("got the log %v, want the message alone", types(evs))
		}
		saved, err := w.store.Open(w.ctx(), s.ID(), sessions.OpenOptions{})
		if err != nil || saved.Contacts.Len() != 2 || saved.Contacts.Get(bob).Presence == nil || len(saved.Invitations) != 1 || saved.Record.JID.Bare() != alice {
			t.Errorf("Open: got %+v, error %v, want all of the session as it was", saved, err)
		}
		if b, err := w.store.Bindings(w.ctx()); err != nil || len(b) != 1 {
			t.Errorf("Bindings: got %v, error %v, want one", b, err)
		}
		if n := w.conn().HandledSeq(); n != w.conn().Delivered() {
			t.Errorf("HandledSeq: got %d, want %d", n, w.conn().Delivered())
		}
	})
}

// A message that the server repeats, on a stream that replaced a dead one, is logged once; two
// of a client with one id are logged twice.
func TestRepeatedMessages(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.attach(w.open(), sessions.SubscribeOptions{})
		withID := func(sid, body string) *perch.MessageIn {
			m := text("x", body)
			m.StanzaID = sid
			return m
		}
		delayed := text("y", "b")
		delayed.Delay = &perch.Delay{Stamp: 1}
		w.deliver(withID("1", "a"), withID("1", "a"), withID("2", "a"), text("y", "b"), text("y", "b"), delayed, text("y", "c"))
		c.wantTypes(slices.Repeat([]perch.EventType{perch.EventMessageReceived}, 5)...)
	})
}

func TestReceiptsGiven(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		w.open()
		ask := func(from perch.JID) *perch.MessageIn {
			m := text("id of "+string(from.Local()), "x")
			m.From, m.ReceiptRequested = from, true
			return m
		}
		w.store.set(func(s *store) { s.held = true })
		w.deliver(ask(bob+"/x"), ask("stranger@example.net/x"))
		if got := sent[*perch.ReceiptOut](w.conn()); len(got) != 0 {
			t.Errorf("before the commit: got receipts %v, want none", got)
		}
		w.store.set(func(s *store) { s.held = false })
		synctest.Wait()
		if got := sent[*perch.ReceiptOut](w.conn()); len(got) != 1 || *got[0] != (perch.ReceiptOut{To: bob + "/x", ID: "id of bob"}) {
			t.Errorf("after the commit: got receipts %+v, want the one to bob", got)
		}
	})
}
