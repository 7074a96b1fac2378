package stanza_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

// The own account is known in whatever spelling its server names it.
const spelledSelf = perch.JID("Me@a.test/home")

func spelledCarbon(outer, from, to, direction string) string {
	return "<message from='" + outer + "'><" + direction + " xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward +
		"'><message xmlns='" + nsClient + "' type='chat' from='" + from + "' to='" + to + "'><body>x</body></message></forwarded></" + direction + "></message>"
}

func TestSpellingsInACarbon(t *testing.T) {
	for _, c := range []struct {
		xml  string
		sent bool
	}{
		{spelledCarbon("me@A.test", "bob@b.test/x", "mE@a.test", "received"), false},
		{spelledCarbon("ME@a.test", "me@a.test/other", "bob@b.test", "sent"), true},
	} {
		d := decodeIn(t, streamtest.Header, c.xml, spelledSelf, 0)
		if len(d.In) != 1 || d.Forged != "" || d.In[0].(*perch.MessageIn).Sent != c.sent {
			t.Errorf("Decode() of %s = %+v, forged %q; want a message with sent %v", c.xml, d.In, d.Forged, c.sent)
		}
	}
	d := decodeIn(t, streamtest.Header, spelledCarbon("eve@a.test", "bob@b.test", "me@a.test", "received"), spelledSelf, 0)
	if d.Forged == "" {
		t.Errorf("Decode() of a carbon of another account = %+v, want it forged", d.In)
	}
}

func TestSpellingsInIDs(t *testing.T) {
	d := decodeIn(t, streamtest.Header, "<message from='bob@b.test' type='chat'><body>x</body><stanza-id xmlns='"+nsSID+"' id='1' by='eve@a.test'/>"+
		"<stanza-id xmlns='"+nsSID+"' id='2' by='mE@a.test'/></message>", spelledSelf, 0)
	if id := d.In[0].(*perch.MessageIn).StanzaID; id != "2" {
		t.Errorf("got stanza-id %q, want 2", id)
	}
	r := decodeIn(t, streamtest.Header, "<message from='me@a.test'><result xmlns='"+nsMAM+"' queryid='q' id='1'><forwarded xmlns='"+nsForward+"'><delay xmlns='"+nsDelay+
		"' stamp='2026-01-01T00:00:00Z'/><message xmlns='"+nsClient+"' type='chat' from='ME@a.test/y' to='bob@b.test'><body>x</body></message></forwarded></result></message>", spelledSelf, 0).Archived
	if r == nil || !r.Item.Sent {
		t.Errorf("an archived message of the own account: got %+v, want it sent", r)
	}
}

// A roster that names one account in two spellings has it once, as it was named last.
func TestSpellingsInARoster(t *testing.T) {
	r := rosterOf(streamtest.Parse(t, "<query xmlns='"+nsRoster+"'><item jid='Up.Case@a.test' name='1'/><item jid='bob@a.test'/><item jid='up.case@a.test' name='2'/></query>"))
	if len(r.Items) != 2 || r.Items[0].Name != "2" {
		t.Errorf("got %+v, want two items, the first with the name 2", r.Items)
	}
}

// An address is written as it was given, whatever stands in it.
func TestForeignAddressesAreEscaped(t *testing.T) {
	const odd = perch.JID("it's <a> \"b\" & c@icq.a.test/\U0001FAE9 'x'")
	for _, out := range []perch.Outbound{
		&perch.MessageOut{To: odd, Body: "x"}, &perch.ChatStateOut{To: odd, State: perch.StateActive},
		&perch.ReceiptOut{To: odd, ID: "1"}, &perch.SubscriptionOut{To: odd, Type: "subscribe"},
	} {
		b, err := stanza.AppendOutbound(nil, out)
		if err != nil {
			t.Fatalf("AppendOutbound(%T): got error %v, want none", out, err)
		}
		el := streamtest.Parse(t, string(b))
		want := string(odd)
		if el.Is(nsClient, "presence") {
			want = string(odd.Bare())
		}
		if to := el.Attr("to"); to != want || strings.Contains(string(b), "<a>") {
			t.Errorf("AppendOutbound(%T) = %s, to %q; want %q", out, b, to, want)
		}
	}
}
