package messenger_test

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/messenger"
)

func TestM14JIDLookupInBothNamespaces(t *testing.T) {
	s := start(t, world())
	ann := signIn(t, s, "ann")
	for _, ns := range []string{"jidlookup", "http://messenger.live.com/xmpp/jidlookup"} {
		n := ann.iq("get", "Cat@contoso.com", "<getjid xmlns='"+ns+"'/>")
		if n.at("getjid").XMLName.Space != ns || n.at("getjid", "jid").Text != at("cat") || n.get("from") != "Cat@contoso.com" {
			t.Errorf("%s: got %v, want %v and %v and %q", ns, n, ns, at("cat"), "Cat@contoso.com")
		}
		for to, want := range map[string]string{"nobody@contoso.com": "item-not-found", at("cat"): "item-not-found", "": "item-not-found"} {
			if n := ann.iq("get", to, "<getjid xmlns='"+ns+"'/>"); n.condition() != want {
				t.Errorf("got %s %q: %v, want %q", ns, to, n, want)
			}
		}
	}
	if n := ann.iq("get", "cat@contoso.com", "<getjid xmlns='urn:other'/>"); n.condition() != "service-unavailable" {
		t.Errorf("another namespace: %v, want %q", n, "service-unavailable")
	}
	// As the documentation's examples have it, a client may call itself by its account id.
	ann.send("<iq type='get' id='me' from='ann@contoso.com' to='ben@contoso.com'><getjid xmlns='jidlookup'/></iq>")
	if n := ann.next(); n.at("getjid", "jid").Text != at("ben") {
		t.Errorf("got %v, want %v", n, at("ben"))
	}
	// An account id as a contact is taken, but never answers: contacts are added by JID.
	if n := ann.iq("set", "", add("mary@contoso.com", "", "")); n.condition() != "" {
		t.Errorf("got %v, want %q", n, "")
	}
}

func TestM15SenderOfAnswers(t *testing.T) {
	for from, want := range map[messenger.IQFrom]func(c *client) string{
		"":                     func(*client) string { return domain },
		messenger.IQFromDomain: func(*client) string { return domain },
		messenger.IQFromNone:   func(*client) string { return "" },
		messenger.IQFromBare:   func(*client) string { return at("ann") },
		messenger.IQFromFull:   func(c *client) string { return c.jid },
	} {
		o := world()
		o.IQFrom = from
		c := signIn(t, start(t, o), "ann")
		for _, payload := range []string{"<query xmlns='jabber:iq:roster'/>", vcardGet, "<x xmlns='urn:unknown'/>"} {
			if n := c.iq("get", "", payload); n.get("from") != want(c) || n.get("to") != c.jid {
				t.Errorf("%s: from %q to %q, want %q and %q", from, n.get("from"), n.get("to"), want(c), c.jid)
			}
		}
		if n := c.iq("get", at("ann"), vcardGet); n.get("from") != at("ann") {
			t.Errorf("%s: a request with an address is answered from %q, want %q", from, n.get("from"), at("ann"))
		}
	}
	if _, err := messenger.New(messenger.Options{IQFrom: "moon"}); err == nil {
		t.Error("an unknown sender is taken, want an error")
	}
}

func TestM16PingIsAnswered(t *testing.T) {
	c := signIn(t, start(t, world()), "ann")
	for _, to := range []string{"", domain, at("ann")} {
		if n := c.iq("get", to, "<ping xmlns='urn:xmpp:ping'/>"); n.get("type") != "result" || len(n.Kids) != 0 {
			t.Errorf("to %q: %v, want %q and 0", to, n, "result")
		}
	}
}

