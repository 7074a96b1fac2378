package app_test

import (
	"fmt"
	"html"
	"net/url"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestArchivedAsLive lets a server forget the stream. What was live is not logged again, and
// what comes from the archive, as events and in GET /v1/archive, has the fields of what is live.
func TestArchivedAsLive(t *testing.T) {
	for _, l := range []login{
		{name: "prosody", mechanism: "PLAIN", server: func(t testkit.TB) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) }},
		{name: "ejabberd", mechanism: "SCRAM-SHA-1", server: testkit.Ejabberd},
	} {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := w.api.Stream(t, "")
			stream.ExpectType(t, "live")
			w.befriend(t, stream)
			say := func(n int) {
				w.peer.Raw(t, fmt.Sprintf("<message to='%s' type='normal' id='1'><subject>subject %d</subject><thread>t%d</thread><body>same</body></message>",
					html.EscapeString(w.alice.JID), n, n))
			}
			w.hide(t, "open secret")
			stream.Expect(t, "dropped live", func(f testkit.Frame) bool { return f.Type == "event.dropped" && f.Data.Str("reason") == "call" })
			say(0) // every one has the same id and text
			say(1)
			stream.ExpectType(t, "message.received")
			since := stream.ExpectType(t, "message.received").ID

			w.proxy.Down()
			stream.Expect(t, "reconnecting", state("reconnecting"))
			w.server.Restart(t)
			w.peer = w.server.SlixmppFor(t, w.bob)
			w.peer.Presence(t, "", "")
			say(2)
			w.hide(t, "secret")
			say(3)
			w.peer.Roster(t) // the server answers in order: it has them all
			w.proxy.Up(t)
			stream.Expect(t, "online", state("online"))
			w.peer.Message(t, w.alice.JID, "now")
			stream.Expect(t, "now", message("message.received", "now"))

			n, drops := 2, 0
			for _, e := range w.api.Get(t, "/v1/events?limit=200&since="+url.QueryEscape(since)).List("events") {
				if e.Str("type") == "event.dropped" {
					drops++
					if got := e.Str("data.reason") + " " + e.Str("data.from"); got != "call "+w.peer.JID || e.Str("data.stanza_id") == "" || n != 3 {
						t.Errorf("got the drop %s after %d messages, want a call of %s with an id, after 3", e, n, w.peer.JID)
					}
				}
				if e.Str("type") != "message.received" || e.Str("data.body") == "now" {
					continue
				}
				wantNormal(t, "event", e, "data.", "data.id", n)
				n++
			}
			if n != 4 || drops != 1 {
				t.Errorf("%d messages and %d drops in the log, want 4 and 1", n, drops)
			}
			testkit.Eventually(t, 20*time.Second, func() error { // servers write the archive in their own time
				page := w.api.Get(t, "/v1/archive?limit=50&with="+url.QueryEscape(w.bob.JID))
				if dropped := page.List("dropped"); len(dropped) != 2 || dropped[0].Str("reason") != "call" || dropped[1].Str("stanza_id") == "" {
					return fmt.Errorf("dropped are %v in the archive, want two calls with ids", dropped)
				}
				items := page.List("items")
				if len(items) != 5 {
					return fmt.Errorf("%d items in the archive, want 5", len(items))
				}
				for i, it := range items[:4] {
					wantNormal(t, "item", it, "", "message_id", i)
				}
				return nil
			})
		})
	}
}

// hide sends alice what she cannot read, and her archive keeps.
func (w *world) hide(t *testing.T, id string) {
	w.peer.Raw(t, fmt.Sprintf("<message to='%s' type='chat' id='%s'><propose xmlns='urn:xmpp:jingle-message:0' id='c1'/><store xmlns='urn:xmpp:hints'/></message>",
		html.EscapeString(w.alice.JID), html.EscapeString(id)))
}

func wantNormal(t *testing.T, what string, o testkit.Object, in, id string, n int) {
	t.Helper()
	got := []string{o.Str(in + "kind"), o.Str(in + "subject"), o.Str(in + "thread"), o.Str(in + "body"), o.Str(id)}
	want := []string{"normal", fmt.Sprint("subject ", n), fmt.Sprint("t", n), "same", "1"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s %d: got %q, want %q", what, n, got, want)
	}
}
