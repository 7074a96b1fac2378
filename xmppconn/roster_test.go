package xmppconn

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

func TestEncodeRoster(t *testing.T) {
	text := encoded(t)
	for _, tt := range []struct{ got, want string }{
		{text(encodeRosterGet("", false)), "<query xmlns='jabber:iq:roster'/>"},
		{text(encodeRosterGet("", true)), "<query xmlns='jabber:iq:roster' ver=''/>"},
		{text(encodeRosterGet("v'7", true)), "<query xmlns='jabber:iq:roster' ver='v&apos;7'/>"},
		{text(encodeRosterSet("b@b.test", "Bo & co", []string{"A<B", "", "C"})),
			"<query xmlns='jabber:iq:roster'><item jid='b@b.test' name='Bo &amp; co'><group>A&lt;B</group><group>C</group></item></query>"},
		{text(encodeRosterSet("b@b.test", "", nil)), "<query xmlns='jabber:iq:roster'><item jid='b@b.test'></item></query>"},
		{text(encodeRosterRemove("b@b.test")), "<query xmlns='jabber:iq:roster'><item jid='b@b.test' subscription='remove'/></query>"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
	for _, groups := range [][]string{nil, {"\x00"}} {
		name := "\x00"
		if groups != nil {
			name = ""
		}
		if _, err := encodeRosterSet("b@b.test", name, groups); perch.KindOf(err) != perch.KindValidation {
			t.Errorf("%q %q: %v", name, groups, err)
		}
	}
}

func TestParseRoster(t *testing.T) {
	got := parseRoster(mustParse(t, `<query xmlns='jabber:iq:roster' ver='7'>
		<item jid='b@b.test/res' name='Bo' subscription='both' approved='true'><group>Friends</group><group> Friends </group><group/><group>Work</group></item>
		<item jid='c@b.test' ask='subscribe'/>
		<item jid='☺@b.test' subscription='to' ask='unsubscribe'/>
		<item jid='d@b.test' subscription='from'/>
		<item jid='d@b.test' subscription='strange'/>
		<item jid='e@b.test' subscription='remove'/>
		<item jid=''/><item/><item xmlns='u' jid='f@b.test'/>
	</query>`))
	want := perch.RosterResult{Version: "7", Items: []perch.Buddy{
		{JID: "b@b.test", Name: "Bo", Subscription: perch.SubscriptionBoth, Approved: true, Groups: []string{"Friends", "Work"}},
		{JID: "c@b.test", Subscription: perch.SubscriptionNone, Ask: perch.AskSubscribe, Groups: []string{}},
		{JID: "☺@b.test", Subscription: perch.SubscriptionTo, Groups: []string{}},
		{JID: "d@b.test", Subscription: perch.SubscriptionNone, Groups: []string{}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := parseRoster(nil); !got.Unchanged || got.Items != nil {
		t.Errorf("%+v", got)
	}
	if got := parseRoster(mustParse(t, "<query xmlns='jabber:iq:roster'/>")); got.Unchanged || got.Items == nil {
		t.Errorf("an empty roster is a roster: %+v", got)
	}
}

func TestParseRosterPush(t *testing.T) {
	got, ok := parseRosterPush(mustParse(t, "<query xmlns='jabber:iq:roster' ver='8'><item jid='b@b.test' subscription='remove'/></query>"))
	want := &perch.RosterPush{Version: "8", Item: perch.Buddy{JID: "b@b.test", Subscription: perch.SubscriptionRemove, Groups: []string{}}}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Error(diff)
	}
	for _, raw := range []string{
		"<query xmlns='jabber:iq:roster'/>", "<query xmlns='u'><item jid='b@b.test'/></query>",
		"<query xmlns='jabber:iq:roster'><item jid='b@b.test'/><item jid='c@b.test'/></query>",
		"<query xmlns='jabber:iq:roster'><item/></query>",
	} {
		if got, ok := parseRosterPush(mustParse(t, raw)); ok {
			t.Errorf("%s: %+v", raw, got)
		}
	}
	if _, ok := parseRosterPush(nil); ok {
		t.Error("nothing was a push")
	}
}
