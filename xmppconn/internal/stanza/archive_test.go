package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

func TestM10EncodeArchive136(t *testing.T) {
	got := encoded(t)(stanza.EncodeArchive136(perch.ArchiveQuery{With: "b@b.test/x", Limit: 10, Before: "1", Start: 5}))
	if got != "<retrieve xmlns='urn:xmpp:archive' with='b@b.test'><set xmlns='http://jabber.org/protocol/rsm'><max>10</max></set></retrieve>" {
		t.Errorf("got %v, want %s", got, "<retrieve xmlns='urn:xmpp:archive' with='b@b.test'><set xmlns='http://jabber.org/protocol/rsm'><max>10</max></set></retrieve>")
	}
}

// archived is a message of an archive by XEP-0136; without a time it is as of the arrival.
func archived(direction, body, at string, arrival ...perch.Time) perch.ArchiveItem {
	item := perch.ArchiveItem{Time: stanza.ParseTime(at), MessageIn: perch.MessageIn{Message: perch.Message{
		From: "b@b.test", To: "me@a.test", Kind: perch.ChatMessage, Body: body,
		Delay: &perch.Delay{Stamp: stanza.ParseTime(at)}, Source: perch.SourceArchive,
	}}}
	if direction == "out" {
		item.From, item.To, item.Sent = item.To, item.From, true
	}
	if item.Time == 0 {
		item.Time, item.TimeIsArrival = arrival[0], true
	}
	return item
}

func TestM10ParseArchive136(t *testing.T) {
	const chat = "<chat xmlns='urn:xmpp:archive' with='b@b.test/x' start='2012-05-01T10:00:00Z'>"
	now := stanza.ParseTime("2012-06-01T00:00:00Z")
	romeo := []perch.ArchiveItem{
		archived("in", "hi", "2012-05-01T10:00:00Z"), archived("out", "hello", "2012-05-01T10:00:11Z"), archived("in", "bye", "2012-05-01T10:00:18Z"),
	}
	tests := []struct {
		name, raw string
		now       perch.Time
		want      []perch.ArchiveItem
	}{
		{"secs after the one before", chat + "<from secs='0'><body>hi</body></from><to secs='11'><body>hello</body></to><from secs='7'><body>bye</body></from></chat>", now, romeo},
		{"secs after the start, recognized by the clock", chat + "<from secs='0'><body>hi</body></from><to secs='11'><body>hello</body></to><from secs='18'><body>bye</body></from></chat>", stanza.ParseTime("2012-05-01T10:00:20Z"), romeo},
		{"utc", "<chat xmlns='urn:xmpp:archive' with='b@b.test'><from utc='2012-05-01T10:00:18Z'><body>bye</body></from><from utc='2012-05-01T10:00:00Z'><body>hi</body></from>" +
			"<to utc='2012-05-01T10:00:11Z'><body>hello</body></to></chat>", now, romeo},
		{"secs after utc", chat + "<from utc='2012-05-01T10:00:00Z'><body>hi</body></from><to secs='11'><body>hello</body></to><from secs='7'><body>bye</body></from></chat>", now, romeo},
		{"list of chats", "<list xmlns='urn:xmpp:archive'>" + strings.Replace(chat, "10:00:00", "10:00:11", 1) + "<to secs='0'><body>hello</body></to><from secs='7'><body>bye</body></from></chat>" +
			chat + "<from secs='0'><body>hi</body></from></chat></list>", now, romeo},
		{"bodies of the client namespace", chat + "<from secs='0'><body xmlns='jabber:client'>hi</body></from></chat>", now, romeo[:1]},
		{"no times", "<chat xmlns='urn:xmpp:archive' with='b@b.test'><from><body>a</body></from><to secs='7'><body>b</body></to></chat>", now,
			[]perch.ArchiveItem{archived("in", "a", "", now), archived("out", "b", "", now)}},
		{"nonsense in secs", chat + "<from secs='-5'><body>hi</body></from><note>x</note><to secs='99999999999'><body/></to><from xmlns='u' secs='0'><body>x</body></from></chat>", now, romeo[:1]},
		{"empty chat", chat + "</chat>", now, nil},
		{"empty list", "<list xmlns='urn:xmpp:archive'/>", now, nil},
		{"list of collections", "<list xmlns='urn:xmpp:archive'>" + chat + "</chat></list>", now, nil},
		{"something else", "<x xmlns='u'/>", now, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page := stanza.ParseArchive136(streamtest.Parse(t, tt.raw), testSelf, perch.ArchiveQuery{With: "b@b.test"}, 10, tt.now)
			if diff := cmp.Diff(tt.want, page.Items, cmpopts.IgnoreFields(perch.Message{}, "StanzaID"), cmpopts.EquateEmpty()); diff != "" || !page.Complete {
				t.Errorf("got %s%v, want Complete", diff, page.Complete)
			}
		})
	}
	if page := stanza.ParseArchive136(nil, testSelf, perch.ArchiveQuery{}, 10, now); len(page.Items) != 0 || !page.Complete {
		t.Errorf("a bare result: got %+v, want 0 items, Complete", page)
	}
}

