package today_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

// rules asks the room for a change of roles or affiliations, and returns the condition.
func rules(c *xmpptest.Client, items string) string {
	c.T.Helper()
	return c.IQ("set", tea, "<query xmlns='"+muc+"#admin'>"+items+"</query>").Condition()
}

func affiliate(user, affiliation string) string {
	return "<item jid='" + at(user) + "' affiliation='" + affiliation + "'><reason>why</reason></item>"
}

func role(nick, role string) string {
	return "<item nick='" + nick + "' role='" + role + "'><reason>why</reason></item>"
}

// TestRoomRoles: kicks and voice (XEP-0045, 8.2 to 8.4, 9.6).
func TestRoomRoles(t *testing.T) {
	_, ann, ben, cat := three(t)
	for _, tt := range []struct {
		name  string
		by    *xmpptest.Client
		items string
		want  string
		about string // nick
		shows string // role and codes, to cat
	}{
		{"of a participant", ben, role("Ann", "none"), "forbidden", "", ""},
		{"no role", ann, "<item nick='Ben' role='king'/>", "bad-request", "", ""},
		{"neither", ann, "<item nick='Ben'/>", "bad-request", "", ""},
		{"nobody", ann, role("Dan", "none"), "item-not-found", "", ""},
		{"no voice", ann, role("Ben", "visitor"), "", "Ben", "visitor []"},
		{"voice", ann, role("Ben", "participant"), "", "Ben", "participant []"},
		{"a moderator", ann, role("Ben", "moderator"), "", "Ben", "moderator []"},
		{"who may not kick the owner", ben, role("Ann", "none"), "not-allowed", "", ""},
		{"nor make others moderators", ben, role("Cat", "moderator"), "not-allowed", "", ""},
		{"the owner stays a moderator", ann, role("Ann", "participant"), "not-allowed", "", ""},
		{"all or nothing", ann, role("Ben", "visitor") + role("Dan", "visitor"), "item-not-found", "", ""},
		{"a moderator no more", ann, role("Ben", "participant"), "", "Ben", "participant []"},
		{"a kick", ann, role("Ben", "none"), "", "Ben", "none [307]"},
	} {
		cat.Sync()
		equal(t, tt.name, rules(tt.by, tt.items), tt.want)
		p := of(cat.Sync(), tt.about)
		if tt.about != "" {
			equal(t, tt.name, user(p).At("item").Get("role")+" "+fmt.Sprint(codes(p)), tt.shows)
			equal(t, tt.name+": why and by whom", user(p).At("item", "reason").Text+" "+user(p).At("item", "actor").Get("nick"), "why Ann")
		}
	}
	equalLists(t, "who is kicked", codes(of(ben.Sync(), "Ben")), "307", "110")
}

// TestRoomAffiliations: who is what to the room for good (XEP-0045, 9 and 10).
func TestRoomAffiliations(t *testing.T) {
	s, ann, ben, cat := three(t)
	for _, tt := range []struct {
		name, items, want string
		by                *xmpptest.Client
	}{
		{"of nobody", affiliate("cat", "member"), "forbidden", ben},
		{"the last owner", affiliate("ann", "admin"), "conflict", ann},
		{"oneself banned", affiliate("ann", "outcast"), "conflict", ann},
		{"no address", "<item affiliation='member' jid='@'/>", "jid-malformed", ann},
		{"nobody's nick", "<item affiliation='member' nick='Dan'/>", "item-not-found", ann},
		{"an admin by nick", "<item affiliation='admin' nick='Ben'/>", "", ann},
		{"an admin makes a member", affiliate("cat", "member"), "", ben},
		{"and no admin", affiliate("cat", "admin"), "not-allowed", ben},
		{"and takes nothing from the owner", affiliate("ann", "none"), "not-allowed", ben},
		{"one who is not there", affiliate("nobody", "member"), "", ben},
	} {
		equal(t, tt.name, rules(tt.by, tt.items), tt.want)
	}
	all := cat.Sync()
	equal(t, "an admin", item(of(all, "Ben")), "admin moderator")
	equal(t, "a member", item(of(all, "Cat")), "member participant "+at("cat")+"/c")
	if told := xmpptest.Only(ann.Sync(), "message"); len(told) != 1 || item(told[0]) != "member none "+at("nobody") {
		t.Errorf("of one who is not there: got %v, want one message", told)
	}
	lists := func(c *xmpptest.Client, affiliation string) string {
		n := c.IQ("get", tea, "<query xmlns='"+muc+"#admin'><item affiliation='"+affiliation+"'/></query>")
		got := n.Condition()
		for _, k := range n.At("query").Kids {
			got += k.Get("jid") + " "
		}
		return strings.TrimSpace(strings.ReplaceAll(got, "@"+s.Domain(), ""))
	}
	equal(t, "members", lists(ben, "member"), "cat nobody")
	equal(t, "owners", lists(ann, "owner"), "ann")
	equal(t, "members for a member", lists(cat, "member"), "forbidden")
	n := ann.IQ("get", tea, "<query xmlns='"+muc+"#admin'><item role='participant'/></query>")
	equal(t, "participants", n.At("query", "item").Get("nick"), "Cat")

	equal(t, "a ban", rules(ben, affiliate("cat", "outcast")), "")
	equalLists(t, "who is banned", codes(of(cat.Sync(), "Cat")), "301", "110")
	equal(t, "at the door", bounced(join(cat, "Cat", "")), "forbidden")
	equal(t, "the banned", lists(ann, "outcast"), "cat")
	configures(ann, "membersonly=1")
	rules(ann, affiliate("ben", "none"))
	equalLists(t, "no member any more", codes(of(ben.Sync(), "Ben")), "321", "110")
}

