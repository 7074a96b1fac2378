package xmlstream_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func TestParseElement(t *testing.T) {
	tests := []struct {
		name, raw string
		want      *node
	}{
		{"empty", "<presence/>", &node{Space: xmlstream.NSClient, Local: "presence"}},
		{
			"attributes", "<iq\tid = 'a&apos;b' type=\"it's\"\n xml:lang='de' stream:x='1'/>",
			&node{Space: xmlstream.NSClient, Local: "iq", Attrs: []xmlstream.Attribute{
				{"", "id", "a'b"}, {"", "type", "it's"}, {"http://www.w3.org/XML/1998/namespace", "lang", "de"}, {xmlstream.NSStream, "x", "1"},
			}},
		},
		{
			"namespaces", "<a xmlns='urn:1' xmlns:p='urn:2'><p:b/><c xmlns='' p:d='x'/><e xmlns:p='urn:3'><p:f/></e><p:g/></a>",
			&node{Space: "urn:1", Local: "a", Children: []*node{
				{Space: "urn:2", Local: "b"},
				{Space: "", Local: "c", Attrs: []xmlstream.Attribute{{"urn:2", "d", "x"}}},
				{Space: "urn:1", Local: "e", Children: []*node{{Space: "urn:3", Local: "f"}}},
				{Space: "urn:2", Local: "g"},
			}},
		},
		{"references", "<b>&lt;&gt;&amp;&apos;&quot;&#65;&#x1F426;&#xd;</b>", &node{Space: xmlstream.NSClient, Local: "b", Text: "<>&'\"A🐦\r"}},
		{"ends of lines", "<b a='x\r\ny\rz'>x\r\ny\rz\r\n</b>", &node{
			Space: xmlstream.NSClient, Local: "b", Text: "x\ny\nz\n", Attrs: []xmlstream.Attribute{{"", "a", "x\ny\nz"}},
		}},
		{"pieces of text", "<b>one<x/> two <![CDATA[<&]>\r\n]]>three</b>", &node{
			Space: xmlstream.NSClient, Local: "b", Text: "one two <&]>\nthree", Children: []*node{{Space: xmlstream.NSClient, Local: "x"}},
		}},
		{"brackets", "<b a=']]>'>]] > ]]&gt;</b>", &node{
			Space: xmlstream.NSClient, Local: "b", Text: "]] > ]]>", Attrs: []xmlstream.Attribute{{"", "a", "]]>"}},
		}},
		{"names beyond ASCII", "<größe ñ='1'/>", &node{Space: xmlstream.NSClient, Local: "größe", Attrs: []xmlstream.Attribute{{"", "ñ", "1"}}}},
		{"same local name twice", "<b a='1' stream:a='2'/>", &node{
			Space: xmlstream.NSClient, Local: "b", Attrs: []xmlstream.Attribute{{"", "a", "1"}, {xmlstream.NSStream, "a", "2"}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			el, err := xmlstream.ParseOwned([]byte(tt.raw))
			if err != nil {
				t.Fatalf("Parse() of %s: got error %v, want none", tt.raw, err)
			}
			if diff := cmp.Diff(tt.want, treeOf(el)); diff != "" {
				t.Errorf("Parse() of %s, -want +got:\n%s", tt.raw, diff)
			}
		})
	}
}

func TestParseElementRefuses(t *testing.T) {
	tests := []struct{ name, raw, condition string }{
		{"nothing", "", "not-well-formed"},
		{"text", "x", "not-well-formed"},
		{"no end", "<a>", "not-well-formed"},
		{"text without an end", "<a>x", "not-well-formed"},
		{"two elements", "<a/><b/>", "not-well-formed"},
		{"text after it", "<a/> ", "not-well-formed"},
		{"only an end", "</a>", "not-well-formed"},
		{"other end", "<a></b>", "not-well-formed"},
		{"longer end", "<a></ab>", "not-well-formed"},
		{"shorter end", "<ab></a>", "not-well-formed"},
		{"same name, other prefix", "<a xmlns:p='u' xmlns:q='u'><p:b></q:b></a>", "not-well-formed"},
		{"crossed", "<a><b></a></b>", "not-well-formed"},
		{"attribute in an end", "<a></a b='c'>", "not-well-formed"},
		{"attribute twice", "<a b='1' b='2'/>", "not-well-formed"},
		{"attribute twice by namespace", "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "not-well-formed"},
		{"namespace twice", "<a xmlns='u' xmlns='v'/>", "not-well-formed"},
		{"attributes without space", "<a b='1'c='2'/>", "not-well-formed"},
		{"no quotes", "<a b=1/>", "not-well-formed"},
		{"no value", "<a b/>", "not-well-formed"},
		{"no value, more", "<a b c='1'/>", "not-well-formed"},
		{"< in a value", "<a b='<'/>", "not-well-formed"},
		{"value without an end", "<a b='", "not-well-formed"},
		{"name with a digit", "<1a/>", "not-well-formed"},
		{"name with two colons", "<a:b:c/>", "not-well-formed"},
		{"name without a prefix", "<:a/>", "not-well-formed"},
		{"name without a local part", "<stream:/>", "not-well-formed"},
		{"name with a sign", "<a×/>", "not-well-formed"},
		{"prefix not declared", "<p:a/>", "bad-namespace-prefix"},
		{"prefix out of scope", "<a><b xmlns:p='u'/><p:c/></a>", "bad-namespace-prefix"},
		{"attribute prefix not declared", "<a p:b='1'/>", "bad-namespace-prefix"},
		{"prefix taken back", "<a xmlns:p=''/>", "bad-namespace-prefix"},
		{"xml bound to something", "<a xmlns:xml='u'/>", "bad-namespace-prefix"},
		{"xmlns bound", "<a xmlns:xmlns='u'/>", "bad-namespace-prefix"},
		{"]]> in text", "<a>]]></a>", "not-well-formed"},
		{"entity", "<a>&nbsp;</a>", "restricted-xml"},
		{"entity in a value", "<a b='&x;'/>", "restricted-xml"},
		{"& alone", "<a>& b</a>", "not-well-formed"},
		{"empty reference", "<a>&#;</a>", "not-well-formed"},
		{"reference to NUL", "<a>&#0;</a>", "not-well-formed"},
		{"reference to half a character", "<a>&#xD800;</a>", "not-well-formed"},
		{"reference out of range", "<a>&#x110000;</a>", "not-well-formed"},
		{"reference beyond counting", "<a>&#99999999999999999999999;</a>", "not-well-formed"},
		{"NUL", "<a>\x00</a>", "not-well-formed"},
		{"control character", "<a b='\x1b'/>", "not-well-formed"},
		{"U+FFFF", "<a>\uffff</a>", "not-well-formed"},
		{"control character in CDATA", "<a><![CDATA[\x01]]></a>", "not-well-formed"},
		{"broken UTF-8", "<a>\xc3\x28</a>", "unsupported-encoding"},
		{"surrogate in UTF-8", "<a>\xed\xa0\x80</a>", "unsupported-encoding"},
		{"broken UTF-8 after a reference", "<a>&amp;\xff</a>", "unsupported-encoding"},
		{"CDATA without an end", "<a><![CDATA[</a>", "not-well-formed"},
		{"CDATA around", "<![CDATA[<a/>]]>", "restricted-xml"},
		{"comment", "<a><!-- --></a>", "restricted-xml"},
		{"instruction", "<a><?b?></a>", "restricted-xml"},
		{"too many attributes", "<a" + manyAttrs(257) + "/>", "policy-violation"},
		{"too many declarations", "<a" + strings.ReplaceAll(manyAttrs(257), " ", " xmlns:") + "/>", "policy-violation"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			el, err := xmlstream.ParseOwned([]byte(tt.raw))
			if got := streamtest.Condition(err); got != tt.condition {
				t.Errorf("Parse() of %s = %+v, %v; want %s", tt.raw, el, err, tt.condition)
			}
			err = xmlstream.ParseBorrowed([]byte(tt.raw), func(el *xmlstream.Borrowed) {
				t.Errorf("Borrow() of %s lends %+v, want an error", tt.raw, treeOf(el.Owned()))
			})
			if got := streamtest.Condition(err); got != tt.condition {
				t.Errorf("Borrow() of %s = %v, want %s", tt.raw, err, tt.condition)
			}
		})
	}
}

func manyAttrs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("b", i) + "='c'")
	}
	return b.String()
}

