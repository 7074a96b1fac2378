package stanza_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

func TestDecodePresence(t *testing.T) {
	hash, none := "01b87fcd030b72895ff8e88db57ec525450f000d", ""
	const photo = "<x xmlns='vcard-temp:x:update'>"
	tests := []struct {
		name, raw string
		want      perch.Inbound
	}{
		{"plain", "<presence from='bo@b.test/x'/>", &perch.PresenceIn{From: "bo@b.test/x", Available: true}},
		{"all", streamtest.Presence, &perch.PresenceIn{
			From: "romeo@montague.example/balcony-1f2e3d", Available: true, Show: perch.ShowAway,
			Status: "Wooing; back at five", Priority: 5, PhotoHash: &hash,
		}},
		{"unavailable", "<presence from='bo@b.test/x' type='unavailable'><show>away</show><priority>5</priority><status>bye</status></presence>", &perch.PresenceIn{From: "bo@b.test/x", Status: "bye"}},
		{"unavailable altogether", "<presence from='bo@b.test' type='unavailable'/>", &perch.PresenceIn{From: "bo@b.test"}},
		{"own echo", "<presence from='me@a.test/home'/>", &perch.PresenceIn{From: "me@a.test/home", Available: true}},
		{"no from", "<presence/>", &perch.PresenceIn{From: "me@a.test", Available: true}},
		{"white space", "<presence from='b@b.test/x'><show>\n dnd </show><priority> -5\n</priority></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, Show: perch.ShowDND, Priority: -5}},
		{"bad show and priority", "<presence from='b@b.test/x'><show>busy</show><priority>128</priority></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true}},
		{"priority that is no number", "<presence from='b@b.test/x'><show>xa</show><priority>high</priority></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, Show: perch.ShowXA}},
		{"free for chat", "<presence from='b@b.test/x'><show>chat</show></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, Show: perch.ShowChat}},
		{"status of two languages", "<presence from='b@b.test/x'><status xml:lang='de'>weg</status><status>gone</status></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, Status: "gone"}},
		{"no photo", "<presence from='b@b.test/x'>" + photo + "<photo/></x></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, PhotoHash: &none}},
		{"photo not known", "<presence from='b@b.test/x'>" + photo + "</x></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true}},
		{"photo in capitals", "<presence from='b@b.test/x'>" + photo + "<photo> 01B87FCD030B72895FF8E88DB57EC525450F000D </photo></x></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, PhotoHash: &hash}},
		{"photo of nonsense", "<presence from='b@b.test/x'>" + photo + "<photo>../../etc</photo></x></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true}},
		{"delay", "<presence from='b@b.test/x'><delay xmlns='urn:xmpp:delay' stamp='2024-05-31T10:00:00Z'/></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, Delay: stanza.ParseTime("2024-05-31T10:00:00Z"), Delayed: true}},
		{"delay that cannot be read", "<presence from='b@b.test/x'><delay xmlns='urn:xmpp:delay' stamp='yesterday'/></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, Delayed: true}},
		{"two delays", "<presence from='b@b.test/x'><x xmlns='jabber:x:delay' stamp='20240101T10:00:00'/><delay xmlns='urn:xmpp:delay' stamp='2024-05-31T10:00:00Z'/><delay xmlns='urn:xmpp:delay' stamp='2024-05-30T10:00:00Z'/></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, Delay: stanza.ParseTime("2024-05-30T10:00:00Z"), Delayed: true}},
		{"status in the language of the stanza", "<presence from='b@b.test/x' xml:lang='de'><status xml:lang='en'>gone</status><status xml:lang='de'>weg</status></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true, Status: "weg"}},
		{"delay of tomorrow", "<presence from='b@b.test/x'><delay xmlns='urn:xmpp:delay' stamp='2024-06-02T10:00:00Z'/></presence>", &perch.PresenceIn{From: "b@b.test/x", Available: true}},
		{"request", "<presence from='bo@b.test/x' type='subscribe'><status>it is me</status><nick xmlns='http://jabber.org/protocol/nick'> Bo </nick></presence>", &perch.SubscriptionIn{From: "bo@b.test", Type: "subscribe", Nick: "Bo", Message: "it is me"}},
		{"request without a word", "<presence from='bo@b.test' type='subscribe'/>", &perch.SubscriptionIn{From: "bo@b.test", Type: "subscribe"}},
		{"subscribed", "<presence from='bo@b.test' type='subscribed'/>", &perch.SubscriptionIn{From: "bo@b.test", Type: "subscribed"}},
		{"unsubscribe", "<presence from='bo@b.test' type='unsubscribe'/>", &perch.SubscriptionIn{From: "bo@b.test", Type: "unsubscribe"}},
		{"unsubscribed", "<presence from='bo@b.test' type='unsubscribed'/>", &perch.SubscriptionIn{From: "bo@b.test", Type: "unsubscribed"}},
		{"error", "<presence from='bo@b.test' type='error'><show>away</show><error type='cancel' by='b.test'><remote-server-not-found xmlns='" + nsStanzas + "'/></error></presence>", &perch.PresenceError{
			From: "bo@b.test", Error: perch.XMPPError{Condition: "remote-server-not-found", Type: "cancel", By: "b.test"},
		}},
		{"error of a resource, without a condition", "<presence from='bo@b.test/x' type='error'/>", &perch.PresenceError{
			From: "bo@b.test/x", Error: perch.XMPPError{Condition: "undefined-condition"},
		}},
		{"probe", "<presence from='bo@b.test' type='probe'/>", nil},
		{"unknown type", "<presence from='bo@b.test' type='invisible'/>", nil},
		{"other namespace", "<presence xmlns='urn:x' from='bo@b.test'/>", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []perch.Inbound
			if tt.want != nil {
				want = []perch.Inbound{tt.want}
			}
			if diff := cmp.Diff(want, decodeText(t, tt.raw, testNow).In); diff != "" {
				t.Errorf("Decode(), -want +got:\n%s", diff)
			}
		})
	}
}
