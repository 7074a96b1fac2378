package xmppconn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseElement(t *testing.T) {
	tests := []struct {
		name, raw string
		want      *element
	}{
		{"empty", "<presence/>", &element{space: nsClient, local: "presence"}},
		{
			"attributes", "<iq\tid = 'a&apos;b' type=\"it's\"\n xml:lang='de' stream:x='1'/>",
			&element{space: nsClient, local: "iq", attrs: []attr{
				{"", "id", "a'b"}, {"", "type", "it's"}, {nsXML, "lang", "de"}, {nsStream, "x", "1"},
			}},
		},
		{
			"namespaces", "<a xmlns='urn:1' xmlns:p='urn:2'><p:b/><c xmlns='' p:d='x'/><e xmlns:p='urn:3'><p:f/></e><p:g/></a>",
			&element{space: "urn:1", local: "a", children: []*element{
				{space: "urn:2", local: "b"},
				{space: "", local: "c", attrs: []attr{{"urn:2", "d", "x"}}},
				{space: "urn:1", local: "e", children: []*element{{space: "urn:3", local: "f"}}},
				{space: "urn:2", local: "g"},
			}},
		},
		{"references", "<b>&lt;&gt;&amp;&apos;&quot;&#65;&#x1F426;&#xd;</b>", &element{space: nsClient, local: "b", text: "<>&'\"A🐦\r"}},
		{"ends of lines", "<b a='x\r\ny\rz'>x\r\ny\rz\r\n</b>", &element{
			space: nsClient, local: "b", text: "x\ny\nz\n", attrs: []attr{{"", "a", "x\ny\nz"}},
		}},
		{"pieces of text", "<b>one<x/> two <![CDATA[<&]>\r\n]]>three</b>", &element{
			space: nsClient, local: "b", text: "one two <&]>\nthree", children: []*element{{space: nsClient, local: "x"}},
		}},
		{"brackets", "<b a=']]>'>]] > ]]&gt;</b>", &element{
			space: nsClient, local: "b", text: "]] > ]]>", attrs: []attr{{"", "a", "]]>"}},
		}},
		{"names beyond ASCII", "<größe ñ='1'/>", &element{space: nsClient, local: "größe", attrs: []attr{{"", "ñ", "1"}}}},
		{"same local name twice", "<b a='1' stream:a='2'/>", &element{
			space: nsClient, local: "b", attrs: []attr{{"", "a", "1"}, {nsStream, "a", "2"}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseElement([]byte(tt.raw), testNS)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(element{}, attr{})); diff != "" {
				t.Error(diff)
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
			el, err := parseElement([]byte(tt.raw), testNS)
			if condition(err) != tt.condition {
				t.Errorf("%+v, %v, want %s", el, err, tt.condition)
			}
			p := borrowParser([]byte(tt.raw), testNS)
			if err := p.document(); condition(err) != tt.condition {
				t.Errorf("borrowed: %v, want %s", err, tt.condition)
			}
			p.giveBack()
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

// An element that is larger than the arena must come out whole: elements never move.
func TestParseElementBeyondTheArena(t *testing.T) {
	var raw strings.Builder
	raw.WriteString("<a>")
	for range 500 {
		raw.WriteString("<b c='1' d='2'><e/><f>x</f>y</b>")
	}
	raw.WriteString("</a>")
	for range 3 {
		p := borrowParser([]byte(raw.String()), testNS)
		if err := p.document(); err != nil {
			t.Fatal(err)
		}
		if len(p.root.children) != 500 {
			t.Fatalf("%d children", len(p.root.children))
		}
		for i, b := range p.root.children {
			if b.local != "b" || b.attr("d") != "2" || len(b.children) != 2 || b.childText(nsClient, "f") != "x" || b.text != "y" {
				t.Fatalf("child %d: %+v", i, b)
			}
		}
		p.giveBack()
	}
}

// A parser that comes out of the pool must not know anything of the stanza before it.
func TestBorrowedParserIsEmpty(t *testing.T) {
	for range 20 {
		p := borrowParser([]byte("<a xmlns='u' xmlns:p='v' b='c'><p:d>x<e/>y</p:d"), testNS)
		if err := p.document(); err == nil {
			t.Fatal("half an element was accepted")
		}
		p.giveBack()
		p = borrowParser([]byte("<a/>"), nsContext{})
		if err := p.document(); err != nil || p.root.space != "" || p.root.text != "" || p.root.children != nil || p.root.attrs != nil {
			t.Fatalf("%+v, %v", p.root, err)
		}
		p.giveBack()
	}
}

func TestElementHelpersTakeNil(t *testing.T) {
	var e *element
	if e.is("", "") || e.child("", "") != nil || e.attr("a") != "" || e.childText("a", "b") != "" || e.innerText() != "" {
		t.Error("a missing element has something")
	}
	e = mustParse(t, "<a b='1'><c> x </c><c>y</c></a>")
	if e.child(nsClient, "c").innerText() != "x" || e.childText(nsClient, "c") != " x " || e.child("", "c") != nil {
		t.Errorf("%+v", e)
	}
}