// TestAttributesEdge: the parser takes 256 attributes or declarations of an element.
func TestAttributesEdge(t *testing.T) {
	for _, attrs := range []string{manyAttrs(256), strings.ReplaceAll(manyAttrs(256), " ", " xmlns:")} {
		if _, err := xmlstream.ParseOwned([]byte("<a" + attrs + "/>")); err != nil {
			t.Errorf("Parse() of 256 attributes: got error %v, want none", err)
		}
	}
}

// An element that is larger than the arena must come out whole: elements never move.
func TestParseElementBeyondTheArena(t *testing.T) {
	var raw strings.Builder
	raw.WriteString("<a>")
	for range 500 {
		raw.WriteString("<b c='1' d='2'><e/><f>x</f>y</b>")
	}
	raw.WriteString("</a>")
	for range 3 {
		err := xmlstream.ParseBorrowed([]byte(raw.String()), func(root *xmlstream.Borrowed) {
			n := 0
			for b := range root.Children() {
				n++
				if el := b.Owned(); el.Local() != "b" || !b.Attr("d").Is("2") || len(el.Children()) != 2 || !b.ChildText(xmlstream.NSClient, "f").Is("x") || !b.Text().Is("y") {
					t.Fatalf("child %d: got %+v, want <b c='1' d='2'><e/><f>x</f>y</b>", n, treeOf(el))
				}
			}
			if n != 500 {
				t.Fatalf("got %d children, want 500", n)
			}
		})
		if err != nil {
			t.Fatalf("Borrow(): got error %v, want none", err)
		}
	}
}

