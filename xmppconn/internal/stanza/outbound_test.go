package stanza_test

import (
	"errors"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

func TestAppendOutbound(t *testing.T) {
	tests := []struct {
		name string
		out  perch.Outbound
		want string
	}{
		{"message", &perch.MessageOut{ID: "1", To: "bo@b.test", Kind: perch.ChatMessage, Body: "a<b> & \"c\"\r\n"},
			"<message to='bo@b.test' id='1' type='chat'><body>a&lt;b&gt; &amp; \"c\"&#13;\n</body><origin-id xmlns='urn:xmpp:sid:0' id='1'/></message>"},
		{"all of a message", &perch.MessageOut{ID: "it's", To: "bo@b.test/x", Kind: perch.NormalMessage, Body: "b", Thread: "t", Subject: "s", Receipt: true},
			"<message to='bo@b.test/x' id='it&apos;s' type='normal'><subject>s</subject><body>b</body><thread>t</thread>" +
				"<origin-id xmlns='urn:xmpp:sid:0' id='it&apos;s'/><request xmlns='urn:xmpp:receipts'/></message>"},
		{"chat is the default", &perch.MessageOut{To: "bo@b.test", Body: "b"}, "<message to='bo@b.test' type='chat'><body>b</body></message>"},
		{"state", &perch.ChatStateOut{To: "bo@b.test", State: perch.StatePaused},
			"<message to='bo@b.test' type='chat'><paused xmlns='http://jabber.org/protocol/chatstates'/></message>"},
		{"presence", &perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true}}, "<presence></presence>"},
		{"all of a presence", &perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true, Show: perch.ShowXA, Status: "<>", Priority: -1}},
			"<presence><show>xa</show><status>&lt;&gt;</status><priority>-1</priority></presence>"},
		{"unavailable", &perch.PresenceOut{OwnPresence: perch.OwnPresence{Show: perch.ShowXA, Status: "bye", Priority: 3}},
			"<presence type='unavailable'><status>bye</status></presence>"},
		{"request", &perch.SubscriptionOut{To: "bo@b.test/x", Type: "subscribe", Nick: "Me & I", Message: "hello"},
			"<presence to='bo@b.test' type='subscribe'><status>hello</status><nick xmlns='http://jabber.org/protocol/nick'>Me &amp; I</nick></presence>"},
		{"answer", &perch.SubscriptionOut{To: "bo@b.test", Type: "unsubscribed"}, "<presence to='bo@b.test' type='unsubscribed'></presence>"},
		{"receipt", &perch.ReceiptOut{To: "bo@b.test/x", ID: "9"},
			"<message to='bo@b.test/x' type='chat'><received xmlns='urn:xmpp:receipts' id='9'/></message>"},
		{"quotes and white space in an address", &perch.ReceiptOut{To: "bo@b.test/'\"\t\n<>", ID: "9"},
			"<message to='bo@b.test/&apos;&quot;&#9;&#10;&lt;&gt;' type='chat'><received xmlns='urn:xmpp:receipts' id='9'/></message>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := stanza.AppendOutbound([]byte("before"), tt.out)
			if err != nil || string(b) != "before"+tt.want {
				t.Errorf("%s, %v, want %s", b, err, tt.want)
			}
			streamtest.Parse(t, tt.want)
		})
	}
}

func TestAppendOutboundRefuses(t *testing.T) {
	tests := []struct {
		name, field string
		out         perch.Outbound
	}{
		{"NUL", "/body", &perch.MessageOut{To: "b@b.test", Body: "a\x00"}},
		{"escape", "/subject", &perch.MessageOut{To: "b@b.test", Subject: "\x1b[1m", Body: "b"}},
		{"U+FFFE", "/thread", &perch.MessageOut{To: "b@b.test", Thread: "\ufffe", Body: "b"}},
		{"broken UTF-8", "/body", &perch.MessageOut{To: "b@b.test", Body: "\xc3("}},
		{"surrogate", "/body", &perch.MessageOut{To: "b@b.test", Body: "\xed\xa0\xbd"}},
		{"two of them", "/id", &perch.MessageOut{To: "b@b.test", ID: "\x01", Body: "\x01"}},
		{"no address", "/to", &perch.MessageOut{Body: "b"}},
		{"address", "/to", &perch.ReceiptOut{To: "b@b.test/\x7f\x08", ID: "1"}},
		{"no id", "/id", &perch.ReceiptOut{To: "b@b.test"}},
		{"state", "/state", &perch.ChatStateOut{To: "b@b.test", State: "x/><y"}},
		{"show", "/show", &perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true, Show: 200}}},
		{"status", "/status", &perch.PresenceOut{OwnPresence: perch.OwnPresence{Status: "\v"}}},
		{"subscription", "/type", &perch.SubscriptionOut{To: "b@b.test", Type: "probe"}},
		{"nick", "/nick", &perch.SubscriptionOut{To: "b@b.test", Type: "subscribe", Nick: "\x02"}},
		{"request", "/message", &perch.SubscriptionOut{To: "b@b.test", Type: "subscribe", Message: "\xff"}},
		{"request without an address", "/to", &perch.SubscriptionOut{Type: "subscribe"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := stanza.AppendOutbound([]byte("before"), tt.out)
			pe, ok := errors.AsType[*perch.Error](err)
			if !ok || pe.Kind != perch.KindValidation || pe.Fields[0].Pointer != tt.field || string(b) != "before" {
				t.Errorf("%q, %v, want %s", b, err, tt.field)
			}
		})
	}
}

// No text may break out of its stanza.
func TestAppendOutboundIsOneStanza(t *testing.T) {
	hostile := "]]></body></message><iq type='set' id='x'>\" ' &amp; <!-- "
	b, err := stanza.AppendOutbound(nil, &perch.MessageOut{ID: hostile, To: perch.JID("b@b.test/" + hostile), Body: hostile, Thread: hostile})
	if err != nil {
		t.Fatalf("stanza.AppendOutbound(): got error %v, want none", err)
	}
	trees, err := parseAll(b)
	if len(trees) != 1 || trees[0].ChildText(nsClient, "body") != hostile || trees[0].Attr("id") != hostile {
		t.Errorf("got %d elements, %v; want 1 elements, its body and id %q", len(trees), err, hostile)
	}
}
