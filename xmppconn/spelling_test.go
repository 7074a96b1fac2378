package xmppconn

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// The own account is known in whatever spelling its server names it; no other address is
// taken for it.
func TestSpellingsOfTheOwnAccount(t *testing.T) {
	const self = perch.JID("Me@a.test/home")
	c := &Conn{login: perch.Login{JID: self}}
	for from, want := range map[perch.JID]bool{"": true, "me@a.test": true, "ME@A.test": true, "me@a.test/home": false, "eve@a.test": false} {
		if got := c.fromOwnAccount(from); got != want {
			t.Errorf("%q speaks for the own account: got %v, want %v", from, got, want)
		}
	}
	decode := func(xml string) decoded {
		t.Helper()
		el, err := parseElement([]byte(xml), nsContext{def: nsClient})
		if err != nil {
			t.Fatal(err)
		}
		return decodeStanza(el, reading{self: self})
	}
	carbon := func(outer, from, to, direction string) string {
		return "<message from='" + outer + "'><" + direction + " xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward +
			"'><message xmlns='" + nsClient + "' type='chat' from='" + from + "' to='" + to + "'><body>x</body></message></forwarded></" + direction + "></message>"
	}
	for _, c := range []struct {
		xml  string
		sent bool
	}{
		{carbon("me@A.test", "bob@b.test/x", "mE@a.test", "received"), false},
		{carbon("ME@a.test", "me@a.test/other", "bob@b.test", "sent"), true},
	} {
		d := decode(c.xml)
		if len(d.in) != 1 || d.forged != "" || d.in[0].(*perch.MessageIn).Sent != c.sent {
			t.Errorf("%s: got %+v, forged %q", c.xml, d.in, d.forged)
		}
	}
	if d := decode(carbon("eve@a.test", "bob@b.test", "me@a.test", "received")); d.forged == "" {
		t.Errorf("a carbon of another account was taken: %+v", d.in)
	}
	d := decode("<message from='bob@b.test' type='chat'><body>x</body><stanza-id xmlns='" + nsSID + "' id='1' by='eve@a.test'/>" +
		"<stanza-id xmlns='" + nsSID + "' id='2' by='mE@a.test'/></message>")
	if id := d.in[0].(*perch.MessageIn).StanzaID; id != "2" {
		t.Errorf("stanza-id %q, want 2", id)
	}
	r := decode("<message from='me@a.test'><result xmlns='" + nsMAM + "' queryid='q' id='1'><forwarded xmlns='" + nsForward + "'><delay xmlns='" + nsDelay +
		"' stamp='2026-01-01T00:00:00Z'/><message xmlns='" + nsClient + "' type='chat' from='ME@a.test/y' to='bob@b.test'><body>x</body></message></forwarded></result></message>").mam
	if r == nil || !r.item.Sent {
		t.Errorf("an archived message of the own account: got %+v, want direction out", r)
	}
}

// A roster that names one account in two spellings has it once, as it was named last.
func TestSpellingsInARoster(t *testing.T) {
	el, err := parseElement([]byte("<query xmlns='"+nsRoster+"'><item jid='Up.Case@a.test' name='1'/><item jid='bob@a.test'/><item jid='up.case@a.test' name='2'/></query>"), nsContext{})
	if err != nil {
		t.Fatal(err)
	}
	if r := parseRoster(el); len(r.Items) != 2 || r.Items[0].Name != "2" {
		t.Errorf("got %+v, want two items", r.Items)
	}
}

// An address is written as it was given, whatever stands in it.
func TestForeignAddressesAreEscaped(t *testing.T) {
	const odd = perch.JID("it's <a> \"b\" & c@icq.a.test/🫩 'x'")
	for _, out := range []perch.Outbound{
		&perch.MessageOut{To: odd, Body: "x"}, &perch.ChatStateOut{To: odd, State: perch.StateActive},
		&perch.ReceiptOut{To: odd, ID: "1"}, &perch.SubscriptionOut{To: odd, Type: "subscribe"},
	} {
		b, err := appendOutbound(nil, out)
		if err != nil {
			t.Fatalf("%T: %v", out, err)
		}
		el, err := parseElement(b, nsContext{def: nsClient})
		if err != nil {
			t.Fatalf("%T: %v in %s", out, err, b)
		}
		want := string(odd)
		if el.is(nsClient, "presence") {
			want = string(odd.Bare())
		}
		if to := el.attr("to"); to != want || strings.Contains(string(b), "<a>") {
			t.Errorf("%T: to %q, want %q", out, to, want)
		}
	}
}
