package stanza_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

// TestPayloads gives what is not known as it is, each element with its namespaces.
func TestPayloads(t *testing.T) {
	for _, tt := range []struct {
		name, inner string
		want        []string
		truncated   bool
	}{
		{"several", "<a xmlns='urn:a'/><b xmlns='urn:b' c='1'>text</b>", []string{"<a xmlns='urn:a'/>", "<b xmlns='urn:b' c='1'>text</b>"}, false},
		{"a prefix", "<p:a xmlns:p='urn:a' p:b='1' c=\"'\"><p:d/><e xmlns=''/></p:a>", []string{"<a xmlns='urn:a' xmlns:a0='urn:a' a0:b='1' c='&apos;'><d/><e xmlns=''/></a>"}, false},
		{"of no namespace", "<a xmlns=''/>", []string{"<a/>"}, false},
		{"mixed", "<a xmlns='urn:a' xml:lang='de'>a<b> b </b> c<![CDATA[<]]><d/>\n</a>", []string{"<a xmlns='urn:a' xml:lang='de'>a<b> b </b> c&lt;<d/>\n</a>"}, false},
		{"as many as there may be", strings.Repeat("<a xmlns='urn:a'/>", perch.MaxPayloads), repeated("<a xmlns='urn:a'/>", perch.MaxPayloads), false},
		{"more", strings.Repeat("<a xmlns='urn:a'/>", perch.MaxPayloads+1), repeated("<a xmlns='urn:a'/>", perch.MaxPayloads), true},
		{"one that is too large", "<a xmlns='urn:a'>" + strings.Repeat("x", perch.MaxPayloadBytes) + "</a><b xmlns='urn:b'/>", []string{"<b xmlns='urn:b'/>"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := said{Body: "hi", Details: &perch.MessageDetails{Payloads: tt.want, PayloadsTruncated: tt.truncated}}
			if diff := cmp.Diff(want, saidBy(t, "bo@b.test/x", "chat", "<body>hi</body>"+tt.inner)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	alone := said{Details: &perch.MessageDetails{Payloads: []string{"<a xmlns='urn:a'/>"}}}
	if diff := cmp.Diff(alone, saidBy(t, "bo@b.test/x", "chat", "<a xmlns='urn:a'/><store xmlns='urn:xmpp:hints'/>")); diff != "" {
		t.Errorf("alone, and to be stored: -want +got:\n%s", diff)
	}
}

// TestPayloadsAreBounded: what a stranger has written shorter than it is written anew takes no more than
// there is room for.
func TestPayloadsAreBounded(t *testing.T) {
	inner := "<body>hi</body><a xmlns='urn:a' xmlns:p='" + strings.Repeat("n", 30<<10) + "'>" + strings.Repeat("<p:b/>", 5000) + "</a>"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := saidBy(t, "bo@b.test/x", "chat", inner)
	runtime.ReadMemStats(&after)
	if diff := cmp.Diff(said{Body: "hi", Details: &perch.MessageDetails{PayloadsTruncated: true}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("got %d bytes allocated for a message of %d, want at most 16 MiB", took, len(inner))
	}
}

func repeated(s string, n int) (list []string) {
	for range n {
		list = append(list, s)
	}
	return list
}

// TestPayloadsOut writes elements of clients, and nothing but elements.
func TestPayloadsOut(t *testing.T) {
	send := func(payloads ...string) (string, error) {
		b, err := stanza.AppendOutbound(nil, &perch.MessageOut{To: "bo@b.test", Body: "b", Details: &perch.MessageDetails{Payloads: payloads}})
		return string(b), err
	}
	got, err := send(" <p:a xmlns:p='urn:a' b=\"1\">x<p:c/>y</p:a>\n", "<b xmlns='urn:b'/>")
	if want := "<message to='bo@b.test' type='chat'><body>b</body><a xmlns='urn:a' b='1'>x<c/>y</a><b xmlns='urn:b'/></message>"; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	for _, tt := range []struct {
		name, field string
		payloads    []string
	}{
		{"no element", "/payloads/0", []string{"text"}},
		{"empty", "/payloads/1", []string{"<a xmlns='urn:a'/>", ""}},
		{"two elements", "/payloads/0", []string{"<a xmlns='urn:a'/><b xmlns='urn:b'/>"}},
		{"text behind it", "/payloads/0", []string{"<a xmlns='urn:a'/>x"}},
		{"not closed", "/payloads/0", []string{"<a xmlns='urn:a'>"}},
		{"closes the message", "/payloads/0", []string{"<a xmlns='urn:a'/></message><presence/>"}},
		{"a comment", "/payloads/0", []string{"<a xmlns='urn:a'><!-- x --></a>"}},
		{"a declaration", "/payloads/0", []string{"<?xml version='1.0'?><a xmlns='urn:a'/>"}},
		{"an entity", "/payloads/0", []string{"<a xmlns='urn:a'>&x;</a>"}},
		{"an unknown prefix", "/payloads/0", []string{"<a xmlns='urn:a'><stream:error/></a>"}},
		{"a control character", "/payloads/0", []string{"<a xmlns='urn:a'>\x01</a>"}},
		{"no namespace", "/payloads/0", []string{"<a/>"}},
		{"that of stanzas", "/payloads/0", []string{"<body xmlns='jabber:client'>x</body>"}},
		{"too deep", "/payloads/0", []string{"<a xmlns='urn:a'>" + strings.Repeat("<b>", 31) + strings.Repeat("</b>", 31) + "</a>"}},
		{"too many", "/payloads", repeated("<a xmlns='urn:a'/>", perch.MaxPayloads+1)},
		{"too large as it is sent", "/payloads/0", []string{"<a xmlns='urn:a' xmlns:p='" + strings.Repeat("n", 4<<10) + "'>" + strings.Repeat("<p:b/>", 50) + "</a>"}},
		{"too large", "/payloads/1", []string{"<a xmlns='urn:a'/>", "<a xmlns='urn:a'>" + strings.Repeat("x", perch.MaxPayloadBytes) + "</a>"}},
	} {
		if got, err := send(tt.payloads...); fieldOf(err) != tt.field || got != "" {
			t.Errorf("%s: got %q, %v; want an error of %s", tt.name, got, err, tt.field)
		}
	}
	for _, space := range []string{
		"urn:xmpp:carbons:2", "urn:xmpp:forward:0", "urn:xmpp:mam:2", "urn:xmpp:receipts", "urn:xmpp:chat-markers:0", "urn:xmpp:sid:0", "urn:xmpp:delay", "urn:xmpp:hints",
		"urn:xmpp:message-correct:0", "urn:xmpp:message-retract:1", "urn:xmpp:reactions:0", "urn:xmpp:reply:0", "jabber:x:oob", "jabber:x:conference",
		"http://jabber.org/protocol/muc#user", "http://jabber.org/protocol/chatstates", "http://etherx.jabber.org/streams", "urn:xmpp:sm:3",
	} {
		if _, err := send("<x xmlns='" + space + "'/>"); fieldOf(err) != "/payloads/0" {
			t.Errorf("namespace %s: got %v, want an error of /payloads/0", space, err)
		}
	}
}

// FuzzPayload sends anything as a payload: it is refused, or it is one element of one message, and what
// the other side reads is what was sent.
func FuzzPayload(f *testing.F) {
	for _, s := range []string{"<a xmlns='urn:a'/>", "<a xmlns='urn:a'>x<b>y</b>z</a>", "<p:a xmlns:p='urn:a' p:b='1' xml:lang='de'/>", "</message><a/>", "<a xmlns='urn:a'/><b/>", "<a xmlns='urn:a'><![CDATA[]]]]>></a>", "<a xmlns='jabber:client'/>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		b, err := stanza.AppendOutbound(nil, &perch.MessageOut{To: "me@a.test/home", Body: "b", Details: &perch.MessageDetails{Payloads: []string{payload}}})
		if err != nil {
			if perch.KindOf(err) != perch.KindValidation || len(b) != 0 {
				t.Fatalf("got %q, %v; want nothing, %s", b, err, perch.KindValidation)
			}
			return
		}
		trees, _ := parseAll(b)
		if len(trees) != 1 || len(trees[0].Children()) != 2 || trees[0].Child(nsClient, "body").Text() != "b" {
			t.Fatalf("%q was read as %d stanzas, want one message with a body and a payload", b, len(trees))
		}
		got := saidIn(t, decodeText(t, strings.Replace(string(b), "<message ", "<message from='bo@b.test/x' ", 1), testNow))
		if got.Details == nil || len(got.Details.Payloads) != 1 {
			return // a signal, or encrypted
		}
		again, err := stanza.AppendOutbound(nil, &perch.MessageOut{To: "me@a.test/home", Body: "b", Details: &perch.MessageDetails{Payloads: got.Details.Payloads}})
		if err != nil || string(again) != string(b) {
			t.Fatalf("%q was sent, %q (%v) is sent of what came; want the same", b, again, err)
		}
		streamtest.Parse(t, got.Details.Payloads[0])
	})
}
