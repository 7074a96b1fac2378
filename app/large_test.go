package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestLargeRoster signs in to a roster of ten thousand on real servers: it is whole, page by
// page, and no event says that it failed.
func TestLargeRoster(t *testing.T) {
	const buddies = 10_000
	for _, l := range []login{
		{name: "prosody", mechanism: "PLAIN", server: func(t testkit.TB) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) }},
		{name: "ejabberd", mechanism: "SCRAM-SHA-1", server: func(t testkit.TB) *testkit.Server {
			return testkit.EjabberdWith(t, testkit.EjabberdOptions{SQLRoster: true})
		}},
	} {
		t.Run(l.name, func(t *testing.T) {
			s := l.server(t)
			alice := s.NewUser(t, "alice")
			items := make([]testkit.RosterItem, buddies)
			for i := range items {
				items[i] = testkit.RosterItem{JID: fmt.Sprintf("buddy%05d@elsewhere.test", i), Name: fmt.Sprintf("Buddy <%d> & friends", i), Group: "All of them"}
			}
			s.StoreRoster(t, alice.JID, items)
			api := l.signIn(t, start(t, l.upstream(s, l.address(s))), s, alice)

			seen := map[string]string{}
			path := "/v1/buddies?limit=200"
			for pages := 0; ; pages++ {
				if pages > 2*buddies/200 {
					t.Fatalf("the pages do not end: %d buddies in %d pages, want at most %v", len(seen), pages, 2*buddies/200)
				}
				page := api.Get(t, path)
				for _, b := range page.List("items") {
					seen[b.Str("jid")] = b.Str("name")
				}
				next := page.Str("next")
				if next == "" {
					break
				}
				path = "/v1/buddies?limit=200&cursor=" + url.QueryEscape(next)
			}
			for _, i := range items {
				if seen[i.JID] != i.Name {
					t.Fatalf("%s is %q, want %q; %d of %d buddies came", i.JID, seen[i.JID], i.Name, len(seen), buddies)
				}
			}
			if len(seen) != buddies {
				t.Errorf("%d buddies, want %d", len(seen), buddies)
			}
		})
	}
}

// TestMessageTooLargeForTheServer writes a message that the API takes and Prosody does not: it
// ends the stream twice, then the message has failed, and those after it arrive.
func TestMessageTooLargeForTheServer(t *testing.T) {
	l := loginNamed("prosody PLAIN")
	w := newWorld(t, l, testkit.Prosody(t, testkit.ProsodyOptions{StanzaBytes: 65536}))
	stream := w.api.Stream(t, "")
	stream.ExpectType(t, "live")
	send := func(id, body string) {
		w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"id": id, "to": w.bob.JID, "body": body})
	}
	send("before", "before")
	send("large", strings.Repeat("x", 100_000))
	send("behind", "behind")
	w.peer.ExpectMessage(t, w.alice.JID, "before")
	w.peer.ExpectMessage(t, w.alice.JID, "behind")
	testkit.Eventually(t, 10*time.Second, func() error {
		if m := w.api.Get(t, "/v1/messages/large"); m.Str("status") != "failed" {
			return fmt.Errorf("the message is %v, want failed", m)
		}
		return nil
	})
	stream.Expect(t, "the dropped message", func(f testkit.Frame) bool {
		return f.Type == "event.dropped" && f.Data.Str("reason") == "quarantined" && f.Data.Str("stanza_id") == "large"
	})
	if state := w.api.Get(t, "/v1/session").Str("state"); state != "online" {
		t.Errorf("the session is %s, want online", state)
	}
}
