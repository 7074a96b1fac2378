package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// nestedElements are elements that end, restart or redirect a stream when they are its
// children. Within a message of a contact they are content.
var nestedElements = []string{
	"<stream:error xmlns:stream='http://etherx.jabber.org/streams'><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:9</see-other-host></stream:error>",
	"<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
	"<error xmlns='http://etherx.jabber.org/streams'><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
	"<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
	"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
	"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
	"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
	"<failed xmlns='urn:xmpp:sm:3'/>",
	"<a xmlns='urn:xmpp:sm:3' h='4000000000'/>",
	"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
}

// nested is a chat message with one of nestedElements beside its body.
func nested(to, body, element string) string {
	return "<message xmlns='jabber:client' type='chat' to='" + to + "'><body>" + body + "</body>" + element + "</message>"
}

// TestNestedStreamElements lets a foreign client send messages with elements of the stream
// inside, over real servers, which relay them unchanged: to the gateway itself, to another
// device so that a carbon comes (XEP-0280), out of the archive (XEP-0313) and on a resumed
// stream (XEP-0198). Each is a message like any other, and the session lives.
func TestNestedStreamElements(t *testing.T) {
	for _, l := range onEach()[:2] { // the embedded service ends the stream of whoever sends them
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := live(t, w.api, "")
			w.befriend(t, stream)
			phone := w.server.SlixmppFor(t, w.alice)
			phone.Presence(t, "", "")
			w.peer.ExpectPresence(t, w.alice.JID, "available", "")
			stream.Discard()
			gateway := w.alice.JID + "/" + w.api.Get(t, "/v1/session").Str("resource")

			var want []string
			for i, element := range nestedElements {
				for _, way := range []struct {
					name, typ, to string
					from          *testkit.Peer
				}{
					{"direct", "message.received", gateway, w.peer},
					{"carbon of one received", "message.received", phone.JID, w.peer},
					{"carbon of one sent", "message.sent", w.bob.JID, phone},
				} {
					body := fmt.Sprint(way.name, " ", i)
					way.from.Raw(t, nested(way.to, body, element))
					stream.Expect(t, way.typ+" "+body+" beside "+element, message(way.typ, body))
					want = append(want, body)
				}
			}
			w.wantArchived(t, want)

			w.proxy.Down()
			stream.Expect(t, "reconnecting", state("reconnecting"))
			for i, element := range nestedElements {
				w.peer.Raw(t, nested(w.alice.JID, fmt.Sprint("while away ", i), element))
			}
			w.peer.Roster(t) // the server answers in order: it has them all
			w.proxy.Up(t)
			for i := range nestedElements {
				body := fmt.Sprint("while away ", i)
				stream.Expect(t, body, message("message.received", body))
			}
			w.peer.Message(t, gateway, "the end")
			stream.Expect(t, "the end", message("message.received", "the end"))
			for _, f := range stream.Frames() {
				if f.Type == "event.dropped" || f.Type == "session.state" && f.Data.Str("state") != "online" {
					t.Errorf("got %s, want a session that lives", f.Raw)
				}
			}
			w.wantLogins(t, 3) // the gateway twice and the phone
		})
	}
}

// wantArchived checks that the archive of the conversation with bob has every body, once.
func (w *world) wantArchived(t *testing.T, want []string) {
	t.Helper()
	answer := w.api.Call(t, http.StatusOK, http.MethodGet, "/v1/archive?limit=100&with="+testkit.Escape(w.bob.JID), nil).JSON(t)
	var got []string
	for _, m := range answer.List("items") {
		got = append(got, m.Str("body"))
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("the archive has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
