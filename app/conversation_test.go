package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// Bodies that have been lost or changed on the way by one gateway or another.
var bodies = []string{
	"Grüße aus Zürich",
	"привет, 你好, مرحبا",
	"👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 \u202etfel",
	"<b>&amp;</b> ]]> \"'",
	"two\nlines\tand a tab",
}

// TestConversation is a day in the life of alice, who uses the gateway, and bob, who has a
// client of his own.
func TestConversation(t *testing.T) {
	for _, l := range append(conversations(), jabberd) {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := w.api.Stream(t, "")
			hello := stream.ExpectType(t, "hello")
			if hello.Data.Bool("resumed") || hello.Data.Str("reset_reason") != "first" {
				t.Errorf("hello %s, want resumed false and reset_reason %q", hello.Raw, "first")
			}
			stream.ExpectType(t, "roster.snapshot")
			stream.ExpectType(t, "invitations.snapshot")
			stream.ExpectType(t, "presence.snapshot")
			stream.ExpectType(t, "live")

			w.befriend(t, stream)
			t.Run("roster", w.testRoster)
			t.Run("presence", func(t *testing.T) { w.testPresence(t, stream) })
			t.Run("messages", func(t *testing.T) { w.testMessages(t, stream) })
			t.Run("chat states", func(t *testing.T) { w.testChatStates(t, stream) })
			t.Run("no stream", func(t *testing.T) { w.testNoStream(t, stream) })
			w.wantLogins(t, 1)
		})
	}
}

func (w *world) testRoster(t *testing.T) {
	bob := w.api.Get(t, "/v1/buddies").Find("items", "jid", w.bob.JID)
	if bob.Str("name") != "Bob" || bob.Str("subscription") != "both" || bob.At("ask") != nil {
		t.Errorf("bob is %v, want name %q and subscription %q and nil", bob, "Bob", "both")
	}
	path := "/v1/buddies/" + testkit.Escape(w.bob.JID)
	w.api.Call(t, http.StatusOK, http.MethodPatch, path, map[string]any{"name": "Боб", "groups": []string{"Küche"}})
	testkit.Eventually(t, 10*time.Second, func() error {
		if b := w.api.Get(t, path); b.Str("name") != "Боб" {
			return fmt.Errorf("after the renaming bob is %v", b)
		}
		return nil
	})
}

func (w *world) testPresence(t *testing.T, stream *testkit.Stream) {
	w.peer.Presence(t, "away", "à la pêche 🎣")
	f := stream.Expect(t, "bob away", w.presence(true, "away"))
	if f.Data.Str("status") != "à la pêche 🎣" {
		t.Errorf("status %q, want status %q", f.Data.Str("status"), "à la pêche 🎣")
	}
	if p := w.cached(t); p.Str("show") != "away" || p.Bool("stale") || len(p.List("resources")) != 1 {
		t.Errorf("GET presence: %v, want show %q and stale false and 1", p, "away")
	}
	w.api.Call(t, http.StatusOK, http.MethodPut, "/v1/presence/me", map[string]any{"show": "dnd", "status": "не беспокоить"})
	if p := w.peer.ExpectPresence(t, w.alice.JID, "available", "dnd"); p.Status != "не беспокоить" {
		t.Errorf("bob sees the status %q, want %q", p.Status, "не беспокоить")
	}
	w.peer.Unavailable(t)
	stream.Expect(t, "bob gone", w.presence(false, ""))
	w.peer.Presence(t, "", "")
	stream.Expect(t, "bob back", w.presence(true, ""))
}

func (w *world) testMessages(t *testing.T, stream *testkit.Stream) {
	for _, body := range bodies {
		answer := w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages",
			map[string]string{"to": w.bob.JID, "body": body}).JSON(t)
		sent := stream.Expect(t, "message.sent", message("message.sent", body))
		if sent.Data.Str("id") != answer.Str("id") || sent.ID == "" {
			t.Errorf("sent %s, answer %v, want id %v and some text", sent.Raw, answer, answer.Str("id"))
		}
		if m := w.peer.ExpectMessage(t, w.alice.JID, body); m.ID != answer.Str("id") || m.Type != "chat" {
			t.Errorf("bob got %+v, the API said %v, want %v and %q", m, answer, answer.Str("id"), "chat")
		}
		w.peer.Message(t, w.alice.JID, body)
		got := stream.Expect(t, "message.received", message("message.received", body))
		if got.Data.Str("kind") != "chat" || got.Data.Str("source") != "live" || got.Data.At("delay") != nil {
			t.Errorf("received %s, want kind %q and source %q and nil", got.Raw, "chat", "live")
		}
	}
	// The same key is the same message, on the wire too.
	first := w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"id": "once-1", "to": w.bob.JID, "body": "once"})
	again := w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"id": "once-1", "to": w.bob.JID, "body": "once"})
	if string(first.Body) != string(again.Body) {
		t.Errorf("%s, then %s: got %q, want %v", first.Body, again.Body, string(first.Body), string(again.Body))
	}
	w.peer.ExpectMessage(t, w.alice.JID, "once")
	w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": w.bob.JID, "body": "after"})
	w.peer.ExpectMessage(t, w.alice.JID, "after")
	for _, e := range w.peer.Events() {
		if e.Body == "once" {
			t.Errorf("bob got the message twice: got %q, want anything but %q", e.Body, "once")
		}
	}
}

