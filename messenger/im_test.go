package messenger_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/messenger"
)

// world is a small service: ann and ben see each other, cat is alone, dan has asked ann.
func world() messenger.Options {
	acct := func(user string) messenger.Account {
		return messenger.Account{
			User: user, Identifier: user, AccountID: user + "@contoso.com", Nickname: strings.ToUpper(user),
			Tokens: []messenger.Token{{Text: user}},
			VCard:  perch.VCard{FullName: user + " & <co>", Emails: []string{user + "@contoso.com"}},
		}
	}
	ann, ben, cat, dan := acct("ann"), acct("ben"), acct("cat"), acct("dan")
	ann.Contacts = []messenger.Contact{{User: "ben", Name: "Benny", Groups: []string{"A", "B"}}}
	ann.Invitations = []messenger.Invitation{{User: "dan", Nick: "Dan the man", Message: "it is me"}}
	ben.VCard.Photo = messenger.Portrait("ben")
	return messenger.Options{Accounts: []messenger.Account{ann, ben, cat, dan}}
}

func at(user string) string { return user + "@" + domain }

const rosterNS = "jabber:iq:roster"

func add(jid, attrs, inner string) string {
	return fmt.Sprintf("<query xmlns='%s'><item jid='%s' %s>%s</item></query>", rosterNS, jid, attrs, inner)
}

func TestM06RosterGet(t *testing.T) {
	c := signIn(t, start(t, world()), "ann")
	items := c.roster()
	ben := items[at("ben")]
	if len(items) != 1 { // dan's request is not an item
		t.Fatalf("%v", items)
	}
	if ben.get("name") != "Benny" || ben.get("subscription") != "both" || len(ben.Kids) != 2 || ben.Kids[1].Text != "B" {
		t.Errorf("%v", ben)
	}
	if _, ok := items[at("dan")]; ok {
		t.Error("a pending request is in the roster")
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
			t.Errorf("pushes %v", pushes)
		}
	}
	if p := only(idle.sync(), "iq set"); len(p) != 0 {
		t.Errorf("a push without interest: %v", p)
	}
}

func TestM07ChatIsTheOnlyKind(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann"), online(t, s, "ben")
	ann.sync()
	for _, kind := range []string{"", "type='normal'", "type='headline'", "type='groupchat'"} {
		ann.send("<message id='m' to='%s' %s><body>x</body></message>", at("ben"), kind)
		got := only(ann.sync(), "message error")
		if len(got) != 1 || got[0].condition() != "feature-not-implemented" || got[0].get("id") != "m" || got[0].get("from") != at("ben") {
			t.Errorf("%q: %v", kind, got)
		}
	}
	ann.send("<message type='error' to='%s'/>", at("ben"))
	ann.send("<message id='ok' type='chat' to='%s' xml:lang='de'><body>&lt;hallo&gt; &amp; &#x1F600;</body><thread>t</thread><x xmlns='urn:x' a='&quot;'><y>z</y></x></message>", at("ben"))
	if m := only(ann.sync(), "message"); len(m) != 0 {
		t.Errorf("errors: %v", m)
	}
	got := only(ben.sync(), "message")
	if len(got) != 1 || got[0].at("body").Text != "<hallo> & 😀" || got[0].get("from") != ann.jid ||
		got[0].get("to") != at("ben") || got[0].at("x").XMLName.Space != "urn:x" || got[0].at("x", "y").Text != "z" {
		t.Errorf("delivered %v", got)
	}
}

func TestM07Refusals(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann")
	for to, want := range map[string]string{
		at("nobody"):       "item-not-found",
		"someone@else.tld": "remote-server-not-found",
		domain:             "service-unavailable",
		"a@b@c":            "jid-malformed",
	} {
		ann.send("<message type='chat' to='%s'><body>x</body></message>", to)
		if got := only(ann.sync(), "message error"); len(got) != 1 || got[0].condition() != want {
			t.Errorf("%s: %v, want %s", to, got, want)
		}
	}
}