// A parser that comes out of the pool must not know anything of the stanza before it.
func TestBorrowedParserIsEmpty(t *testing.T) {
	for range 20 {
		err := xmlstream.ParseBorrowed([]byte("<a xmlns='u' xmlns:p='v' b='c'><p:d>x<e/>y</p:d"), func(*xmlstream.Borrowed) {})
		if err == nil {
			t.Fatal("Borrow() of half an element: got no error, want not-well-formed")
		}
		err = xmlstream.ParseWithoutContext([]byte("<a/>"), func(el *xmlstream.Borrowed) {
			if diff := cmp.Diff(&node{Local: "a"}, treeOf(el.Owned())); diff != "" {
				t.Fatalf("Borrow() after a broken element, -want +got:\n%s", diff)
			}
		})
		if err != nil {
			t.Fatalf("Borrow(): got error %v, want none", err)
		}
	}
}

func TestElementMethodsTakeNil(t *testing.T) {
	var e *xmlstream.Element
	if e.Is("", "") || e.Child("", "") != nil || e.Attr("a") != "" || e.ChildText("a", "b") != "" || e.InnerText() != "" || e.Children() != nil || e.Space()+e.Local() != "" {
		t.Error("a missing element has something, want nothing")
	}
	b := e.Borrowed()
	for c := range b.Children() {
		t.Errorf("a missing element has the child %v, want none", c)
	}
	if lang, stated := b.Lang(); stated || !lang.Empty() || b.Child("", "") != nil || !b.Attr("a").Empty() || !b.InnerText().Empty() || !b.ChildText("a", "b").Empty() {
		t.Error("a missing borrowed element has something, want nothing")
	}
	e = streamtest.Parse(t, "<a b='1'><c> x </c><c>y</c></a>")
	if e.Child(xmlstream.NSClient, "c").InnerText() != "x" || e.ChildText(xmlstream.NSClient, "c") != " x " || e.Child("", "c") != nil {
		t.Errorf("got %+v, want the first c with the text x", treeOf(e))
	}
}

// TestTextLeavesAsACopy: what is copied out of a borrowed tree stays when its bytes change.
func TestTextLeavesAsACopy(t *testing.T) {
	raw := []byte("<a b='value'>text</a>")
	var copied []string
	err := xmlstream.ParseBorrowed(raw, func(el *xmlstream.Borrowed) {
		copied = append(copied, el.Local().Copy(), el.Attr("b").Copy(), el.Text().Copy())
		if el.Text().Peek() != "text" {
			t.Errorf("Peek() = %q, want text", el.Text().Peek())
		}
	})
	if err != nil {
		t.Fatalf("Borrow(): got error %v, want none", err)
	}
	clear(raw)
	if want := []string{"a", "value", "text"}; !slices.Equal(copied, want) {
		t.Errorf("after the buffer was overwritten the copies are %q, want %q", copied, want)
	}
}

// TestParseHead reads what ends anywhere: as far as it is sound, and as if it ended there.
func TestParseHead(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want *node
	}{
		{"", nil}, {"x", nil}, {"<a", nil}, {"<a b='1' b='2'>", nil}, {"<p:a>", nil},
		{"<a b='1'>te", &node{Space: xmlstream.NSClient, Local: "a", Attrs: []xmlstream.Attribute{{"", "b", "1"}}}},
		{"<a>text<b/><c><d e='1", &node{Space: xmlstream.NSClient, Local: "a", Text: "text", Children: []*node{
			{Space: xmlstream.NSClient, Local: "b"}, {Space: xmlstream.NSClient, Local: "c"}}}},
		{"<a><b></c>", &node{Space: xmlstream.NSClient, Local: "a", Children: []*node{{Space: xmlstream.NSClient, Local: "b"}}}},
		{"<a><b/></a><c/>", &node{Space: xmlstream.NSClient, Local: "a", Children: []*node{{Space: xmlstream.NSClient, Local: "b"}}}},
	} {
		var got *node
		if el := xmlstream.ParseHead([]byte(tt.raw)); el != nil {
			got = treeOf(el)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("the beginning of %q, -want +got:\n%s", tt.raw, diff)
		}
	}
}
