package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestLinkIsCut takes the link away for a while. The caches stay readable, and the same stream
// is resumed by itself: what was sent meanwhile comes once and in order, and neither side sees the
// other flap.
func TestLinkIsCut(t *testing.T) {
	for _, l := range conversations() {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := w.api.Stream(t, "")
			stream.ExpectType(t, "live")
			w.befriend(t, stream)
			w.peer.Presence(t, "dnd", "au travail")
			stream.Expect(t, "bob busy", w.presence(true, "dnd"))
			stream.Discard()
			w.peer.Discard()
			if s := w.api.Get(t, "/v1/session"); s.Str("delivery") != "A" {
				t.Errorf("session %v, want delivery %q", s, "A")
			}

			w.proxy.Down()
			lost := stream.Expect(t, "reconnecting", state("reconnecting"))
			if lost.Data.Str("previous") != "online" || lost.Data.Str("reason") != "link-lost" {
				t.Errorf("state %s, want previous %q and reason %q", lost.Raw, "online", "link-lost")
			}
			w.wantStale(t)
			w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": w.bob.JID, "body": "später"})
			var said []string
			for i := range 7 {
				said = append(said, fmt.Sprintf("während der Störung, %d", i))
				w.peer.Message(t, w.alice.JID, said[i])
			}
			// A server that is still busy with them may let one overtake another.
			w.peer.Message(t, w.bob.JID, "all of them are there")
			w.peer.ExpectMessage(t, w.bob.JID, "all of them are there")
			w.proxy.Up(t)

			back := stream.Expect(t, "online", state("online"))
			if back.Data.Str("previous") != "reconnecting" || !back.Data.Bool("resumed") {
				t.Errorf("state %s, want previous %q and resumed true", back.Raw, "reconnecting")
			}
			w.peer.ExpectMessage(t, w.alice.JID, "später")
			var got []string
			for range said {
				m := stream.ExpectType(t, "message.received")
				got = append(got, m.Data.Str("body"))
				if m.Data.Str("source") != "resumed" {
					t.Errorf("got %s, want source %q", m.Raw, "resumed")
				}
			}
			if !slices.Equal(got, said) {
				t.Errorf("received %q, said %q, want them equal", got, said)
			}
			w.wantFresh(t, "dnd")
			w.peer.Message(t, w.alice.JID, "welcome back, schön dich zu sehen")
			stream.Expect(t, "message", message("message.received", "welcome back, schön dich zu sehen"))
			for _, f := range stream.Frames() {
				if f.Type == "presence" && f.Data.Str("jid") == w.bob.JID {
					t.Errorf("bob has not changed, and flapped: %s, want none", f.Raw)
				}
				if f.Type == "roster.removed" {
					t.Errorf("the roster has not changed: %s: got %q, want anything but %q", f.Raw, f.Type, "roster.removed")
				}
				if f.Type == "session.gap" || f.Type == "message.received" && slices.Contains(said, f.Data.Str("body")) {
					t.Errorf("nothing was missed, and nothing comes twice: %s, want neither a gap nor a message that was received before", f.Raw)
				}
			}
			for _, e := range w.peer.Events() {
				if e.Event == "presence" && strings.HasPrefix(e.From, w.alice.JID) || e.Event == "message" && e.Body == "später" {
					t.Errorf("bob saw more than one message: %+v, want none", e)
				}
			}
			w.wantLogins(t, 2)
		})
	}
}

// wantStale checks what can be read while there is no link.
func (w *world) wantStale(t *testing.T) {
	t.Helper()
	if p := w.cached(t); !p.Bool("stale") || !p.Bool("available") || p.Str("show") != "dnd" {
		t.Errorf("without a link, GET presence: %v, want stale true and available true and show %q", p, "dnd")
	}
	if b := w.api.Get(t, "/v1/buddies").Find("items", "jid", w.bob.JID); b.Str("subscription") != "both" {
		t.Errorf("without a link, GET buddies: %v, want subscription %q", b, "both")
	}
	if s := w.api.Get(t, "/v1/session"); s.Str("state") != "reconnecting" {
		t.Errorf("without a link, GET session: %v, want state %q", s, "reconnecting")
	}
}

// wantFresh waits until bob's presence is known anew.
func (w *world) wantFresh(t *testing.T, show string) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, func() error {
		if p := w.cached(t); p.Bool("stale") || !p.Bool("available") || p.Str("show") != show {
			return fmt.Errorf("GET presence: %v", p)
		}
		return nil
	})
}

// TestServerIsRestarted restarts the server under a live session, politely and not.
func TestServerIsRestarted(t *testing.T) {
	prosody := login{name: "prosody", mechanism: "PLAIN", server: func(t testkit.TB) *testkit.Server {
		return testkit.Prosody(t, testkit.ProsodyOptions{})
	}}
	ejabberd := login{name: "ejabberd", mechanism: "SCRAM-SHA-1", server: testkit.Ejabberd}
	for _, l := range []login{prosody, ejabberd} {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := w.api.Stream(t, "")
			stream.ExpectType(t, "live")
			w.befriend(t, stream)
			w.peer.Presence(t, "dnd", "")
			stream.Expect(t, "bob busy", w.presence(true, "dnd"))

			for i, stop := range []func(testkit.TB){w.server.Stop, w.server.Kill} {
				w.wantLogins(t, i+1) // a killed server takes the end of its log with it
				stream.Discard()
				stop(t)
				stream.Expect(t, "reconnecting", state("reconnecting"))
				if i == 1 {
					// A polite server may say that bob has gone before it goes itself.
					w.wantStale(t)
				}
				w.server.Start(t)
				w.peer = w.server.SlixmppFor(t, w.bob)
				w.peer.Presence(t, "dnd", "")
				if back := stream.Expect(t, "online", state("online")); back.Data.Bool("resumed") {
					t.Errorf("resumed by a server that knows nothing: %s, want resumed false", back.Raw)
				}
				w.wantFresh(t, "dnd")
				w.peer.ExpectPresence(t, w.alice.JID, "available", "")
				body := fmt.Sprintf("nach dem %d. Neustart", i+1)
				w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": w.bob.JID, "body": body})
				w.peer.ExpectMessage(t, w.alice.JID, body)
			}
			w.wantLogins(t, 3)
		})
	}
}