func TestM07RoutingByPriority(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann")
	low, high, minus := online(t, s, "ben"), online(t, s, "ben"), online(t, s, "ben")
	low.send("<presence><priority>1</priority></presence>")
	high.send("<presence><show>away</show><priority>5</priority></presence>")
	minus.send("<presence><priority>-1</priority></presence>")
	for _, c := range []*client{low, high, minus} {
		c.sync()
	}
	ann.send("<message type='chat' to='%s'><body>bare</body></message>", at("ben"))
	ann.send("<message type='chat' to='%s'><body>full</body></message>", minus.jid)
	ann.send("<message type='chat' to='%s/gone'><body>gone</body></message>", at("ben"))
	ann.sync()
	for _, tt := range []struct {
		c    *client
		want string
	}{{low, "[]"}, {high, "[bare gone]"}, {minus, "[full]"}} {
		if got := fmt.Sprint(bodies(tt.c.sync())); got != tt.want {
			t.Errorf("%s got %s, want %s", tt.c.jid, got, tt.want)
		}
	}
}

func bodies(list []node) []string {
	out := []string{}
	for _, m := range only(list, "message") {
		if b := m.at("body").Text; b != "" {
			out = append(out, b)
		}
	}
	return out
}

func TestM08PresenceOfContactsAfterOwn(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben")
	ben.send("<presence><show>dnd</show><status>busy</status></presence>")
	ben.sync()
	ann := signIn(t, s, "ann")
	ann.roster()
	if p := only(ann.sync(), "presence"); len(p) != 0 {
		t.Fatalf("presence before the own one: %v", p)
	}
	ann.send("<presence/>")
	var seen []string
	for _, p := range only(ann.sync(), "presence") {
		seen = append(seen, p.get("type")+" "+p.get("from")+" "+p.at("show").Text+" "+p.at("status").Text)
	}
	want := []string{" " + ann.jid + "  ", " " + ben.jid + " dnd busy", "subscribe " + at("dan") + "  it is me"}
	if !slices.Equal(seen, want) {
		t.Errorf("saw %q, want %q", seen, want)
	}
	ann.send("<presence><show>xa</show></presence>") // not an initial one: nothing comes again
	if p := only(ann.sync(), "presence"); len(p) != 1 || p[0].get("from") != ann.jid {
		t.Errorf("after a change: %v", p)
	}
}

func TestM08PresenceChangesAreBroadcast(t *testing.T) {
	s := start(t, world())
	ann, ben, cat := online(t, s, "ann"), online(t, s, "ben"), online(t, s, "cat")
	ben.sync()
	ann.send("<presence><show>chat</show><status>hi</status><priority>7</priority><c xmlns='urn:caps'/></presence>")
	ann.send("<presence type='unavailable'><status>bye</status></presence>")
	ann.sync()
	ann.send("<presence/>")
	ann.sync()
	ann.conn.Close()
	for _, want := range []string{" chat hi 7", "unavailable  bye ", "   ", "unavailable   "} {
		p := ben.next()
		got := p.get("type") + " " + p.at("show").Text + " " + p.at("status").Text + " " + p.at("priority").Text
		if got != want || p.get("from") != ann.jid || p.get("to") != at("ben") {
			t.Errorf("got %q from %s, want %q", got, p.get("from"), want)
		}
	}
	if p := cat.sync(); len(p) != 0 {
		t.Errorf("a stranger sees %v", p)
	}
}

// A subscription of one direction shows presence in that direction alone.
func TestM08OneSidedSubscriptions(t *testing.T) {
	o := world()
	o.Accounts[2].Contacts = []messenger.Contact{{User: "ben", Subscription: perch.SubscriptionTo}, {User: "dan", Subscription: perch.SubscriptionNone}}
	s := start(t, o)
	early, ben := online(t, s, "cat"), online(t, s, "ben")
	if got := ben.sync(); len(got) != 0 {
		t.Errorf("who is seen sees %v", got)
	}
	if got := early.sync(); len(got) != 1 || got[0].get("from") != ben.jid {
		t.Errorf("who sees got %v", got)
	}
	early.send("<presence><show>away</show></presence>")
	early.sync()
	if got := ben.sync(); len(got) != 0 {
		t.Errorf("who is seen sees %v", got)
	}
	ben.send("<presence type='unavailable'/><presence/>") // cat's presence is not told either
	if got := only(ben.sync(), "presence"); len(got) != 2 || got[0].get("from") != ben.jid || got[1].get("from") != ben.jid {
		t.Errorf("who is seen got %v", got)
	}
	if n := early.iq("get", at("dan"), vcardGet); n.condition() != "item-not-found" {
		t.Errorf("vCard of a contact without subscription: %v", n)
	}
}

