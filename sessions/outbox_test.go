package sessions_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

func (w *world) send(s *sessions.Session, m sessions.NewMessage) string {
	w.t.Helper()
	st, err := s.SendMessage(w.ctx(), m)
	if err != nil || st.Status != perch.StatusAccepted || st.ID == "" {
		w.t.Fatalf("SendMessage: got %+v, error %v, want accepted, with an ID", st, err)
	}
	synctest.Wait()
	return st.ID
}

func hi(text string) sessions.NewMessage { return sessions.NewMessage{To: bob, Body: text} }

// history lists the steps of a message as the Store has them.
func (w *world) history(s *sessions.Session, id string) string {
	w.t.Helper()
	synctest.Wait()
	r, err := w.store.Message(w.ctx(), s.ID(), id)
	must(w.t, "Message", err)
	text := ""
	for _, h := range r.History {
		text += string(h.Status) + " "
	}
	if live, err := s.Message(w.ctx(), id); err != nil || live.Status != r.Status {
		w.t.Errorf("Message: got %+v, error %v, want %s", live, err, r.Status)
	}
	return text
}

func bodies(c *conn) []string {
	list := []string{}
	for _, m := range sent[*perch.MessageOut](c) {
		list = append(list, m.Body)
	}
	return list
}

func TestMessageLife(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		id := w.send(s, hi("one"))
		evs := c.wantTypes(perch.EventMessageSent)
		var m perch.Message
		if evs[0].into(t, &m); m.ID != id || m.Body != "one" || m.To != bob || m.From != alice+"/perch" || m.Kind != perch.ChatMessage {
			t.Errorf("message.sent: got %+v, want the message to bob with ID %s", m, id)
		}
		w.conn().Ack()
		w.deliver(&perch.ReceiptIn{ID: id, From: carol + "/x"}, &perch.ReceiptIn{ID: id, From: bob + "/x"},
			&perch.ReceiptIn{ID: id, From: bob + "/x", Displayed: true}, &perch.ReceiptIn{ID: id, From: bob + "/y"})
		c.wantTypes(perch.EventMessageStatus, perch.EventMessageStatus, perch.EventMessageStatus, perch.EventMessageRead)
		if h := w.history(s, id); h != "accepted sent acked delivered displayed " {
			t.Errorf("history: got %q, want accepted, sent, acked, delivered, displayed", h)
		}
		if _, err := s.Message(w.ctx(), "nothing"); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("Message with an unknown ID: got error %v, want kind %s", err, perch.KindNotFound)
		}
	})
}

func TestMessageBounces(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		id := w.send(s, hi("one"))
		w.deliver(&perch.MessageError{ID: id, From: bob, Error: perch.XMPPError{Condition: "service-unavailable"}})
		var st perch.StatusChange
		evs := c.wantTypes(perch.EventMessageSent, perch.EventMessageStatus)
		if evs[1].into(t, &st); st.Status != perch.StatusFailed || st.Error.Condition != "service-unavailable" {
			t.Errorf("message.status: got %+v, want failed with service-unavailable", st)
		}
		w.conn().Ack()
		c.wantTypes()
		if h := w.history(s, id); h != "accepted sent failed " {
			t.Errorf("history: got %q, want accepted, sent, failed", h)
		}
	})
}

// Receipts for messages that are no longer in memory go by the Store.
func TestLateReceipt(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		first := w.send(s, hi("first"))
		for i := range 50 {
			w.send(s, hi(fmt.Sprint(i)))
		}
		w.conn().Ack()
		w.deliver(&perch.ReceiptIn{ID: first, From: bob + "/x"}, &perch.ReceiptIn{ID: "never sent", From: bob})
		if h := w.history(s, first); h != "accepted sent acked delivered " {
			t.Errorf("history: got %q, want accepted, sent, acked, delivered", h)
		}
	})
}

