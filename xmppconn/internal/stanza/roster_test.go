package stanza_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func TestEncodeRoster(t *testing.T) {
	text := encoded(t)
	for _, tt := range []struct{ got, want string }{
		{text(stanza.EncodeRosterGet("", false)), "<query xmlns='jabber:iq:roster'/>"},
		{text(stanza.EncodeRosterGet("", true)), "<query xmlns='jabber:iq:roster' ver=''/>"},
		{text(stanza.EncodeRosterGet("v'7", true)), "<query xmlns='jabber:iq:roster' ver='v&apos;7'/>"},
		{text(stanza.EncodeRosterSet("b@b.test", "Bo & co", []string{"A<B", "", "C"})),
			"<query xmlns='jabber:iq:roster'><item jid='b@b.test' name='Bo &amp; co'><group>A&lt;B</group><group>C</group></item></query>"},
		{text(stanza.EncodeRosterSet("b@b.test", "", nil)), "<query xmlns='jabber:iq:roster'><item jid='b@b.test'></item></query>"},
		{text(stanza.EncodeRosterRemove("b@b.test")), "<query xmlns='jabber:iq:roster'><item jid='b@b.test' subscription='remove'/></query>"},
	} {
		equal(t, "roster request", tt.got, tt.want)
	}
	for _, groups := range [][]string{nil, {"\x00"}} {
		name := "\x00"
		if groups != nil {
			name = ""
		}
		if _, err := stanza.EncodeRosterSet("b@b.test", name, groups); perch.KindOf(err) != perch.KindValidation {
			t.Errorf("EncodeRosterSet() with name %q, groups %q: got error %v, want %s", name, groups, err, perch.KindValidation)
		}
	}
}

// rosterOf is the roster of one payload.
func rosterOf(payload *xmlstream.Element) perch.RosterResult {
	var c stanza.RosterCollector
	c.Add(payload.Borrowed())
	return c.Result()
}

func TestRosterCollector(t *testing.T) {
	got := rosterOf(streamtest.Parse(t, `<query xmlns='jabber:iq:roster' ver='7'>
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
		t.Errorf("Result(), -want +got:\n%s", diff)
	}
	if got := rosterOf(nil); !got.Unchanged || got.Items != nil {
		t.Errorf("Result() of an empty answer = %+v, want unchanged", got)
	}
	if got := rosterOf(streamtest.Parse(t, "<query xmlns='jabber:iq:roster'/>")); got.Unchanged || got.Items == nil {
		t.Errorf("Result() of an empty roster = %+v, want no items, and not unchanged", got)
	}
}

func TestParseRosterPush(t *testing.T) {
	got, ok := stanza.ParseRosterPush(request(t, "set", "<query xmlns='jabber:iq:roster' ver='8'><item jid='b@b.test' subscription='remove'/></query>"))
	want := &perch.RosterPush{Version: "8", Item: perch.Buddy{JID: "b@b.test", Subscription: perch.SubscriptionRemove, Groups: []string{}}}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("ParseRosterPush(): ok %v, want true; -want +got:\n%s", ok, diff)
	}
	for _, raw := range []string{
		"<query xmlns='jabber:iq:roster'/>", "<query xmlns='u'><item jid='b@b.test'/></query>",
		"<query xmlns='jabber:iq:roster'><item jid='b@b.test'/><item jid='c@b.test'/></query>",
		"<query xmlns='jabber:iq:roster'><item/></query>",
	} {
		q := request(t, "set", raw)
		if got, ok := stanza.ParseRosterPush(q); ok {
			t.Errorf("ParseRosterPush() of %s = %+v, want none", raw, got)
		}
		if want := strings.Contains(raw, nsRoster); stanza.IsRosterPush(q) != want {
			t.Errorf("IsRosterPush() of %s = %v, want %v", raw, !want, want)
		}
	}
	for _, q := range []stanza.IQ{{}, request(t, "get", "<query xmlns='jabber:iq:roster'><item jid='b@b.test'/></query>")} {
		if got, ok := stanza.ParseRosterPush(q); ok || stanza.IsRosterPush(q) {
			t.Errorf("ParseRosterPush() of %+v = %+v, want none", q, got)
		}
	}
}

// TestRosterGroupsEdge: of one item 100 groups are taken.
func TestRosterGroupsEdge(t *testing.T) {
	groups := ""
	for i := range 101 {
		groups += fmt.Sprintf("<group>g%d</group>", i)
	}
	r := rosterOf(streamtest.Parse(t, "<query xmlns='"+nsRoster+"'><item jid='a@b'>"+groups+"</item></query>"))
	if n := len(r.Items[0].Groups); n != 100 {
		t.Errorf("got %d groups of 101, want 100", n)
	}
}

// TestRosterCollectorIsBounded: a roster has 50,000 items and 16 MiB at most; the others are
// counted.
func TestRosterCollectorIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name    string
		n, size int
	}{{"by number", 50_001, 0}, {"by bytes", 40, 1 << 19}} {
		t.Run(tt.name, func(t *testing.T) {
			var c stanza.RosterCollector
			for i := range tt.n {
				c.Add(streamtest.Parse(t, fmt.Sprintf("<query xmlns='%s'><item jid='b%d@a.test' name='%s'/></query>", nsRoster, i, strings.Repeat("n", tt.size))).Borrowed())
			}
			r, bytes := c.Result(), 0
			for _, b := range r.Items {
				bytes += len(b.JID) + len(b.Name)
			}
			if r.LeftOut == 0 || len(r.Items)+r.LeftOut != tt.n || len(r.Items) > 50_000 || bytes > 16<<20 {
				t.Errorf("got %d items of %d bytes, %d left out; want %d together, at most 50000 and 16 MiB", len(r.Items), bytes, r.LeftOut, tt.n)
			}
		})
	}
}