func TestM10ParseArchive136Limits(t *testing.T) {
	el := streamtest.Parse(t, "<chat xmlns='urn:xmpp:archive' with='b@b.test' start='2012-05-01T10:00:00Z'>"+strings.Repeat("<from secs='1'><body>x</body></from>", 10)+"</chat>")
	second := func(n int) perch.Time { return stanza.ParseTime("2012-05-01T10:00:00Z") + perch.Time(1000*n) }
	for _, tt := range []struct {
		name     string
		q        perch.ArchiveQuery
		most     int // messages that the archive gives
		items    int
		last     perch.Time
		complete bool
	}{
		{"as many as there may be can never be known to be all", perch.ArchiveQuery{}, 10, 10, second(10), false},
		{"fewer than there may be are all", perch.ArchiveQuery{}, 11, 10, second(10), true},
		{"nothing is known of an archive without a number", perch.ArchiveQuery{}, 0, 10, second(10), false},
		{"the newest of more than were asked for", perch.ArchiveQuery{Limit: 3}, 11, 3, second(10), false},
		{"as many as were asked for can never be known to be all", perch.ArchiveQuery{Limit: 10}, 11, 10, second(10), false},
		{"of a time", perch.ArchiveQuery{Start: second(4), End: second(6)}, 11, 3, second(6), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.q.With = "b@b.test"
			page := stanza.ParseArchive136(el, testSelf, tt.q, tt.most, 0)
			if n := len(page.Items); n != tt.items || page.Complete != tt.complete {
				t.Fatalf("got %d items, complete %v; want %d, %v", n, page.Complete, tt.items, tt.complete)
			}
			if got := page.Items[tt.items-1].Time; got != tt.last {
				t.Errorf("the last item is of %v, want %v", got, tt.last)
			}
		})
	}
}

