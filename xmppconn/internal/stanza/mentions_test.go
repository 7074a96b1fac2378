package stanza_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

func mention(attrs string) string {
	return "<reference xmlns='urn:xmpp:reference:0' type='mention' " + attrs + "/>"
}

// TestMentions reads who is named, and where: in code points of the body as it is shown.
func TestMentions(t *testing.T) {
	const quoted = "<reply xmlns='urn:xmpp:reply:0' id='1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='6'/></fallback>"
	for _, tt := range []struct {
		name, inner string
		want        []perch.Mention
	}{
		{"in a range", "<body>🐦 Al!</body>" + mention("uri='xmpp:al@a.test' begin='2' end='4'"), []perch.Mention{{JID: "al@a.test", Begin: 2, End: 4}}},
		{"in none", "<body>hi</body>" + mention("uri='XMPP:al@a.test/r?message#x'"), []perch.Mention{{JID: "al@a.test/r"}}},
		{"two", "<body>Al, Bo</body>" + mention("uri='xmpp:al@a.test' begin='0' end='2'") + mention("uri='xmpp:bo%40@a.test' begin='4' end='6'"),
			[]perch.Mention{{JID: "al@a.test", Begin: 0, End: 2}, {JID: "bo@@a.test", Begin: 4, End: 6}}},
		{"beyond the body", "<body>Al</body>" + mention("uri='xmpp:al@a.test' begin='0' end='3'"), []perch.Mention{{JID: "al@a.test"}}},
		{"the wrong way", "<body>Al</body>" + mention("uri='xmpp:al@a.test' begin='2' end='1'"), []perch.Mention{{JID: "al@a.test"}}},
		{"behind a quote", "<body>&gt; old\nAl!</body>" + quoted + mention("uri='xmpp:al@a.test' begin='6' end='8'"), []perch.Mention{{JID: "al@a.test", Begin: 0, End: 2}}},
		{"in a quote", "<body>&gt; old\nAl!</body>" + quoted + mention("uri='xmpp:al@a.test' begin='2' end='5'"), []perch.Mention{{JID: "al@a.test"}}},
		{"half in a quote", "<body>&gt; old\nAl!</body>" + quoted + mention("uri='xmpp:al@a.test' begin='4' end='8'"), []perch.Mention{{JID: "al@a.test"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := saidBy(t, "bo@b.test/x", "chat", tt.inner).Details
			if d == nil {
				t.Fatalf("got no details, want %v", tt.want)
			}
			if diff := cmp.Diff(tt.want, d.Mentions); diff != "" || d.Payloads != nil {
				t.Errorf("with payloads %q, want none; -want +got:\n%s", d.Payloads, diff)
			}
		})
	}
}

// TestOtherReferences leaves what mentions nobody to clients that know it.
func TestOtherReferences(t *testing.T) {
	for _, ref := range []string{
		"<reference xmlns='urn:xmpp:reference:0' type='data' uri='https://b.test'/>", mention("uri='https://b.test'"), mention("uri='xmpp:'"),
		mention("uri='xmpp:%zz@a.test'"), mention("uri='xmpp:a%'"), mention("uri='xmpp:%ff@a.test'"), mention("uri='xmpp:a%00@a.test'"), mention("uri='xmpp:" + strings.Repeat("a", 3072) + "'"),
	} {
		d := saidBy(t, "bo@b.test/x", "chat", "<body>hi</body>"+ref).Details
		if d == nil || d.Mentions != nil || len(d.Payloads) != 1 {
			t.Errorf("%.80s: got %+v, want a payload and no mention", ref, d)
		}
	}
	d := saidBy(t, "bo@b.test/x", "chat", "<body>hi</body>"+strings.Repeat(mention("uri='xmpp:al@a.test'"), perch.MaxMentions+1)).Details
	if d == nil || len(d.Mentions) != perch.MaxMentions || len(d.Payloads) != 1 {
		t.Errorf("got %+v, want %d mentions and a payload", d, perch.MaxMentions)
	}
}

// FuzzURI writes addresses as URIs and reads them back, and reads anything as one.
func FuzzURI(f *testing.F) {
	for _, s := range []string{"al@a.test", "ü%@a.test/r s?#", "xmpp:%41@b", "a/", "xmpp:a?b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if jid := stanza.JIDOfURI(s); jid != "" && (!utf8.ValidString(string(jid)) || jid.Domain() == "") {
			t.Fatalf("JIDOfURI(%q) = %q, want an address or none", s, jid)
		}
		jid := perch.JID(s)
		fits := utf8.ValidString(s) && len(s) <= 3071 && jid.Domain() != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
		if got := stanza.JIDOfURI(stanza.URIOf(jid)); fits && got != jid || !fits && got != "" {
			t.Fatalf("JIDOfURI(URIOf(%q)) = %q, want the same, or none where it is no address", jid, got)
		}
	})
}
