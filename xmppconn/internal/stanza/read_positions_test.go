package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

// readItem is an item of the node of read positions.
func readItem(conversation, by, id string) string {
	return "<item id='" + conversation + "'><displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='" + by + "' id='" + id + "'/></displayed></item>"
}

// readEvent is a notification of the node.
func readEvent(attrs, items string) string {
	return "<message " + attrs + "><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:mds:displayed:0'>" + items + "</items></event></message>"
}

// TestReadEvents takes notifications of the own node from the account alone.
func TestReadEvents(t *testing.T) {
	item := readItem("bo@b.test", "me@a.test", "7")
	read := &perch.ReadIn{Conversation: "bo@b.test", StanzaID: "7"}
	carbon := func(inner string) string {
		return "<message from='me@a.test'><received xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward + "'>" + inner + "</forwarded></received></message>"
	}
	for _, tt := range []struct {
		name, raw string
		want      []perch.Inbound
	}{
		{"of the account", readEvent("from='me@a.test' to='me@a.test/home' type='headline'", item), []perch.Inbound{read}},
		{"without from", readEvent("type='headline'", item), []perch.Inbound{read}},
		{"two", readEvent("from='me@a.test' type='headline'", item+readItem("al@b.test", "me@a.test", "8")), []perch.Inbound{read, &perch.ReadIn{Conversation: "al@b.test", StanzaID: "8"}}},
		{"of a room", readEvent("from='me@a.test' type='headline'", readItem("r@muc.test", "r@muc.test", "7")), []perch.Inbound{&perch.ReadIn{Conversation: "r@muc.test", StanzaID: "7", InRoom: true}}},
		{"by another archive", readEvent("from='me@a.test' type='headline'", readItem("r@muc.test", "s@muc.test", "7")+readItem("r@muc.test/Bo", "r@muc.test/Bo", "8")), nil},
		{"with oneself", readEvent("from='me@a.test' type='headline'", readItem("me@a.test", "me@a.test", "7")), []perch.Inbound{&perch.ReadIn{Conversation: "me@a.test", StanzaID: "7"}}},
		{"of another resource", readEvent("from='me@a.test/phone' type='headline'", item), nil},
		{"of somebody else", readEvent("from='bo@b.test' type='headline'", item), nil},
		{"of the server", readEvent("from='a.test' type='headline'", item), nil},
		{"no headline", readEvent("from='me@a.test' type='chat'", item), nil},
		{"in a carbon", carbon(strings.Replace(readEvent("from='bo@b.test' to='me@a.test' type='headline'", item), "<message ", "<message xmlns='jabber:client' ", 1)), nil},
		{"an item without a position", readEvent("from='me@a.test' type='headline'", "<item id='bo@b.test'/><item/><retract id='bo@b.test'/>"), nil},
		{"of another node", strings.Replace(readEvent("from='me@a.test' type='headline'", item), "node='urn:xmpp:mds:displayed:0'", "node='x'", 1), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := decodeText(t, tt.raw, testNow)
			if diff := cmp.Diff(tt.want, d.In); diff != "" || d.Silent != (tt.want == nil) {
				t.Errorf("silent %v; -want +got:\n%s", d.Silent, diff)
			}
		})
	}
}

// TestDropRepeat leaves out the second copy of a notification, and nothing else.
func TestDropRepeat(t *testing.T) {
	var last *perch.ReadIn
	for i, tt := range []struct {
		raw  string
		want int
	}{
		{readEvent("from='me@a.test' to='me@a.test' type='headline'", readItem("bo@b.test", "me@a.test", "7")), 1},
		{readEvent("from='me@a.test' to='me@a.test/home' type='headline'", readItem("bo@b.test", "me@a.test", "7")), 0},
		{"<message from='bo@b.test'><body>hi</body></message>", 1},
		{readEvent("from='me@a.test' to='me@a.test/home' type='headline'", readItem("bo@b.test", "me@a.test", "7")), 0},
		{readEvent("from='me@a.test' type='headline'", readItem("bo@b.test", "me@a.test", "8")), 1},
		{readEvent("from='me@a.test' type='headline'", readItem("al@b.test", "me@a.test", "8")), 1},
	} {
		d := decodeText(t, tt.raw, testNow)
		if d.DropRepeat(&last); len(d.In) != tt.want {
			t.Errorf("stanza %d: got %d things, want %d", i, len(d.In), tt.want)
		}
	}
}

