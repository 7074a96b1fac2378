package sessions

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// TestOutsideRooms: a session that is not in a room takes what the room says as it did before there were
// any.
func TestOutsideRooms(t *testing.T) {
	const own, room, nick = perch.JID("me@a.test/home"), perch.JID("r@muc.test"), perch.JID("r@muc.test/Bo")
	message := func(kind perch.MessageKind, to perch.JID, author *perch.MessageRoom) perch.Message {
		return perch.Message{ID: "1", From: nick, To: to, Kind: kind, Subject: "s", Room: author}
	}
	author := &perch.MessageRoom{Nick: "Bo"}
	subject := &perch.MessageIn{Message: message(perch.GroupchatMessage, room, author)}
	for _, tt := range []struct {
		name     string
		in, want perch.Inbound
	}{
		{"presence", &perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: nick, Available: true, Status: "x"}, Role: perch.RoleVisitor}, &perch.PresenceIn{From: nick, Available: true, Status: "x"}},
		{"an error", &perch.RoomJoinError{From: nick, ID: "1", Error: perch.XMPPError{Condition: "conflict"}}, &perch.PresenceError{From: nick, Error: perch.XMPPError{Condition: "conflict"}}},
		{"a message", &perch.MessageIn{Message: message(perch.GroupchatMessage, room, author), History: true}, &perch.MessageIn{Message: message(perch.GroupchatMessage, own, nil)}},
		{"a private message", &perch.MessageIn{Message: message(perch.ChatMessage, "me@a.test", author)}, &perch.MessageIn{Message: message(perch.ChatMessage, "me@a.test", nil)}},
		{"a message of nobody's", &perch.MessageIn{Message: message(perch.ChatMessage, "me@a.test", nil)}, &perch.MessageIn{Message: message(perch.ChatMessage, "me@a.test", nil)}},
		{"a subject", &perch.RoomSubjectIn{From: nick, Text: "s", Plain: subject}, &perch.MessageIn{Message: message(perch.GroupchatMessage, own, nil)}},
		{"no subject", &perch.RoomSubjectIn{From: nick}, nil},
		{"a refusal", &perch.RoomDeclinedIn{Room: room, Plain: &perch.DroppedIn{Of: message(perch.GroupchatMessage, room, author)}}, &perch.DroppedIn{Of: message(perch.GroupchatMessage, own, nil)}},
		{"an invitation", &perch.RoomInvitedIn{Of: message(perch.NormalMessage, own, nil)}, &perch.RoomInvitedIn{Of: message(perch.NormalMessage, own, nil)}},
		{"a notice", &perch.RoomNoticeIn{From: room}, nil},
		{"a chat state", &perch.RoomChatStateIn{From: nick, State: perch.StateActive}, nil},
		{"a chat state of a contact", &perch.ChatStateIn{From: nick, State: perch.StateActive}, &perch.ChatStateIn{From: nick, State: perch.StateActive}},
	} {
		if diff := cmp.Diff(tt.want, outsideRooms(tt.in, own)); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
	}
}
