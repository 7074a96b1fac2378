package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestActiveOnAResumedStream: the last client leaves, the link is lost, and a client is there when the stream is
// resumed. Prosody takes the state of the stream before along, and from five seconds later on it wrote nothing to
// a client that it believed to be inactive (mod_csi_simple).
func TestActiveOnAResumedStream(t *testing.T) {
	for _, name := range []string{"prosody PLAIN", "ejabberd SCRAM-SHA-1", "today SCRAM-SHA-256"} {
		t.Run(name, func(t *testing.T) {
			w, stream := newTalk(t, name)
			stream.Close()
			w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": w.bob.JID, "body": "nobody is here"})
			w.peer.ExpectMessage(t, w.alice.JID, "nobody is here")

			w.proxy.Down()
			stream = w.api.Stream(t, "")
			stream.ExpectType(t, "live")
			w.proxy.Up(t)
			stream.Expect(t, "resumed", func(f testkit.Frame) bool { return state("online")(f) && f.Data.Bool("resumed") })
			second := time.NewTicker(time.Second)
			defer second.Stop()
			for i := range 9 {
				body := fmt.Sprint("after ", i, " seconds")
				w.peer.Message(t, w.alice.JID, body)
				stream.Expect(t, body, message("message.received", body))
				<-second.C
			}
		})
	}
}
