package xmppconn

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

func TestAppendIQ(t *testing.T) {
	text := encoded(t)
	if got := text(appendIQ(nil, "1", "get", "b.test", encodePing())); got != "<iq id='1' type='get' to='b.test'><ping xmlns='urn:xmpp:ping'/></iq>" {
		t.Error(got)
	}
	if got := text(appendIQ([]byte("x"), "it's", "result", "", nil)); got != "x<iq id='it&apos;s' type='result'/>" {
		t.Error(got)
	}
	got := text(appendIQError(nil, "1", "b.test", "cancel", "service-unavailable"))
	if got != "<iq id='1' type='error' to='b.test'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>" {
		t.Error(got)
	}
	if b, err := appendIQ([]byte("x"), "\x00", "get", "", nil); err == nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestParseIQ(t *testing.T) {
	q, ok := parseIQ(mustParse(t, "<iq id='1' type='result' from='a.test' to='me@a.test/home'><x xmlns='u'/></iq>"))
	if !ok || q.id != "1" || q.typ != "result" || q.from != "a.test" || q.to != "me@a.test/home" || !q.payload.is("u", "x") || q.err != nil {
		t.Errorf("%+v, %v", q, ok)
	}
	// ejabberd repeats the payload before the error, Prosody does not.
	for _, raw := range []string{
		"<iq id='1' type='error'><x xmlns='u'/><error type='auth' by='b'><forbidden xmlns='" + nsStanzas + "'/><text xmlns='" + nsStanzas + "'>no</text><more xmlns='u'/></error></iq>",
		"<iq id='1' type='error'><error type='auth' by='b'><text xmlns='" + nsStanzas + "'>no</text><forbidden xmlns='" + nsStanzas + "'/></error></iq>",
	} {
		q, ok = parseIQ(mustParse(t, raw))
		if diff := cmp.Diff(&perch.XMPPError{Condition: "forbidden", Type: "auth", Text: "no", By: "b"}, q.err); diff != "" || !ok {
			t.Error(diff)
		}
	}
	if q, ok = parseIQ(mustParse(t, "<iq id='1' type='error'/>")); !ok || q.err.Condition != "undefined-condition" {
		t.Errorf("%+v, %v", q, ok)
	}
	if q, ok = parseIQ(mustParse(t, "<iq id='1' type='result'/>")); !ok || q.payload != nil {
		t.Errorf("%+v, %v", q, ok)
	}
	for _, raw := range []string{
		"<iq type='result'/>", "<iq id='1'/>", "<iq id='1' type='get'/>", "<iq id='1' type='set'/>", "<iq id='1' type='x'><a/></iq>",
		"<iq xmlns='u' id='1' type='result'/>", "<message id='1' type='result'/>",
	} {
		if q, ok := parseIQ(mustParse(t, raw)); ok {
			t.Errorf("%s: %+v", raw, q)
		}
	}
}

func TestParseConditions(t *testing.T) {
	e, content := parseConditions(mustParse(t, "<stream:error><see-other-host xmlns='"+nsStreams+"'> [::1]:5222\n</see-other-host>"+
		"<text xmlns='"+nsStreams+"' xml:lang='en'>moved</text></stream:error>"), nsStreams)
	if e.Condition != "see-other-host" || e.Text != "moved" || content != "[::1]:5222" {
		t.Errorf("%+v, %q", e, content)
	}
	e, content = parseConditions(mustParse(t, "<failure xmlns='"+nsSASL+"'><not-authorized/><text>Invalid token</text></failure>"), nsSASL)
	if e.Condition != "not-authorized" || e.Text != "Invalid token" || content != "" {
		t.Errorf("%+v, %q", e, content)
	}
	for _, raw := range []string{"<stream:error><conflict/></stream:error>", "<stream:error><conflict xmlns=''/><text>x</text></stream:error>",
		"<stream:error><stream:conflict/></stream:error>", "<stream:error><own xmlns='urn:x'/><odd/><conflict/></stream:error>"} {
		if e, _ = parseConditions(mustParse(t, raw), nsStreams); e.Condition != "conflict" || streamKind(e.Condition) != perch.KindStreamConflict {
			t.Errorf("%s: got %+v, want conflict", raw, e)
		}
	}
	e, _ = parseConditions(mustParse(t, "<stream:error><conflict/><reset xmlns='"+nsStreams+"'/></stream:error>"), nsStreams)
	if e.Condition != "reset" {
		t.Errorf("with and without a namespace: got %q, want reset", e.Condition)
	}
	if e, _ = parseConditions(nil, nsSASL); e.Condition != "undefined-condition" {
		t.Errorf("%+v", e)
	}
}

func TestSmallPayloads(t *testing.T) {
	text := encoded(t)
	node := text(encodeDiscoInfoResult("n&"))
	for _, tt := range []struct{ got, want string }{
		{string(encodePing()), "<ping xmlns='urn:xmpp:ping'/>"},
		{string(encodeCarbonsEnable()), "<enable xmlns='urn:xmpp:carbons:2'/>"},
		{string(encodeLookup(nsLookup)), "<getjid xmlns='http://messenger.live.com/xmpp/jidlookup'/>"},
		{string(encodeLookup(nsLookupShort)), "<getjid xmlns='jidlookup'/>"},
		{text(encodeDiscoInfo("")), "<query xmlns='http://jabber.org/protocol/disco#info'/>"},
		{text(encodeDiscoInfo("n'")), "<query xmlns='http://jabber.org/protocol/disco#info' node='n&apos;'/>"},
		{string(appendCSI(nil, true)), "<active xmlns='urn:xmpp:csi:0'/>"},
		{string(appendCSI(nil, false)), "<inactive xmlns='urn:xmpp:csi:0'/>"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
	el := mustParse(t, node)
	features := parseDiscoInfo(el)
	if !isDiscoInfo(el) || el.attr("node") != "n&" || !features[nsPing] || len(features) != len(ourFeatures) {
		t.Errorf("%s: %v", node, features)
	}
	if f := parseDiscoInfo(nil); len(f) != 0 {
		t.Error(f)
	}
	if !isPing(mustParse(t, "<ping xmlns='urn:xmpp:ping'/>")) || isPing(mustParse(t, "<ping/>")) || isPing(nil) {
		t.Error("what is a ping?")
	}
}

func TestParseLookup(t *testing.T) {
	for _, space := range []string{nsLookup, nsLookupShort} {
		if jid, ok := parseLookup(mustParse(t, "<getjid xmlns='"+space+"'><jid> 1@b.test\n</jid></getjid>")); !ok || jid != "1@b.test" {
			t.Errorf("%s, %v", jid, ok)
		}
	}
	for _, raw := range []string{"<getjid xmlns='jidlookup'/>", "<getjid xmlns='u'><jid>1@b.test</jid></getjid>", "<x xmlns='jidlookup'><jid>1</jid></x>"} {
		if jid, ok := parseLookup(mustParse(t, raw)); ok {
			t.Errorf("%s: %s", raw, jid)
		}
	}
	if _, ok := parseLookup(nil); ok {
		t.Error("nothing was an answer")
	}
}

func TestStreamManagement(t *testing.T) {
	text := encoded(t)
	for _, tt := range []struct{ got, want string }{
		{string(appendSMEnable(nil)), "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"},
		{text(appendSMResume([]byte("x"), "i'd", 4294967295)), "x<resume xmlns='urn:xmpp:sm:3' h='4294967295' previd='i&apos;d'/>"},
		{string(appendSMRequest(nil)), "<r xmlns='urn:xmpp:sm:3'/>"},
		{string(appendSMAck(nil, 4294967295)), "<a xmlns='urn:xmpp:sm:3' h='4294967295'/>"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
	notFound := perch.XMPPError{Condition: "item-not-found"}
	tests := []struct {
		raw  string
		want smIn
		ok   bool
	}{
		{"<enabled xmlns='urn:xmpp:sm:3' max='60' id='x' resume='true' location='[::1]:9'/>", smIn{kind: smEnabled, id: "x", resume: true, max: 60, location: "[::1]:9"}, true},
		{"<enabled xmlns='urn:xmpp:sm:3' id='x' resume='1'/>", smIn{kind: smEnabled, id: "x", resume: true}, true},
		{"<enabled xmlns='urn:xmpp:sm:3' resume='true'/>", smIn{kind: smEnabled}, true},
		{"<resumed xmlns='urn:xmpp:sm:3' previd='x' h='4294967295'/>", smIn{kind: smResumed, id: "x", h: 4294967295, hasH: true}, true},
		{"<resumed xmlns='urn:xmpp:sm:3' previd='x'/>", smIn{kind: smResumed, id: "x"}, false},
		{"<failed xmlns='urn:xmpp:sm:3' h='7'><item-not-found xmlns='" + nsStanzas + "'/></failed>", smIn{kind: smFailed, h: 7, hasH: true, err: notFound}, true},
		{"<failed xmlns='urn:xmpp:sm:3'/>", smIn{kind: smFailed, err: perch.XMPPError{Condition: "undefined-condition"}}, true},
		{"<r xmlns='urn:xmpp:sm:3'/>", smIn{kind: smRequest}, true},
		{"<a xmlns='urn:xmpp:sm:3' h='3'/>", smIn{kind: smAck, h: 3, hasH: true}, true},
		{"<a xmlns='urn:xmpp:sm:3' h='4294967296'/>", smIn{kind: smAck}, false},
		{"<a xmlns='urn:xmpp:sm:3' h='-1'/>", smIn{kind: smAck}, false},
		{"<b xmlns='urn:xmpp:sm:3'/>", smIn{}, false},
		{"<r xmlns='urn:xmpp:sm:2'/>", smIn{}, false},
	}
	for _, tt := range tests {
		got, ok := parseSM(mustParse(t, tt.raw))
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(smIn{})); diff != "" || ok != tt.ok {
			t.Errorf("%s: %v %s", tt.raw, ok, diff)
		}
	}
	if _, ok := parseSM(nil); ok {
		t.Error("nothing was accepted")
	}
}
