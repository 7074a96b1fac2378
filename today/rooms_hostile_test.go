package today_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

// TestRoomLimits: what is too much is refused, and the stream goes on.
func TestRoomLimits(t *testing.T) {
	_, ann, ben, _ := three(t)
	long := strings.Repeat("x", 17<<10)
	for _, tt := range []struct{ name, stanza, want string }{
		{"a long nick", "<presence to='" + tea + "/" + strings.Repeat("n", 1024) + "'><x xmlns='" + muc + "'/></presence>", "jid-malformed"},
		{"a long presence", "<presence to='" + tea + "/Ben'><status>" + long + "</status></presence>", "resource-constraint"},
		{"no nick", "<presence to='" + tea + "/'><x xmlns='" + muc + "'/></presence>", "jid-malformed"},
		{"no address", "<message to='a@b@rooms.perch.localhost' type='groupchat'/>", "jid-malformed"},
		{
			"many invitations", "<message to='" + tea + "'><x xmlns='" + muc + "#user'>" +
				strings.Repeat("<invite to='"+at("cat")+"'/>", 21) + "</x></message>", "resource-constraint",
		},
	} {
		ben.Send("%s", tt.stanza)
		equal(t, tt.name, bounced(ben.Sync()), tt.want)
	}
	equal(t, "many changes", rules(ann, strings.Repeat(affiliate("ben", "member"), 101)), "resource-constraint")
	equal(t, "a large card", ann.IQ("set", tea, "<vCard xmlns='vcard-temp'><NOTE>"+strings.Repeat("x", 129<<10)+"</NOTE></vCard>").Condition(), "not-acceptable")
	equal(t, "a long name", ann.IQ("set", tea, "<query xmlns='"+muc+"#owner'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"+muc+
		"#roomconfig</value></field><field var='muc#roomconfig_roomname'><value>"+long+"</value></field></x></query>").Condition(), "not-acceptable")
	equal(t, "no id", func() string {
		ann.Send("<iq type='get' to='%s'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>", tea)
		return xmpptest.Only(ann.Sync(), "iq error")[0].Condition()
	}(), "bad-request")
}

// TestRoomUnreachable: whose messages come back is out of the room; other errors are not about that.
func TestRoomUnreachable(t *testing.T) {
	_, ann, ben, _ := three(t)
	fails := func(condition string) {
		ben.Send("<message type='error' to='%s'><error type='cancel'><%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", tea, condition)
		ben.Sync()
	}
	fails("feature-not-implemented")
	equal(t, "one who does not understand", of(ann.Sync(), "Ben").Get("from"), "")
	fails("gone")
	equalLists(t, "one who is gone", codes(of(ann.Sync(), "Ben")), "333")
}
