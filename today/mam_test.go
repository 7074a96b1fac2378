package today_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

const nsMAM = "urn:xmpp:mam:2"

// page is an answer of an archive.
type page struct {
	bodies []string // of the results, in their order
	ids    []string
	fin    xmpptest.Node
}

// mamQuery is a query with fields, each as var=value, and a set.
func mamQuery(fields []string, set string) string {
	b := "<query xmlns='" + nsMAM + "' queryid='f'>"
	if fields != nil {
		b += "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>" + nsMAM + "</value></field>"
		for _, f := range fields {
			name, value, _ := strings.Cut(f, "=")
			b += "<field var='" + name + "'>"
			for v := range strings.SplitSeq(value, "|") {
				b += "<value>" + v + "</value>"
			}
			b += "</field>"
		}
		b += "</x>"
	}
	if set != "" {
		b += "<set xmlns='http://jabber.org/protocol/rsm'>" + set + "</set>"
	}
	return b + "</query>"
}

// ask reads a page of an archive; to of "" is the own one.
func ask(c *xmpptest.Client, to, query string) page {
	c.T.Helper()
	c.Sync()
	var p page
	p.fin = c.IQ("set", to, query)
	for _, m := range c.Sync() {
		if r := m.At("result"); r.XMLName.Space == nsMAM {
			p.bodies = append(p.bodies, r.At("forwarded", "message", "body").Text)
			p.ids = append(p.ids, r.Get("id"))
		}
	}
	return p
}

// talk has ann write numbered messages to ben, and one to cat in the middle.
func talk(ann *xmpptest.Client, n int) {
	for i := range n {
		ann.Send("<message type='chat' id='m%d' to='%s'><body>Number %d</body></message>", i, at("ben"), i)
		if i == n/2 {
			ann.Send("<message type='chat' id='c' to='%s/desk'><body>Dear CAT, Übung</body></message>", at("cat"))
		}
	}
	ann.Sync()
}

func TestArchivePages(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "phone")
	talk(ann, 6)
	all := ask(ann, "", mamQuery(nil, ""))
	want := []string{"Number 0", "Number 1", "Number 2", "Number 3", "Dear CAT, Übung", "Number 4", "Number 5"}
	if !slices.Equal(all.bodies, want) {
		t.Fatalf("all: got %q, want %q", all.bodies, want)
	}
	id := all.ids
	for _, tt := range []struct {
		name, query string
		want        string // the first and the last index, "" for none
		index       string
		count       string
		complete    bool
	}{
		{"all", mamQuery(nil, ""), "0 6", "0", "7", true},
		{"the first two", mamQuery(nil, "<max>2</max>"), "0 1", "0", "7", false},
		{"after one", mamQuery(nil, "<max>2</max><after>"+id[1]+"</after>"), "2 3", "2", "7", false},
		{"after the last but one", mamQuery(nil, "<max>2</max><after>"+id[5]+"</after>"), "6 6", "6", "7", true},
		{"after the last", mamQuery(nil, "<after>"+id[6]+"</after>"), "", "", "7", true},
		{"the last two", mamQuery(nil, "<max>2</max><before/>"), "5 6", "5", "7", false},
		{"before one", mamQuery(nil, "<max>2</max><before>"+id[5]+"</before>"), "3 4", "3", "7", false},
		{"before the third", mamQuery(nil, "<max>2</max><before>"+id[2]+"</before>"), "0 1", "0", "7", true},
		{"between two", mamQuery(nil, "<after>"+id[1]+"</after><before>"+id[4]+"</before>"), "2 3", "2", "7", true},
		{"how many", mamQuery(nil, "<max>0</max>"), "", "", "7", false},
		{"after-id and before-id", mamQuery([]string{"after-id=" + id[1], "before-id=" + id[4]}, ""), "2 3", "0", "2", true},
		{"with a bare JID", mamQuery([]string{"with=" + at("cat")}, ""), "4 4", "0", "1", true},
		{"with that JID in capitals", mamQuery([]string{"with=CAT@perch.localhost"}, ""), "4 4", "0", "1", true},
		{"with a full JID", mamQuery([]string{"with=" + at("cat") + "/desk"}, ""), "4 4", "0", "1", true},
		{"with another resource", mamQuery([]string{"with=" + at("cat") + "/other"}, ""), "", "", "0", true},
		{"a word", mamQuery([]string{"{urn:xmpp:fulltext:0}fulltext=übung  dear"}, ""), "4 4", "0", "1", true},
		{"a word that is nowhere", mamQuery([]string{"{urn:xmpp:fulltext:0}fulltext=dear dog"}, ""), "", "", "0", true},
		{"from the future", mamQuery([]string{"start=2100-01-01T00:00:00Z"}, ""), "", "", "0", true},
		{"until the future", mamQuery([]string{"start=2020-01-01T00:00:00Z", "end=2100-01-01T00:00:00+01:00"}, ""), "0 6", "0", "7", true},
		{"until the past", mamQuery([]string{"end=2020-01-01T00:00:00Z"}, ""), "", "", "0", true},
	} {
		p := ask(ann, "", tt.query)
		first, last := -1, -1
		if tt.want != "" {
			fmt.Sscan(tt.want, &first, &last)
			if got, want := p.ids, id[first:last+1]; !slices.Equal(got, want) {
				t.Errorf("%s: got the ids %v, want %v", tt.name, got, want)
			}
			if got, want := p.fin.At("fin", "set", "first").Text+" "+p.fin.At("fin", "set", "last").Text, id[first]+" "+id[last]; got != want {
				t.Errorf("%s: got first and last %s, want %s", tt.name, got, want)
			}
		} else if len(p.ids) > 0 {
			t.Errorf("%s: got %d results, want none", tt.name, len(p.ids))
		}
		got := [...]string{p.fin.At("fin", "set", "first").Get("index"), p.fin.At("fin", "set", "count").Text, p.fin.At("fin").Get("complete")}
		want := [...]string{tt.index, tt.count, map[bool]string{true: "true"}[tt.complete]}
		if got != want {
			t.Errorf("%s: got index, count and complete %q, want %q", tt.name, got, want)
		}
	}
	ids := ask(ann, "", mamQuery([]string{"ids=" + id[5] + "|" + id[0]}, ""))
	if want := []string{id[0], id[5]}; !slices.Equal(ids.ids, want) {
		t.Errorf("by ids: got %v, want %v", ids.ids, want)
	}
	flipped := ask(ann, "", strings.Replace(mamQuery(nil, "<max>2</max>"), "</query>", "<flip-page/></query>", 1))
	if want := []string{id[1], id[0]}; !slices.Equal(flipped.ids, want) || flipped.fin.At("fin", "set", "first").Text != id[0] {
		t.Errorf("flipped: got %v, first %s, want %v, first %s", flipped.ids, flipped.fin.At("fin", "set", "first").Text, want, id[0])
	}
}