func (w *world) testChatStates(t *testing.T, stream *testkit.Stream) {
	w.peer.ChatState(t, w.alice.JID, "composing")
	stream.Expect(t, "composing", func(f testkit.Frame) bool {
		return f.Type == "chat_state" && f.Data.Str("state") == "composing"
	})
	w.api.Call(t, http.StatusNoContent, http.MethodPut, "/v1/chat-states/"+testkit.Escape(w.bob.JID), map[string]string{"state": "paused"})
	w.peer.Expect(t, "paused", func(e testkit.PeerEvent) bool { return e.Event == "chat_state" && e.State == "paused" })
}

// testNoStream closes every socket: the session stays, what happens is in the log, and bob
// notices nothing.
func (w *world) testNoStream(t *testing.T, stream *testkit.Stream) {
	w.peer.Message(t, w.alice.JID, "the last one seen")
	since := stream.Expect(t, "message", message("message.received", "the last one seen")).ID
	w.peer.Discard()
	stream.Close()
	w.peer.Presence(t, "xa", "en vacances")
	w.peer.Message(t, w.alice.JID, "while no stream was open, ça va ?")
	testkit.Eventually(t, 10*time.Second, func() error {
		if p := w.cached(t); p.Str("show") != "xa" || p.Str("status") != "en vacances" || p.Bool("stale") {
			return fmt.Errorf("GET presence: %v", p)
		}
		return nil
	})
	for _, e := range w.peer.Events() {
		if e.Event == "presence" && strings.HasPrefix(e.From, w.alice.JID) {
			t.Errorf("bob saw alice change: %+v, want none", e)
		}
	}

	resumed := w.api.Stream(t, since)
	if hello := resumed.ExpectType(t, "hello"); !hello.Data.Bool("resumed") {
		t.Errorf("hello %s, want resumed true", hello.Raw)
	}
	resumed.Expect(t, "replay", message("message.received", "while no stream was open, ça va ?"))
	snapshot := resumed.ExpectType(t, "presence.snapshot")
	if bob := snapshot.Data.Find("items", "jid", w.bob.JID); bob.Str("show") != "xa" {
		t.Errorf("snapshot %s, want show %q", snapshot.Raw, "xa")
	}
	resumed.ExpectType(t, "live")
	for _, f := range resumed.Frames() {
		if f.Type == "message.received" {
			t.Errorf("replayed what was seen already: %s: got %q, want anything but %q", f.Raw, f.Type, "message.received")
		}
	}
}

// TestInvitationDeclined declines a request, and has one declined.
func TestInvitationDeclined(t *testing.T) {
	for _, l := range conversations() {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := w.api.Stream(t, "")
			stream.ExpectType(t, "live")

			w.peer.Subscription(t, w.alice.JID, "subscribe", "Bob der Große")
			got := stream.ExpectType(t, "invitation.received")
			if got.Data.Str("jid") != w.bob.JID || got.Data.Str("nick") != "Bob der Große" {
				t.Errorf("invitation %s, want jid %v and nick %q", got.Raw, w.bob.JID, "Bob der Große")
			}
			pending := w.api.Get(t, "/v1/invitations")
			if i := pending.Find("items", "jid", w.bob.JID); i.Str("nick") != "Bob der Große" || i.Str("received_at") == "" {
				t.Errorf("invitations %v, want nick %q and some text", pending, "Bob der Große")
			}
			path := "/v1/invitations/" + testkit.Escape(w.bob.JID) + "/decline"
			w.api.Call(t, http.StatusOK, http.MethodPost, path, map[string]any{})
			stream.ExpectType(t, "invitation.declined")
			w.peer.Expect(t, "no more request", func(e testkit.PeerEvent) bool {
				return e.Event == "roster" && e.JID == w.alice.JID && e.Ask == "" && e.Subscription == "none"
			})
			wantProblem(t, w.api.Call(t, http.StatusNotFound, http.MethodPost, path, map[string]any{}), "not-found")
			if left := w.api.Get(t, "/v1/invitations").List("items"); len(left) != 0 {
				t.Errorf("still pending: %v, want 0", left)
			}

			w.api.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies", map[string]any{"jid": w.bob.JID})
			w.peer.ExpectSubscription(t, w.alice.JID, "subscribe")
			w.peer.Subscription(t, w.alice.JID, "unsubscribed", "")
			testkit.Eventually(t, 10*time.Second, func() error {
				b := w.api.Get(t, "/v1/buddies/"+testkit.Escape(w.bob.JID))
				if b.Str("subscription") != "none" || b.At("ask") != nil {
					return fmt.Errorf("bob declined, and is %v", b)
				}
				return nil
			})
		})
	}
}
