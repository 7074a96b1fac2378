package stanza_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

func TestAppendIQ(t *testing.T) {
	text := encoded(t)
	equal(t, "AppendIQ()", text(stanza.AppendIQ(nil, "1", "get", "b.test", stanza.EncodePing())),
		"<iq id='1' type='get' to='b.test'><ping xmlns='urn:xmpp:ping'/></iq>")
	equal(t, "AppendIQ()", text(stanza.AppendIQ([]byte("x"), "it's", "result", "", nil)), "x<iq id='it&apos;s' type='result'/>")
	equal(t, "AppendIQError()", text(stanza.AppendIQError(nil, "1", "b.test", "cancel", "service-unavailable")),
		"<iq id='1' type='error' to='b.test'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
	if b, err := stanza.AppendIQ([]byte("x"), "\x00", "get", "", nil); err == nil || string(b) != "x" {
		t.Errorf("AppendIQ() with NUL in the id = %q, %v; want x and an error", b, err)
	}
}

func TestParseIQ(t *testing.T) {
	q, ok := stanza.ParseIQ(streamtest.Parse(t, "<iq id='1' type='result' from='a.test' to='me@a.test/home'><x xmlns='u'/></iq>"))
	if !ok || q.ID != "1" || q.Type != "result" || q.From != "a.test" || q.To != "me@a.test/home" || !q.Payload.Is("u", "x") || q.Err != nil {
		t.Errorf("ParseIQ() = %+v, %v; want the result 1 with a payload", q, ok)
	}
	if q, ok = stanza.ParseIQ(streamtest.Parse(t, "<iq id='1' type='result'/>")); !ok || q.Payload != nil {
		t.Errorf("ParseIQ() = %+v, %v; want a result without a payload", q, ok)
	}
	for _, raw := range []string{
		"<iq type='result'/>", "<iq id='1'/>", "<iq id='1' type='get'/>", "<iq id='1' type='set'/>", "<iq id='1' type='x'><a/></iq>",
		"<iq xmlns='u' id='1' type='result'/>", "<message id='1' type='result'/>",
	} {
		if q, ok := stanza.ParseIQ(streamtest.Parse(t, raw)); ok {
			t.Errorf("ParseIQ() of %s = %+v, want none", raw, q)
		}
	}
}

func TestParseIQError(t *testing.T) {
	// ejabberd repeats the payload before the error, Prosody does not.
	for _, raw := range []string{
		"<iq id='1' type='error'><x xmlns='u'/><error type='auth' by='b'><forbidden xmlns='" + nsStanzas + "'/><text xmlns='" + nsStanzas + "'>no</text><more xmlns='u'/></error></iq>",
		"<iq id='1' type='error'><error type='auth' by='b'><text xmlns='" + nsStanzas + "'>no</text><forbidden xmlns='" + nsStanzas + "'/></error></iq>",
	} {
		q, ok := stanza.ParseIQ(streamtest.Parse(t, raw))
		if diff := cmp.Diff(&perch.XMPPError{Condition: "forbidden", Type: "auth", Text: "no", By: "b"}, q.Err); diff != "" || !ok {
			t.Errorf("ParseIQ() of %s: ok %v, want true; error -want +got:\n%s", raw, ok, diff)
		}
	}
	if q, ok := stanza.ParseIQ(streamtest.Parse(t, "<iq id='1' type='error'/>")); !ok || q.Err.Condition != "undefined-condition" {
		t.Errorf("ParseIQ() of an error without one = %+v, %v; want undefined-condition", q, ok)
	}
}

func TestParseConditions(t *testing.T) {
	for _, tt := range []struct {
		raw, space string
		want       perch.XMPPError
		content    string
	}{
		{"<stream:error><see-other-host xmlns='" + nsStreams + "'> [::1]:5222\n</see-other-host>" +
			"<text xmlns='" + nsStreams + "' xml:lang='en'>moved</text></stream:error>", nsStreams, perch.XMPPError{Condition: "see-other-host", Text: "moved"}, "[::1]:5222"},
		{"<failure xmlns='" + nsSASL + "'><not-authorized/><text>Invalid token</text></failure>", nsSASL, perch.XMPPError{Condition: "not-authorized", Text: "Invalid token"}, ""},
		{"<stream:error><conflict/></stream:error>", nsStreams, perch.XMPPError{Condition: "conflict"}, ""},
		{"<stream:error><conflict xmlns=''/><text>x</text></stream:error>", nsStreams, perch.XMPPError{Condition: "conflict", Text: "x"}, ""},
		{"<stream:error><stream:conflict/></stream:error>", nsStreams, perch.XMPPError{Condition: "conflict"}, ""},
		{"<stream:error><own xmlns='urn:x'/><odd/><conflict/></stream:error>", nsStreams, perch.XMPPError{Condition: "conflict"}, ""},
		{"<stream:error><conflict/><reset xmlns='" + nsStreams + "'/></stream:error>", nsStreams, perch.XMPPError{Condition: "reset"}, ""},
	} {
		got, content := stanza.ParseConditions(streamtest.Parse(t, tt.raw), tt.space)
		if diff := cmp.Diff(tt.want, got); diff != "" || content != tt.content {
			t.Errorf("ParseConditions() of %s: content %q, want %q; -want +got:\n%s", tt.raw, content, tt.content, diff)
		}
	}
	if e, _ := stanza.ParseConditions(nil, nsSASL); e.Condition != "undefined-condition" {
		t.Errorf("ParseConditions(nil) = %+v, want undefined-condition", e)
	}
}

func TestSmallPayloads(t *testing.T) {
	for what, tt := range map[string]struct {
		got  []byte
		want string
	}{
		"EncodePing()":             {stanza.EncodePing(), "<ping xmlns='urn:xmpp:ping'/>"},
		"EncodeCarbonsEnable()":    {stanza.EncodeCarbonsEnable(), "<enable xmlns='urn:xmpp:carbons:2'/>"},
		"EncodeLookup(false)":      {stanza.EncodeLookup(false), "<getjid xmlns='http://messenger.live.com/xmpp/jidlookup'/>"},
		"EncodeLookup(true)":       {stanza.EncodeLookup(true), "<getjid xmlns='jidlookup'/>"},
		"EncodeDiscoInfo()":        {stanza.EncodeDiscoInfo(), "<query xmlns='http://jabber.org/protocol/disco#info'/>"},
		"AppendClientState(true)":  {stanza.AppendClientState(nil, true), "<active xmlns='urn:xmpp:csi:0'/>"},
		"AppendClientState(false)": {stanza.AppendClientState(nil, false), "<inactive xmlns='urn:xmpp:csi:0'/>"},
	} {
		equal(t, what, string(tt.got), tt.want)
	}
}

// request is an IQ of another entity.
func request(t *testing.T, typ, payload string) stanza.IQ {
	t.Helper()
	q, ok := stanza.ParseIQ(streamtest.Parse(t, "<iq id='1' type='"+typ+"' from='b.test'>"+payload+"</iq>"))
	if !ok {
		t.Fatalf("ParseIQ() of %s with %s: not ok, want a request", typ, payload)
	}
	return q
}

func TestAnswer(t *testing.T) {
	const info = "<query xmlns='http://jabber.org/protocol/disco#info' node='n&amp;'/>"
	payload, refusal := stanza.Answer(request(t, "get", info), true)
	if refusal != "" {
		t.Fatalf("Answer() to disco#info: got the refusal %s, want an answer", refusal)
	}
	el := streamtest.Parse(t, string(payload))
	if el.Attr("node") != "n&" || len(el.Children()) != 7 || el.Child("http://jabber.org/protocol/disco#info", "identity").Attr("category") != "client" {
		t.Errorf("Answer() to disco#info = %s, want the node n&, an identity and six features", payload)
	}
	for _, feature := range []string{nsChatStates, "http://jabber.org/protocol/disco#info", nsNick, nsDelay, "urn:xmpp:ping", "urn:xmpp:receipts"} {
		if !stanza.HasFeature(el, feature) {
			t.Errorf("Answer() to disco#info = %s, want the feature %s", payload, feature)
		}
	}
	if payload, refusal := stanza.Answer(request(t, "get", "<ping xmlns='urn:xmpp:ping'/>"), false); refusal != "" || payload != nil {
		t.Errorf("Answer() to a ping = %s, %q; want an empty answer", payload, refusal)
	}
	payload, refusal = stanza.Answer(request(t, "get", "<query xmlns='jabber:iq:version'/>"), false)
	if el := streamtest.Parse(t, string(payload)); refusal != "" || el.ChildText("jabber:iq:version", "name") != "Perch" || el.ChildText("jabber:iq:version", "version") == "" {
		t.Errorf("Answer() to version = %s, %q; want Perch and a version", payload, refusal)
	}
	for _, q := range []stanza.IQ{
		request(t, "get", "<ping/>"), request(t, "set", "<ping xmlns='urn:xmpp:ping'/>"), request(t, "set", info),
		request(t, "get", "<query xmlns='jabber:iq:last'/>"), {Type: "get"},
	} {
		for _, chatOnly := range []bool{false, true} {
			if payload, refusal := stanza.Answer(q, chatOnly); refusal != "service-unavailable" || payload != nil {
				t.Errorf("Answer() to %+v = %s, %q; want the refusal service-unavailable", q, payload, refusal)
			}
		}
	}
}

func TestHasFeature(t *testing.T) {
	const info = "<query xmlns='http://jabber.org/protocol/disco#info'>"
	for raw, want := range map[string]bool{
		info + "<feature var='a'/><feature var='" + nsMAM + "'/></query>": true,
		info + "<feature var='a'/><feature/></query>":                     false,
		info + "<identity var='" + nsMAM + "'/></query>":                  false,
		"<query xmlns='u'><feature var='" + nsMAM + "'/></query>":         false,
	} {
		if got := stanza.HasFeature(streamtest.Parse(t, raw), stanza.FeatureArchive); got != want {
			t.Errorf("HasFeature() of %s = %v, want %v", raw, got, want)
		}
	}
	if stanza.HasFeature(nil, stanza.FeatureArchive) {
		t.Error("HasFeature(nil) = true, want false")
	}
}

func TestParseLookup(t *testing.T) {
	for _, space := range []string{"http://messenger.live.com/xmpp/jidlookup", "jidlookup"} {
		if jid, ok := stanza.ParseLookup(streamtest.Parse(t, "<getjid xmlns='"+space+"'><jid> 1@b.test\n</jid></getjid>")); !ok || jid != "1@b.test" {
			t.Errorf("ParseLookup() in %s = %q, %v; want 1@b.test", space, jid, ok)
		}
	}
	for _, raw := range []string{"<getjid xmlns='jidlookup'/>", "<getjid xmlns='u'><jid>1@b.test</jid></getjid>", "<x xmlns='jidlookup'><jid>1</jid></x>"} {
		if jid, ok := stanza.ParseLookup(streamtest.Parse(t, raw)); ok {
			t.Errorf("ParseLookup() of %s = %q, want none", raw, jid)
		}
	}
	if jid, ok := stanza.ParseLookup(nil); ok {
		t.Errorf("ParseLookup(nil) = %q, want none", jid)
	}
}
