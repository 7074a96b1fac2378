package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// TestRoomInvitations reads invitations, which are no messages though they may have a body. Their
// passwords are not kept.
func TestRoomInvitations(t *testing.T) {
	const muc = "<x xmlns='http://jabber.org/protocol/muc#user'>"
	const mediated = muc + "<invite from='bo@b.test/x'><reason>come</reason></invite>"
	const direct = "<x xmlns='jabber:x:conference' jid='r@muc.test'"
	for _, tt := range []struct {
		name, from, inner string
		want              perch.RoomInvitation
	}{
		{"by a room", "r@muc.test", "<body>Bo invited you</body>" + mediated + "</x>", perch.RoomInvitation{JID: "r@muc.test", By: "bo@b.test/x", Reason: "come", Via: "room"}},
		{"by a room, in both forms", "r@muc.test", direct + " reason='now'/>" + mediated + "<password>geheim</password></x>" + direct + "/>",
			perch.RoomInvitation{JID: "r@muc.test", By: "bo@b.test/x", Reason: "come", Via: "room", HasPassword: true}},
		{"direct", "bo@b.test/x", direct + " reason='come'/>", perch.RoomInvitation{JID: "r@muc.test", By: "bo@b.test", Reason: "come", Via: "direct"}},
		{"direct, with a password", "bo@b.test/x", direct + " password='geheim'/>", perch.RoomInvitation{JID: "r@muc.test", By: "bo@b.test", Via: "direct", HasPassword: true}},
		{"direct, with words in it", "bo@b.test/x", direct + ">come</x>", perch.RoomInvitation{JID: "r@muc.test", By: "bo@b.test", Reason: "come", Via: "direct"}},
		{"direct, with words beside it", "bo@b.test/x", "<body>come</body>" + direct + "/>", perch.RoomInvitation{JID: "r@muc.test", By: "bo@b.test", Reason: "come", Via: "direct"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			message := strings.Replace(odd("normal", tt.inner+sid("me@a.test", "9")), "bo@b.test/x", tt.from, 1)
			of := perch.Message{ID: "m-1", StanzaID: "9", From: perch.JID(tt.from), To: testSelf, Kind: perch.NormalMessage, Source: perch.SourceLive}
			d := decodeText(t, message, testNow)
			if diff := cmp.Diff([]perch.Inbound{&perch.RoomInvitedIn{RoomInvitation: tt.want, Of: of}}, d.In); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			archived := decodeText(t, "<message><result xmlns='"+nsMAM+"' queryid='q' id='1'><forwarded xmlns='"+nsForward+"'>"+message+"</forwarded></result></message>", testNow).Archived
			if archived == nil || archived.Item == nil || archived.Item.Dropped != perch.DroppedInvitation || archived.Item.Body != "" {
				t.Fatalf("from the archive: got %+v, want an item without text that is an invitation", archived)
			}
			if diff := cmp.Diff(&tt.want, archived.Item.Invited); diff != "" {
				t.Errorf("from the archive, -want +got:\n%s", diff)
			}
		})
	}
}

// TestNoRoomInvitations reads what only looks like an invitation, or is one to somebody else.
func TestNoRoomInvitations(t *testing.T) {
	const mediated = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='bo@b.test/x'/></x>"
	for _, tt := range []struct{ name, raw, want string }{
		{"by an occupant", "<message from='r@muc.test/Eve' type='chat'>" + mediated + "</message>", "dropped room_invitation;"},
		{"by an occupant, with words", "<message from='r@muc.test/Eve' type='chat'><body>hi</body>" + mediated + "</message>", "message hi;"},
		{"by a server", "<message from='muc.test'><body>hi</body>" + mediated + "</message>", "message hi;"},
		{"a refusal", "<message from='r@muc.test'><x xmlns='http://jabber.org/protocol/muc#user'><decline from='bo@b.test'/></x></message>", "declined r@muc.test;"},
		{"a refusal by an occupant", "<message from='r@muc.test/Eve'><x xmlns='http://jabber.org/protocol/muc#user'><decline from='bo@b.test'/></x></message>", "dropped room_invitation;"},
		{"in a room", "<message from='r@muc.test' type='groupchat'>" + mediated + "</message>", "dropped room_invitation;"},
		{"to nowhere", "<message from='bo@b.test'><body>hi</body><x xmlns='jabber:x:conference'/></message>", "message hi (1 payloads);"},
		{"by another device of the account", "<message from='me@a.test'><sent xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward + "'><message xmlns='jabber:client' from='me@a.test/phone' to='bo@b.test'>" +
			"<body>come</body><x xmlns='jabber:x:conference' jid='r@muc.test'/></message></forwarded></sent></message>", "dropped room_invitation;"},
	} {
		if got := what(decodeText(t, tt.raw, testNow)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
