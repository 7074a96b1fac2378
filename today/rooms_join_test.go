package today_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

// TestRoomJoin: who is there, oneself, the history, the subject, in this order (XEP-0045, 7.2).
func TestRoomJoin(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
	all := join(ann, "Ann", "")
	equalLists(t, "codes of who makes a room", codes(of(all, "Ann")), "110", "201", "170")
	equal(t, "the owner", item(of(all, "Ann")), "owner moderator "+at("ann")+"/a")
	equal(t, "a room that is not configured", bounced(join(ben, "Ben", "")), "item-not-found")
	configures(ann)
	says(ann, "m1", "<body>one</body>")
	says(ann, "m2", "<body>two</body>")
	ann.Sync()

	var order []string
	all = join(ben, "Ben", "")
	for _, n := range all {
		order = append(order, strings.TrimPrefix(n.Get("from"), tea)+" "+n.At("body").Text)
	}
	equalLists(t, "what a join brings", order, "/Ann ", "/Ben ", "/Ann one", "/Ann two", " ")
	equal(t, "the id of the join", of(all, "Ben").Get("id"), "j-Ben")
	equal(t, "oneself", item(of(all, "Ben")), "none participant "+at("ben")+"/b")
	equal(t, "the owner for a participant", item(of(all, "Ann")), "owner moderator")
	equalLists(t, "own codes", codes(of(all, "Ben")), "110", "170")
	seen := of(ann.Sync(), "Ben")
	equal(t, "the participant for the owner", item(seen), "none participant "+at("ben")+"/b")
	equal(t, "the id of the join for others", seen.Get("id"), "j-Ben")
	equal(t, "codes for others", len(codes(seen)), 0)
	if id := kid(seen, "urn:xmpp:occupant-id:0").Get("id"); id == "" || id != kid(of(all, "Ben"), "urn:xmpp:occupant-id:0").Get("id") {
		t.Errorf("occupant id: got %q, want the same for all", id)
	}
	if again := join(ben, "Ben", "<history maxstanzas='1'/>"); of(again, "Ann").Get("from") == "" || of(again, "Ben").Get("from") == "" || len(bodies(again)) != 1 {
		t.Errorf("a second join: got %v, want everything again", again)
	}
}

// TestRoomHistory: as much of it as is asked for (XEP-0045, 7.2.13).
func TestRoomHistory(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
	opens(ann, "Ann")
	for i := range 30 {
		ann.Send("<message to='%s' type='groupchat' id='m%d'><body>%d</body></message>", tea, i, i)
	}
	ann.Sync()
	for _, tt := range []struct {
		ask         string
		n           int
		first, what string
	}{
		{"", 20, "10", "nothing in particular"},
		{"<history maxstanzas='3'/>", 3, "27", "three"},
		{"<history maxstanzas='0'/>", 0, "", "none"},
		{"<history maxchars='0'/>", 0, "", "no characters"},
		{"<history seconds='3600'/>", 30, "0", "of the last hour"},
		{"<history since='2001-02-03T04:05:06Z'/>", 30, "0", "since long ago"},
		{"<history since='2101-02-03T04:05:06Z'/>", 0, "", "of the future"},
		{"<history maxstanzas='-1' since='never'/>", 20, "10", "nonsense"},
	} {
		got := bodies(join(ben, "Ben", tt.ask))
		if len(got) != tt.n || tt.n > 0 && got[0] != tt.first {
			t.Errorf("%s: got %q, want %d from %q on", tt.what, got, tt.n, tt.first)
		}
		ben.Send("<presence to='%s/Ben' type='unavailable'/>", tea)
	}
	past := xmpptest.Only(join(ben, "Ben", "<history maxstanzas='1'/>"), "message")
	equal(t, "who held it back", kid(past[0], "urn:xmpp:delay").Get("from"), tea)
	equal(t, "the archive of the id", kid(past[0], "urn:xmpp:sid:0").Get("by"), tea)
}