func TestM08ProbesAreRefused(t *testing.T) {
	s := start(t, world())
	online(t, s, "ben")
	ann := online(t, s, "ann")
	ann.send("<presence type='probe' id='p' to='%s'/>", at("ben"))
	got := ann.sync()
	if len(got) != 1 || got[0].get("type") != "error" || got[0].condition() != "feature-not-implemented" {
		t.Errorf("%v", got)
	}
	for stanza, want := range map[string]string{
		"<presence to='" + at("ben") + "'/>":               "feature-not-implemented",
		"<presence type='sideways'/>":                      "feature-not-implemented",
		"<presence><priority>300</priority></presence>":    "bad-request",
		"<presence><show>sleeping</show></presence>":       "bad-request",
		"<presence type='subscribe' to='" + domain + "'/>": "bad-request",
		"<presence type='subscribe'/>":                     "bad-request",
	} {
		ann.send("%s", stanza)
		if got := ann.sync(); len(got) != 1 || got[0].condition() != want {
			t.Errorf("%s: %v, want %s", stanza, got, want)
		}
	}
}

const vcardGet = "<vCard xmlns='vcard-temp'/>"

func TestM09VCards(t *testing.T) {
	s := start(t, world())
	ann := signIn(t, s, "ann")
	own := ann.iq("get", "", vcardGet)
	if own.at("vCard", "FN").Text != "ann & <co>" || own.at("vCard", "NICKNAME").Text != "ANN" {
		t.Errorf("own: %v", own)
	}
	card := ann.iq("get", at("ben"), vcardGet).at("vCard")
	raw, err := base64.StdEncoding.DecodeString(card.at("PHOTO", "BINVAL").Text)
	if err != nil || card.at("PHOTO", "TYPE").Text != "image/png" {
		t.Fatal("photo:", err, card.at("PHOTO", "TYPE").Text)
	}
	if img, err := png.Decode(bytes.NewReader(raw)); err != nil || img.Bounds().Dx() < 32 {
		t.Error("photo:", err)
	}
	if card.at("EMAIL", "USERID").Text != "ben@contoso.com" {
		t.Errorf("card %v", card)
	}
	for who, want := range map[string]string{at("dan"): "item-not-found", at("cat"): "item-not-found", at("nobody"): "item-not-found", domain: "item-not-found"} {
		if n := ann.iq("get", who, vcardGet); n.condition() != want {
			t.Errorf("%s: %v", who, n)
		}
	}
	if n := ann.iq("set", "", "<vCard xmlns='vcard-temp'><FN>x</FN></vCard>"); n.condition() != "not-allowed" {
		t.Errorf("set: %v", n)
	}
	// The pending one becomes a contact by being accepted.
	ann.send("<presence type='subscribed' to='%s'/>", at("dan"))
	if n := ann.iq("get", at("dan"), vcardGet); n.at("vCard", "FN").Text == "" {
		t.Errorf("accepted: %v", n)
	}
}

func TestM09PhotoByAddressAndHash(t *testing.T) {
	o := world()
	o.PhotoHashes = true
	s := start(t, o)
	ann := online(t, s, "ann")
	ben := online(t, s, "ben")
	p := only(ann.sync(), "presence")
	if len(p) != 1 || len(p[0].at("x", "photo").Text) != 40 {
		t.Fatalf("%v", p)
	}
	if err := s.SetVCard("ben", perch.VCard{FullName: "Ben", Photo: &perch.Photo{URL: "https://example.org/b.png"}}); err != nil {
		t.Fatal(err)
	}
	p = only(ann.sync(), "presence")
	if len(p) != 1 || p[0].at("x").XMLName.Space != "vcard-temp:x:update" || p[0].at("x", "photo").Text != "" {
		t.Errorf("%v", p)
	}
	if n := ben.iq("get", "", vcardGet); n.at("vCard", "PHOTO", "EXTVAL").Text != "https://example.org/b.png" {
		t.Errorf("%v", n)
	}
}

func retrieve(with string, max int) string {
	return fmt.Sprintf("<retrieve xmlns='urn:xmpp:archive' with='%s'><set xmlns='http://jabber.org/protocol/rsm'><max>%d</max><after>m1</after></set></retrieve>", with, max)
}

