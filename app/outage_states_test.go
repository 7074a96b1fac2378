package app_test

import (
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// TestChatStatesOfAnOutage lets real servers hold a chat state back while the link is lost, and
// give it when the stream is resumed. It is not about now; the message after it arrives.
func TestChatStatesOfAnOutage(t *testing.T) {
	for _, name := range []string{"prosody PLAIN", "ejabberd SCRAM-SHA-1"} {
		t.Run(name, func(t *testing.T) {
			w, stream := newTalk(t, name)

			w.proxy.Down()
			stream.Expect(t, "reconnecting", state("reconnecting"))
			w.peer.ChatState(t, w.alice.JID, "composing")
			w.peer.Message(t, w.alice.JID, "during the outage")
			w.peer.Roster(t) // the server answers in order: it has both
			w.proxy.Up(t)
			stream.Expect(t, "resumed", func(f testkit.Frame) bool { return state("online")(f) && f.Data.Bool("resumed") })
			w.peer.Message(t, w.alice.JID, "after it")

			for _, body := range []string{"during the outage", "after it"} {
				stream.Expect(t, body, func(f testkit.Frame) bool {
					if f.Type == "chat_state" {
						t.Errorf("got %s, want no chat state of the past", f.Raw)
					}
					return message("message.received", body)(f)
				})
			}
		})
	}
}
