package sessions_test

import (
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// A stanza that we cannot cope with costs itself, and not the session or the process.
func TestFaultCostsOneStanza(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.attach(w.open(), sessions.SubscribeOptions{})
		w.say((*perch.MessageIn)(nil), text("1", "x"))
		c.wantTypes(perch.EventDropped, perch.EventMessageReceived)
		if c := w.conn(); c.HandledSeq() != 2 {
			t.Errorf("handled %d: it would come again", c.HandledSeq())
		}
	})
}