func TestM10ArchiveHoldsTheLastTen(t *testing.T) {
	for _, utc := range []bool{false, true} {
		o := world()
		o.ArchiveUTC = utc
		o.Accounts[1].KeepHistory = true // ben's setting serves ann too
		day := time.Date(2012, 5, 1, 10, 0, 0, 0, time.UTC)
		o.Accounts[0].Archive = []messenger.ArchivedMessage{
			{With: "ben", Body: "first", Time: day}, {With: "ben", FromMe: true, Body: "second", Time: day.Add(11 * time.Second)},
			{With: "ben", Body: "third", Time: day.Add(18 * time.Second)},
		}
		s := start(t, o)
		ann := signIn(t, s, "ann")
		chat := ann.iq("get", "", retrieve(at("ben")+"/ignored", 100)).at("chat")
		got := chat.get("with") + " " + chat.get("start")
		for _, m := range chat.Kids {
			got += " " + m.XMLName.Local + m.get("secs") + m.get("utc") + "=" + m.at("body").Text
		}
		want := at("ben") + " 2012-05-01T10:00:00Z from0=first to11=second from7=third"
		if utc {
			want = at("ben") + " 2012-05-01T10:00:00Z from2012-05-01T10:00:00.000Z=first to2012-05-01T10:00:11.000Z=second from2012-05-01T10:00:18.000Z=third"
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		for i := range 12 {
			ann.send("<message type='chat' to='%s'><body>n%d</body></message>", at("ben"), i)
		}
		chat = ann.iq("get", at("ann"), retrieve(at("ben"), 50)).at("chat")
		if len(chat.Kids) != 10 || chat.Kids[9].at("body").Text != "n11" || chat.Kids[0].at("body").Text != "n2" {
			t.Errorf("%d messages, %v", len(chat.Kids), chat)
		}
		if chat = ann.iq("get", "", retrieve(at("ben"), 3)).at("chat"); len(chat.Kids) != 3 || chat.Kids[0].at("body").Text != "n9" {
			t.Errorf("max 3: %v", chat)
		}
		ben := signIn(t, s, "ben")
		if chat = ben.iq("get", "", retrieve(at("ann"), 1)).at("chat"); len(chat.Kids) != 1 || chat.Kids[0].XMLName.Local != "from" {
			t.Errorf("the other side: %v", chat)
		}
	}
}

func TestM10NoHistoryNoArchive(t *testing.T) {
	o := world()
	o.Accounts[0].Archive = []messenger.ArchivedMessage{{With: "ben", Body: "old"}}
	s := start(t, o)
	ann := signIn(t, s, "ann")
	ann.send("<message type='chat' to='%s'><body>unrecorded</body></message>", at("ben"))
	empty := func(when string) {
		t.Helper()
		if n := ann.iq("get", "", retrieve(at("ben"), 10)); n.get("type") != "result" || len(n.Kids) != 0 {
			t.Errorf("%s: %v", when, n)
		}
	}
	empty("history off")
	if err := s.SetHistory("ben", true); err != nil {
		t.Fatal(err)
	}
	if chat := ann.iq("get", "", retrieve(at("ben"), 10)).at("chat"); len(chat.Kids) != 1 || chat.at("from", "body").Text != "old" {
		t.Errorf("switched on: %v", chat)
	}
	s.SetHistory("ben", false)
	empty("switched off")
	for with, want := range map[string]string{"": "bad-request", "a@@b": "bad-request", at("nobody"): ""} {
		if n := ann.iq("get", "", retrieve(with, 10)); n.condition() != want {
			t.Errorf("with %q: %v", with, n)
		}
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
			t.Fatalf("%v", got)
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
		t.Fatalf("push to the asking side: %v", push)
	}
	req := only(ben.sync(), "presence subscribe")
	if len(req) != 1 || req[0].at("nick").Text != "CAT" || req[0].at("status").Text != "please" || req[0].get("from") != at("cat") {
		t.Fatalf("request: %v", req) // the nickname is the service's own when none is given
	}
	cat.send("<presence type='subscribe' to='%s'><nick xmlns='http://jabber.org/protocol/nick'>Kit</nick></presence>", at("ben"))
	cat.sync()
	if again := only(ben.sync(), "presence subscribe"); len(again) != 0 {
		t.Errorf("asked twice: %v", again)
	}
	ben.send("<presence type='subscribed' to='%s'/>", at("cat"))
	if item := only(ben.sync(), "iq set")[0].at("query", "item"); item.get("subscription") != "from" || item.get("jid") != at("cat") {
		t.Errorf("push to the accepting side: %v", item)
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
		t.Errorf("naming: %v", n)
	}
	if n := ben.iq("set", "", add(at("cat"), "name='Kat'", "")); n.condition() != "not-allowed" {
		t.Errorf("renaming: %v", n)
	}
	// What exists cannot be ended: that would change the roster.
	ben.send("<presence type='unsubscribed' to='%s'/>", at("cat"))
	cat.send("<presence type='unsubscribe' to='%s'/>", at("ben"))
	for _, c := range []*client{ben, cat} {
		if got := only(c.sync(), "presence error"); len(got) != 1 || got[0].condition() != "not-allowed" {
			t.Errorf("%s: %v", c.jid, got)
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
		t.Errorf("declined: %v", got)
	}
	ann.send("<presence type='subscribed' to='%s'/>", at("dan")) // too late
	ann.sync()
	if got := dan.sync(); len(got) != 0 {
		t.Errorf("accepted without a request: %v", got)
	}
	cat.send("<presence type='subscribe' to='%s'/><presence type='unsubscribe' to='%s'/>", at("ann"), at("ann"))
	cat.sync()
	if got := ann.sync(); len(only(got, "presence unsubscribe")) != 1 {
		t.Errorf("taken back: %v", got)
	}
	ann.send("<presence type='unavailable'/><presence/>")
	if got := only(ann.sync(), "presence subscribe"); len(got) != 0 {
		t.Errorf("still pending: %v", got)
	}
	cat.send("<presence type='subscribe' to='%s'/><presence type='subscribe' to='mary@contoso.net'/>", at("nobody"))
	if p := only(cat.sync(), "iq set"); len(p) != 1 || p[0].at("query", "item").get("jid") != "mary@contoso.net" {
		t.Errorf("requests into the void: %v", p)
	}
}

func TestM12OfflineMessagesInOrder(t *testing.T) {
	o := world()
	o.OfflineMax = 3
	s := start(t, o)
	ann := online(t, s, "ann")
	before := time.Now().Add(-time.Second)
	for i := range 4 {
		ann.send("<message id='m%d' type='chat' to='%s'><body>%d</body><delay xmlns='urn:xmpp:delay' stamp='1999-01-01T00:00:00Z'/></message>", i, at("ben"), i)
	}
	ann.send("<message type='chat' to='%s'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", at("ben"))
	if got := only(ann.sync(), "message error"); len(got) != 1 || got[0].get("id") != "m3" || got[0].condition() != "service-unavailable" {
		t.Fatalf("beyond the limit: %v", got)
	}
	ben := signIn(t, s, "ben")
	ben.send("<presence><priority>-1</priority></presence>")
	if got := only(ben.sync(), "message"); len(got) != 0 {
		t.Fatalf("a resource of negative priority got %v", got)
	}
	ben.send("<presence/>")
	got := only(ben.sync(), "message")
	if fmt.Sprint(bodies(got)) != "[0 1 2]" || len(got) != 3 {
		t.Fatalf("%v", got)
	}
	for _, m := range got {
		stamp, err := time.Parse(time.RFC3339, m.at("delay").get("stamp"))
		if err != nil || stamp.Before(before) || m.at("delay").get("from") != domain || m.get("from") != ann.jid || len(m.Kids) != 2 {
			t.Errorf("%v (%v)", m, err)
		}
	}
	ben.send("<presence type='unavailable'/><presence/>")
	if got := only(ben.sync(), "message"); len(got) != 0 {
		t.Errorf("delivered twice: %v", got)
	}
}

func TestM13ChatStatesAreRelayed(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann"), online(t, s, "ben")
	for _, state := range []string{"active", "composing", "paused", "inactive", "gone"} {
		ann.send("<message type='chat' to='%s'><%s xmlns='http://jabber.org/protocol/chatstates'/></message>", at("ben"), state)
		ann.sync()
		got := only(ben.sync(), "message chat")
		if len(got) != 1 || got[0].at(state).XMLName.Space != "http://jabber.org/protocol/chatstates" {
			t.Errorf("%s: %v", state, got)
		}
	}
	if err := s.SetChatState("ben", "ann", perch.StateComposing); err != nil {
		t.Fatal(err)
	}
	if got := only(ann.sync(), "message"); len(got) != 1 || got[0].at("composing").XMLName.Local == "" {
		t.Errorf("from the service: %v", got)
	}
}

func TestM14JIDLookupInBothNamespaces(t *testing.T) {
	s := start(t, world())
	ann := signIn(t, s, "ann")
	for _, ns := range []string{"jidlookup", "http://messenger.live.com/xmpp/jidlookup"} {
		n := ann.iq("get", "Cat@contoso.com", "<getjid xmlns='"+ns+"'/>")
		if n.at("getjid").XMLName.Space != ns || n.at("getjid", "jid").Text != at("cat") || n.get("from") != "Cat@contoso.com" {
			t.Errorf("%s: %v", ns, n)
		}
		for to, want := range map[string]string{"nobody@contoso.com": "item-not-found", at("cat"): "item-not-found", "": "item-not-found"} {
			if n := ann.iq("get", to, "<getjid xmlns='"+ns+"'/>"); n.condition() != want {
				t.Errorf("%s %q: %v", ns, to, n)
			}
		}
	}
	if n := ann.iq("get", "cat@contoso.com", "<getjid xmlns='urn:other'/>"); n.condition() != "service-unavailable" {
		t.Errorf("another namespace: %v", n)
	}
	// As the documentation's examples have it, a client may call itself by its account id.
	ann.send("<iq type='get' id='me' from='ann@contoso.com' to='ben@contoso.com'><getjid xmlns='jidlookup'/></iq>")
	if n := ann.next(); n.at("getjid", "jid").Text != at("ben") {
		t.Errorf("%v", n)
	}
	// An account id as a contact is taken, but never answers: contacts are added by JID.
	if n := ann.iq("set", "", add("mary@contoso.com", "", "")); n.condition() != "" {
		t.Errorf("%v", n)
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
				t.Errorf("%s: from %q to %q", from, n.get("from"), n.get("to"))
			}
		}
		if n := c.iq("get", at("ann"), vcardGet); n.get("from") != at("ann") {
			t.Errorf("%s: a request with an address is answered from %q", from, n.get("from"))
		}
	}
	if _, err := messenger.New(messenger.Options{IQFrom: "moon"}); err == nil {
		t.Error("an unknown sender is taken")
	}
}

