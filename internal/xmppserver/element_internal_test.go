package xmppserver

import (
	"encoding/xml"
	"reflect"
	"strings"
	"testing"
)

func parse(s string) (*Element, error) {
	return decode(xml.NewDecoder(strings.NewReader(s)))
}

func decode(r xml.TokenReader) (*Element, error) {
	start, err := nextStart(r, false)
	if err != nil {
		return nil, err
	}
	return readElement(r, start, 1)
}

func TestElementIsWrittenAsRead(t *testing.T) {
	for in, want := range map[string]string{
		`<a xmlns="urn:a" b="1"/>`:                                           `<a xmlns='urn:a' b='1'/>`,
		`<p:a xmlns:p="urn:a"><p:b/><c xmlns="urn:c">t</c></p:a>`:            `<a xmlns='urn:a'><b/><c xmlns='urn:c'>t</c></a>`,
		`<a xmlns="urn:a" xmlns:x="urn:x" xml:lang="de" x:b="1" x:c="2" />`:  `<a xmlns='urn:a' xml:lang='de' xmlns:a1='urn:x' a1:b='1' xmlns:a2='urn:x' a2:c='2'/>`,
		"<a xmlns='urn:a' b='&#10;&#9;&amp;&quot;&apos;'>&lt;]]&gt;\r\n</a>": `<a xmlns='urn:a' b='&#10;&#9;&amp;&quot;&apos;'>&lt;]]&gt;&#10;</a>`,
	} {
		e, err := parse(in)
		if err != nil {
			t.Errorf("%s: got error %v, want none", in, err)
			continue
		}
		if got := string(e.Append(nil, "")); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

// Text that XML cannot carry comes from options only, and must not break a stream.
func TestTextThatXMLCannotCarry(t *testing.T) {
	if got := string(AppendText(nil, "a\x00b\x1fc\uFFFEd\xff")); got != "a\uFFFDb\uFFFDc\uFFFDd\uFFFD" {
		t.Errorf("got %q, want %q", got, "a\uFFFDb\uFFFDc\uFFFDd\uFFFD")
	}
}

// FuzzElement: what is read and written again says the same to the next reader.
func FuzzElement(f *testing.F) {
	for _, s := range []string{
		`<a/>`, `<a xmlns='b' c='d'>e<f/>g</a>`, `<x:a xmlns:x='y' x:z='1'><x:b/></x:a>`,
		`<a xml:lang='de'>&#x1F600;&lt;</a>`, `<a><!-- --></a>`, `<a><![CDATA[<>]]></a>`, `<a></b>`,
		strings.Repeat("<a>", 40), `<a b='&#0;'/>`, `<:a/>`, `<a: xmlns='x'/>`, `<a b:c='' xmlns:b=''/>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parse(s)
		if err != nil {
			return
		}
		out := string(e.Append(nil, ""))
		again, err := parse(out)
		if err != nil {
			t.Fatalf("%q was written as %q: got error %v, want none", s, out, err)
		}
		if !same(e, again) {
			t.Fatalf("%q was written as %q: %v, %v, want the same element", s, out, e, again)
		}
	})
}

// same compares; the reader may cut a text into pieces.
func same(a, b *Element) bool {
	if a.Name != b.Name || a.Text() != b.Text() || len(a.Elements()) != len(b.Elements()) || len(a.Attr) != len(b.Attr) {
		return false
	}
	if len(a.Attr) > 0 && !reflect.DeepEqual(a.Attr, b.Attr) {
		return false
	}
	for i, k := range a.Elements() {
		if !same(k, b.Elements()[i]) {
			return false
		}
	}
	return true
}
