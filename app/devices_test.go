package app_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// onEach are the servers with carbons and archives, one login each.
func onEach() []login {
	return []login{loginNamed("prosody SCRAM-SHA-1"), loginNamed("ejabberd SCRAM-SHA-1"), loginNamed("today SCRAM-SHA-256")}
}

// upToBody are the bodies of message events up to the one with the last body, which is waited
// for, by their types.
func upToBody(t *testing.T, stream *testkit.Stream, last string) []string {
	t.Helper()
	stream.Expect(t, "the message "+last, func(f testkit.Frame) bool {
		return strings.HasPrefix(f.Type, "message.") && f.Data.Str("body") == last
	})
	var list []string
	for _, f := range stream.Frames() {
		if f.Type == "message.received" || f.Type == "message.sent" {
			list = append(list, f.Type+" "+f.Data.Str("body"))
		}
	}
	return list
}

// TestCarbons (XEP-0280): what another device of the account sends is message.sent; what
// both devices get is message.received, once, whichever of them the server thinks is meant;
// and only the account itself can send the copies.
func TestCarbons(t *testing.T) {
	for _, l := range onEach() {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := live(t, w.api, "")
			w.befriend(t, stream)
			phone := w.server.SlixmppFor(t, w.alice)
			phone.Presence(t, "", "")
			w.peer.ExpectPresence(t, w.alice.JID, "available", "")
			stream.Discard()

			phone.Message(t, w.bob.JID, "vom Telefon ☎")
			sent := stream.ExpectType(t, "message.sent")
			if sent.Data.Str("body") != "vom Telefon ☎" || sent.Data.Str("from") != phone.JID || sent.Data.Str("to") != w.bob.JID || sent.Data.Str("kind") != "chat" {
				t.Errorf("sent by the phone: %s, want body %q and from %v and to %v and kind %q", sent.Raw, "vom Telefon ☎", phone.JID, w.bob.JID, "chat")
			}
			w.peer.ExpectMessage(t, w.alice.JID, "vom Telefon ☎")

			for i, priority := range []int{10, 0} {
				phone.Do(t, "presence", map[string]any{"priority": priority})
				w.peer.ExpectPresence(t, w.alice.JID, "available", "")
				body := fmt.Sprint("an beide, ", i)
				w.peer.Message(t, w.alice.JID, body)
				phone.ExpectMessage(t, w.bob.JID, body)
				got := stream.ExpectType(t, "message.received")
				if got.Data.Str("body") != body || !strings.HasPrefix(got.Data.Str("from"), w.bob.JID) || !strings.HasPrefix(got.Data.Str("to"), w.alice.JID) {
					t.Errorf("received by both: %s, want body %v and %q at its beginning and %q at its beginning", got.Raw, body, w.bob.JID, w.alice.JID)
				}
			}
			w.peer.Message(t, phone.JID, "nur ans Telefon") // to the full JID: a copy comes here all the same
			phone.ExpectMessage(t, w.bob.JID, "nur ans Telefon")
			got := stream.ExpectType(t, "message.received")
			if got.Data.Str("body") != "nur ans Telefon" || got.Data.Str("to") != phone.JID {
				t.Errorf("received by the phone: %s, want body %q and to %v", got.Raw, "nur ans Telefon", phone.JID)
			}

			before := w.forged(t)
			for kind, who := range map[string]string{
				"received": "from='carol@" + l.domainOn(w.server) + "/x' to='" + w.alice.JID + "'",
				"sent":     "from='" + w.alice.JID + "/x' to='carol@" + l.domainOn(w.server) + "'",
			} {
				w.peer.Raw(t, "<message xmlns='jabber:client' type='chat' to='"+w.alice.JID+"'><"+kind+" xmlns='urn:xmpp:carbons:2'>"+
					"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='chat' "+who+"><body>forged</body></message></forwarded></"+kind+"></message>")
			}
			w.peer.Message(t, w.alice.JID, "the end")
			if list := upToBody(t, stream, "the end"); len(list) > 0 {
				t.Errorf("more than once, or forged: %q, want none", list)
			}
			testkit.Eventually(t, 5*time.Second, func() error {
				if n := w.forged(t) - before; n != 2 {
					return fmt.Errorf("%d forgeries were noticed, want 2", n)
				}
				return nil
			})
		})
	}
}

// forged is how many forged carbons were dropped.
func (w *world) forged(t *testing.T) int {
	t.Helper()
	m := regexp.MustCompile(`perch_xmpp_forged_other_total\{[^}]*\} (\d+)`).FindStringSubmatch(scrape(t, w.app))
	if m == nil {
		t.Fatal("no counter of forgeries, want one")
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// TestReceipts (XEP-0184): a foreign client that confirms a message makes it delivered, and
// one that asks for a receipt gets it from the gateway, but only if it may see alice anyway.
func TestReceipts(t *testing.T) {
	for _, l := range onEach() {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := live(t, w.api, "")
			w.befriend(t, stream)
			id := w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": w.bob.JID, "body": "angekommen?"}).JSON(t).Str("id")
			w.peer.ExpectMessage(t, w.alice.JID, "angekommen?")
			stream.Expect(t, "delivered", func(f testkit.Frame) bool {
				return f.Type == "message.status" && f.Data.Str("id") == id && f.Data.Str("status") == "delivered"
			})
			r := w.api.Get(t, "/v1/messages/"+id)
			var steps []string
			for _, h := range r.List("history") {
				steps = append(steps, h.Str("status"))
			}
			// The receipt may be here before the server's own acknowledgement.
			if got := strings.Join(steps, " "); got != "accepted sent acked delivered" && got != "accepted sent delivered" || r.Str("status") != "delivered" {
				t.Errorf("history %q, status %s, want %q or %q and status %q", got, r.Str("status"), "accepted sent acked delivered", "accepted sent delivered", "delivered")
			}

			asked := w.peer.Do(t, "message", map[string]any{"to": w.alice.JID, "body": "und meine?", "receipt": true}).ID
			w.peer.Expect(t, "receipt", func(e testkit.PeerEvent) bool {
				return e.Event == "receipt" && e.ID == asked && strings.HasPrefix(e.From, w.alice.JID)
			})

			stranger := w.server.SlixmppFor(t, w.server.NewUserAt(t, "eve", l.domainOn(w.server)))
			stranger.Presence(t, "", "")
			stranger.Do(t, "message", map[string]any{"to": w.alice.JID, "body": "are you there?", "receipt": true})
			stream.Expect(t, "message", message("message.received", "are you there?"))
			// Whatever answers the stranger's next question would come behind a receipt.
			w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": stranger.JID, "body": "behind it"})
			stranger.ExpectMessage(t, w.alice.JID, "behind it")
			for _, e := range stranger.Events() {
				if e.Event == "receipt" {
					t.Errorf("a stranger got a receipt: %+v: got %q, want anything but %q", e, e.Event, "receipt")
				}
			}
		})
	}
}
