package today_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestTextsAreBounded: what is kept in tables has a bound in bytes, beside that of the table.
func TestTextsAreBounded(t *testing.T) {
	_, ann, ben, _ := three(t)
	long := strings.Repeat("x", 1025)
	groups := func(n int) (list string) {
		for i := range n {
			list += fmt.Sprintf("<group>g%d</group>", i)
		}
		return list
	}
	item := func(inner string) string {
		return "<query xmlns='jabber:iq:roster'><item jid='x@else.example'>" + inner + "</item></query>"
	}
	affiliation := func(attrs, inner string) string {
		return "<query xmlns='" + muc + "#admin'><item affiliation='member' jid='x@else.example' " + attrs + ">" + inner + "</item></query>"
	}
	for _, tt := range []struct{ what, to, payload, want string }{
		{"a reason", tea, affiliation("", "<reason>"+long+"</reason>"), "not-acceptable"},
		{"a reason that can be", tea, affiliation("", "<reason>"+long[1:]+"</reason>"), ""},
		{"a nick", tea, affiliation("nick='"+long+"'", ""), "not-acceptable"},
		{"a group", "", item("<group>" + long[1:] + "</group>"), "not-acceptable"},
		{"many groups", "", item(groups(33)), "not-acceptable"},
		{"groups that can be", "", item("<group>" + long[2:] + "</group>" + groups(31)), ""},
	} {
		equal(t, tt.what, ann.IQ("set", tt.to, tt.payload).Condition(), tt.want)
	}
	ann.Sync()
	for _, tt := range []struct{ what, stanza, want string }{
		{"a subject", "<message type='groupchat' to='" + tea + "'><subject>" + strings.Repeat(long, 4) + "</subject></message>", "not-acceptable"},
		{"a subject that can be", "<message type='groupchat' to='" + tea + "'><subject>" + long[1:] + "</subject></message>", ""},
		{"a greeting", "<presence type='subscribe' to='" + at("cat") + "'><status>" + long + "</status></presence>", "not-acceptable"},
		{"a nick", "<presence type='subscribe' to='" + at("cat") + "'><nick xmlns='http://jabber.org/protocol/nick'>" + long + "</nick></presence>", "not-acceptable"},
		{"a greeting that can be", "<presence type='subscribe' to='" + at("cat") + "'><status>" + long[1:] + "</status></presence>", ""},
		{"the id of a request to an occupant", "<iq type='get' id='" + long + "' to='" + tea + "/Ben'><query xmlns='jabber:iq:version'/></iq>", "not-acceptable"},
	} {
		ann.Send("%s", tt.stanza)
		equal(t, tt.what, bounced(ann.Sync()), tt.want)
	}
	ben.Sync()
}
