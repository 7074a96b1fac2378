package today_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

// TestCarbons: which of the sessions of two people get what, and in what form.
func TestCarbons(t *testing.T) {
	s := start(t, world())
	ann, tab := online(t, s, "ann", "phone"), online(t, s, "ann", "tab")
	ben, desk := online(t, s, "ben", "phone"), online(t, s, "ben", "desk")
	for _, c := range []*xmpptest.Client{tab, desk, ann, ben} {
		if n := c.IQ("set", "", "<enable xmlns='urn:xmpp:carbons:2'/>"); n.Get("type") != "result" {
			t.Fatalf("enable: got %v, want a result", n)
		}
		c.Sync()
	}
	for _, tt := range []struct {
		name, attrs, inner string
		copied             bool
	}{
		{"a chat", "type='chat'", "<body>b</body>", true},
		{"a normal message with a body", "", "<body>b</body>", true},
		{"a receipt", "", "<received xmlns='urn:xmpp:receipts' id='1'/>", true},
		{"a normal message without", "", "<x xmlns='urn:other'/>", false},
		{"a headline", "type='headline'", "<body>b</body>", false},
		{"a private one", "type='chat'", "<body>b</body><private xmlns='urn:xmpp:carbons:2'/>", false},
		{"one not to be copied", "type='chat'", "<body>b</body><no-copy xmlns='urn:xmpp:hints'/>", false},
	} {
		ann.Send("<message %s id='m' to='%s/phone'>%s</message>", tt.attrs, at("ben"), tt.inner)
		ann.Sync()
		if n := ben.Find(tt.name, named("message")); n.Get("from") != at("ann")+"/phone" || n.Get("id") != "m" {
			t.Errorf("%s: ben got %v, want the message", tt.name, n)
		}
		for kind, c := range map[string]*xmpptest.Client{"sent": tab, "received": desk} {
			list := xmpptest.Only(c.Sync(), "message")
			if (len(list) == 1) != tt.copied {
				t.Errorf("%s: %s: got %d messages, want a copy: %v", tt.name, kind, len(list), tt.copied)
				continue
			}
			if !tt.copied {
				continue
			}
			inner := list[0].At(kind, "forwarded", "message")
			if inner.Get("from") != at("ann")+"/phone" || inner.Get("to") != at("ben")+"/phone" || inner.Get("id") != "m" || inner.XMLName.Space != "jabber:client" {
				t.Errorf("%s: %s: got %v, want the message inside", tt.name, kind, list[0])
			}
			if bare, _, _ := strings.Cut(list[0].Get("to"), "/"); list[0].Get("from") != bare || list[0].Get("to") != c.JID {
				t.Errorf("%s: %s: from %s to %s, want it from the account to the session", tt.name, kind, list[0].Get("from"), list[0].Get("to"))
			}
		}
		if list := xmpptest.Only(ann.Sync(), "message"); len(list) != 0 {
			t.Errorf("%s: the sender got %v, want nothing", tt.name, list)
		}
	}
	tab.IQ("set", "", "<disable xmlns='urn:xmpp:carbons:2'/>")
	ann.Send("%s", chat(at("ben"), "1", "b"))
	ann.Sync()
	if list := xmpptest.Only(tab.Sync(), "message"); len(list) != 0 {
		t.Errorf("after disable: got %v, want nothing", list)
	}
}

// TestMessageToOneself comes once to each session.
func TestMessageToOneself(t *testing.T) {
	s := start(t, world())
	ann, tab := online(t, s, "ann", "phone"), online(t, s, "ann", "tab")
	for _, c := range []*xmpptest.Client{ann, tab} {
		c.IQ("set", "", "<enable xmlns='urn:xmpp:carbons:2'/>")
		c.Sync()
	}
	ann.Send("%s", chat(at("ann"), "1", "note"))
	for _, c := range []*xmpptest.Client{ann, tab} {
		if got := texts(c.Sync()); got != "note" {
			t.Errorf("%s: got %q, want the note once", c.JID, got)
		}
	}
}