func TestM16PingIsAnswered(t *testing.T) {
	c := signIn(t, start(t, world()), "ann")
	for _, to := range []string{"", domain, at("ann")} {
		if n := c.iq("get", to, "<ping xmlns='urn:xmpp:ping'/>"); n.get("type") != "result" || len(n.Kids) != 0 {
			t.Errorf("to %q: %v", to, n)
		}
	}
}

func TestOtherIQs(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben")
	c := online(t, s, "ann")
	info := c.iq("get", domain, "<query xmlns='http://jabber.org/protocol/disco#info'/>").at("query")
	if info.at("identity").get("category") != "server" || len(info.Kids) < 5 {
		t.Errorf("disco: %v", info)
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
		t.Errorf("an answer was answered: %v", got)
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
		t.Errorf("%+v, then %+v", before, after)
	}
	if s.Logins("ann") != 1 || s.Logins("nobody") != 0 || s.Stats().Logins != 2 {
		t.Error("logins", s.Logins("ann"), s.Stats().Logins)
	}
	if err := s.Deliver("cat", "ben", "hello"); err != nil {
		t.Fatal(err)
	}
	if got := bodies(ben.sync()); fmt.Sprint(got) != "[x hello]" {
		t.Errorf("%q", got)
	}
	if s.Drop("ben") != 1 || s.Drop("ben") != 0 {
		t.Error("Drop")
	}
	if cond, clean := ben.ended(); cond != "" || clean {
		t.Errorf("dropped with %q, clean %v", cond, clean)
	}
	if p := only(ann.sync(), "presence unavailable"); len(p) != 1 {
		t.Errorf("ann saw %v", p)
	}
	if s.Kick("ann", "reset") != 1 {
		t.Error("Kick")
	}
	if cond, clean := ann.ended(); cond != "reset" || !clean {
		t.Errorf("kicked with %q, clean %v", cond, clean)
	}
	if err := s.SetPresence("ann", perch.OwnPresence{}); err == nil {
		t.Error("a person's presence was set")
	}
	if s.Deliver("x", "ann", "") == nil || s.Deliver("ann", "x", "") == nil || s.Invite("x", "ann", "", "") == nil || s.Invite("ann", "x", "", "") == nil {
		t.Error("unknown accounts are taken")
	}
}
