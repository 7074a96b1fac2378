package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// TestOfflineMessagesOfAServerWithoutArchive has jabberd2 keep what bob says while alice is
// signed out: all of it arrives at her next login, in order, once, and with its delay.
func TestOfflineMessagesOfAServerWithoutArchive(t *testing.T) {
	w := newWorld(t, jabberd, jabberd.server(t))
	stream := w.api.Stream(t, "")
	stream.ExpectType(t, "live")
	w.befriend(t, stream)
	if s := w.api.Get(t, "/v1/session"); s.Str("delivery") != "D" {
		t.Errorf("delivery got %q, want D: the server has neither stream management nor an archive", s.Str("delivery"))
	}
	w.api.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/session", nil)
	w.peer.Expect(t, "alice unavailable", func(e testkit.PeerEvent) bool {
		return e.Event == "presence" && e.Type == "unavailable"
	})
	// Until then a message may still go to the session that ends, and with it.
	w.server.ExpectLog(t, "session ended: jid="+w.alice.JID)

	said := []string{"one", "zwei", "три"}
	for _, body := range said {
		w.peer.Message(t, w.alice.JID, body)
	}
	w.peer.Message(t, w.bob.JID, "the server has them all")
	w.peer.ExpectMessage(t, w.bob.JID, "the server has them all")
	w.api = jabberd.signIn(t, w.app, w.server, w.alice)

	// Some may have come before the session was online.
	epoch, _, _ := strings.Cut(w.api.Stream(t, "").ExpectType(t, "hello").Data.Str("tip"), "-")
	replay := w.api.Stream(t, epoch+"-0")
	for i, body := range said {
		got := replay.ExpectType(t, "message.received")
		if got.Data.Str("body") != body || got.Data.Str("delay.stamp") == "" {
			t.Errorf("offline message %d: got %s, want %q with its delay", i, got.Raw, body)
		}
	}
	w.peer.Message(t, w.alice.JID, "live again")
	if got := replay.ExpectType(t, "message.received"); got.Data.Str("body") != "live again" {
		t.Errorf("after the offline messages: got %s, want %q", got.Raw, "live again")
	}
	w.wantLogins(t, 2)
}

// TestVCardOnJabberd writes the own card and reads it, and finds none of bob.
func TestVCardOnJabberd(t *testing.T) {
	w := newWorld(t, jabberd, jabberd.server(t))
	w.api.Call(t, http.StatusNoContent, http.MethodPut, "/v1/vcards/me", map[string]string{"full_name": "Alice in Ürümqi"})
	if card := w.api.Get(t, "/v1/vcards/me?refresh=1"); card.Str("full_name") != "Alice in Ürümqi" {
		t.Errorf("the own card got %v, want the name that was written", card)
	}
	wantProblem(t, w.api.Call(t, http.StatusNotFound, http.MethodGet, "/v1/vcards/"+testkit.Escape(w.bob.JID), nil), "item-not-found")
}
