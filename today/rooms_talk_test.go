package today_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

// TestRoomTalk: what one says reaches all as it is, with the ids of the room (XEP-0045, 7.4; XEP-0359).
func TestRoomTalk(t *testing.T) {
	s, ann, ben, cat := three(t)
	forged := "<stanza-id xmlns='urn:xmpp:sid:0' by='" + tea + "' id='forged'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>" +
		"<x xmlns='" + muc + "#user'><status code='307'/></x><delay xmlns='urn:xmpp:delay' stamp='2001-02-03T04:05:06Z'/>"
	for _, tt := range []struct {
		name, content string
		archived      bool
	}{
		{"a text", "<body>a</body>" + forged, true},
		{"a correction", "<body>b</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>", true},
		{"a reaction", "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>👍</reaction></reactions>", true},
		{"a marker", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", true},
		{"a chat state", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", false},
		{"a receipt", "<received xmlns='urn:xmpp:receipts' id='1'/>", false},
		{"what wants no archive", "<body>c</body><no-store xmlns='urn:xmpp:hints'/>", false},
		{"what wants one", "<store xmlns='urn:xmpp:hints'/>", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			says(ben, "m1", tt.content)
			for _, c := range []*xmpptest.Client{ann, ben, cat} {
				list := xmpptest.Only(c.Sync(), "message groupchat")
				if c == ben && len(list) == 0 {
					continue // it came before the answer that says has waited for
				}
				if len(list) != 1 {
					t.Fatalf("got %v, want one message", list)
				}
				m := list[0]
				equal(t, "from, to and id", m.Get("from")+" "+m.Get("to")+" "+m.Get("id"), tea+"/Ben "+c.JID+" m1")
				equal(t, "in the archive", kid(m, "urn:xmpp:sid:0").Get("id") != "", tt.archived)
				for _, k := range m.Kids {
					if k.Get("id") == "forged" || k.XMLName.Space == muc+"#user" || k.XMLName.Space == "urn:xmpp:delay" {
						t.Errorf("got %v, want only what the room says itself", k)
					}
				}
			}
		})
	}
	other := online(t, s, "ann", "other")
	says(other, "m", "<body>from outside</body>")
	other.Send("<message to='%s' type='groupchat'><body>x</body></message>", "none@rooms."+s.Domain())
	all := other.Sync()
	equal(t, "no room", bounced(all), "item-not-found")
	if got := xmpptest.Only(ben.Sync(), "message"); len(got) != 0 {
		t.Errorf("of one who is not in the room: got %v, want nothing", got)
	}
}

// TestRoomSubject: who may set it, how it comes, and to those who join (XEP-0045, 8.1).
func TestRoomSubject(t *testing.T) {
	s, ann, ben, cat := three(t)
	ben.Send("<message to='%s' type='groupchat' id='s1'><subject>Milk</subject></message>", tea)
	equal(t, "a participant", bounced(ben.Sync()), "forbidden")
	configures(ann, "changesubject=1")
	ben.Sync()
	cat.Sync()
	ben.Send("<message to='%s' type='groupchat' id='s2'><subject>Milk</subject><x xmlns='urn:x'/></message>", tea)
	ben.Sync()
	list := xmpptest.Only(cat.Sync(), "message groupchat")
	if len(list) != 1 || list[0].At("subject").Text != "Milk" || list[0].Get("from") != tea+"/Ben" || list[0].Get("id") != "s2" || kid(list[0], "urn:x").XMLName.Local != "" {
		t.Errorf("got %v, want the subject of Ben alone", list)
	}
	other := online(t, s, "ann", "late")
	all := xmpptest.Only(enters(other, "Ann"), "message")
	last := all[len(all)-1]
	equal(t, "to one who joins", last.At("subject").Text+" "+last.Get("from"), "Milk "+tea+"/Ben")
	equal(t, "with its time", kid(last, "urn:xmpp:delay").Get("stamp") != "", true)
	says(ben, "s3", "<subject>Not</subject><body>a subject</body>")
	equalLists(t, "a message with a subject", bodies(cat.Sync()), "a subject")
	ann.Send("<message to='%s' type='groupchat'><subject/></message>", tea)
	ann.Sync()
	equal(t, "no subject any more", len(xmpptest.Only(cat.Sync(), "message groupchat")), 1)
}

// TestRoomPrivate: a message to one occupant (XEP-0045, 7.5), in the archives of both.
func TestRoomPrivate(t *testing.T) {
	s, ann, ben, cat := three(t)
	cat.Sync()
	two := online(t, s, "ben", "b2")
	enters(two, "Ben")
	cat.Sync()
	ann.Send("<message to='%s/Ben' type='chat' id='p1'><body>psst</body></message>", tea)
	ann.Sync()
	for _, c := range []*xmpptest.Client{ben, two} {
		list := xmpptest.Only(c.Sync(), "message chat")
		if len(list) != 1 {
			t.Fatalf("got %v, want one message", list)
		}
		m := list[0]
		equal(t, "from and to", m.Get("from")+" "+m.Get("to"), tea+"/Ann "+c.JID)
		equal(t, "marked", user(m).XMLName.Local, "x")
		equal(t, "the archive of its id", kid(m, "urn:xmpp:sid:0").Get("by"), at("ben"))
		equal(t, "an occupant id", kid(m, "urn:xmpp:occupant-id:0").Get("id") != "", true)
	}
	if got := cat.Sync(); len(got) != 0 {
		t.Errorf("another occupant: got %v, want nothing", got)
	}
	for c, with := range map[*xmpptest.Client]string{ann: tea + "/Ben", ben: tea + "/Ann"} {
		c.IQ("set", "", "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>"+with+"</value></field></x></query>")
		if n := len(xmpptest.Only(c.Sync(), "message")); n != 1 {
			t.Errorf("the archive of %s: got %d messages with %s, want 1", c.JID, n, with)
		}
	}
	for _, tt := range []struct{ name, to, typ, want string }{
		{"nobody", "/Dan", "chat", "item-not-found"},
		{"to all, to one", "/Ben", "groupchat", "bad-request"},
	} {
		ann.Send("<message to='%s' type='%s'><body>x</body></message>", tea+tt.to, tt.typ)
		equal(t, tt.name, bounced(ann.Sync()), tt.want)
	}
	configures(ann, "allowpm=none")
	ann.Send("<message to='%s/Ben' type='chat'><body>x</body></message>", tea)
	equal(t, "where there are none", bounced(ann.Sync()), "forbidden")
	out := online(t, s, "cat", "out")
	out.Send("<message to='%s/Ben' type='chat'><body>x</body></message>", tea)
	equal(t, "from outside", bounced(out.Sync()), "not-acceptable")
}

// TestRoomInvitation: through the room (XEP-0045, 7.8.2), and directly (XEP-0249).
func TestRoomInvitation(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
	opens(ann, "Ann", "membersonly=1")
	ann.Send("<message to='%s' id='i1'><x xmlns='%s#user'><invite to='%s'><reason>tea</reason></invite></x></message>", tea, muc, at("ben"))
	ann.Sync()
	list := xmpptest.Only(ben.Sync(), "message")
	if len(list) != 1 {
		t.Fatalf("got %v, want one invitation", list)
	}
	m := list[0]
	equal(t, "from", m.Get("from")+" "+user(m).At("invite").Get("from"), tea+" "+tea+"/Ann")
	equal(t, "the reason", user(m).At("invite", "reason").Text, "tea")
	equal(t, "for older clients", kid(m, "jabber:x:conference").Get("jid"), tea)
	ben.Send("<message to='%s'><x xmlns='%s#user'><decline to='%s/Ann'><reason>no</reason></decline></x></message>", tea, muc, tea)
	ben.Sync()
	d := xmpptest.Only(ann.Sync(), "message")
	if n := len(d); n == 0 || user(d[n-1]).At("decline").Get("from") != at("ben") || user(d[n-1]).At("decline", "reason").Text != "no" {
		t.Errorf("got %v, want that ben declines", d)
	}
	enters(ben, "Ben") // it is a member now
	for _, tt := range []struct{ name, to, want string }{
		{"nobody", "nobody@" + s.Domain(), "item-not-found"}, {"elsewhere", "x@else.example", "item-not-found"}, {"no address", "@", "jid-malformed"},
	} {
		ann.Send("<message to='%s'><x xmlns='%s#user'><invite to='%s'/></x></message>", tea, muc, tt.to)
		equal(t, tt.name, bounced(ann.Sync()), tt.want)
	}
	configures(ann, "allowinvites=0")
	ben.Send("<message to='%s'><x xmlns='%s#user'><invite to='%s'/></x></message>", tea, muc, at("cat"))
	equal(t, "a member who may not", bounced(ben.Sync()), "forbidden")
	cat := online(t, s, "cat", "c")
	cat.Send("<message to='%s'><x xmlns='%s#user'><invite to='%s'/></x></message>", tea, muc, at("ann"))
	equal(t, "from outside", bounced(cat.Sync()), "not-acceptable")
	ann.Send("<message to='%s'><x xmlns='jabber:x:conference' jid='%s'/></message>", at("cat"), tea)
	ann.Sync()
	equal(t, "directly", kid(xmpptest.Only(cat.Sync(), "message")[0], "jabber:x:conference").Get("jid"), tea)
}

// TestRoomVoice: who may only listen in a moderated room asks for voice, and a moderator gives it
// (XEP-0045, 8.6).
func TestRoomVoice(t *testing.T) {
	_, ann, ben, cat := three(t, "moderatedroom=1")
	says(ben, "m1", "<body>let me</body>")
	form := func(c *xmpptest.Client, fields ...string) []xmpptest.Node {
		list := ""
		for _, f := range append([]string{"FORM_TYPE=" + muc + "#request", "muc#role=participant"}, fields...) {
			name, value, _ := strings.Cut(f, "=")
			list += "<field var='" + name + "'><value>" + value + "</value></field>"
		}
		c.Send("<message to='%s'><x xmlns='jabber:x:data' type='submit'>%s</x></message>", tea, list)
		return c.Sync()
	}
	ann.Sync()
	form(ben)
	asked := xmpptest.Only(ann.Sync(), "message")
	if len(asked) != 1 || !strings.Contains(asked[0].At("x").Kids[3].At("value").Text, "Ben") {
		t.Fatalf("got %v, want that Ben asks", asked)
	}
	if got := xmpptest.Only(cat.Sync(), "message"); len(got) != 0 {
		t.Errorf("a visitor: got %v, want nothing", got)
	}
	form(ann, "muc#roomnick=Ben", "muc#request_allow=0")
	form(ann, "muc#roomnick=Ben", "muc#request_allow=true")
	equal(t, "with voice", item(of(ben.Sync(), "Ben")), "none participant "+at("ben")+"/b")
	cat.Sync()
	says(ben, "m2", "<body>thanks</body>")
	equalLists(t, "what he says", bodies(cat.Sync()), "thanks")
	equal(t, "nobody", bounced(form(ann, "muc#roomnick=Dan", "muc#request_allow=1")), "item-not-found")
	ann.Send("<message to='%s'><body>to the room</body></message>", tea)
	equal(t, "anything else", bounced(ann.Sync()), "bad-request")
	configures(ann, "moderatedroom=0")
	equal(t, "where nobody needs voice", item(of(cat.Sync(), "Cat")), "none participant "+at("cat")+"/c")
}