func TestArchiveQueriesRefused(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "phone")
	for _, tt := range []struct{ name, kind, to, payload, want string }{
		{"a time that is none", "set", "", mamQuery([]string{"start=yesterday"}, ""), "bad-request"},
		{"no JID", "set", "", mamQuery([]string{"with=@"}, ""), "bad-request"},
		{"an unknown field", "set", "", mamQuery([]string{"mood=good"}, ""), "feature-not-implemented"},
		{"a field twice", "set", "", mamQuery([]string{"start=2020-01-01T00:00:00Z", "start=2021-01-01T00:00:00Z"}, ""), "bad-request"},
		{"an empty before-id", "set", "", mamQuery([]string{"before-id="}, ""), "bad-request"},
		{"an unknown id after", "set", "", mamQuery(nil, "<after>nothing</after>"), "item-not-found"},
		{"an unknown id before", "set", "", mamQuery(nil, "<before>nothing</before>"), "item-not-found"},
		{"an unknown id of the set", "set", "", mamQuery([]string{"after-id=nothing"}, ""), "item-not-found"},
		{"an unknown one of ids", "set", "", mamQuery([]string{"ids=nothing"}, ""), "item-not-found"},
		{"more ids than 250", "set", "", mamQuery([]string{"ids=" + strings.Repeat("a|", 251)}, ""), "bad-request"},
		{"more words than 20", "set", "", mamQuery([]string{"{urn:xmpp:fulltext:0}fulltext=" + strings.Repeat("a ", 21)}, ""), "bad-request"},
		{"no number", "set", "", mamQuery(nil, "<max>many</max>"), "bad-request"},
		{"a negative number", "set", "", mamQuery(nil, "<max>-1</max>"), "bad-request"},
		{"by index", "set", "", mamQuery(nil, "<index>3</index>"), "feature-not-implemented"},
		{"a form of another kind", "set", "", "<query xmlns='" + nsMAM + "'><x xmlns='jabber:x:data' type='submit'><field var='with'><value>a</value></field></x></query>", "bad-request"},
		{"a form that is not filled in", "set", "", "<query xmlns='" + nsMAM + "'><x xmlns='jabber:x:data' type='cancel'/></query>", "bad-request"},
		{"the archive of another", "set", at("ben"), mamQuery(nil, ""), "forbidden"},
		{"that of nobody", "set", at("nobody"), mamQuery(nil, ""), "service-unavailable"},
		{"that of the domain", "set", s.Domain(), mamQuery(nil, ""), "service-unavailable"},
		{"metadata set", "set", "", "<metadata xmlns='" + nsMAM + "'/>", "bad-request"},
		{"preferences of another", "get", at("ben"), "<prefs xmlns='" + nsMAM + "'/>", "forbidden"},
		{"an unknown preference", "set", "", "<prefs xmlns='" + nsMAM + "' default='perhaps'/>", "bad-request"},
		{"a preference of no JID", "set", "", "<prefs xmlns='" + nsMAM + "' default='always'><never><jid>@</jid></never></prefs>", "jid-malformed"},
		{"an older archive", "set", "", "<query xmlns='urn:xmpp:mam:1'/>", "service-unavailable"},
	} {
		if got := ann.IQ(tt.kind, tt.to, tt.payload).Condition(); got != tt.want {
			t.Errorf("%s: got the condition %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestWhatIsArchived(t *testing.T) {
	const reaction = "<reactions xmlns='urn:xmpp:reactions:0' id='m'><reaction>+</reaction></reactions>"
	const store, displayed = "<store xmlns='urn:xmpp:hints'/>", "<displayed xmlns='urn:xmpp:chat-markers:0' id='m'/>"
	for _, tt := range []struct {
		name, kind, inner string
		archived, offline bool
	}{
		{"a body", "chat", "<body>a</body>", true, true},
		{"a normal message", "normal", "<body>a</body>", true, true},
		{"a headline", "headline", "<body>a</body>", false, false},
		{"an error", "error", "<body>a</body><error type='cancel'/>", false, false},
		{"a chat state", "chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", false, false},
		{"a receipt", "chat", "<received xmlns='urn:xmpp:receipts' id='m'/>", true, false},
		{"a marker", "chat", displayed, true, false},
		{"a marker to be stored", "chat", displayed + store, true, true},
		{"a reaction", "chat", reaction, false, false},
		{"a reaction to be stored", "chat", reaction + store, true, true},
		{"a retraction to be stored", "chat", "<retract xmlns='urn:xmpp:message-retract:1' id='m'/>" + store, true, true},
		{"a correction", "chat", "<body>b</body><replace xmlns='urn:xmpp:message-correct:0' id='m'/>", true, true},
		{"a body not to be stored", "chat", "<body>a</body><no-store xmlns='urn:xmpp:hints'/>", false, false},
		{"a body to be forgotten", "chat", "<body>a</body><no-permanent-store xmlns='urn:xmpp:hints'/>", false, false},
		{"encrypted", "chat", "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/>", true, true},
		{"an invitation", "normal", "<x xmlns='jabber:x:conference' jid='r@c'/>", true, true},
	} {
		s := start(t, world())
		ann := online(t, s, "ann", "phone")
		ann.Send("<message type='%s' id='x' to='%s'>%s</message>", tt.kind, at("ben"), tt.inner)
		own := ask(ann, "", mamQuery(nil, ""))
		ben := online(t, s, "ben", "desk")
		other := ask(ben, "", mamQuery(nil, ""))
		if got, want := [...]bool{len(own.ids) == 1, len(other.ids) == 1}, [...]bool{tt.archived, tt.archived}; got != want {
			t.Errorf("%s: got it in the archives of sender and receiver %v, want %v", tt.name, got, want)
		}
		ann.Send("<message type='%s' id='x' to='%s'>%s</message>", tt.kind, at("cat"), tt.inner)
		ann.Sync()
		cat := signIn(t, s, "cat", "desk")
		cat.Send("<presence/>")
		if got := len(xmpptest.Only(cat.Sync(), "message")) == 1; got != tt.offline {
			t.Errorf("%s: got it from the offline store %v, want %v", tt.name, got, tt.offline)
		}
	}
}

func TestStanzaIDs(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "phone"), online(t, s, "ben", "desk")
	ann.Send("<message type='chat' id='m1' to='%s'><body>a</body><stanza-id xmlns='urn:xmpp:sid:0' by='%s' id='forged'/>"+
		"<stanza-id xmlns='urn:xmpp:sid:0' by='BEN@Perch.Localhost' id='forged'/><stanza-id xmlns='urn:xmpp:sid:0' by='else.example' id='theirs'/>"+
		"<origin-id xmlns='urn:xmpp:sid:0' id='m1'/></message>", at("ben"), at("ben"))
	m := ben.Find("the message", func(n xmpptest.Node) bool { return n.XMLName.Local == "message" })
	var got []string
	for _, k := range m.Kids {
		if k.XMLName.Local == "stanza-id" {
			got = append(got, k.Get("by")+" "+k.Get("id"))
		}
	}
	p := ask(ben, "", mamQuery(nil, ""))
	if want := []string{"else.example theirs", at("ben") + " " + p.ids[0]}; !slices.Equal(got, want) {
		t.Errorf("got the stanza-ids %q, want %q", got, want)
	}
	own := ask(ann, "", mamQuery([]string{"with=" + at("ben")}, ""))
	if len(own.ids) != 1 || own.ids[0] == p.ids[0] {
		t.Errorf("ann's archive: got the ids %v, want one that is not %v", own.ids, p.ids)
	}
}

func TestMessageToOneselfIsArchivedOnce(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "phone")
	ann.Send("<message type='chat' id='m1' to='%s'><body>to me</body></message>", at("ann"))
	if got := ask(ann, "", mamQuery([]string{"with=" + at("ann")}, "")).bodies; !slices.Equal(got, []string{"to me"}) {
		t.Errorf("got %q, want it once", got)
	}
}

