package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

func TestEncodeBlocking(t *testing.T) {
	text := encoded(t)
	equal(t, "EncodeBlock()", text(stanza.EncodeBlock("eve's@b.test", testSelf.Bare(), nil)),
		"<block xmlns='urn:xmpp:blocking'><item jid='eve&apos;s@b.test'/></block>")
	equal(t, "EncodeBlock() with a report", text(stanza.EncodeBlock("eve@b.test", "me@a.test", &perch.Report{Reason: "abuse", Text: "<x>", StanzaIDs: []string{"1", "'2"}})),
		"<block xmlns='urn:xmpp:blocking'><item jid='eve@b.test'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:abuse'>"+
			"<stanza-id xmlns='urn:xmpp:sid:0' by='me@a.test' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' by='me@a.test' id='&apos;2'/>"+
			"<text>&lt;x&gt;</text></report></item></block>")
	equal(t, "EncodeUnblock()", text(stanza.EncodeUnblock("eve@b.test")), "<unblock xmlns='urn:xmpp:blocking'><item jid='eve@b.test'/></unblock>")
	equal(t, "EncodeUnblock() of all", text(stanza.EncodeUnblock()), "<unblock xmlns='urn:xmpp:blocking'></unblock>")
	for field, r := range map[string]*perch.Report{
		"/report/reason": {Reason: "x'/>"}, "/report/text": {Reason: "spam", Text: "\x00"}, "/report/stanza_ids": {Reason: "spam", StanzaIDs: []string{"\x01"}},
	} {
		_, err := stanza.EncodeBlock("eve@b.test", "me@a.test", r)
		if perch.KindOf(err) != perch.KindValidation || !strings.HasPrefix(err.(*perch.Error).Detail, field) {
			t.Errorf("EncodeBlock() of %+v: got %v, want %s of %s", r, err, perch.KindValidation, field)
		}
	}
	if b, err := stanza.EncodeUnblock("\x00"); err == nil {
		t.Errorf("EncodeUnblock() of NUL: got %q, want an error", b)
	}
}

func TestBlockList(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want perch.BlockListIn
	}{
		{"<blocklist xmlns='urn:xmpp:blocking'/>", perch.BlockListIn{All: true}},
		{"<blocklist xmlns='urn:xmpp:blocking'><item jid='a@b'/><item/><item xmlns='u' jid='c@d'/><x jid='e@f'/><item jid='B.test'/></blocklist>",
			perch.BlockListIn{All: true, Added: []perch.JID{"a@b", "B.test"}}},
		{"<blocklist xmlns='u'><item jid='a@b'/></blocklist>", perch.BlockListIn{All: true}},
	} {
		var all stanza.BlockListCollector
		all.Add(streamtest.Parse(t, tt.raw).Borrowed())
		if diff := cmp.Diff(&tt.want, all.Result()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.raw, diff)
		}
	}
}

// TestBlockListIsBounded: what is too much, in entries or in bytes, is left out and said.
func TestBlockListIsBounded(t *testing.T) {
	list := func(n int, jid string) *perch.BlockListIn {
		var all stanza.BlockListCollector
		for range 2 { // in two parts
			all.Add(streamtest.Parse(t, "<blocklist xmlns='urn:xmpp:blocking'>"+strings.Repeat("<item jid='"+jid+"'/>", n/2)+"</blocklist>").Borrowed())
		}
		return all.Result()
	}
	long := strings.Repeat("a", 1<<10-2) + "@b"
	for _, tt := range []struct {
		n       int
		jid     string
		want    int
		partial bool
	}{
		{2000, "a@b", 2000, false}, {2002, "a@b", 2000, true}, {256, long, 256, false}, {258, long, 256, true},
	} {
		if got := list(tt.n, tt.jid); len(got.Added) != tt.want || got.Partial != tt.partial {
			t.Errorf("%d of %d bytes: got %d, partial %v; want %d, %v", tt.n, len(tt.jid), len(got.Added), got.Partial, tt.want, tt.partial)
		}
	}
}

