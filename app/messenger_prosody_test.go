package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/messenger"
)

// onProsody is the Messenger profile in front of a real server, which a module lets take
// X-MESSENGER-OAUTH2: what the service and a server of today have in common must work on
// both. Alice has not signed in yet; bob has a client of his own.
func onProsody(t *testing.T) *world {
	t.Helper()
	s := testkit.SharedProsody(t)
	w := &world{server: s, alice: s.NewUser(t, "alice"), bob: s.NewUser(t, "bob")}
	w.app = start(t, app.Upstream{Name: "messenger", Domain: s.Domain, Address: s.Addr, CAFile: s.CAFile, Profile: app.ProfileMessenger})
	w.api = testkit.NewGateway(t, w.app.URL(), s.IssueToken(t, w.alice.JID))
	w.peer = s.SlixmppFor(t, w.bob)
	w.peer.Presence(t, "", "")
	return w
}

func TestM04TokenAloneOnProsody(t *testing.T) {
	w := onProsody(t)
	w.api.Get(t, "/v1/buddies")
	if s := w.api.Get(t, "/v1/session"); s.Str("jid") != w.alice.JID || s.Str("state") != "online" {
		t.Errorf("session %v, want jid %v and state %q", s, w.alice.JID, "online")
	}
	stranger := testkit.NewGateway(t, w.app.URL(), "bm90IGEgdG9rZW4gb2YgYW55Ym9keQ==")
	wantProblem(t, stranger.Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/buddies", nil), "unauthorized")
	w.wantLogins(t, 1)
}

func TestM06AddingIsTheOnlyChangeOnProsody(t *testing.T) {
	w := onProsody(t)
	stream := live(t, w.api, "")
	w.befriend(t, stream)
	path := "/v1/buddies/" + testkit.Escape(w.bob.JID)
	wantProblem(t, w.api.Call(t, http.StatusNotImplemented, http.MethodPatch, path, map[string]any{"name": "Robert"}), "feature-unsupported")
	wantProblem(t, w.api.Call(t, http.StatusNotImplemented, http.MethodDelete, path, nil), "feature-unsupported")
}

func TestM09VCardOnProsody(t *testing.T) {
	w := onProsody(t)
	photo := messenger.Portrait("bob").Data
	w.peer.SetVCard(t, "Bob Bäcker", "Bob", photo, "image/png")
	stream := live(t, w.api, "")
	w.befriend(t, stream)
	path := "/v1/vcards/" + testkit.Escape(w.bob.JID)
	testkit.Eventually(t, 10*time.Second, func() error { // the server converts a card in its own time
		card := w.api.Get(t, path+"?refresh=1")
		if card.Str("full_name") != "Bob Bäcker" || card.Str("photo.type") != "image/png" {
			return fmt.Errorf("bob's card %v", card)
		}
		return nil
	})
	if got := w.api.Call(t, http.StatusOK, http.MethodGet, path+"/photo", nil); !bytes.Equal(got.Body, photo) {
		t.Errorf("a photo of %d bytes, want %d", len(got.Body), len(photo))
	}
	w.peer.SetVCard(t, "Bob Bäcker", "Bob", messenger.Portrait("bob with a hat").Data, "image/png")
	changed := stream.ExpectType(t, "vcard.changed")
	if changed.Data.Str("jid") != w.bob.JID || len(changed.Data.Str("photo_hash")) != 40 {
		t.Errorf("got %s, want jid %v and 40", changed.Raw, w.bob.JID)
	}
}

func TestM11NicknameOnProsody(t *testing.T) {
	w := onProsody(t)
	stream := live(t, w.api, "")
	w.peer.Subscription(t, w.alice.JID, "subscribe", "Bob der Große")
	f := stream.ExpectType(t, "invitation.received")
	if f.Data.Str("jid") != w.bob.JID || f.Data.Str("nick") != "Bob der Große" {
		t.Errorf("got %s, want jid %v and nick %q", f.Raw, w.bob.JID, "Bob der Große")
	}
	w.api.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies", map[string]any{"jid": w.bob.JID, "nick": "Älice"})
	if e := w.peer.ExpectSubscription(t, w.alice.JID, "subscribe"); e.Nick != "Älice" {
		t.Errorf("bob sees the nickname %q, want %q", e.Nick, "Älice")
	}
}

func TestM12DelayOnProsody(t *testing.T) {
	w := onProsody(t)
	began := time.Now().Add(-2 * time.Second)
	for i := range 10 {
		w.peer.Message(t, w.alice.JID, fmt.Sprint("waited ", i))
	}
	w.peer.Do(t, "ping", nil) // the server answers in order: it has them all
	stream := live(t, w.api, "")
	last := ""
	for i := range 10 {
		f := stream.Expect(t, "message", func(f testkit.Frame) bool { return f.Type == "message.received" })
		at, err := time.Parse(time.RFC3339, f.Data.Str("delay.stamp"))
		if err != nil || at.Before(began) || f.Data.Str("body") != fmt.Sprint("waited ", i) || f.ID == last {
			t.Errorf("message %d: %s, want a delay of this test, body %v and another id than %v", i, f.Raw, fmt.Sprint("waited ", i), last)
		}
		last = f.ID
	}
}

func TestM13ChatStatesOnProsody(t *testing.T) {
	w := onProsody(t)
	stream := live(t, w.api, "")
	roundTrip(t, w.api, w.bob.JID)
	for _, s := range []string{"active", "composing", "paused", "inactive", "gone"} {
		w.peer.ChatState(t, w.alice.JID, s)
		stream.Expect(t, s, func(f testkit.Frame) bool { return f.Type == "chat_state" && f.Data.Str("state") == s })
		w.api.Call(t, http.StatusNoContent, http.MethodPut, "/v1/chat-states/"+testkit.Escape(w.bob.JID), map[string]string{"state": s})
		w.peer.Expect(t, s, func(e testkit.PeerEvent) bool { return e.Event == "chat_state" && e.State == s })
	}
}