func TestIdempotency(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		key := func(k, body string) sessions.NewMessage { return sessions.NewMessage{To: bob, Body: body, Key: k} }
		id := w.send(s, key("k", "one"))
		if again := w.send(s, key("k", "one")); again != id {
			t.Errorf("SendMessage with the same key: got ID %s, want %s", again, id)
		}
		_, err := s.SendMessage(w.ctx(), key("k", "two"))
		kindOf(t, err, perch.KindIdempotencyMismatch)
		own := w.send(s, sessions.NewMessage{ID: "mine", To: bob, Body: "x"})
		if again := w.send(s, sessions.NewMessage{ID: "mine", To: bob, Body: "x"}); own != "mine" || again != own {
			t.Errorf("SendMessage with the same ID: got %s, then %s, want mine", own, again)
		}
		_, err = s.SendMessage(w.ctx(), sessions.NewMessage{ID: "mine", To: carol, Body: "x"})
		kindOf(t, err, perch.KindIdempotencyMismatch)
		if got := bodies(w.conn()); !slices.Equal(got, []string{"one", "x"}) {
			t.Errorf("got messages %v sent, want one, x", got)
		}
	})
}

func TestParallelPosts(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		var wg sync.WaitGroup
		var mu sync.Mutex
		results := map[string]int{}
		for range 50 {
			wg.Go(func() {
				st, err := s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x", Key: "k"})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					results[string(perch.KindOf(err))]++
				} else {
					results[st.ID]++
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		for k := range results {
			if k != string(perch.KindConflict) && len(results) > 2 {
				t.Errorf("SendMessage with one key by many: got %v, want one ID and conflicts", results)
			}
		}
		if got := bodies(w.conn()); len(got) != 1 {
			t.Errorf("got %d messages sent, want 1", len(got))
		}
	})
}

func TestRunningKeyIsConflict(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.store.set(func(s *store) { s.held = true })
		done := make(chan error, 1)
		go func() {
			_, err := s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x", Key: "k"})
			done <- err
		}()
		synctest.Wait()
		_, err := s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x", Key: "k"})
		kindOf(t, err, perch.KindConflict)
		_, err = s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "y", Key: "k"})
		kindOf(t, err, perch.KindIdempotencyMismatch)
		w.store.set(func(s *store) { s.held = false })
		if err := <-done; err != nil {
			t.Errorf("SendMessage with the key: got error %v, want none", err)
		}
	})
}

// What is accepted while the link is lost goes out in order after it; what was written and
// not acknowledged is unknown, and not written again.
func TestOutboxAcrossReconnect(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		acked := w.send(s, hi("acked"))
		w.conn().Ack()
		lost := w.send(s, hi("lost"))
		w.conn().Fail(linkLost)
		synctest.Wait()
		var ids []string
		for i := range 5 {
			ids = append(ids, w.send(s, hi(fmt.Sprint(i))))
		}
		if h := w.history(s, ids[0]); h != "accepted " {
			t.Errorf("history while the link is lost: got %q, want accepted", h)
		}
		pass(2 * time.Second)
		if got := bodies(w.conn()); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("got messages %v sent, want 0 to 4", got)
		}
		w.send(s, hi("5"))
		w.conn().Ack()
		for id, want := range map[string]string{acked: "accepted sent acked ", lost: "accepted sent unknown ", ids[4]: "accepted sent acked "} {
			if h := w.history(s, id); h != want {
				t.Errorf("history: got %q, want %q", h, want)
			}
		}
		w.deliver(&perch.ReceiptIn{ID: lost, From: bob + "/x"})
		if h := w.history(s, lost); h != "accepted sent unknown delivered " {
			t.Errorf("history after a late receipt: got %q, want accepted, sent, unknown, delivered", h)
		}
	})
}

