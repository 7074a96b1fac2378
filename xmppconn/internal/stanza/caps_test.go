package stanza_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

// TestCapsHash computes the example of XEP-0115, 5.2.
func TestCapsHash(t *testing.T) {
	features := []string{"http://jabber.org/protocol/muc", "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/caps", "http://jabber.org/protocol/disco#items"}
	if got := stanza.CapsHash("client/pc//Exodus 0.9.1", features); got != "QgayPKawpkPSDYmwT/WM94uAlu0=" {
		t.Errorf("CapsHash() = %q, want QgayPKawpkPSDYmwT/WM94uAlu0=", got)
	}
}

// TestCapsInPresence finds in the own presence what the answer to a question about it hashes to.
func TestCapsInPresence(t *testing.T) {
	presence := &perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true, Show: perch.ShowAway, Priority: 1}}
	b, err := stanza.AppendFor(nil, presence, false)
	if err != nil {
		t.Fatalf("AppendFor(): got error %v, want none", err)
	}
	c := streamtest.Parse(t, string(b)).Child("http://jabber.org/protocol/caps", "c")
	node := c.Attr("node") + "#" + c.Attr("ver")
	if c.Attr("hash") != "sha-1" || node != stanza.Node {
		t.Fatalf("AppendFor() = %s, want caps by sha-1 of %s", b, stanza.Node)
	}
	for _, asked := range []string{node, ""} {
		payload, refusal := stanza.Answer(request(t, "get", "<query xmlns='http://jabber.org/protocol/disco#info' node='"+asked+"'/>"), false)
		if refusal != "" {
			t.Fatalf("Answer() about node %q: got the refusal %s, want an answer", asked, refusal)
		}
		el := streamtest.Parse(t, string(payload))
		identity, features := "", []string(nil)
		for _, c := range el.Children() {
			switch c.Local() {
			case "identity":
				identity = strings.Join([]string{c.Attr("category"), c.Attr("type"), "", c.Attr("name")}, "/")
			case "feature":
				features = append(features, c.Attr("var"))
			}
		}
		if el.Attr("node") != asked || stanza.CapsHash(identity, features) != c.Attr("ver") || !slices.IsSorted(features) {
			t.Errorf("Answer() about node %q = %s, want what hashes to %s", asked, payload, c.Attr("ver"))
		}
		for _, want := range []string{"urn:xmpp:mds:displayed:0+notify", "http://jabber.org/protocol/nick+notify", "urn:xmpp:message-correct:0", "urn:xmpp:message-retract:1", "urn:xmpp:reactions:0", "urn:xmpp:reply:0", "urn:xmpp:receipts", "urn:xmpp:time", "http://jabber.org/protocol/caps"} {
			if !slices.Contains(features, want) {
				t.Errorf("Answer() about node %q has the features %q, want %s among them", asked, features, want)
			}
		}
		if slices.Contains(features, "urn:xmpp:avatar:metadata+notify") {
			t.Errorf("Answer() about node %q has the features %q, want no event for each avatar", asked, features)
		}
	}
	if _, refusal := stanza.Answer(request(t, "get", "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>"), false); refusal != "item-not-found" {
		t.Errorf("Answer() about another node: got the refusal %q, want item-not-found", refusal)
	}
	presence.Available = false
	if b, err = stanza.AppendFor(nil, presence, false); err != nil || strings.Contains(string(b), "caps") {
		t.Errorf("AppendFor() of an unavailable presence = %s, %v; want no caps", b, err)
	}
}

// TestChatOnly writes to a service that knows nothing but text what it has always written, and
// refuses the rest before a byte is there.
func TestChatOnly(t *testing.T) {
	presence := &perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true, Show: perch.ShowXA, Priority: 1}}
	want, err := stanza.AppendOutbound(nil, presence)
	if err != nil {
		t.Fatalf("AppendOutbound(): got error %v, want none", err)
	}
	if got, err := stanza.AppendFor(nil, presence, true); err != nil || string(got) != string(want) {
		t.Errorf("AppendFor() = %s, %v; want %s", got, err, want)
	}
	message := &perch.MessageOut{To: "b@b.test", Body: "b"}
	if got, err := stanza.AppendFor(nil, message, true); err != nil || string(got) != "<message to='b@b.test' type='chat'><body>b</body></message>" {
		t.Errorf("AppendFor() = %s, %v; want the message", got, err)
	}
	for _, out := range []perch.Outbound{
		&perch.MessageOut{To: "b@b.test", Body: "b", Details: &perch.MessageDetails{Markable: true}},
		&perch.MessageOut{To: "b@b.test", Relation: &perch.Relation{Kind: perch.RelationRetraction, Target: "1"}},
		&perch.DisplayedOut{To: "b@b.test", ID: "1"},
	} {
		if b, err := stanza.AppendFor([]byte("before"), out, true); perch.KindOf(err) != perch.KindFeatureUnsupported || string(b) != "before" {
			t.Errorf("AppendFor(%+v) = %s, %v; want before, %s", out, b, err, perch.KindFeatureUnsupported)
		}
	}
}
