package sessions_test

import (
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// reads are the messages that the other side has read, by the events of a log.
func reads(t tb, evs []event) (list []string) {
	for _, e := range evs {
		var d perch.MessageRead
		if e.Type == perch.EventMessageRead {
			e.into(t, &d)
			ref, _ := perch.ParseRef(d.Ref)
			list = append(list, string(d.Conversation)+" "+string(d.By)+" "+ref.ID)
			if !ref.Sent {
				t.Errorf("message.read: got the ref of a message of %s's, want an own one", d.By)
			}
		}
	}
	return list
}

// TestPeerReads: a displayed marker is an event once for each message, and only forward, whichever
// device has sent it; those of others are none.
func TestPeerReads(t *testing.T) {
	c := &tally{}
	inWorld(t, func(w *world) {
		s := w.open()
		first := w.send(s, sessions.NewMessage{ID: "one", To: bob, Body: "one"})
		pass(time.Second)
		second := w.send(s, sessions.NewMessage{ID: "two", To: bob, Body: "two"})
		pass(time.Second)
		w.deliver(byPhone(text("p1", "from the phone")))
		w.conn().Ack()
		seen := func(id string, from perch.JID) *perch.ReceiptIn {
			return &perch.ReceiptIn{ID: id, From: from + "/x", Displayed: true}
		}
		w.deliver(seen(second, carol), seen("p1", carol), seen("unknown", bob), seen(first, bob), seen(first, bob))
		w.deliver(&perch.ReceiptIn{ID: second, From: bob + "/x"}, seen(second, bob), seen(second, bob+"/y"), seen("p1", bob), seen("p1", bob))
		bobs := string(bob + " " + bob + " ")
		want := []string{bobs + "one", bobs + "two", bobs + "p1"}
		if got := reads(t, w.durable(s)); !slices.Equal(got, want) {
			t.Errorf("message.read: got %q, want %q", got, want)
		}
		if h := w.history(s, second); h != "accepted sent acked delivered displayed " {
			t.Errorf("history: got %q, want it displayed", h)
		}
		w.restart()
		s = w.open()
		pass(time.Minute)
		w.deliver(seen("p1", bob), seen(first, bob))
		if got := reads(t, w.durable(s)); !slices.Equal(got, want) {
			t.Errorf("message.read after a restart: got %q, want %q", got, want)
		}
	}, watched(c), durable)
	c.want(t, map[string]int{"dropped forged": 1, "dropped unmatched": 2})
}

// TestPeerReadsNotBackward: an earlier message that is marked later is displayed, and nothing is read.
func TestPeerReadsNotBackward(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		first := w.send(s, hi("one"))
		pass(time.Second)
		second := w.send(s, hi("two"))
		w.conn().Ack()
		w.deliver(&perch.ReceiptIn{ID: second, From: bob, Displayed: true}, &perch.ReceiptIn{ID: first, From: bob, Displayed: true})
		if got := reads(t, w.durable(s)); len(got) != 1 {
			t.Errorf("message.read: got %q, want the second message alone", got)
		}
		if h := w.history(s, first); h != "accepted sent acked displayed " {
			t.Errorf("history of the first: got %q, want it displayed", h)
		}
	})
}

// TestMarkerOfACorrection is one of the message that was corrected.
func TestMarkerOfACorrection(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		first := w.send(s, sessions.NewMessage{ID: "one", To: bob, Body: "one"})
		id := w.do("edit", s, own(first), sessions.NewMessage{})
		w.conn().Ack()
		w.deliver(&perch.ReceiptIn{ID: id, From: bob + "/x", Displayed: true})
		if got := reads(t, w.durable(s)); len(got) != 1 || got[0] != string(bob+" "+bob+" one") {
			t.Errorf("message.read: got %q, want the message one", got)
		}
	})
}
