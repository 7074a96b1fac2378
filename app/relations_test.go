package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// relationsWorld has alice behind the gateway, and a foreign client of bob that tells every message.
type relationsWorld struct {
	*world
	t       *testing.T
	stream  *testkit.Stream
	path    string   // of the messages of the conversation with bob
	meddled []string // messages that somebody has retracted who may not: pages of some servers lack them
}

func newRelationsWorld(t *testing.T, l login) *relationsWorld {
	t.Helper()
	w := newWorld(t, l, l.server(t))
	w.peer.Close()
	w.peer = testkit.Slixmpp(t, testkit.SlixmppOptions{Addr: w.server.Addr, CAFile: w.server.CAFile, JID: w.bob.JID, Password: w.bob.Password, Stanzas: true})
	w.peer.Presence(t, "", "")
	return &relationsWorld{world: w, t: t, stream: live(t, w.api, ""), path: "/v1/conversations/" + testkit.Escape(w.bob.JID) + "/messages"}
}

// says sends a message of bob as it stands: what is in it, and its id.
func (w *relationsWorld) says(id, content string) {
	w.t.Helper()
	w.peer.Raw(w.t, fmt.Sprintf("<message to='%s' type='chat' id='%s'>%s<store xmlns='urn:xmpp:hints'/></message>", w.alice.JID, id, content))
}

// reaches waits until bob has a message with all of these in its XML.
func (w *relationsWorld) reaches(what string, parts ...string) {
	w.t.Helper()
	w.peer.Expect(w.t, what, func(e testkit.PeerEvent) bool {
		for _, part := range parts {
			if e.Event != "stanza" || !strings.Contains(e.XML, part) {
				return false
			}
		}
		return true
	})
}

// shows waits for an event about a message.
func (w *relationsWorld) shows(typ, of string) testkit.Object {
	w.t.Helper()
	return w.stream.Expect(w.t, typ, func(f testkit.Frame) bool { return f.Type == typ && f.Data.Str("ref") == of }).Data
}

// verb asks for something to be done to a message, and waits until the server has it.
func (w *relationsWorld) verb(method, of string, body any) {
	w.t.Helper()
	id := w.api.Call(w.t, http.StatusAccepted, method, w.path+"/"+of, body).JSON(w.t).Str("id")
	testkit.Eventually(w.t, 20*time.Second, func() error {
		if status := w.api.Get(w.t, "/v1/messages/"+id).Str("status"); status != "acked" && status != "delivered" {
			return fmt.Errorf("the status of %s is %s, want acked or delivered", id, status)
		}
		return nil
	})
}

// TestRelations: what both sides do to messages reaches the other one, by a foreign client and on real
// servers, and is the same in events, in single messages and in pages of the archive.
func TestRelations(t *testing.T) {
	for _, name := range []string{"prosody SCRAM-SHA-1", "ejabberd SCRAM-SHA-1", "today SCRAM-SHA-256"} {
		t.Run(name, func(t *testing.T) {
			for _, l := range logins {
				if l.name == name {
					newRelationsWorld(t, l).play()
				}
			}
		})
	}
}

func (w *relationsWorld) play() {
	own, theirs := ref("o", "s1"), ref("i", "b1")
	w.api.Call(w.t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]any{"id": "s1", "to": w.bob.JID, "body": "first"})
	w.reaches("s1", `id="s1"`, "<body>first</body>")
	w.verb(http.MethodPatch, own, map[string]any{"id": "e1", "body": "second"})
	w.reaches("the correction", `id="e1"`, "urn:xmpp:message-correct:0", `id="s1"`, "<body>second</body>")
	if m := w.shows("message.edited", own); m.Str("body") != "second" || m.Str("id") != "s1" {
		w.t.Errorf("got %v, want s1 with its second text", m)
	}
	w.says("b1", "<body>&gt; second\nwell</body><reply xmlns='urn:xmpp:reply:0' to='"+w.alice.JID+"' id='s1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='9'/></fallback>")
	m := w.stream.Expect(w.t, "the answer", message("message.received", "well")).Data
	if m.Str("ref") != theirs || m.Str("reply_to.ref") != own || m.Str("reply_to.excerpt") != "second" {
		w.t.Errorf("got %v, want %s, an answer to %s", m, theirs, own)
	}
	w.says("b2", "<body>well done</body><replace xmlns='urn:xmpp:message-correct:0' id='b1'/>")
	if m := w.shows("message.edited", theirs); m.Str("body") != "well done" {
		w.t.Errorf("got %v, want the corrected answer", m)
	}
	w.says("b3", "<reactions xmlns='urn:xmpp:reactions:0' id='s1'><reaction>🎉</reaction></reactions>")
	w.shows("message.reactions", own)
	w.verb(http.MethodPut, theirs+"/reactions", map[string]any{"id": "r1", "emojis": []string{"👍"}})
	w.reaches("the reaction", "urn:xmpp:reactions:0", `id="b1"`, "👍")
	w.shows("message.reactions", theirs)

	// What is not bob's own he can neither correct nor take back.
	w.says("b4", "<body>forged</body><replace xmlns='urn:xmpp:message-correct:0' id='s1'/>")
	w.says("b5", "<retract xmlns='urn:xmpp:message-retract:1' id='s1'/>")
	w.meddled = []string{own}
	for range 2 {
		w.stream.Expect(w.t, "dropped", func(f testkit.Frame) bool { return f.Type == "event.dropped" && f.Data.Str("reason") == "not_author" })
	}
	w.says("b6", "<body>not this</body>")
	w.says("b7", "<retract xmlns='urn:xmpp:message-retract:1' id='b6'/><body>somebody tried to take a message back</body>")
	w.shows("message.retracted", ref("i", "b6"))
	w.isEverywhere(own, "second 🎉 edited")
	w.isEverywhere(theirs, "well done 👍 edited")
	w.isEverywhere(ref("i", "b6"), "retracted")
	w.verb(http.MethodDelete, own+"?reason=mine", nil)
	w.reaches("the retraction", "urn:xmpp:message-retract:1", `id="s1"`)
	w.isEverywhere(own, "retracted")
}

// isEverywhere compares one message, as it is by itself, in a page and in a page around it. Want is its
// text, the reactions to it, and whether it was edited or taken back.
func (w *relationsWorld) isEverywhere(of, want string) {
	w.t.Helper()
	check := func(where string, m testkit.Object) error {
		got := m.Str("body")
		for _, r := range m.List("reactions") {
			got += " " + r.Str("emoji")
		}
		for _, state := range []string{"edited", "retracted"} {
			if m.At(state) != nil {
				got += " " + state
			}
		}
		if got = strings.TrimSpace(got); got != want {
			return fmt.Errorf("%s: %s is %q, want %q: %v", where, of, got, want, m)
		}
		return nil
	}
	if err := check("alone", w.api.Get(w.t, w.path+"/"+of)); err != nil {
		w.t.Errorf("got %v, want the same everywhere", err)
	}
	testkit.Eventually(w.t, 20*time.Second, func() error { // servers write the archive in their own time
		for _, query := range []string{"", "?around=" + of} {
			page := w.api.Get(w.t, w.path+query)
			m := testkit.Object(nil)
			for _, it := range page.List("items") {
				if it.Str("ref") == of {
					m = it
				}
			}
			if m == nil && w.server.ForgetsRetracted() && (want == "retracted" || slices.Contains(w.meddled, of)) {
				continue
			}
			if m == nil {
				return fmt.Errorf("the page %q lacks %s, want it: %v", query, of, page)
			}
			if err := check("page "+query, m); err != nil {
				return err
			}
		}
		return nil
	})
}