func TestM10Archive136IDsAreStable(t *testing.T) {
	const start = "<chat xmlns='urn:xmpp:archive' with='b@b.test' start='2012-05-01T10:00:00Z'>"
	const three = "<from secs='1'><body>x</body></from><from secs='0'><body>x</body></from><to secs='0'><body>x</body></to>"
	ids := func(raw string) (ids []string) {
		for _, i := range stanza.ParseArchive136(streamtest.Parse(t, raw), testSelf, perch.ArchiveQuery{}, 10, 0).Items {
			ids = append(ids, i.StanzaID)
		}
		return ids
	}
	one, two := ids(start+three+"</chat>"), ids(start+three+"<from secs='5'><body>new</body></from></chat>")
	if diff := cmp.Diff(one, two[:3]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if one[0] == one[1] || one[0] == one[2] || one[1] != one[0]+"-2" {
		t.Errorf("got %v, want three ids, the second the first with -2", one)
	}
}

func TestEncodeMAM(t *testing.T) {
	const head = "<query xmlns='urn:xmpp:mam:2' queryid='q1'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>"
	start, end := stanza.ParseTime("2024-01-01T00:00:00Z"), stanza.ParseTime("2024-01-02T00:00:00.5Z")
	const startField, endField = "<field var='start'><value>2024-01-01T00:00:00.000Z</value></field>", "<field var='end'><value>2024-01-02T00:00:00.500Z</value></field>"
	set := func(inner string) string {
		return "</x><set xmlns='http://jabber.org/protocol/rsm'>" + inner + "</set></query>"
	}
	tests := []struct {
		name string
		q    perch.ArchiveQuery
		want string
	}{
		{"newest", perch.ArchiveQuery{Limit: 50}, head + set("<max>50</max><before/>")},
		{"with", perch.ArchiveQuery{With: "b@b.test"}, head + "<field var='with'><value>b@b.test</value></field>" + set("<before/>")},
		{"before", perch.ArchiveQuery{Limit: 5, Before: "a&b"}, head + set("<max>5</max><before>a&amp;b</before>")},
		{"after", perch.ArchiveQuery{Limit: 5, After: "7"}, head + set("<max>5</max><after>7</after>")},
		{"from a time on", perch.ArchiveQuery{Start: start}, head + startField + set("")},
		{"a text", perch.ArchiveQuery{With: "b@b.test", Start: start, Text: "a <b>", After: "7"}, head + "<field var='with'><value>b@b.test</value></field>" + startField +
			"<field var='withtext'><value>a &lt;b&gt;</value></field>" + set("<after>7</after>")},
		{"newest of a time", perch.ArchiveQuery{Start: start, End: end}, head + startField + endField + set("<before/>")},
	}
	for _, tt := range tests {
		if got := encoded(t)(stanza.EncodeMAM(tt.q, "q1", "withtext")); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestParseMAMResult(t *testing.T) {
	const delay, in = "<delay xmlns='urn:xmpp:delay' stamp='2024-05-01T10:00:00.123Z'/>",
		"<message xmlns='jabber:client' from='b@b.test/x' to='me@a.test/home' id='m1' type='chat'><body>hi</body></message>"
	const out = "<message xmlns='jabber:client' from='me@a.test/home' to='b@b.test' id='m2' type='chat'><body>hi</body><request xmlns='urn:xmpp:receipts'/></message>"
	result := func(from, inner string) string {
		return "<message" + from + " to='me@a.test/home'><result xmlns='urn:xmpp:mam:2' queryid='q' id='28482-98726-73623'>" +
			"<forwarded xmlns='urn:xmpp:forward:0'>" + inner + "</forwarded></result></message>"
	}
	at := stanza.ParseTime("2024-05-01T10:00:00.123Z")
	item := func(change func(*perch.ArchiveItem)) *perch.ArchiveItem {
		i := perch.ArchiveItem{Time: at, MessageIn: perch.MessageIn{Message: perch.Message{
			ID: "m1", StanzaID: "28482-98726-73623", From: "b@b.test/x", To: "me@a.test/home", Kind: perch.ChatMessage, Body: "hi",
			Delay: &perch.Delay{Stamp: at}, Source: perch.SourceArchive,
		}}}
		if change != nil {
			change(&i)
		}
		return &i
	}
	sent := item(func(i *perch.ArchiveItem) {
		i.ID, i.From, i.To, i.Sent = "m2", "me@a.test/home", "b@b.test", true
	})
	const rich = "<message xmlns='jabber:client' from='b@b.test/x' to='me@a.test' id='m1' type='normal'><subject>S</subject><thread>t1</thread><body>hi</body>" +
		"<origin-id xmlns='urn:xmpp:sid:0' id='o1'/><stanza-id xmlns='urn:xmpp:sid:0' by='me@a.test' id='older'/></message>"
	const room = "<message xmlns='jabber:client' from='r@conference.b.test/nick' to='me@a.test/home' id='m1' type='groupchat'><body>hi</body>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='r@conference.b.test' id='7'/><stanza-id xmlns='urn:xmpp:sid:0' by='b@b.test' id='8'/></message>"
	const late = "<message xmlns='jabber:client' from='b@b.test/x' to='me@a.test/home' id='m1' type='chat'><body>hi</body>" +
		"<delay xmlns='urn:xmpp:delay' from='b.test' stamp='2024-05-01T09:00:00Z'/></message>"
	unknown := func(i *perch.ArchiveItem) { i.Time, i.TimeIsArrival, i.Delay = testNow, true, &perch.Delay{} }
	tests := []struct {
		name, raw string
		want      *stanza.ArchiveResult
	}{
		{"Prosody", result("", delay+in), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test", Item: item(nil)}},
		{"ejabberd", result(" from='me@a.test'", in+delay), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test", Item: item(nil)}},
		{"sent", result("", delay+out), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test", Item: sent}},
		{"every field", result("", delay+rich), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test", Item: item(func(i *perch.ArchiveItem) {
			i.To, i.Kind, i.Subject, i.Thread, i.OriginID = "me@a.test", perch.NormalMessage, "S", "t1", "o1"
		})}},
		{"groupchat", result("", delay+room), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test", Item: item(func(i *perch.ArchiveItem) {
			i.From, i.Kind, i.RoomStanzaID = "r@conference.b.test/nick", perch.GroupchatMessage, "7"
		})}},
		{"late when it came", result("", delay+late), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test", Item: item(func(i *perch.ArchiveItem) {
			i.Delay = &perch.Delay{Stamp: stanza.ParseTime("2024-05-01T09:00:00Z"), From: "b.test"}
		})}},
		{"no delay", result("", in), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test", Item: item(unknown)}},
		{"a delay without a time", result("", "<delay xmlns='urn:xmpp:delay' stamp='yesterday'/>"+in), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test", Item: item(unknown)}},
		{"no text", result("", delay+strings.Replace(in, "<body>hi</body>", "<active xmlns='"+nsChatStates+"'/>", 1)), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test"}},
		{"an error", result("", delay+strings.Replace(in, "type='chat'", "type='error'", 1)), &stanza.ArchiveResult{QueryID: "q", From: "me@a.test"}},
		{"nothing in it", "<message>text<result xmlns='urn:xmpp:mam:2'/></message>", &stanza.ArchiveResult{From: "me@a.test", Broken: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := decodeText(t, tt.raw, testNow)
			if diff := cmp.Diff(tt.want, d.Archived); diff != "" || d.In != nil {
				t.Errorf("got %s%v, want no In", diff, d.In)
			}
		})
	}
}

func TestParseMAMFin(t *testing.T) {
	tests := []struct {
		raw  string
		want stanza.MAMFin
		ok   bool
	}{
		{"<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><count>16</count><first index='0'>23</first><last> 69 </last></set></fin>",
			stanza.MAMFin{Complete: true, First: "23", Last: "69", Count: 16}, true},
		{"<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></fin>", stanza.MAMFin{Count: 0}, true},
		{"<fin xmlns='urn:xmpp:mam:2' complete='1'/>", stanza.MAMFin{Complete: true, Count: -1}, true},
		{"<fin xmlns='urn:xmpp:mam:1'/>", stanza.MAMFin{}, false},
	}
	for _, tt := range tests {
		got, ok := stanza.ParseMAMFin(streamtest.Parse(t, tt.raw))
		if diff := cmp.Diff(tt.want, got); diff != "" || ok != tt.ok {
			t.Errorf("%s: got %v %s, want ok %v", tt.raw, ok, diff, tt.ok)
		}
	}
	if _, ok := stanza.ParseMAMFin(nil); ok {
		t.Error("nothing was an end, want none")
	}
}
