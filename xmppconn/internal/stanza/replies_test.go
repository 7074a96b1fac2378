package stanza_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// TestReplyFallback cuts the quote of a reply out of its body. Ranges count code points; one that
// makes no sense is none.
func TestReplyFallback(t *testing.T) {
	fallback := func(ranges string) string {
		return "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>" + ranges + "</fallback>"
	}
	for _, tt := range []struct{ name, body, fallback, rest, excerpt string }{
		{"no fallback", "&gt; old\nnew", "", "> old\nnew", ""},
		{"a range", "&gt; old\nnew", fallback("<body start='0' end='6'/>"), "new", "old"},
		{"a range of the older name", "&gt; old\nnew", "<fallback xmlns='urn:xmpp:feature-fallback:0' for='urn:xmpp:reply:0'><body start='0' end='6'/></fallback>", "new", "old"},
		{"lines and their author", "&gt; Bo wrote:\n&gt; \n&gt;&gt; older\nnew", fallback("<body start='0' end='24'/>"), "new", "Bo wrote:\n\n> older"},
		{"code points beyond 16 bits", "&gt; 🐦🐦\nnew 🐦", fallback("<body start='0' end='5'/>"), "new 🐦", "🐦🐦"},
		{"entities are one", "&gt; &amp;&lt;\nnew", fallback("<body start='0' end='5'/>"), "new", "&<"},
		{"at the end", "new\n&gt; old", fallback("<body start='3' end='9'/>"), "new", "old"},
		{"in the middle", "a&gt; old\nb", fallback("<body start='1' end='7'/>"), "ab", "old"},
		{"two ranges, in any order and twice", "&gt; a\nnew&gt; b", fallback("<body start='7' end='10'/><body start='0' end='4'/><body start='0' end='3'/>"), "new", "a\nb"},
		{"ranges that overlap", "&gt; abc\nnew", fallback("<body start='0' end='4'/><body start='2' end='6'/>"), "new", "abc"},
		{"all of it", "&gt; old", fallback(""), "", "old"},
		{"all of the body", "&gt; old", fallback("<body/>"), "", "old"},
		{"of the subject only", "new", fallback("<subject/>"), "new", ""},
		{"beyond the end", "new", fallback("<body start='0' end='4'/>"), "new", ""},
		{"empty", "new", fallback("<body start='1' end='1'/>"), "new", ""},
		{"the wrong way", "new", fallback("<body start='2' end='1'/>"), "new", ""},
		{"negative", "new", fallback("<body start='-1' end='2'/>"), "new", ""},
		{"no numbers", "new", fallback("<body start='a' end='b'/>"), "new", ""},
		{"half of one", "new", fallback("<body end='2'/>"), "new", ""},
		{"very large", "new", fallback("<body start='0' end='99999999999999999999'/>"), "new", ""},
		{"for something else", "new", "<fallback xmlns='urn:xmpp:fallback:0' for='urn:x'><body start='0' end='1'/></fallback>", "new", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := saidBy(t, "bo@b.test/x", "chat", "<body>"+tt.body+"</body><reply xmlns='urn:xmpp:reply:0' to='me@a.test' id='o1'/>"+tt.fallback)
			want := said{Body: tt.rest, Details: &perch.MessageDetails{ReplyTo: &perch.Reply{
				ID: "o1", From: "me@a.test", Excerpt: tt.excerpt}}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if got := saidBy(t, "bo@b.test/x", "chat", "<body>new</body>"+fallback("<body start='0' end='1'/>")); got.Body != "new" {
		t.Errorf("a fallback of no reply: got %q, want new", got.Body)
	}
}

// TestExcerptIsBounded keeps the beginning of a long quote, whole characters of it.
func TestExcerptIsBounded(t *testing.T) {
	s := saidBy(t, "bo@b.test/x", "chat", "<body>x"+strings.Repeat("é", 10_000)+"</body><reply xmlns='urn:xmpp:reply:0' id='7'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'/>")
	got := s.Details.ReplyTo.Excerpt
	if len(got) != perch.MaxExcerptBytes-1 || !utf8.ValidString(got) || s.Body != "" {
		t.Errorf("got %d bytes, valid %v, and the body %q; want %d, true, none", len(got), utf8.ValidString(got), s.Body, perch.MaxExcerptBytes-1)
	}
}

// FuzzReplyRanges cuts any ranges out of any text: what is left and what is cut out are the whole.
func FuzzReplyRanges(f *testing.F) {
	f.Add("> old\nnew", 0, 6, 8, 9, false)
	f.Add("🐦éx", 1, 2, 0, 1, false)
	f.Add("", 0, 0, 0, 0, true)
	f.Fuzz(func(t *testing.T, text string, a, b, c, d int, whole bool) {
		if !utf8.ValidString(text) {
			return
		}
		rest, cut := stanza.CutRanges(text, [][2]int{{a, b}, {c, d}}, whole)
		left, runes := []rune(nil), []rune(text)
		for i, r := range runes {
			in := func(x, y int) bool { return x >= 0 && x <= i && i < y && y <= len(runes) && y < 1<<31 }
			if !whole && !in(a, b) && !in(c, d) {
				left = append(left, r)
			}
		}
		if rest != string(left) || len(rest)+len(cut) != len(text) {
			t.Fatalf("CutRanges(%q) = %q and %q, want %q and the rest", text, rest, cut, string(left))
		}
	})
}
