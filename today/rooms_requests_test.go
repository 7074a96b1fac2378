package today_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmppserver"
	"github.com/perch-im/perch/internal/xmpptest"
)

const discoInfo = "<query xmlns='http://jabber.org/protocol/disco#info'/>"

// features that service discovery shows.
func features(n xmpptest.Node) (list []string) {
	for _, k := range n.At("query").Kids {
		if k.XMLName.Local == "feature" {
			list = append(list, k.Get("var"))
		}
	}
	return list
}

// TestRoomDiscovery: of the domain, of the component, and of a room (XEP-0045, 6).
func TestRoomDiscovery(t *testing.T) {
	s, ann, ben, _ := three(t, "roomname=Tea", "roomdesc=Leaves", "membersonly=0")
	host := "rooms." + s.Domain()
	items := func(to, payload string) (list []string) {
		for _, k := range ben.IQ("get", to, "<query xmlns='http://jabber.org/protocol/disco#items'>"+payload+"</query>").At("query").Kids {
			list = append(list, strings.TrimSpace(k.Get("jid")+" "+k.Get("name")))
		}
		return list
	}
	if got := items(s.Domain(), ""); !slices.Contains(got, host) {
		t.Errorf("the domain: got %q, want %s in it", got, host)
	}
	equalLists(t, "the rooms", items(host, ""), tea+" Tea")
	equalLists(t, "a room", items(tea, ""))
	n := ben.IQ("get", host, discoInfo)
	equal(t, "the component", n.At("query", "identity").Get("category")+fmt.Sprint(slices.Contains(features(n), muc)), "conferencetrue")
	n = ben.IQ("get", tea, discoInfo)
	equal(t, "the name", n.At("query", "identity").Get("name"), "Tea")
	for _, f := range []string{muc, "urn:xmpp:mam:2", "urn:xmpp:mam:2#extended", "urn:xmpp:sid:0", "urn:xmpp:occupant-id:0", "urn:xmpp:message-moderate:1", "vcard-temp", "muc_open", "muc_public", "muc_semianonymous", "muc_temporary"} {
		if !slices.Contains(features(n), f) {
			t.Errorf("the room: got %q, want %s in it", features(n), f)
		}
	}
	form := map[string]string{}
	for _, k := range kid(n.At("query"), "jabber:x:data").Kids {
		form[k.Get("var")] = k.At("value").Text
	}
	equal(t, "the form", fmt.Sprint(form["muc#roominfo_description"], form["muc#roominfo_occupants"], form["FORM_TYPE"]), "Leaves3"+muc+"#roominfo")
	configures(ann, "publicroom=0")
	equalLists(t, "rooms when it is hidden", items(host, ""))
	rules(ann, "<item jid='"+at("ben")+"' affiliation='member' nick='Benjamin'/>")
	n = ben.IQ("get", tea, "<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/>")
	equal(t, "the nick that is kept", n.At("query", "identity").Get("name"), "Benjamin")
	equal(t, "what a room has not", ben.IQ("get", tea, "<query xmlns='jabber:iq:register'/>").Condition(), "service-unavailable")
	equal(t, "what the component has not", ben.IQ("get", host, "<query xmlns='jabber:iq:register'/>").Condition(), "service-unavailable")
	equal(t, "a ping of the component", ben.IQ("get", host, "<ping xmlns='urn:xmpp:ping'/>").Get("type"), "result")
}

