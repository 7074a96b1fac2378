package xmlstream_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// treeText is an element written where a namespace is the default one.
func treeText(t testing.TB, e *xmlstream.Element, space string) string {
	t.Helper()
	var w xmlstream.Writer
	w.AtMost(math.MaxInt)
	w.Tree("", e.Borrowed(), space)
	b, err := w.Result()
	if err != nil {
		t.Fatalf("Tree(): got error %v, want none", err)
	}
	return string(b)
}

// TestTreeIsBounded: a namespace that is declared once and used a thousand times makes no more of a short
// text than may be, and is not written on beyond that.
func TestTreeIsBounded(t *testing.T) {
	const most = 10_000
	declared := "<a xmlns:p='" + strings.Repeat("n", 5000) + "' xmlns:q='" + strings.Repeat("m", 5000) + "'>"
	for name, raw := range map[string]string{
		"elements":   declared + strings.Repeat("<p:b/>", 1000) + "</a>",
		"attributes": declared + strings.Repeat("<b p:c='1' q:c='2'/>", 1000) + "</a>",
		"levels":     declared + strings.Repeat("<p:b><q:b>", 10) + strings.Repeat("</q:b></p:b>", 10) + "</a>",
		"a text":     "<a>" + strings.Repeat("x", most) + "</a>",
	} {
		w := xmlstream.NewWriter([]byte(strings.Repeat("y", 2*most))) // which is not the tree's
		w.AtMost(most)
		w.Tree("/f", streamtest.Parse(t, raw).Borrowed(), "")
		if b, err := w.Result(); perch.KindOf(err) != perch.KindValidation || len(b) != 2*most {
			t.Errorf("%s: got %d bytes, error %v; want those of before and KindValidation", name, len(b), err)
		}
	}
	var w xmlstream.Writer
	w.Tree("", streamtest.Parse(t, declared+strings.Repeat("<p:b/>", 1000)+"</a>").Borrowed(), "")
	if _, err := w.Result(); perch.KindOf(err) != perch.KindValidation {
		t.Errorf("more than a stanza: got error %v, want KindValidation", err)
	}
}

// TestTree writes elements with their namespaces, and text and children in their order.
func TestTree(t *testing.T) {
	for _, tt := range []struct{ name, raw, space, want string }{
		{"empty", "<a xmlns='urn:a'/>", "", "<a xmlns='urn:a'/>"},
		{"in its namespace", "<a xmlns='urn:a'><b/></a>", "urn:a", "<a><b/></a>"},
		{"of none", "<a xmlns=''/>", "", "<a/>"},
		{"of none in one", "<a xmlns=''/>", "urn:a", "<a xmlns=''/>"},
		{"that of the stream", "<a/>", "", "<a xmlns='jabber:client'/>"},
		{"a prefix of the stream", "<stream:a/>", "", "<a xmlns='http://etherx.jabber.org/streams'/>"},
		{"namespaces that change", "<a xmlns='urn:a'><b xmlns='urn:b'><c/></b><d/></a>", "", "<a xmlns='urn:a'><b xmlns='urn:b'><c/></b><d/></a>"},
		{"prefixes", "<p:a xmlns:p='urn:a' p:x='1' xml:lang='de' y=''><p:b/></p:a>", "", "<a xmlns='urn:a' xmlns:a0='urn:a' a0:x='1' xml:lang='de' y=''><b/></a>"},
		{"escapes", "<a xmlns='urn:a' b=\"'&#10;&quot;\">&lt;&#13;]]&gt;</a>", "", "<a xmlns='urn:a' b='&apos;&#10;&quot;'>&lt;&#13;]]&gt;</a>"},
		{"text first", "<a xmlns='urn:a'>x<b/></a>", "", "<a xmlns='urn:a'>x<b/></a>"},
		{"text last", "<a xmlns='urn:a'><b/>x</a>", "", "<a xmlns='urn:a'><b/>x</a>"},
		{"text between", "<a xmlns='urn:a'>1<b>2</b>3<b><c/>4</b><b/>5</a>", "", "<a xmlns='urn:a'>1<b>2</b>3<b><c/>4</b><b/>5</a>"},
		{"pieces of text", "<a xmlns='urn:a'><b/>1<![CDATA[2]]>3<b/><![CDATA[]]>\n<b/></a>", "", "<a xmlns='urn:a'><b/>123<b/>\n<b/></a>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := treeText(t, streamtest.Parse(t, tt.raw), tt.space); got != tt.want {
				t.Errorf("owned: got %s, want %s", got, tt.want)
			}
			err := xmlstream.ParseBorrowed([]byte(tt.raw), func(e *xmlstream.Borrowed) {
				if got := treeText(t, e.Owned(), tt.space); got != tt.want {
					t.Errorf("lent: got %s, want %s", got, tt.want)
				}
			})
			if err != nil {
				t.Errorf("ParseBorrowed(): got error %v, want none", err)
			}
		})
	}
}

// TestParse reads one element, within limits, in no namespace but its own.
func TestParse(t *testing.T) {
	limits := xmlstream.Limits{Depth: 2, Attrs: 2}
	if e, err := xmlstream.Parse("<a xmlns='urn:a' b='1'><c/>x</a>", limits); err != nil || treeText(t, e, "") != "<a xmlns='urn:a' b='1'><c/>x</a>" {
		t.Errorf("Parse() = %v, %v; want the element", e, err)
	}
	if e, err := xmlstream.Parse("<a/>", limits); err != nil || e.Space() != "" {
		t.Errorf("Parse() = %v, %v; want an element of no namespace", e, err)
	}
	for _, raw := range []string{"", "x", " <a/>", "<a/> ", "<a/><a/>", "<a>", "<a></b>", "<stream:a/>", "<a><b><c/></b></a>", "<a b='1' c='2' d='3'/>", "<!-- --><a/>", "<?xml version='1.0'?><a/>", "<a>\xff</a>"} {
		if e, err := xmlstream.Parse(raw, limits); err == nil || e != nil {
			t.Errorf("Parse(%q) = %v, want an error", raw, e)
		}
	}
}

// FuzzTree writes anything that parses: it is read back as the same tree, and written the same.
func FuzzTree(f *testing.F) {
	for _, s := range []string{streamtest.Message, streamtest.Presence, "<a>1<b>2</b>3<![CDATA[]]></a>", "<p:a xmlns:p='u' p:x='1' q:y='2' xmlns:q='u' z='' xml:lang='de'>\r\n<b xmlns=''/></p:a>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := xmlstream.ParseOwned(raw)
		if err != nil {
			return
		}
		text := treeText(t, e, "")
		limits := xmlstream.Limits{Depth: 1 << 20, Attrs: 1 << 20}
		again, err := xmlstream.Parse(text, limits)
		if err != nil && strings.Count(text, "=") < 100 {
			t.Fatalf("Parse(%q): got error %v, want the element that was %q", text, err, raw)
		}
		if err != nil {
			return // more attributes than may be: a prefix each takes one
		}
		if diff := cmp.Diff(treeOf(e), treeOf(again)); diff != "" {
			t.Fatalf("%q: written and read, -want +got:\n%s", raw, diff)
		}
		if twice := treeText(t, again, ""); twice != text {
			t.Fatalf("%q: written twice, got %q, want %q", raw, twice, text)
		}
	})
}
