package sessions_test

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// strangers may not report the status of a message to bob: others of his server, addresses
// that contain his, and ones that only look alike.
var strangers = []perch.JID{
	carol + "/x", "mallory@evil.example/x", "bob@example.net.evil.example/x", "bob@evil.example/example.net", "bobby@example.net/x",
	"evil.example/bob@example.net", "b\u043eb@example.net/x", "bob\u200d@example.net", "/x", "",
}

// TestForgedReceipts: a receipt or a marker (XEP-0184, XEP-0333) counts when it comes from the
// account that the message went to, whether its record is in memory or only in the Store.
func TestForgedReceipts(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		late := w.send(s, hi("late"))
		for i := range 50 {
			w.send(s, hi(fmt.Sprint(i)))
		}
		id := w.send(s, hi("one"))
		w.conn().Ack()
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"message.status"}})
		for _, from := range strangers {
			for _, of := range []string{late, id} {
				w.deliver(&perch.ReceiptIn{ID: of, From: from}, &perch.ReceiptIn{ID: of, From: from, Displayed: true})
			}
		}
		c.wantTypes()
		for _, of := range []string{late, id} {
			if h := w.history(s, of); h != "accepted sent acked " {
				t.Errorf("history: got %q, want accepted, sent, acked", h)
			}
			w.deliver(&perch.ReceiptIn{ID: of, From: bob + "/any"})
			if h := w.history(s, of); h != "accepted sent acked delivered " {
				t.Errorf("history: got %q, want accepted, sent, acked, delivered", h)
			}
		}
	})
}