// TestRoomDoor: what is said to those who may not enter (XEP-0045, 7.2.5 to 7.2.10).
func TestRoomDoor(t *testing.T) {
	for _, tt := range []struct {
		name, field, enter, condition string
	}{
		{"open", "publicroom=1", "", ""},
		{"members alone", "membersonly=1", "", "registration-required"},
		{"no password", "roomsecret=canary-not-me", "", "not-authorized"},
		{"another password", "roomsecret=canary-not-me", "<password>x</password>", "not-authorized"},
		{"the password", "roomsecret=canary-not-me", "<password>canary-not-me</password>", ""},
		{"full", "maxusers=1", "", "service-unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, world())
			ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
			opens(ann, "Ann", tt.field)
			equal(t, "the condition", bounced(join(ben, "Ben", tt.enter)), tt.condition)
			equal(t, "the nick of another", bounced(join(ben, "Ann", tt.enter)) != "", true)
		})
	}
	s := start(t, world())
	ben := online(t, s, "ben", "b")
	ben.Send("<presence to='%s'><x xmlns='%s'/></presence>", tea, muc)
	equal(t, "no nick", bounced(ben.Sync()), "jid-malformed")
	ben.Send("<presence to='%s/Ben'/>", tea)
	equal(t, "presence without a join", bounced(ben.Sync()), "item-not-found")
	ben.Send("<presence to='%s/Ben' type='subscribe'/>", tea)
	equal(t, "a subscription", bounced(ben.Sync()), "service-unavailable")
	opens(ben, "Ben", "whois=anyone")
	cat := online(t, s, "cat", "c")
	all := join(cat, "C\u00a0at", "")
	equalLists(t, "codes of a nick that is changed, where all see who is who", codes(of(all, "C at")), "110", "210", "100", "170")
	equal(t, "who is who", item(of(all, "Ben")), "owner moderator "+at("ben")+"/b")
	equal(t, "the nick of another", bounced(join(online(t, s, "ann", "a"), "Ben", "")), "conflict")
}

// TestRoomDevices: sessions of one account are one occupant under one nick.
func TestRoomDevices(t *testing.T) {
	s, ann, ben, _ := three(t)
	other := online(t, s, "ben", "b2")
	all := enters(other, "Ben")
	items := 0
	for _, k := range user(of(all, "Ben")).Kids {
		if k.XMLName.Local == "item" {
			items++
		}
	}
	equal(t, "items of oneself", items, 2)
	ann.Sync()
	says(ann, "m1", "<body>both</body>")
	equalLists(t, "the one", bodies(ben.Sync()), "both")
	equalLists(t, "the other", bodies(other.Sync()), "both")
	other.Send("<presence to='%s/Ben' type='unavailable'/>", tea)
	gone := of(other.Sync(), "Ben")
	equal(t, "who leaves", gone.Get("type")+" "+fmt.Sprint(codes(gone)), "unavailable [110]")
	equal(t, "the rest of it", of(ann.Sync(), "Ben").Get("type"), "")
	ben.Send("<presence to='%s/Ben' type='unavailable'><status>bye</status></presence>", tea)
	ben.Sync()
	last := of(ann.Sync(), "Ben")
	equal(t, "the last one", last.Get("type")+" "+item(last)+" "+last.At("status").Text, "unavailable none none "+at("ben")+"/b bye")
}

// TestRoomNick: another nick is the end of one and the beginning of another (XEP-0045, 7.6).
func TestRoomNick(t *testing.T) {
	s, ann, ben, _ := three(t)
	rename := func(c *xmpptest.Client, nick string) []xmpptest.Node {
		c.Send("<presence to='%s/%s'/>", tea, nick)
		return c.Sync()
	}
	equal(t, "a nick that is taken", bounced(rename(ben, "Cat")), "conflict")
	all := rename(ben, "Benny")
	equalLists(t, "the old nick", codes(of(all, "Ben")), "303", "110")
	equal(t, "the new nick", user(of(all, "Ben")).At("item").Get("nick"), "Benny")
	equalLists(t, "oneself", codes(of(all, "Benny")), "110")
	all = ann.Sync()
	equal(t, "for others", of(all, "Ben").Get("type")+" "+of(all, "Benny").Get("type")+" "+of(all, "Benny").Get("from"), "unavailable  "+tea+"/Benny")

	two := online(t, s, "ben", "b2")
	enters(two, "Benny")
	ann.Sync()
	rename(two, "Twice")
	all = ann.Sync()
	equal(t, "one of two leaves the nick", of(all, "Benny").Get("type")+of(all, "Twice").Get("from"), tea+"/Twice")
	rename(two, "Benny")
	all = ann.Sync()
	equal(t, "and comes back", of(all, "Twice").Get("type")+of(all, "Benny").Get("type"), "unavailable")
}

// TestRoomLeave: the end of a stream, and of its presence, are the end of a visit; a temporary room ends
// with the last one.
func TestRoomLeave(t *testing.T) {
	_, ann, ben, cat := three(t)
	ben.Send("</stream:stream>")
	ann.Find("the end of Ben's stream", func(n xmpptest.Node) bool {
		return n.Get("from") == tea+"/Ben" && n.Get("type") == "unavailable"
	})
	cat.Send("<presence type='unavailable'/>")
	equalLists(t, "oneself", codes(of(cat.Sync(), "Cat")), "110")
	equal(t, "of presence that ended", of(ann.Sync(), "Cat").Get("type"), "unavailable")
	says(cat, "m", "<body>x</body>")
	ann.Send("<presence to='%s/Ann' type='unavailable'/>", tea)
	ann.Sync()
	equal(t, "the room", cat.IQ("get", tea, "<query xmlns='http://jabber.org/protocol/disco#info'/>").Condition(), "item-not-found")
}
