package stanza_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

func TestDecodeMessage(t *testing.T) {
	base := perch.Message{ID: "1", From: "bo@b.test/x", To: "me@a.test/home", Kind: perch.ChatMessage, Body: "hi", Source: perch.SourceLive}
	with := func(change func(*perch.Message)) *perch.MessageIn {
		m := &perch.MessageIn{Message: base}
		change(&m.Message)
		return m
	}
	plain := with(func(*perch.Message) {})
	message := func(inner string) string {
		return "<message from='bo@b.test/x' to='me@a.test/home' id='1' type='chat'>" + inner + "</message>"
	}
	composing := &perch.ChatStateIn{From: "bo@b.test/x", State: perch.StateComposing}
	const hi = "<body>hi</body>"
	tests := []struct {
		name, raw string
		want      []perch.Inbound
	}{
		{"plain", message(hi), []perch.Inbound{plain}},
		{"no body", message(""), nil},
		{"empty body", message("<body/>"), nil},
		{"body of another namespace", message("<body xmlns='urn:x'>hi</body>"), []perch.Inbound{&perch.DroppedIn{Dropped: perch.Dropped{Reason: "unsupported", From: "bo@b.test/x"},
			Of: with(func(m *perch.Message) { m.Body = "" }).Message}}},
		{"thread and subject", message("<subject>s</subject>" + hi + "<thread>t</thread>"), []perch.Inbound{with(func(m *perch.Message) { m.Subject, m.Thread = "s", "t" })}},
		{"subject alone", message("<subject>s</subject>"), []perch.Inbound{with(func(m *perch.Message) { m.Body, m.Subject = "", "s" })}},
		{"bodies of two languages", message("<body xml:lang='de'>hallo</body><body>hi</body>"), []perch.Inbound{plain}},
		{"body of one language", message("<body xml:lang='de'>hallo</body>"), []perch.Inbound{with(func(m *perch.Message) { m.Body = "hallo" })}},
		{"no type", "<message from='bo@b.test/x' id='1'>" + hi + "</message>", []perch.Inbound{with(func(m *perch.Message) { m.Kind = perch.NormalMessage })}},
		{"unknown type", "<message from='bo@b.test/x' id='1' type='novel'>" + hi + "</message>", []perch.Inbound{with(func(m *perch.Message) { m.Kind = perch.NormalMessage })}},
		{"headline", "<message from='bo@b.test/x' id='1' type='headline'>" + hi + "</message>", []perch.Inbound{with(func(m *perch.Message) { m.Kind = perch.HeadlineMessage })}},
		{"no from", "<message id='1' type='chat'>" + hi + "</message>", []perch.Inbound{with(func(m *perch.Message) { m.From = "me@a.test" })}},
		{"odd sender", "<message from='☺@under_score.test/🐦' id='1' type='chat'>" + hi + "</message>", []perch.Inbound{with(func(m *perch.Message) { m.From = "☺@under_score.test/🐦" })}},
		{"room", "<message from='r@conf.test/bo' id='1' type='groupchat'>" + hi + "<active xmlns='" + nsChatStates + "'/></message>", []perch.Inbound{with(func(m *perch.Message) {
			m.From, m.To, m.Kind, m.Room = "r@conf.test/bo", "r@conf.test", perch.GroupchatMessage, &perch.MessageRoom{Nick: "bo"}
		}), &perch.RoomChatStateIn{From: "r@conf.test/bo", State: perch.StateActive}}},
		{"subject of a room", "<message from='r@conf.test' id='1' type='groupchat'><subject>s</subject></message>", []perch.Inbound{&perch.RoomSubjectIn{From: "r@conf.test", ID: "1", Text: "s", Plain: with(func(m *perch.Message) {
			m.From, m.To, m.Kind, m.Body, m.Subject, m.Room = "r@conf.test", "r@conf.test", perch.GroupchatMessage, "", "s", &perch.MessageRoom{}
		})}}},
		{"delay", message(hi + "<delay xmlns='urn:xmpp:delay' from='b.test' stamp='2024-05-31T10:00:00.5+02:00'>Offline</delay>"), []perch.Inbound{with(func(m *perch.Message) {
			m.Delay = &perch.Delay{Stamp: stanza.ParseTime("2024-05-31T08:00:00.500Z"), From: "b.test"}
		})}},
		{"old delay", message(hi + "<x xmlns='jabber:x:delay' from='b.test' stamp='20240531T08:00:00'/>"), []perch.Inbound{with(func(m *perch.Message) {
			m.Delay = &perch.Delay{Stamp: stanza.ParseTime("2024-05-31T08:00:00Z"), From: "b.test"}
		})}},
		{"delay of tomorrow", message(hi + "<delay xmlns='urn:xmpp:delay' stamp='2024-06-02T12:00:00Z'/>"), []perch.Inbound{plain}},
		{"delay of nonsense", message(hi + "<delay xmlns='urn:xmpp:delay' stamp='soon'/>"), []perch.Inbound{with(func(m *perch.Message) { m.Delay = &perch.Delay{} })}},
		{"delay of year 1", message(hi + "<delay xmlns='urn:xmpp:delay' stamp='0001-01-01T00:00:00Z'/>"), []perch.Inbound{with(func(m *perch.Message) { m.Delay = &perch.Delay{} })}},
		{"stanza-id", message(hi + sid("me@a.test", "7")), []perch.Inbound{with(func(m *perch.Message) { m.StanzaID = "7" })}},
		{"stanza-id by another entity", message(hi + sid("bo@b.test", "7") + sid("me@a.test/home", "8") + sid("a.test", "9")), []perch.Inbound{plain}},
		{"forged stanza-id before the real one", message(hi + sid("me@a.test", "forged") + sid("me@a.test", "7") + sid("eve@a.test", "8")), []perch.Inbound{with(func(m *perch.Message) { m.StanzaID = "7" })}},
		{"receipt asked", message(hi + "<request xmlns='urn:xmpp:receipts'/>"), []perch.Inbound{with(func(m *perch.Message) { m.ReceiptRequested = true })}},
		{"receipt asked without an id", "<message from='bo@b.test/x' type='chat'>" + hi + "<request xmlns='urn:xmpp:receipts'/></message>", []perch.Inbound{with(func(m *perch.Message) { m.ID = "" })}},
		{"receipt", message("<received xmlns='urn:xmpp:receipts' id='9'/>"), []perch.Inbound{&perch.ReceiptIn{ID: "9", From: "bo@b.test/x"}}},
		{"old receipt", message("<received xmlns='urn:xmpp:receipts'/>"), []perch.Inbound{&perch.ReceiptIn{ID: "1", From: "bo@b.test/x"}}},
		{"displayed", message("<displayed xmlns='urn:xmpp:chat-markers:0' id='9'/>"), []perch.Inbound{&perch.ReceiptIn{ID: "9", From: "bo@b.test/x", Displayed: true}}},
		{"displayed nothing", message("<displayed xmlns='urn:xmpp:chat-markers:0'/>"), nil},
		{"state alone", message("<composing xmlns='" + nsChatStates + "'/>"), []perch.Inbound{composing}},
		{"state beside a body", message(hi + "<composing xmlns='" + nsChatStates + "'/>"), []perch.Inbound{plain, composing}},
		{"state that is none", message("<dancing xmlns='" + nsChatStates + "'/>"), nil},
		{"all at once", message(hi + "<received xmlns='urn:xmpp:receipts' id='9'/><composing xmlns='" + nsChatStates + "'/>"), []perch.Inbound{
			plain, &perch.ReceiptIn{ID: "9", From: "bo@b.test/x"}, composing,
		}},
		{"bounce", "<message from='bo@b.test' id='9' type='error'><body>hi</body><error type='cancel' by='b.test'><item-not-found xmlns='" + nsStanzas + "'/><text xmlns='" + nsStanzas + "'> gone </text></error></message>", []perch.Inbound{
			&perch.MessageError{ID: "9", From: "bo@b.test", Error: perch.XMPPError{Condition: "item-not-found", Type: "cancel", Text: "gone", By: "b.test"}},
		}},
		{"bounce without an error", "<message from='bo@b.test' id='9' type='error'/>", []perch.Inbound{
			&perch.MessageError{ID: "9", From: "bo@b.test", Error: perch.XMPPError{Condition: "undefined-condition"}},
		}},
		{"something else", "<message from='bo@b.test'><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>", nil},
		{"not a message", "<message xmlns='urn:x'><body xmlns='jabber:client'>hi</body></message>", nil},
		{"an iq", "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := decodeText(t, tt.raw, testNow)
			if diff := cmp.Diff(tt.want, d.In); diff != "" || d.Forged != "" || d.Archived != nil {
				t.Errorf("Decode(): forged %q, archive result %v, want none; -want +got:\n%s", d.Forged, d.Archived, diff)
			}
		})
	}
}

