package messenger_test

import (
	"slices"
	"testing"
)

func TestM06RosterGet(t *testing.T) {
	c := signIn(t, start(t, world()), "ann")
	items := c.roster()
	ben := items[at("ben")]
	if len(items) != 1 { // dan's request is not an item
		t.Fatalf("got %v, want 1", items)
	}
	if ben.get("name") != "Benny" || ben.get("subscription") != "both" || len(ben.Kids) != 2 || ben.Kids[1].Text != "B" {
		t.Errorf("got %v, want %q and %q and 2 and %q", ben, "Benny", "both", "B")
	}
	if _, ok := items[at("dan")]; ok {
		t.Error("a pending request is in the roster, want none")
	}
}

func TestM06AddingIsTheOnlyChange(t *testing.T) {
	s := start(t, world())
	c, other, idle := signIn(t, s, "ann"), signIn(t, s, "ann"), signIn(t, s, "ann")
	c.roster()
	other.roster()
	tests := []struct{ name, payload, want string }{
		{"add", add(at("cat"), "name='Kitty'", "<group>Pets</group>"), ""},
		{"add again", add(at("cat"), "name='Kitty'", "<group>Pets</group>"), ""},
		{"rename", add(at("cat"), "name='Tiger'", "<group>Pets</group>"), "not-allowed"},
		{"regroup", add(at("ben"), "name='Benny'", ""), "not-allowed"},
		{"remove", add(at("ben"), "subscription='remove'", ""), "not-allowed"},
		{"remove unknown", add(at("dan"), "subscription='remove'", ""), "not-allowed"},
		{"add unknown", add(at("nobody"), "", ""), "item-not-found"},
		{"add oneself", add(at("ann"), "", ""), "bad-request"},
		{"add a resource", add(at("dan")+"/x", "", ""), "bad-request"},
		{"add no JID", add("@@", "", ""), "jid-malformed"},
		{"add the domain", add(domain, "", ""), "bad-request"},
		{"no item", "<query xmlns='jabber:iq:roster'/>", "bad-request"},
		{"two items", "<query xmlns='jabber:iq:roster'><item jid='a@b'/><item jid='c@d'/></query>", "bad-request"},
	}
	for _, tt := range tests {
		if n := c.iq("set", "", tt.payload); n.condition() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, n.condition(), tt.want)
		}
	}
	for _, x := range []*client{c, other} {
		pushes := only(x.sync(), "iq set")
		if len(pushes) != 1 || pushes[0].at("query", "item").get("name") != "Kitty" || pushes[0].get("from") != "" {
			t.Errorf("pushes %v, want 1 and %q and %q", pushes, "Kitty", "")
		}
	}
	if p := only(idle.sync(), "iq set"); len(p) != 0 {
		t.Errorf("a push without interest: %v, want 0", p)
	}
}

func TestM11InvitationCarriesNickname(t *testing.T) {
	s := start(t, world())
	for range 2 { // at every login until it is answered
		ann := online(t, s, "ann") // its own presence stanza was read by online
		ann.send("<presence type='unavailable'/><presence/>")
		got := only(ann.sync(), "presence subscribe")
		if len(got) != 1 || got[0].get("from") != at("dan") || got[0].at("nick").Text != "Dan the man" ||
			got[0].at("nick").XMLName.Space != "http://jabber.org/protocol/nick" || got[0].at("status").Text != "it is me" {
			t.Fatalf("got %v, want 1 and %v and %q and %q and %q", got, at("dan"), "Dan the man", "http://jabber.org/protocol/nick", "it is me")
		}
	}
}