// An entry is marked as sent in the Store before it is written: after a crash a marked entry
// may have been sent.
func TestMarkedBeforeWritten(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		id := w.send(s, hi("x"))
		w.store.set(func(s *store) { s.held = true })
		w.refuse(nil)
		pass(time.Minute)
		if got := bodies(w.conn()); s.Info().State != perch.StateOnline || len(got) != 0 {
			t.Errorf("before the commit: got state %s, messages %v sent, want online, none", s.Info().State, got)
		}
		w.store.set(func(s *store) { s.held = false })
		if got := bodies(w.conn()); len(got) != 1 {
			t.Errorf("after the commit: got messages %v sent, want 1", got)
		}
		if h := w.history(s, id); h != "accepted sent " {
			t.Errorf("history: got %q, want accepted, sent", h)
		}
	})
}

// A resumed stream has written everything again itself: an answer of the server is the
// proof that it has it.
func TestOutboxOnResumedStream(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.set(func(u *upstream) { u.resume = true })
		s := w.open()
		id := w.send(s, hi("x"))
		w.lose(linkLost)
		if got := bodies(w.conn()); len(got) != 0 {
			t.Errorf("after a resumption: got messages %v sent again, want none", got)
		}
		if h := w.history(s, id); h != "accepted sent acked " {
			t.Errorf("history: got %q, want accepted, sent, acked", h)
		}
	})
}

func TestPolicyViolationQuarantines(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"event.dropped", "message.status"}})
		bad := w.send(s, hi("bad"))
		policy := perch.Errorf(perch.KindPolicy, "no")
		w.lose(policy)
		if got := bodies(w.conn()); !slices.Equal(got, []string{"bad"}) {
			t.Fatalf("the head of the outbox: got messages %v sent again, want bad", got)
		}
		w.lose(policy)
		w.lose(nil)
		if got := bodies(w.conn()); len(got) != 0 {
			t.Errorf("quarantined: got messages %v sent again, want none", got)
		}
		evs := c.wantTypes(perch.EventMessageStatus, perch.EventDropped)
		var d perch.Dropped
		if evs[1].into(t, &d); d.Reason != "quarantined" || d.StanzaID != bad {
			t.Errorf("event.dropped: got %+v, want %s quarantined", d, bad)
		}
		if h := w.history(s, bad); h != "accepted sent failed " {
			t.Errorf("history of the quarantined message: got %q, want accepted, sent, failed", h)
		}
		good := w.send(s, hi("good"))
		w.conn().Ack()
		if h := w.history(s, good); h != "accepted sent acked " {
			t.Errorf("history of the next message: got %q, want accepted, sent, acked", h)
		}
	})
}

func TestPolicyViolationWithoutMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		for range 3 {
			w.conn().Fail(perch.Errorf(perch.KindPolicy, "no"))
			synctest.Wait()
			pass(10 * time.Second)
			synctest.Wait()
		}
		if info := s.Info(); info.State != perch.StateSuspended || info.Reason != perch.ReasonPolicy {
			t.Errorf("Info: got %+v, want suspended by policy", info)
		}
	})
}

func TestRefusedBeforeAnythingIsSent(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities = perch.Capabilities{ChatOnly: true, Archive: "136"} })
		s := w.open()
		_, err := s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x", Kind: perch.NormalMessage})
		kindOf(t, err, perch.KindFeatureUnsupported)
		w.conn().Fail(perch.Errorf(perch.KindUnauthorized, "expired"))
		synctest.Wait()
		_, err = s.SendMessage(w.ctx(), hi("x"))
		kindOf(t, err, perch.KindSessionOffline)
		if got := bodies(w.conn()); len(got) != 0 {
			t.Errorf("got messages %v sent, want none", got)
		}
	})
}

func TestOutboxIsBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		for range 1000 {
			if _, err := s.SendMessage(w.ctx(), hi("x")); err != nil {
				t.Fatalf("SendMessage: got error %v, want none", err)
			}
		}
		_, err := s.SendMessage(w.ctx(), hi("x"))
		kindOf(t, err, perch.KindQuotaExceeded)
	})
}