// TestRoomDirectoryPages: the list of rooms by pages (XEP-0059).
func TestRoomDirectoryPages(t *testing.T) {
	s := start(t, world())
	ann, host := online(t, s, "ann", "a"), "rooms."+s.Domain()
	for _, name := range []string{"c", "a", "b"} {
		room := name + "@" + host
		ann.Send("<presence to='%s/Ann'><x xmlns='%s'/></presence>", room, muc)
		ann.IQ("set", room, "<query xmlns='"+muc+"#owner'><x xmlns='jabber:x:data' type='submit'/></query>")
	}
	for _, tt := range []struct{ set, want string }{
		{"<max>2</max>", "a b first=a@0 last=b count=3"},
		{"<max>2</max><after>b@" + host + "</after>", "c first=c@2 last=c count=3"},
		{"<max>2</max><before/>", "b c first=b@1 last=c count=3"},
		{"<max>1</max><before>b@" + host + "</before>", "a first=a@0 last=a count=3"},
		{"<max>0</max>", "first=@ last= count=3"},
		{"<after>zzz</after>", "first=@ last= count=3"},
	} {
		q := ann.IQ("get", host, "<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'>"+tt.set+"</set></query>").At("query")
		got := ""
		for _, k := range q.Kids {
			if k.XMLName.Local == "item" {
				got += k.Get("jid") + " "
			}
		}
		set := q.At("set")
		got += "first=" + set.At("first").Text + "@" + set.At("first").Get("index") + " last=" + set.At("last").Text + " count=" + set.At("count").Text
		got = strings.ReplaceAll(got, "@"+host, "")
		equal(t, tt.set, got, tt.want)
	}
	q := ann.IQ("get", host, "<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'><max>x</max></set></query>")
	equal(t, "no number", q.Condition(), "bad-request")
}

// TestRoomPing: whether one is in a room (XEP-0410), and requests between occupants.
func TestRoomPing(t *testing.T) {
	s, ann, ben, _ := three(t)
	ping := "<ping xmlns='urn:xmpp:ping'/>"
	out := online(t, s, "ann", "out")
	for _, tt := range []struct {
		name, to, want string
		by             *xmpptest.Client
	}{
		{"in", tea + "/Ann", "", ann},
		{"not in", tea + "/Ann", "not-acceptable", out},
		{"another nick", tea + "/Dan", "item-not-found", ann},
		{"no room", "none@rooms." + s.Domain() + "/Ann", "item-not-found", ann},
		{"the room", tea, "service-unavailable", ann},
	} {
		equal(t, tt.name, tt.by.IQ("get", tt.to, ping).Condition(), tt.want)
	}
	ann.Send("<iq type='get' id='v1' to='%s/Ben'><query xmlns='jabber:iq:version'/></iq>", tea)
	asked := ben.Find("the question", func(n xmpptest.Node) bool { return n.XMLName.Local == "iq" && n.Get("from") == tea+"/Ann" })
	ben.Send("<iq type='result' id='%s' to='%s/Ann'><query xmlns='jabber:iq:version'><name>Pen</name></query></iq>", asked.Get("id"), tea)
	answer := ann.Find("the answer", func(n xmpptest.Node) bool { return n.Get("id") == "v1" })
	equal(t, "the answer", answer.Get("from")+answer.At("query", "name").Text, tea+"/BenPen")
	ann.Send("<iq type='get' id='v2' to='%s/Ben'><query xmlns='jabber:iq:version'/></iq>", tea)
	ben.Find("the question", func(n xmpptest.Node) bool { return n.XMLName.Local == "iq" && n.Get("from") == tea+"/Ann" })
	ben.Send("</stream:stream>")
	answer = ann.Find("the end of it", func(n xmpptest.Node) bool { return n.Get("id") == "v2" })
	equal(t, "of one who is gone", answer.Condition(), "item-not-found")
	ann.Send("<iq type='result' id='nothing' to='%s/Cat'/>", tea)
	if got := xmpptest.Only(ann.Sync(), "iq"); len(got) != 0 {
		t.Errorf("an answer to nothing: got %v, want none", got)
	}
}

// TestRoomPhoto: the picture of a room, by its owner (XEP-0486).
func TestRoomPhoto(t *testing.T) {
	s, ann, ben, cat := three(t)
	card := "<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>" + base64.StdEncoding.EncodeToString([]byte("picture")) + "</BINVAL></PHOTO></vCard>"
	equal(t, "another", ben.IQ("set", tea, card).Condition(), "forbidden")
	cat.Sync()
	equal(t, "the owner", ann.IQ("set", tea, card).Condition(), "")
	all := cat.Sync()
	equalLists(t, "codes", codes(xmpptest.Only(all, "message")[0]), "104")
	photo := func(all []xmpptest.Node) string {
		for _, n := range all {
			if n.Get("from") == tea && n.XMLName.Local == "presence" {
				return n.At("x", "photo").Text
			}
		}
		return "none"
	}
	equal(t, "the hash", photo(all), xmppserver.PhotoHash([]byte("picture")))
	equal(t, "to one who joins", photo(enters(online(t, s, "ann", "late"), "Ann")), photo(all))
	equal(t, "the card", ben.IQ("get", tea, "<vCard xmlns='vcard-temp'/>").At("vCard", "PHOTO", "TYPE").Text, "image/png")
	equal(t, "no base64", ann.IQ("set", tea, "<vCard xmlns='vcard-temp'><PHOTO><BINVAL>???</BINVAL></PHOTO></vCard>").Condition(), "not-acceptable")
	cat.Sync()
	ann.IQ("set", tea, "<vCard xmlns='vcard-temp'/>")
	equal(t, "no picture", photo(cat.Sync()), "")
}

