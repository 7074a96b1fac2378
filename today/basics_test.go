package today_test

import (
	"slices"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

func TestTalk(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "phone"), online(t, s, "ben", "desk")
	ann.Send("<message type='chat' id='m1' to='%s'><body>Hello &amp; welcome</body></message>", at("ben"))
	m := ben.Find("the message", func(n xmpptest.Node) bool { return n.XMLName.Local == "message" })
	if got, want := m.Get("from"), at("ann")+"/phone"; got != want {
		t.Errorf("from: got %q, want %q", got, want)
	}
	if got, want := m.At("body").Text, "Hello & welcome"; got != want {
		t.Errorf("body: got %q, want %q", got, want)
	}
}

func TestSubscriptionsEndOnBothSides(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
	ann.Sync()
	if n := ann.IQ("set", "", "<query xmlns='jabber:iq:roster'><item jid='"+at("ben")+"' subscription='remove'/></query>"); n.Get("type") != "result" {
		t.Fatalf("remove: got %v, want a result", n)
	}
	gone := xmpptest.Only(ann.Sync(), "presence unavailable")
	if len(gone) != 1 || gone[0].Get("from") != at("ben")+"/b" {
		t.Errorf("ann sees %v, want ben's resource unavailable once", gone)
	}
	items := ben.IQ("get", "", "<query xmlns='jabber:iq:roster'/>").At("query").Kids
	if len(items) != 1 || items[0].Get("subscription") != "none" {
		t.Errorf("ben's roster: got %v, want ann with the subscription none", items)
	}
}

func TestDiscovery(t *testing.T) {
	s := start(t, world())
	ann := signIn(t, s, "ann", "a")
	for _, tt := range []struct{ name, to, condition, feature string }{
		{"the domain", s.Domain(), "", "urn:xmpp:ping"},
		{"the own account", "", "", "urn:xmpp:ping"},
		{"a contact", at("ben"), "", "urn:xmpp:ping"},
		{"a stranger", at("cat"), "service-unavailable", ""},
		{"nobody", at("nobody"), "service-unavailable", ""},
		{"elsewhere", "else.example", "remote-server-not-found", ""},
	} {
		n := ann.IQ("get", tt.to, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
		if got := n.Condition(); got != tt.condition {
			t.Errorf("%s: got the condition %q, want %q", tt.name, got, tt.condition)
		}
		has := slices.ContainsFunc(n.At("query").Kids, func(k xmpptest.Node) bool { return k.Get("var") == tt.feature })
		if has != (tt.feature != "") {
			t.Errorf("%s: has %q: got %v, want %v", tt.name, tt.feature, has, tt.feature != "")
		}
	}
}