func TestM11InviteAcceptSeesPresence(t *testing.T) {
	s := start(t, world())
	cat, ben := online(t, s, "cat"), online(t, s, "ben")
	ben.send("<presence><show>away</show></presence>")
	ben.sync()
	cat.send("<presence type='subscribe' to='%s/x'><status>please</status></presence>", at("ben"))
	push := only(cat.sync(), "iq set")
	if len(push) != 1 || push[0].at("query", "item").get("ask") != "subscribe" {
		t.Fatalf("push to the asking side: %v, want 1 and %q", push, "subscribe")
	}
	req := only(ben.sync(), "presence subscribe")
	if len(req) != 1 || req[0].at("nick").Text != "CAT" || req[0].at("status").Text != "please" || req[0].get("from") != at("cat") {
		t.Fatalf("request: %v, want 1 and %q and %q and %v", req, "CAT", "please", at("cat")) // the nickname is the service's own when none is given
	}
	cat.send("<presence type='subscribe' to='%s'><nick xmlns='http://jabber.org/protocol/nick'>Kit</nick></presence>", at("ben"))
	cat.sync()
	if again := only(ben.sync(), "presence subscribe"); len(again) != 0 {
		t.Errorf("asked twice: %v, want 0", again)
	}
	ben.send("<presence type='subscribed' to='%s'/>", at("cat"))
	if item := only(ben.sync(), "iq set")[0].at("query", "item"); item.get("subscription") != "from" || item.get("jid") != at("cat") {
		t.Errorf("push to the accepting side: %v, want %q and %v", item, "from", at("cat"))
	}
	var order []string
	for _, n := range cat.sync() {
		order = append(order, n.XMLName.Local+" "+n.get("type")+n.at("query", "item").get("subscription")+n.at("show").Text)
	}
	if want := []string{"presence subscribed", "iq setto", "presence away"}; !slices.Equal(order, want) {
		t.Errorf("the asking side got %q, want %q", order, want)
	}
	// A contact that came by its invitation can be named once.
	if n := ben.iq("set", "", add(at("cat"), "name='Kit'", "")); n.condition() != "" {
		t.Errorf("naming: %v, want %q", n, "")
	}
	if n := ben.iq("set", "", add(at("cat"), "name='Kat'", "")); n.condition() != "not-allowed" {
		t.Errorf("renaming: %v, want %q", n, "not-allowed")
	}
	// What exists cannot be ended: that would change the roster.
	ben.send("<presence type='unsubscribed' to='%s'/>", at("cat"))
	cat.send("<presence type='unsubscribe' to='%s'/>", at("ben"))
	for _, c := range []*client{ben, cat} {
		if got := only(c.sync(), "presence error"); len(got) != 1 || got[0].condition() != "not-allowed" {
			t.Errorf("%s: got %v, want 1 and %q", c.jid, got, "not-allowed")
		}
	}
}

func TestM11DeclineAndTakeBack(t *testing.T) {
	s := start(t, world())
	ann, dan, cat := online(t, s, "ann"), online(t, s, "dan"), online(t, s, "cat")
	ann.send("<presence type='unsubscribed' to='%s'/>", at("dan"))
	ann.sync()
	got := dan.sync()
	if len(only(got, "presence unsubscribed")) != 1 || only(got, "iq set")[0].at("query", "item").get("ask") != "" {
		t.Errorf("declined: %v, want 1 and %q", got, "")
	}
	ann.send("<presence type='subscribed' to='%s'/>", at("dan")) // too late
	ann.sync()
	if got := dan.sync(); len(got) != 0 {
		t.Errorf("accepted without a request: %v, want 0", got)
	}
	cat.send("<presence type='subscribe' to='%s'/><presence type='unsubscribe' to='%s'/>", at("ann"), at("ann"))
	cat.sync()
	if got := ann.sync(); len(only(got, "presence unsubscribe")) != 1 {
		t.Errorf("taken back: %v, want 1", got)
	}
	ann.send("<presence type='unavailable'/><presence/>")
	if got := only(ann.sync(), "presence subscribe"); len(got) != 0 {
		t.Errorf("still pending: %v, want 0", got)
	}
	cat.send("<presence type='subscribe' to='%s'/><presence type='subscribe' to='mary@contoso.net'/>", at("nobody"))
	if p := only(cat.sync(), "iq set"); len(p) != 1 || p[0].at("query", "item").get("jid") != "mary@contoso.net" {
		t.Errorf("requests into the void: %v, want 1 and %q", p, "mary@contoso.net")
	}
}