func sid(by, id string) string {
	return fmt.Sprintf("<stanza-id xmlns='urn:xmpp:sid:0' by='%s' id='%s'/>", by, id)
}

func TestDecodeCarbon(t *testing.T) {
	carbon := func(outer, kind, inner string) string {
		return "<message from='" + outer + "' to='me@a.test/home'><" + kind + " xmlns='urn:xmpp:carbons:2'>" +
			"<forwarded xmlns='urn:xmpp:forward:0'>" + inner + "</forwarded></" + kind + "></message>"
	}
	received := "<message xmlns='jabber:client' from='bo@b.test/x' to='me@a.test/phone' id='1' type='chat'><body>hi</body>" +
		sid("me@a.test", "7") + "<active xmlns='" + nsChatStates + "'/></message>"
	sent := "<message xmlns='jabber:client' from='me@a.test/phone' to='bo@b.test' id='2' type='chat'><body>hello</body>" +
		"<active xmlns='" + nsChatStates + "'/><received xmlns='urn:xmpp:receipts' id='9'/></message>"
	in := &perch.MessageIn{Message: perch.Message{
		ID: "1", StanzaID: "7", From: "bo@b.test/x", To: "me@a.test/phone", Kind: perch.ChatMessage, Body: "hi", Source: perch.SourceLive,
	}}
	out := &perch.MessageIn{Sent: true, Message: perch.Message{
		ID: "2", From: "me@a.test/phone", To: "bo@b.test", Kind: perch.ChatMessage, Body: "hello", Source: perch.SourceLive,
	}}
	active := &perch.ChatStateIn{From: "bo@b.test/x", State: perch.StateActive}
	tests := []struct {
		name, raw, forged string
		want              []perch.Inbound
	}{
		{"received", carbon("me@a.test", "received", received), "", []perch.Inbound{in, active}},
		{"sent", carbon("me@a.test", "sent", sent), "", []perch.Inbound{out}},
		{"from a contact", carbon("eve@b.test/x", "received", received), "carbon", nil},
		{"from the own resource", carbon("me@a.test/home", "received", received), "carbon", nil},
		{"from the own domain", carbon("a.test", "received", received), "carbon", nil},
		{"received by another entity", carbon("me@a.test", "received", sent), "carbon", nil},
		{"sent by another entity", carbon("me@a.test", "sent", received), "carbon", nil},
		{"nothing in it", carbon("me@a.test", "received", ""), "carbon", nil},
		{"no namespace of its own", carbon("me@a.test", "received", "<message from='bo@b.test/x' to='me@a.test'><body>hi</body></message>"), "carbon", nil},
		{
			"forged beside a body", "<message from='bo@b.test/x' to='me@a.test/phone' id='1' type='chat'><body>hi</body>" + sid("me@a.test", "7") +
				"<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>" + sent + "</forwarded></received></message>",
			"carbon", []perch.Inbound{in},
		},
		{"private", "<message from='bo@b.test/x' to='me@a.test/phone' id='1' type='chat'><body>hi</body>" + sid("me@a.test", "7") + "<private xmlns='urn:xmpp:carbons:2'/></message>", "", []perch.Inbound{in}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := decodeText(t, tt.raw, testNow)
			if diff := cmp.Diff(tt.want, d.In); diff != "" || d.Forged != tt.forged {
				t.Errorf("Decode(): forged %q, want %q; -want +got:\n%s", d.Forged, tt.forged, diff)
			}
		})
	}
}

func TestDecodeRefusesWhatDoesNotParse(t *testing.T) {
	for _, raw := range []string{"<message><body></message></body>", "<presence a='1' a='2'/>", "<message>&x;</message>"} {
		fr := streamtest.Frame(t, raw)
		if d, err := stanza.Decode(&fr, testSelf, testNow); streamtest.Condition(err) == "" || d.In != nil {
			t.Errorf("Decode() of %s = %+v, %v; want a stream error", raw, d, err)
		}
	}
}