func TestParseBlockPush(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want *perch.BlockListIn
		push bool // it is one, and
		ok   bool // as it should be
	}{
		{"<block xmlns='urn:xmpp:blocking'><item jid='a@b'/><item jid='c@d'/></block>", &perch.BlockListIn{Added: []perch.JID{"a@b", "c@d"}}, true, true},
		{"<unblock xmlns='urn:xmpp:blocking'><item jid='a@b'/></unblock>", &perch.BlockListIn{Removed: []perch.JID{"a@b"}}, true, true},
		{"<unblock xmlns='urn:xmpp:blocking'/>", &perch.BlockListIn{All: true}, true, true},
		{"<query xmlns='jabber:iq:privacy'><list name='x'/></query>", nil, true, true},
		{"<block xmlns='urn:xmpp:blocking'/>", &perch.BlockListIn{}, true, false},
		{"<block xmlns='urn:xmpp:blocking'><item/></block>", &perch.BlockListIn{}, true, false},
		{"<unblock xmlns='urn:xmpp:blocking'><x/></unblock>", &perch.BlockListIn{}, true, false},
		{"<blocklist xmlns='urn:xmpp:blocking'><item jid='a@b'/></blocklist>", nil, false, false},
		{"<block xmlns='u'><item jid='a@b'/></block>", nil, false, false},
	} {
		in, ok := stanza.ParseIQ(streamtest.Parse(t, "<iq id='1' type='set'>"+tt.raw+"</iq>"))
		if !ok || stanza.IsPush(in) != tt.push {
			t.Fatalf("%s: a push %v (an IQ %v), want %v", tt.raw, stanza.IsPush(in), ok, tt.push)
		}
		got, ok := stanza.ParseBlockPush(in)
		if diff := cmp.Diff(tt.want, got); diff != "" || ok != tt.ok {
			t.Errorf("%s: got ok %v, want %v; -want +got:\n%s", tt.raw, ok, tt.ok, diff)
		}
		if any, ok := stanza.ParsePush(in); tt.push && (ok != tt.ok || (any == nil) != (tt.want == nil)) {
			t.Errorf("%s: ParsePush() = %v, %v; want %v", tt.raw, any, ok, tt.ok)
		}
		in.Type = "get"
		if stanza.IsPush(in) {
			t.Errorf("%s: a get is a push, want none", tt.raw)
		}
	}
}

// FuzzBlockPush reads anything as a push and as a list: what comes out has addresses, and no more than are
// taken.
func FuzzBlockPush(f *testing.F) {
	for _, s := range []string{
		"<block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block>", "<unblock xmlns='urn:xmpp:blocking'/>",
		"<blocklist xmlns='urn:xmpp:blocking'><item jid='b.test'/><item/></blocklist>", "<query xmlns='jabber:iq:privacy'/>",
	} {
		f.Add([]byte("<iq id='1' type='set'>" + s + "</iq>"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, el, ok := firstFrame(raw)
		if !ok {
			return
		}
		in, ok := stanza.ParseIQ(el)
		if !ok || in.Payload == nil {
			return
		}
		var all stanza.BlockListCollector
		all.Add(in.Payload.Borrowed())
		lists := []*perch.BlockListIn{all.Result()}
		if push, ok := stanza.ParseBlockPush(in); ok && push != nil {
			if lists = append(lists, push); !push.All && len(push.Added)+len(push.Removed) == 0 {
				t.Fatalf("got a push of nothing, want none")
			}
		}
		for _, l := range lists {
			for _, jid := range append(l.Added, l.Removed...) {
				if jid == "" {
					t.Fatalf("got an empty address in %+v, want none", l)
				}
			}
			if len(l.Added)+len(l.Removed) > 2000 {
				t.Fatalf("got %d addresses, want at most 2000", len(l.Added)+len(l.Removed))
			}
		}
	})
}