// TestMoreThanTheServerKeeps lets more messages come in an outage than Prosody keeps for a
// stream: it closes the connection of a client that resumes. The archive has them all.
func TestMoreThanTheServerKeeps(t *testing.T) {
	const more = 620 // Prosody keeps 500
	l := loginNamed("prosody SCRAM-SHA-1")
	w := newWorld(t, l, l.server(t))
	stream := w.api.Stream(t, "")
	stream.ExpectType(t, "live")
	w.befriend(t, stream)
	w.peer.Message(t, w.alice.JID, "the first one")
	stream.ExpectType(t, "message.received")

	w.proxy.Down()
	stream.Expect(t, "reconnecting", state("reconnecting"))
	for i := range more {
		w.peer.Message(t, w.alice.JID, fmt.Sprint("number ", i))
	}
	w.peer.Roster(t) // the server answers in order: it has them all
	w.proxy.Up(t)
	for i := range more {
		m := stream.ExpectType(t, "message.received")
		if m.Data.Str("body") != fmt.Sprint("number ", i) || m.Data.Str("source") != "archive" {
			t.Fatalf("message %d: %s, want body %v and source %q", i, m.Raw, fmt.Sprint("number ", i), "archive")
		}
	}
	if back := stream.Expect(t, "online", state("online")); back.Data.Bool("resumed") {
		t.Errorf("got %s, want resumed false", back.Raw)
	}
	w.peer.Message(t, w.alice.JID, "the last one")
	if m := stream.ExpectType(t, "message.received"); m.Data.Str("body") != "the last one" {
		t.Errorf("got %s, want body %q", m.Raw, "the last one")
	}
	for _, e := range w.peer.Events() {
		if e.Event == "message" {
			t.Errorf("bob got something back: %+v: got %q, want anything but %q", e, e.Event, "message")
		}
	}
}

// TestStreamIsForgotten lets a server forget the stream while the link is down, by a restart
// or because its time is over. It refuses to resume, and everything that was said meanwhile
// comes from the archive, in order and once, before what is said now.
func TestStreamIsForgotten(t *testing.T) {
	prosody := func(hibernation int) func(testkit.TB) *testkit.Server {
		return func(t testkit.TB) *testkit.Server {
			return testkit.Prosody(t, testkit.ProsodyOptions{Hibernation: hibernation})
		}
	}
	for _, tt := range []struct {
		login
		expires bool
	}{
		{login: login{name: "prosody restarts", mechanism: "PLAIN", server: prosody(0)}},
		{login: login{name: "ejabberd restarts", mechanism: "SCRAM-SHA-1", server: testkit.Ejabberd}},
		{login: login{name: "prosody gives up", mechanism: "PLAIN", server: prosody(2)}, expires: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.login, tt.server(t))
			stream := w.api.Stream(t, "")
			stream.ExpectType(t, "live")
			w.befriend(t, stream)
			w.peer.Message(t, w.alice.JID, "before")
			since := stream.Expect(t, "before", message("message.received", "before")).ID

			w.proxy.Down()
			stream.Expect(t, "reconnecting", state("reconnecting"))
			w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": w.bob.JID, "body": "meanwhile"})
			w.peer.Discard()
			var said []string
			say := func(body string) {
				said = append(said, "archive "+body)
				w.peer.Message(t, w.alice.JID, body)
			}
			if tt.expires {
				say("while the stream is kept")
				w.peer.ExpectPresence(t, w.alice.JID, "unavailable", "")
			} else {
				w.server.Restart(t)
				w.peer = w.server.SlixmppFor(t, w.bob)
				w.peer.Presence(t, "", "")
			}
			for i := range 5 {
				say(fmt.Sprint("missed ", i))
			}
			w.peer.Roster(t) // the server answers in order: it has them all
			w.proxy.Up(t)
			back := stream.Expect(t, "online", state("online"))
			if back.Data.Bool("resumed") {
				t.Errorf("got %s, want resumed false", back.Raw)
			}
			w.peer.ExpectMessage(t, w.alice.JID, "meanwhile")
			w.peer.Message(t, w.alice.JID, "now")
			last := stream.Expect(t, "now", message("message.received", "now"))

			var got []string
			page := w.api.Get(t, "/v1/events?limit=200&since="+url.QueryEscape(since))
			for _, e := range page.List("events") {
				switch e.Str("type") {
				case "message.received":
					got = append(got, e.Str("data.source")+" "+e.Str("data.body"))
				case "session.gap":
					t.Errorf("got a gap %v, want none: the archive has everything", e)
				}
			}
			if want := append(said, "live now"); !slices.Equal(got, want) {
				t.Errorf("received %q, want %q", got, want)
			}
			if last.Data.Str("source") != "live" {
				t.Errorf("got %s, want source %q", last.Raw, "live")
			}
			w.wantLogins(t, 2)
		})
	}
}