func TestOtherIQs(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben")
	c := online(t, s, "ann")
	info := c.iq("get", domain, "<query xmlns='http://jabber.org/protocol/disco#info'/>").at("query")
	if info.at("identity").get("category") != "server" || len(info.Kids) < 5 {
		t.Errorf("disco: %v, want %q and at least 5", info, "server")
	}
	for _, tt := range []struct{ kind, to, payload, want string }{
		{"get", domain, "<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>", "item-not-found"},
		{"get", "", "<query xmlns='jabber:iq:private'/>", "service-unavailable"},
		{"set", "", "<retrieve xmlns='urn:xmpp:archive' with='a@b'/>", "service-unavailable"},
		{"get", "", "<list xmlns='urn:xmpp:archive'/>", "service-unavailable"},
		{"get", "", "<query xmlns='urn:xmpp:mam:2'/>", "service-unavailable"},
		{"get", at("ben"), "<query xmlns='jabber:iq:roster'/>", "service-unavailable"},
		{"get", ben.jid, "<ping xmlns='urn:xmpp:ping'/>", "service-unavailable"},
		{"get", "other.tld", "<ping xmlns='urn:xmpp:ping'/>", "service-unavailable"},
		{"get", "@", "<ping xmlns='urn:xmpp:ping'/>", "jid-malformed"},
		{"get", "", "", "bad-request"},
		{"get", "", "<a xmlns='x'/><b xmlns='x'/>", "bad-request"},
		{"push", "", "<ping xmlns='urn:xmpp:ping'/>", "bad-request"},
		{"set", "", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>", ""},
	} {
		if n := c.iq(tt.kind, tt.to, tt.payload); n.condition() != tt.want {
			t.Errorf("%s %q %s: %v, want %s", tt.kind, tt.to, tt.payload, n, tt.want)
		}
	}
	c.send("<iq type='result' id='x'/>")
	if got := append(c.sync(), ben.sync()...); len(only(got, "iq")) != 0 {
		t.Errorf("an answer was answered: %v, want 0", got)
	}
}

func TestCountersAndControl(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann"), online(t, s, "ben")
	before := s.Stanzas("ann")
	ann.send("<message type='chat' to='%s'><body>x</body></message>", at("ben"))
	ann.sync()
	after := s.Stanzas(string(s.JID("ann")))
	if after.Messages != before.Messages+1 || after.IQs != before.IQs+1 || after.Total() != before.Total()+2 {
		t.Errorf("got %+v after %+v, want a message and an IQ more", after, before)
	}
	if s.Logins("ann") != 1 || s.Logins("nobody") != 0 || s.Stats().Logins != 2 {
		t.Errorf("logins %v %v, want 1 and 0 and 2", s.Logins("ann"), s.Stats().Logins)
	}
	if err := s.Deliver("cat", "ben", "hello"); err != nil {
		t.Fatalf("s.Deliver: got error %v, want none", err)
	}
	if got := bodies(ben.sync()); fmt.Sprint(got) != "[x hello]" {
		t.Errorf("got %q, want %q", got, "[x hello]")
	}
	if s.Drop("ben") != 1 || s.Drop("ben") != 0 {
		t.Error("Drop, want 1 and 0")
	}
	if cond, clean := ben.ended(); cond != "" || clean {
		t.Errorf("dropped with %q, clean %v, want %q and clean false", cond, clean, "")
	}
	if p := only(ann.sync(), "presence unavailable"); len(p) != 1 {
		t.Errorf("ann saw %v, want 1", p)
	}
	if s.Kick("ann", "reset") != 1 {
		t.Error("Kick, want 1")
	}
	if cond, clean := ann.ended(); cond != "reset" || !clean {
		t.Errorf("kicked with %q, clean %v, want %q and clean true", cond, clean, "reset")
	}
	if err := s.SetPresence("ann", perch.OwnPresence{}); err == nil {
		t.Error("a person's presence was set, want an error")
	}
	if s.Deliver("x", "ann", "") == nil || s.Deliver("ann", "x", "") == nil || s.Invite("x", "ann", "", "") == nil || s.Invite("ann", "x", "", "") == nil {
		t.Error("unknown accounts are taken, want an error")
	}
}