func TestArchiveMetadataAndForm(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "phone")
	if n := ann.IQ("get", "", "<metadata xmlns='"+nsMAM+"'/>").At("metadata"); n.XMLName.Space != nsMAM || len(n.Kids) != 0 {
		t.Errorf("empty: got %v, want metadata without a start", n)
	}
	talk(ann, 3)
	p := ask(ann, "", mamQuery(nil, ""))
	n := ann.IQ("get", "", "<metadata xmlns='"+nsMAM+"'/>").At("metadata")
	if got, want := n.At("start").Get("id")+" "+n.At("end").Get("id"), p.ids[0]+" "+p.ids[3]; got != want || n.At("end").Get("timestamp") == "" {
		t.Errorf("got start and end %s and %v, want %s with times", got, n, want)
	}
	var fields []string
	for _, f := range ann.IQ("get", "", "<query xmlns='"+nsMAM+"'/>").At("query", "x").Kids {
		fields = append(fields, f.Get("var"))
	}
	if want := []string{"FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids", "{urn:xmpp:fulltext:0}fulltext"}; !slices.Equal(fields, want) {
		t.Errorf("got the fields %q, want %q", fields, want)
	}
}

func TestArchivePreferences(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "phone")
	for _, tt := range []struct {
		name, prefs string
		want        []string // who ann's archive then has messages with
	}{
		{"as they are", "<prefs xmlns='" + nsMAM + "' default='always'/>", []string{"ben", "cat"}},
		{"never", "<prefs xmlns='" + nsMAM + "' default='never'/>", nil},
		{"the roster", "<prefs xmlns='" + nsMAM + "' default='roster'/>", []string{"ben"}},
		{"never but one", "<prefs xmlns='" + nsMAM + "' default='never'><always><jid>" + at("cat") + "</jid></always></prefs>", []string{"cat"}},
		{"always but one", "<prefs xmlns='" + nsMAM + "' default='always'><never><jid>" + at("cat") + "/x</jid></never></prefs>", []string{"ben"}},
	} {
		if n := ann.IQ("set", "", tt.prefs); n.Get("type") != "result" {
			t.Fatalf("%s: got %v, want a result", tt.name, n)
		}
		before := len(ask(ann, "", mamQuery(nil, "")).ids)
		for _, to := range []string{"ben", "cat"} {
			ann.Send("<message type='chat' to='%s'><body>%s</body></message>", at(to), to)
		}
		if got := ask(ann, "", mamQuery(nil, "")).bodies[before:]; !slices.Equal(got, tt.want) {
			t.Errorf("%s: got messages with %q, want %q", tt.name, got, tt.want)
		}
	}
	n := ann.IQ("get", "", "<prefs xmlns='"+nsMAM+"'/>").At("prefs")
	if got := n.Get("default") + " " + n.At("never", "jid").Text; got != "always "+at("cat") {
		t.Errorf("got the preferences %q, want %q", got, "always "+at("cat"))
	}
}
