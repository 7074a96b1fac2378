package stanza_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// TestOwnMarkers reads how far the account has read on its other devices.
func TestOwnMarkers(t *testing.T) {
	const displayed = "<displayed xmlns='urn:xmpp:chat-markers:0' id='9'/>"
	sent := func(attrs, inner string) string {
		return "<message from='me@a.test'><sent xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward + "'><message xmlns='jabber:client' from='me@a.test/phone' " + attrs + ">" + inner + "</message></forwarded></sent></message>"
	}
	read := &perch.ReadIn{Conversation: "bo@b.test", ID: "9"}
	message := &perch.MessageIn{Sent: true, Message: perch.Message{ID: "2", From: "me@a.test/phone", To: "bo@b.test/x", Kind: perch.ChatMessage, Body: "hi", Source: perch.SourceLive}}
	for _, tt := range []struct {
		name, raw string
		want      []perch.Inbound
	}{
		{"sent to somebody", sent("to='bo@b.test/x' type='chat'", displayed), []perch.Inbound{read}},
		{"sent beside a text", sent("to='bo@b.test/x' type='chat' id='2'", "<body>hi</body>"+displayed), []perch.Inbound{message, read}},
		{"sent without an id", sent("to='bo@b.test/x' type='chat'", "<displayed xmlns='urn:xmpp:chat-markers:0'/>"), nil},
		{"a receipt that was sent", sent("to='bo@b.test/x' type='chat'", "<received xmlns='urn:xmpp:receipts' id='9'/>"), nil},
		{"to a room", sent("to='r@muc.test' type='groupchat'", displayed), nil},
		{"of the account to itself", "<message from='me@a.test/phone' to='me@a.test'>" + displayed + "</message>", []perch.Inbound{&perch.ReadIn{Conversation: "me@a.test", ID: "9"}}},
		{"of somebody else", "<message from='bo@b.test/x'>" + displayed + "</message>", []perch.Inbound{&perch.ReceiptIn{ID: "9", From: "bo@b.test/x", Displayed: true}}},
		{"forged", "<message from='eve@b.test'><sent xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward + "'><message xmlns='jabber:client' from='me@a.test' to='bo@b.test'>" + displayed + "</message></forwarded></sent></message>", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, decodeText(t, tt.raw, testNow).In); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