func TestReadPositions(t *testing.T) {
	equal(t, "EncodeReadPositions()", string(stanza.EncodeReadPositions()), "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:mds:displayed:0'/></pubsub>")
	payload := streamtest.Parse(t, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:mds:displayed:0'>"+
		readItem("bo@b.test", "me@a.test", "7")+readItem("al@b.test", "me@a.test", "8")+readItem("r@muc.test", "r@muc.test", "9")+"</items></pubsub>")
	want := []perch.ReadIn{{Conversation: "bo@b.test", StanzaID: "7"}, {Conversation: "al@b.test", StanzaID: "8"}, {Conversation: "r@muc.test", StanzaID: "9", InRoom: true}}
	if diff := cmp.Diff(want, stanza.ParseReadPositions(payload, "me@a.test")); diff != "" {
		t.Errorf("ParseReadPositions(), -want +got:\n%s", diff)
	}
	if got := stanza.ParseReadPositions(nil, "me@a.test"); got != nil {
		t.Errorf("ParseReadPositions(nil) = %v, want none", got)
	}
	const item = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:mds:displayed:0'><item id='bo@b.test'><displayed xmlns='urn:xmpp:mds:displayed:0'>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='me@a.test' id='7&apos;'/></displayed></item></publish>"
	const options = "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
		"<field var='pubsub#persist_items'><value>true</value></field><field var='pubsub#max_items'><value>max</value></field>" +
		"<field var='pubsub#send_last_published_item'><value>never</value></field><field var='pubsub#access_model'><value>whitelist</value></field></x></publish-options>"
	equal(t, "EncodeReadPosition()", encoded(t)(stanza.EncodeReadPosition("me@a.test", perch.ReadIn{Conversation: "bo@b.test", StanzaID: "7'"}, false)), item+"</pubsub>")
	equal(t, "EncodeReadPosition() of a room", encoded(t)(stanza.EncodeReadPosition("me@a.test", perch.ReadIn{Conversation: "r@muc.test", StanzaID: "9", InRoom: true}, false)),
		strings.NewReplacer("bo@b.test", "r@muc.test", "me@a.test", "r@muc.test", "7&apos;", "9").Replace(item)+"</pubsub>")
	equal(t, "EncodeReadPosition() with options", encoded(t)(stanza.EncodeReadPosition("me@a.test", perch.ReadIn{Conversation: "bo@b.test", StanzaID: "7'"}, true)), item+options+"</pubsub>")
	for field, args := range map[string][2]string{"/jid": {"", "7"}, "/ref": {"bo@b.test", ""}} {
		if _, err := stanza.EncodeReadPosition("me@a.test", perch.ReadIn{Conversation: perch.JID(args[0]), StanzaID: args[1]}, false); fieldOf(err) != field {
			t.Errorf("EncodeReadPosition(%q): got %v, want an error of %s", args, err, field)
		}
	}
}

// TestAccountCapabilities needs a server that makes a node as it is wanted, or refuses.
func TestAccountCapabilities(t *testing.T) {
	const info, pep, options = "<query xmlns='http://jabber.org/protocol/disco#info'>", "<identity category='pubsub' type='pep'/>", "<feature var='http://jabber.org/protocol/pubsub#publish-options'/>"
	for raw, want := range map[string]perch.Capabilities{
		info + pep + options + "<feature var='" + nsMAM + "'/></query>": {ReadSync: true, PEP: true, Archive: "313"},
		info + pep + "</query>": {PEP: true},
		info + pep + "<feature var='urn:xmpp:pep-vcard-conversion:0'/></query>":                     {PEP: true, AvatarConversion: true},
		info + options + "<identity category='account' type='registered'/></query>":                 {},
		"<query xmlns='urn:x'>" + pep + options + "</query>":                                        {},
		info + "<feature var='" + nsMAM + "'/><identity category='pubsub' type='service'/></query>": {Archive: "313"},
	} {
		var got perch.Capabilities
		if stanza.AccountCapabilities(&got, streamtest.Parse(t, raw)); got != want {
			t.Errorf("AccountCapabilities() of %s = %+v, want %+v", raw, got, want)
		}
	}
}
