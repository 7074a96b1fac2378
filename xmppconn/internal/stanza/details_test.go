package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// said is what a message says, whatever way it came.
type said struct {
	Body, Subject string
	Details       *perch.MessageDetails
	Relation      *perch.Relation
}

// saidBy is a message of a sender as it is read live, in a carbon and out of an archive: it must be
// the same on all three ways.
func saidBy(t testing.TB, from, typ, inner string) said {
	t.Helper()
	message := strings.Replace(odd(typ, inner), "bo@b.test/x", from, 1)
	live := saidIn(t, decodeText(t, message, testNow))
	carbon := "<message from='me@a.test'><received xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward + "'>" + message + "</forwarded></received></message>"
	archived := "<message><result xmlns='" + nsMAM + "' queryid='q' id='1'><forwarded xmlns='" + nsForward + "'>" + message + "</forwarded></result></message>"
	if typ == "groupchat" {
		carbon = message // it comes to each device that is in the room
	}
	for _, raw := range []string{carbon, archived} {
		if diff := cmp.Diff(live, saidIn(t, decodeText(t, raw, testNow))); diff != "" {
			t.Errorf("%s, -want (as live) +got:\n%s", raw, diff)
		}
	}
	return live
}

// saidIn is the one message of a stanza; empty when there is none.
func saidIn(t testing.TB, d stanza.Decoded) (s said) {
	t.Helper()
	in := perch.MessageIn{}
	if d.Archived != nil && d.Archived.Item != nil && d.Archived.Item.Dropped == "" {
		in = d.Archived.Item.MessageIn
	}
	for _, i := range d.In {
		if m, ok := i.(*perch.MessageIn); ok {
			in = *m
		}
	}
	return said{in.Body, in.Subject, in.MessageDetails, in.Relation}
}

// TestDetails reads what messages have beside their text.
func TestDetails(t *testing.T) {
	const hi = "<body>hi</body>"
	for _, tt := range []struct {
		name, inner string
		want        *perch.MessageDetails
	}{
		{"nothing", hi, nil},
		{"signals", hi + "<active xmlns='" + nsChatStates + "'/><request xmlns='urn:xmpp:receipts'/><store xmlns='urn:xmpp:hints'/>" + sid("me@a.test", "7") +
			"<nick xmlns='" + nsNick + "'>Bo</nick><x xmlns='vcard-temp:x:update'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='1'/>", nil},
		{"markable", hi + "<markable xmlns='urn:xmpp:chat-markers:0'/>", &perch.MessageDetails{Markable: true}},
		{"unstyled", hi + "<unstyled xmlns='urn:xmpp:styling:0'/>", &perch.MessageDetails{Unstyled: true}},
		{"a spoiler", hi + "<spoiler xmlns='urn:xmpp:spoiler:0'/>", &perch.MessageDetails{Spoiler: &perch.Spoiler{}}},
		{"a spoiler with hints", hi + "<spoiler xmlns='urn:xmpp:spoiler:0' xml:lang='en'> end </spoiler><spoiler xmlns='urn:xmpp:spoiler:0' xml:lang='de'>Ende</spoiler>",
			&perch.MessageDetails{Spoiler: &perch.Spoiler{Hint: "end"}}},
		{"a name of ours in another namespace", hi + "<body xmlns='urn:x'>x</body><displayed xmlns='urn:y'/>",
			&perch.MessageDetails{Payloads: []string{"<body xmlns='urn:x'>x</body>", "<displayed xmlns='urn:y'/>"}}},
		{"what belongs to a stream", hi + "<stream:error/><failed xmlns='urn:xmpp:sm:3'/><failure xmlns='" + nsSASL + "'/><close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", nil},
		{"another name in a namespace of ours", hi + "<spoilt xmlns='urn:xmpp:spoiler:0'/>", &perch.MessageDetails{Payloads: []string{"<spoilt xmlns='urn:xmpp:spoiler:0'/>"}}},
		{"XHTML beside a body", hi + "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>a <b>b</b> c</p></body></html>",
			&perch.MessageDetails{Payloads: []string{"<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>a <b>b</b> c</p></body></html>"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(said{Body: "hi", Details: tt.want}, saidBy(t, "bo@b.test/x", "chat", tt.inner)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestControlMessagesBySent takes those that another device of the account has sent, too.
func TestControlMessagesBySent(t *testing.T) {
	inner := "<message xmlns='jabber:client' from='me@a.test/phone' to='bo@b.test' id='2' type='chat'><reactions xmlns='urn:xmpp:reactions:0' id='9'><reaction>x</reaction></reactions></message>"
	d := decodeText(t, "<message from='me@a.test'><sent xmlns='"+nsCarbons+"'><forwarded xmlns='"+nsForward+"'>"+inner+"</forwarded></sent></message>", testNow)
	want := []perch.Inbound{&perch.MessageIn{Sent: true, Relation: &perch.Relation{Kind: perch.RelationReactions, Target: "9", Emojis: []string{"x"}},
		Message: perch.Message{ID: "2", From: "me@a.test/phone", To: "bo@b.test", Kind: perch.ChatMessage, Source: perch.SourceLive}}}
	if diff := cmp.Diff(want, d.In); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