// TestRoomConfig: the form of the owners (XEP-0045, 10.2), and what it changes for those in the room.
func TestRoomConfig(t *testing.T) {
	_, ann, ben, cat := three(t)
	get := "<query xmlns='" + muc + "#owner'/>"
	equal(t, "another", ben.IQ("get", tea, get).Condition(), "forbidden")
	form := ann.IQ("get", tea, get).At("query", "x")
	equal(t, "the form", form.Get("type")+" "+form.Kids[0].At("value").Text, "form "+muc+"#roomconfig")
	for _, tt := range []struct{ name, form, want string }{
		{"another form", "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:x</value></field></x>", "bad-request"},
		{"no form", "", "bad-request"},
		{"no truth", "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + muc + "#roomconfig</value></field><field var='muc#roomconfig_membersonly'><value>maybe</value></field></x>", "not-acceptable"},
		{"never mind", "<x xmlns='jabber:x:data' type='cancel'/>", ""},
		{"nothing", "<x xmlns='jabber:x:data' type='submit'/>", ""},
	} {
		equal(t, tt.name, ann.IQ("set", tea, "<query xmlns='"+muc+"#owner'>"+tt.form+"</query>").Condition(), tt.want)
	}
	cat.Sync()
	configures(ann, "whois=anyone", "roomname=Tea", "enablearchiving=0", "unknown=1")
	equalLists(t, "codes", codes(xmpptest.Only(cat.Sync(), "message")[0]), "171", "172", "104")
	configures(ann, "whois=anyone", "roomname=Tea")
	if got := xmpptest.Only(cat.Sync(), "message"); len(got) != 0 {
		t.Errorf("the same once more: got %v, want nothing", got)
	}
	rules(ann, affiliate("cat", "member"))
	configures(ann, "membersonly=1")
	equalLists(t, "who is no member", codes(of(ben.Sync(), "Ben")), "322", "110")
	configures(ann, "presencebroadcast=moderator")
	configures(ann, "membersonly=0")
	ann.Sync()
	all := enters(ben, "Ben")
	equal(t, "one whose presence is not shown", of(ann.Sync(), "Ben").Get("from"), "")
	equal(t, "one whose presence is not shown to others", of(all, "Cat").Get("from"), "")
	rules(ann, role("Ben", "moderator"))
	equal(t, "a moderator", of(cat.Sync(), "Ben").Get("type")+item(of(ann.Sync(), "Ben")), "none moderator "+at("ben")+"/b")
	rules(ann, role("Ben", "participant"))
	equal(t, "and no more", of(cat.Sync(), "Ben").Get("type"), "unavailable")
}

// TestRoomEnd: an owner ends a room, and names another one (XEP-0045, 10.9).
func TestRoomEnd(t *testing.T) {
	s, ann, ben, _ := three(t)
	destroy := "<query xmlns='" + muc + "#owner'><destroy jid='next@rooms." + s.Domain() + "'><reason>over</reason></destroy></query>"
	equal(t, "another", ben.IQ("set", tea, destroy).Condition(), "forbidden")
	equal(t, "the owner", ann.IQ("set", tea, destroy).Condition(), "")
	p := of(ben.Sync(), "Ben")
	equal(t, "presence", p.Get("type")+" "+item(p)+" "+user(p).At("destroy").Get("jid")+" "+user(p).At("destroy", "reason").Text,
		"unavailable none none "+at("ben")+"/b next@rooms."+s.Domain()+" over")
	all := join(ben, "Ben", "")
	equal(t, "at the door", bounced(all), "gone")
	equal(t, "the next room", all[0].At("error", "gone").Text, "xmpp:next@rooms."+s.Domain()+"?join")

	join(ben, "x", "")
	ben.Send("<presence to='%s/Ben'><x xmlns='%s'/></presence>", "new@rooms."+s.Domain(), muc)
	ben.IQ("set", "new@rooms."+s.Domain(), "<query xmlns='"+muc+"#owner'><x xmlns='jabber:x:data' type='cancel'/></query>")
	n := ben.IQ("get", "new@rooms."+s.Domain(), "<query xmlns='http://jabber.org/protocol/disco#info'/>")
	equal(t, "a new room that is not wanted", n.Condition(), "item-not-found")
}
