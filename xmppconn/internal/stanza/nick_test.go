package stanza_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// nickEvent is a notification of the node of nicknames.
func nickEvent(attrs, what string) string {
	return "<message " + attrs + "><event xmlns='http://jabber.org/protocol/pubsub#event'>" + what + "</event></message>"
}

// nickItems are items of the node.
func nickItems(items string) string {
	return "<items node='http://jabber.org/protocol/nick'>" + items + "</items>"
}

func nickItem(nick string) string {
	return "<item id='current'><nick xmlns='http://jabber.org/protocol/nick'>" + nick + "</nick></item>"
}

// TestNickEvents takes a nickname from the account alone whose it is.
func TestNickEvents(t *testing.T) {
	const bob = "from='bo@b.test' to='me@a.test/home' type='headline'"
	is := func(nick string) []perch.Inbound {
		return []perch.Inbound{&perch.NickIn{From: "bo@b.test", Nick: nick}}
	}
	for _, tt := range []struct {
		name, raw string
		want      []perch.Inbound
	}{
		{"a nickname", nickEvent(bob, nickItems(nickItem("Bo &amp; Co"))), is("Bo & Co")},
		{"several lines", nickEvent(bob, nickItems(nickItem(" Bo\n\tB. "))), is("Bo B.")},
		{"long", nickEvent(bob, nickItems(nickItem(strings.Repeat("\u00fc", 2000)))), is(strings.Repeat("\u00fc", 512))},
		{"none", nickEvent(bob, nickItems("<item id='current'><nick xmlns='http://jabber.org/protocol/nick'/></item>")), is("")},
		{"taken back", nickEvent(bob, nickItems("<retract id='current'/>")), is("")},
		{"purged", nickEvent(bob, "<purge node='http://jabber.org/protocol/nick'/>"), is("")},
		{"deleted", nickEvent(bob, "<delete node='http://jabber.org/protocol/nick'/>"), is("")},
		{"configured", nickEvent(bob, "<configuration node='http://jabber.org/protocol/nick'/>"), nil},
		{"without a payload", nickEvent(bob, nickItems("<item id='current'/>")), nil},
		{"another payload", nickEvent(bob, nickItems("<item id='current'><nick xmlns='x'>Bo</nick></item>")), nil},
		{"of another node", nickEvent(bob, "<items node='x'>"+nickItem("Bo")+"</items>"), nil},
		{"of oneself", nickEvent("type='headline'", nickItems(nickItem("Me"))), []perch.Inbound{&perch.NickIn{From: "me@a.test", Nick: "Me"}}},
		{"of a device", nickEvent("from='bo@b.test/x' type='headline'", nickItems(nickItem("Bo"))), nil},
		{"of a server", nickEvent("from='b.test' type='headline'", nickItems(nickItem("Bo"))), nil},
		{"no headline", nickEvent("from='bo@b.test'", nickItems(nickItem("Bo"))), nil},
		{"in a carbon", "<message from='me@a.test'><received xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward + "'>" +
			strings.Replace(nickEvent(bob, nickItems(nickItem("Bo"))), "<message ", "<message xmlns='jabber:client' ", 1) + "</forwarded></received></message>", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := decodeText(t, tt.raw, testNow)
			if diff := cmp.Diff(tt.want, d.In); diff != "" || d.Silent != (tt.want == nil) {
				t.Errorf("silent %v; -want +got:\n%s", d.Silent, diff)
			}
		})
	}
}

func TestEncodeNick(t *testing.T) {
	const publish = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='http://jabber.org/protocol/nick'><item id='current'>"
	for nick, want := range map[string]string{
		"Bo & Co": publish + "<nick xmlns='http://jabber.org/protocol/nick'>Bo &amp; Co</nick></item></publish></pubsub>",
		"":        publish + "<nick xmlns='http://jabber.org/protocol/nick'/></item></publish></pubsub>",
	} {
		got, err := stanza.EncodeNick(nick)
		if err != nil || string(got) != want {
			t.Errorf("EncodeNick(%q): got %s, error %v, want %s", nick, got, err, want)
		}
	}
	if _, err := stanza.EncodeNick("a\x00b"); perch.KindOf(err) != perch.KindValidation {
		t.Errorf("EncodeNick of what XML cannot say: got error %v, want one of validation", err)
	}
}

// FuzzNickEvent: whatever a contact publishes, a nickname is one line of a bounded length, of a bare JID.
func FuzzNickEvent(f *testing.F) {
	for _, s := range []string{nickItems(nickItem("Bo")), nickItems("<retract/>" + nickItem("B\n\u00fc")), "<purge node='http://jabber.org/protocol/nick'/>", nickItems("<item/>")} {
		f.Add([]byte(nickEvent("from='bo@b.test' type='headline'", s)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		frame, _, ok := firstFrame(raw)
		if !ok {
			return
		}
		d, err := stanza.Decode(&frame, "me@a.test/home", testNow)
		if err != nil {
			return
		}
		for _, in := range d.In {
			if n, is := in.(*perch.NickIn); is && (len(n.Nick) > 1024 || strings.ContainsAny(n.Nick, "\r\n") || !utf8.ValidString(n.Nick) || !n.From.IsBare()) {
				t.Errorf("got %+v, want a line of at most 1024 bytes, of a bare JID", n)
			}
		}
	})
}
