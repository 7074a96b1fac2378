package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestRoomNickTakenOver: a nick is an address that somebody else may have later. Neither what was said in
// private nor what was said to all becomes theirs: on Prosody by the ids that the room gives its occupants, on
// ejabberd by the real address, which the owner of a room sees, and by who has left.
func TestRoomNickTakenOver(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		t := r.t
		there := r.room + "/Bob"
		talk := "/v1/conversations/" + testkit.Escape(there) + "/messages/"
		said := r.bobSays("b1", "to all")
		retracted := r.bobSays("b2", "to all, too")
		r.peer.Raw(t, "<message to='"+r.room+"/Alice' type='chat' id='p1'><body>psst</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>")
		whisper := r.stream.Expect(t, "psst", message("message.received", "psst")).Data
		if whisper.Str("from") != there || whisper.Str("kind") != "chat" || whisper.Str("room.nick") != "Bob" {
			t.Errorf("got %v, want a private message of Bob", whisper)
		}
		answer := r.whispers(map[string]any{"id": "w1", "body": "yes?"})
		r.reaches("the answer", `id="w1"`, "<body>yes?</body>", `type="chat"`)
		r.api.Call(t, http.StatusAccepted, http.MethodPatch, talk+answer, map[string]any{"id": "w2", "body": "yes, Bob?"})
		r.reaches("the correction", `id="w2"`, "<body>yes, Bob?</body>")
		testkit.Eventually(t, 20*time.Second, func() error { // Bob may have it before it is committed here
			if m := r.api.Get(t, talk+answer); m.Str("body") != "yes, Bob?" {
				return fmt.Errorf("got %v, want the corrected answer", m)
			}
			return nil
		})

		r.peer.Raw(t, "<presence to='"+r.room+"/Bobby'/>") // another nick
		r.stream.Expect(t, "Bobby", func(f testkit.Frame) bool {
			return f.Type == "room.occupant" && f.Data.Str("change") == "renamed" && f.Data.Str("occupant.nick") == "Bobby"
		})
		carol := r.server.NewUserAt(t, "carol", r.server.Domain)
		c := r.foreign(carol)
		c.Raw(t, "<presence to='"+there+"'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
		c.Expect(t, "herself", r.occupant("Bob", "available"))
		r.stream.Expect(t, "carol as Bob", func(f testkit.Frame) bool {
			return f.Type == "room.occupant" && f.Data.Str("change") == "joined" && f.Data.Str("occupant.nick") == "Bob"
		})

		for what, ask := range map[string][3]any{
			"a message":    {http.MethodPost, "/v1/messages", map[string]any{"to": there, "body": "secret"}},
			"a correction": {http.MethodPatch, talk + answer, map[string]any{"body": "secret"}},
			"a retraction": {http.MethodDelete, talk + answer, nil},
			"a reaction":   {http.MethodPut, talk + whisper.Str("ref") + "/reactions", map[string]any{"emojis": []string{"👍"}}},
		} {
			a := r.api.Call(t, http.StatusConflict, ask[0].(string), ask[1].(string), ask[2]).JSON(t)
			if a.Str("code") != "occupant-changed" {
				t.Errorf("%s: got %v, want occupant-changed", what, a)
			}
		}
		forged := func(id, content string) {
			c.Raw(t, "<message to='"+r.room+"' type='groupchat' id='"+id+"'>"+content+"<store xmlns='urn:xmpp:hints'/></message>")
		}
		forged("f1", "<retract xmlns='urn:xmpp:message-retract:1' id='"+retracted.Str("room_stanza_id")+"'/>")
		r.dropped()
		c.Raw(t, "<message to='"+r.room+"/Alice' type='chat' id='f2'><body>forged</body><replace xmlns='urn:xmpp:message-correct:0' id='p1'/><x xmlns='http://jabber.org/protocol/muc#user'/></message>")
		r.dropped()
		if m := r.api.Get(t, talk+whisper.Str("ref")); m.Str("body") != "psst" {
			t.Errorf("got %v, want what Bob has said", m)
		}
		if strings.Contains(r.server.Domain, "alpha") { // Prosody's ids are those of an account
			r.bobSends("b3", "<body>to all of you</body><replace xmlns='urn:xmpp:message-correct:0' id='b1'/>")
			if m := r.about("message.edited", said.Str("ref")); m.Str("body") != "to all of you" {
				t.Errorf("got %v, want the correction under another nick", m)
			}
		}

		id := r.whispers(map[string]any{"body": "hello, whoever you are", "occupant_id": "*"})
		c.Expect(t, "what is meant for her", func(e testkit.PeerEvent) bool {
			return e.Event == "stanza" && strings.Contains(e.XML, "hello, whoever you are")
		})
		if id == "" {
			t.Error("got no ref of the message, want one")
		}
	})
}

// whispers sends a private message to the one with the nick Bob, and returns its ref.
func (r *roomWorld) whispers(m map[string]any) string {
	r.t.Helper()
	m["to"] = r.room + "/Bob"
	return r.api.Call(r.t, http.StatusAccepted, http.MethodPost, "/v1/messages", m).JSON(r.t).Str("ref")
}

// dropped waits for what somebody said who may not.
func (r *roomWorld) dropped() {
	r.t.Helper()
	r.stream.Expect(r.t, "not_author", func(f testkit.Frame) bool {
		return f.Type == "event.dropped" && f.Data.Str("reason") == "not_author"
	})
}