// TestRoomArchive: what was said is in the archive of the room, and what was taken back is not.
func TestRoomArchive(t *testing.T) {
	s, ann, ben, _ := three(t)
	says(ben, "b1", "<body>rude</body>")
	says(ben, "b2", "<body>typo</body>")
	says(ann, "a1", "<body>fine</body>")
	read := func(c *xmpptest.Client) (list []xmpptest.Node) {
		c.Sync()
		n := c.IQ("set", tea, "<query xmlns='urn:xmpp:mam:2' queryid='q'/>")
		if n.Condition() != "" {
			return []xmpptest.Node{n}
		}
		for _, m := range xmpptest.Only(c.Sync(), "message") {
			if m.Get("from") == tea && m.At("result").Get("queryid") == "q" {
				list = append(list, m.At("result"))
			}
		}
		return list
	}
	list := read(ann)
	if len(list) != 3 {
		t.Fatalf("got %v, want three messages", list)
	}
	m := list[0].At("forwarded", "message")
	equal(t, "from and text", m.Get("from")+" "+m.At("body").Text+" "+m.Get("id"), tea+"/Ben rude b1")
	moderate := "<moderate xmlns='urn:xmpp:message-moderate:1' id='" + list[0].Get("id") + "'><retract xmlns='urn:xmpp:message-retract:1'/><reason>manners</reason></moderate>"
	equal(t, "a participant", ben.IQ("set", tea, moderate).Condition(), "forbidden")
	ben.Sync()
	equal(t, "a moderator", ann.IQ("set", tea, moderate).Condition(), "")
	told := xmpptest.Only(ben.Sync(), "message groupchat")
	if len(told) != 1 || told[0].Get("from") != tea || told[0].At("retract").Get("id") != list[0].Get("id") || told[0].At("retract", "moderated").Get("by") != tea+"/Ann" || told[0].At("retract", "reason").Text != "manners" {
		t.Errorf("got %v, want that the room retracts it", told)
	}
	equal(t, "no such message", ann.IQ("set", tea, strings.Replace(moderate, list[0].Get("id"), "nope", 1)).Condition(), "item-not-found")
	old := "<apply-to xmlns='urn:xmpp:fasten:0' id='" + list[2].Get("id") + "'><moderate xmlns='urn:xmpp:message-moderate:0'><retract xmlns='urn:xmpp:message-retract:0'/></moderate></apply-to>"
	equal(t, "as clients of before", ann.IQ("set", tea, old).Condition(), "")
	says(ben, "b3", "<retract xmlns='urn:xmpp:message-retract:1' id='"+list[1].Get("id")+"'/>")

	list = read(ann)
	if len(list) != 6 {
		t.Fatalf("got %v, want three tombstones and three retractions", list)
	}
	for i, want := range []string{tea + "/Ann", tea + "/Ann", ""} {
		m := list[[]int{0, 2, 1}[i]].At("forwarded", "message")
		equal(t, "a tombstone", fmt.Sprint(m.At("retracted").Get("stamp") != "", m.At("body").Text, m.At("retracted", "moderated").Get("by"), kid(m, "urn:xmpp:occupant-id:0").Get("id") != ""), fmt.Sprint(true, "", want, true))
	}
	out := online(t, s, "cat", "out")
	equal(t, "one who could enter", len(read(out)), 6)
	configures(ann, "membersonly=1")
	equal(t, "one who could not", read(out)[0].Condition(), "forbidden")
	configures(ann, "enablearchiving=0")
	equal(t, "no archive", read(ann)[0].Condition(), "service-unavailable")
}
