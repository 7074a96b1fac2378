package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// TestOversizeMessage posts a message that is longer on the wire than a real server takes: it
// ends the stream with policy-violation. That message fails by name after two attempts,
// what waited behind it is delivered, and the session is not signed in without end.
func TestOversizeMessage(t *testing.T) {
	for _, l := range onBoth() {
		t.Run(l.name, func(t *testing.T) {
			w := meet(t, l, l.server(t))
			stream := live(t, w.api, "")
			w.befriend(t, stream)
			post := func(body string) string {
				return w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": w.bob.JID, "body": body}).JSON(t).Str("id")
			}
			status := func(id, status string) func(testkit.Frame) bool {
				return func(f testkit.Frame) bool {
					return f.Type == "message.status" && f.Data.Str("id") == id && f.Data.Str("status") == status
				}
			}
			post("before")
			w.peer.ExpectMessage(t, w.alice.JID, "before")
			// Five bytes for each, and more than 256 KiB together.
			long := post(strings.Repeat("&", 60_000))
			behind := post("behind it")
			stream.Expect(t, "the long one failed", status(long, "failed"))
			w.peer.ExpectMessage(t, w.alice.JID, "behind it")
			stream.Expect(t, "what was behind it", func(f testkit.Frame) bool {
				return status(behind, "acked")(f) || status(behind, "delivered")(f)
			})
			after := post("afterwards")
			w.peer.ExpectMessage(t, w.alice.JID, "afterwards")
			stream.Expect(t, "the next", func(f testkit.Frame) bool {
				return status(after, "acked")(f) || status(after, "delivered")(f)
			})
			if s := w.api.Get(t, "/v1/session"); s.Str("state") != "online" {
				t.Errorf("session %v, want online", s)
			}
			if n := w.server.CountLogins(t, w.alice.JID); n < 2 || n > 4 {
				t.Errorf("the server has seen %d logins, want 2 to 4", n)
			}
			for _, e := range w.peer.Events() {
				if e.Event == "message" {
					t.Errorf("bob got more: %.200s from %s", e.Body, e.From)
				}
			}
		})
	}
}
