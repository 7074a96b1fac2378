package xmlstream_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// reference is what encoding/xml makes of a stream: the children of the root as bytes and
// trees, and how it ends.
type reference struct {
	raw   []string
	trees []*node
	ended bool // by the end tag of the root
	err   error
}

// refer reads a whole stream. Comments, instructions and directives end it, as ours do.
func refer(stream []byte) (ref reference) {
	d := xml.NewDecoder(bytes.NewReader(stream))
	var stack []*node
	depth, from := 0, int64(0)
	for {
		before := d.InputOffset()
		tok, err := d.Token()
		if err != nil {
			ref.err = err
			return ref
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if depth++; depth == 2 {
				from = before
			}
			el := &node{Space: tok.Name.Space, Local: tok.Name.Local}
			for _, a := range tok.Attr {
				if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
					el.Attrs = append(el.Attrs, xmlstream.Attribute{Space: a.Name.Space, Local: a.Name.Local, Value: a.Value})
				}
			}
			stack = append(stack, el)
		case xml.EndElement:
			if depth--; depth == 0 {
				ref.ended = true
				return ref
			}
			el := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if depth > 1 {
				parent := stack[len(stack)-1]
				parent.Children = append(parent.Children, el)
				continue
			}
			ref.raw = append(ref.raw, string(stream[from:d.InputOffset()]))
			ref.trees = append(ref.trees, el)
		case xml.CharData:
			if depth > 1 {
				stack[len(stack)-1].Text += string(tok)
			}
		case xml.ProcInst:
			if depth != 0 || tok.Target != "xml" {
				ref.err = errors.New("processing instruction")
				return ref
			}
		default:
			ref.err = errors.New("a comment or directive")
			return ref
		}
	}
}

// stricter are the errors of ours that encoding/xml does not have. It lets pass what XML
// 1.0, Namespaces in XML or RFC 6120 forbid; everything else must be refused by both.
var stricter = map[string]bool{
	"text between stanzas":                     true, // RFC 6120, 4.4: nothing but white space
	"declaration at stream level":              true,
	"processing instruction":                   true,
	"invalid XML declaration":                  true,
	"unterminated XML declaration":             true,
	"unsupported XML version":                  true,
	"unsupported encoding":                     true,
	"the first element is not a stream header": true,
	"wrong namespace of the stream header":     true,
	"missing white space before an attribute":  true, // XML 1.0, 3.1
	"duplicate attribute":                      true,
	"namespace declared twice":                 true,
	"too many attributes":                      true,
	"forbidden namespace declaration":          true, // Namespaces in XML, 3
	"undeclared prefix":                        true, // 5
	"invalid qualified name":                   true, // 4
	"reference to a surrogate":                 true, // XML 1.0, 4.1
}

// fuzzLimits are beyond what a fuzzer makes: encoding/xml has no limits.
var fuzzLimits = xmlstream.Limits{Stanza: 1 << 30, Depth: 1 << 20, Attrs: 1 << 20, Hard: 1 << 30}

func FuzzFramer(f *testing.F) {
	for _, s := range []string{
		streamtest.Header + "<presence/> <message><body>a&amp;b</body></message></stream:stream>",
		streamtest.Header + "<presence from='x'><show>away</show>\r\n</presence><iq/>",
		streamtest.Header + "<message a='>' b=\"'\"><![CDATA[</message>]]]]></message>",
		streamtest.Header + "<m xmlns:p='u' p:a='1'><p:b xmlns=''><c/></p:b></m><stream:error/>",
		streamtest.Header + "<m><stream:error xmlns:stream='u'/></m><!-- c -->",
		streamtest.Header + "<a>]]></a>", streamtest.Header + "<a>&#xD;&#10;\r\r\n&bogus;</a>",
		streamtest.Header + "<a b='1'c='2'/>", streamtest.Header + "<a / >", streamtest.Header + "<a></a >x",
		streamtest.Header + "<größe>\u00b7</größe>", streamtest.Header + "<a>\xff</a>", streamtest.Header + "<a\x00/>",
		streamtest.Header + "<a b='\t\n\r'/><:a/><a:/>", streamtest.Header + "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
		"<stream xmlns='" + xmlstream.NSStream + "'/>", "<?xml version='1.0' encoding='UTF-8'?>", "<a:b:c>", "", "<?>",
	} {
		body, headed := strings.CutPrefix(s, streamtest.Header)
		f.Add([]byte(body), headed, 3)
	}
	f.Fuzz(func(t *testing.T, stream []byte, headed bool, n int) {
		if headed { // else a fuzzer would rarely get past the header
			stream = append([]byte(streamtest.Header), stream...)
		}
		ours, raws, ended, err := ourReading(streamtest.Chunks(string(stream), 0))
		compareWithReference(t, stream, ours, raws, ended, err)
		again, rawsAgain, endedAgain, errAgain := ourReading(streamtest.Chunks(string(stream), 1+(n&0x7fffffff)%70))
		if diff := cmp.Diff(ours, again); diff != "" || ended != endedAgain {
			t.Fatalf("in chunks: ended %v, want %v; -whole +chunks:\n%s", endedAgain, ended, diff)
		}
		if diff := cmp.Diff(raws, rawsAgain); diff != "" || detail(err) != detail(errAgain) {
			t.Fatalf("in chunks: got error %v, want %v; -whole +chunks:\n%s", errAgain, err, diff)
		}
	})
}

func ourReading(r io.Reader) (trees []*node, raws []string, ended bool, err error) {
	f := xmlstream.NewFramer(r, fuzzLimits)
	for {
		fr, err := f.Next()
		if err != nil {
			return trees, raws, ended, err
		}
		switch fr.Kind {
		case xmlstream.KindEnd:
			return trees, raws, true, nil
		case xmlstream.KindElement:
			tree, err := readFrame(&fr)
			if err != nil {
				return trees, raws, false, err
			}
			trees, raws = append(trees, tree), append(raws, string(fr.Raw))
		}
	}
}

// readFrame parses a frame with a copy of its bytes and, lent, without: they must agree.
func readFrame(fr *xmlstream.Frame) (*node, error) {
	var lent *node
	lentErr := fr.Borrow(func(el *xmlstream.Borrowed) { lent = cloneTree(el.Owned()) })
	el, err := fr.Parse()
	if detail(err) != detail(lentErr) {
		return nil, fmt.Errorf("of %q: got error %w when it is lent, want %w", fr.Raw, lentErr, err)
	}
	if err != nil {
		return nil, err
	}
	if diff := cmp.Diff(treeOf(el), lent); diff != "" {
		return nil, fmt.Errorf("of %q, -want +got when it is lent:\n%s", fr.Raw, diff)
	}
	return lent, nil
}

// cloneTree is the tree of an element that is lent, to be kept.
func cloneTree(e *xmlstream.Element) *node {
	n := &node{Space: strings.Clone(e.Space()), Local: strings.Clone(e.Local()), Text: strings.Clone(e.Text())}
	for _, a := range e.Attributes() {
		n.Attrs = append(n.Attrs, xmlstream.Attribute{Space: strings.Clone(a.Space), Local: strings.Clone(a.Local), Value: strings.Clone(a.Value)})
	}
	for _, c := range e.Children() {
		n.Children = append(n.Children, cloneTree(c))
	}
	return n
}

func compareWithReference(t *testing.T, stream []byte, ours []*node, raws []string, ended bool, err error) {
	t.Helper()
	ref := refer(stream)
	// encoding/xml has the names of XML 1.0 in its fourth edition; ours are of the fifth.
	names := ref.err != nil && strings.Contains(ref.err.Error(), "invalid XML name") ||
		err != nil && detail(err) == "invalid name" && !isASCII(stream)
	for i := range min(len(ours), len(ref.trees)) {
		if raws[i] != ref.raw[i] {
			t.Fatalf("element %d is %q, by encoding/xml %q; want the same", i, raws[i], ref.raw[i])
		}
		if diff := cmp.Diff(ref.trees[i], ours[i]); diff != "" {
			t.Fatalf("element %d, -want (by encoding/xml) +got:\n%s", i, diff)
		}
	}
	switch {
	case names:
	case len(ours) > len(ref.trees):
		t.Fatalf("accepted %q, which encoding/xml refuses: got %v; want at most %v", raws[len(ref.trees)], ref.err, len(ref.trees))
	case err != nil && stricter[detail(err)]:
	case len(ours) < len(ref.trees):
		t.Fatalf("refused %q: got %v, want at least %v", ref.raw[len(ours)], err, len(ref.trees))
	case ended != ref.ended:
		t.Fatalf("ended %v (%v), by encoding/xml %v (%v); want ended %v", ended, err, ref.ended, ref.err, ref.ended)
	}
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func detail(err error) string {
	if fe, ok := errors.AsType[*xmlstream.Error](err); ok {
		return fe.Detail
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// otherNames are names of stanzas that are not parsed to find their end, of the same length.
var otherNames = strings.NewReplacer("message", "massage", "presence", "prasence")

// FuzzWhole: a stanza that is parsed at once ends where the scanner ends it, and has its limits.
func FuzzWhole(f *testing.F) {
	for _, s := range []string{
		"<message from='a@b.test/c' to='d@e.test' id='1' type='chat'><body>It is the east, and Juliet is the sun &amp; moon.</body></message><presence/>",
		"<presence><show>away</show><status/><priority>5</priority><x xmlns='u'><photo>01b87fcd030b72895ff8e88db57ec525450f000d</photo></x></presence>",
		"<message a='1' b='2' c='3' d='4'><body>See you at the station at half past six, will you?</body></message><message/>",
		"<message><a><b><c><d>See you at the station at half past six, will you?</d></c></b></a></message> <presence xml:lang='en' xmlns='u' />",
		"<message><body>See you at the station at half past six, will you?</body ></message><message><![CDATA[</message>]]></message>",
		"<message><body a='>'>See you at the station at half past six, will you?</body></messages></message>",
	} {
		for _, n := range []int{1, 31, 64, 1000} {
			f.Add([]byte(s), n)
		}
	}
	limits := xmlstream.Limits{Stanza: 300, Depth: 3, Attrs: 3, Hard: 1 << 20}
	f.Fuzz(func(t *testing.T, stream []byte, n int) {
		text, size := streamtest.Header+string(stream), 1+(n&0x7fffffff)%1000
		got, err := readAll(streamtest.Chunks(text, size), limits)
		want, wantErr := readAll(streamtest.Chunks(otherNames.Replace(text), size), limits)
		for i := range got {
			got[i].raw = otherNames.Replace(got[i].raw)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); diff != "" || detail(err) != detail(wantErr) {
			t.Fatalf("%q: got error %v, want %v; -want (by the scanner) +got:\n%s", stream, err, wantErr, diff)
		}
	})
}

// FuzzHead reads the beginning of anything, behind a beginning that is sound.
func FuzzHead(f *testing.F) {
	for _, s := range []string{"", "<b/>", "</d></a>", "x&amp;", "<![CDATA[", "<b c='1' c='2'>", "<p:b/>", "\xff", "<b></c>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = xmlstream.ParseHead(raw)
		el := xmlstream.ParseHead(append([]byte("<a b='c'><d e='f'>"), raw...))
		if el == nil || el.Attr("b") != "c" || len(el.Children()) == 0 || el.Children()[0].Attr("e") != "f" {
			t.Fatalf("the beginning of %q: got %+v, want the elements that it begins with", raw, el)
		}
		whole, err := xmlstream.ParseOwned(raw)
		if err != nil {
			return
		}
		if diff := cmp.Diff(treeOf(whole), treeOf(xmlstream.ParseHead(raw))); diff != "" {
			t.Fatalf("the beginning of the whole of %q, -want +got:\n%s", raw, diff)
		}
	})
}

// FuzzWriter writes any text: it is refused when XML cannot carry it, and read back as it was.
func FuzzWriter(f *testing.F) {
	for _, s := range []string{"", "a<b>&'\"", "]]>", "\r\n\t", "\x00", "\xff", "\ufffe", "\U0001F426"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w := xmlstream.NewWriter([]byte("before"))
		w.Raw("<a")
		w.Attr("/b", "b", text)
		w.Raw(">")
		w.Element("/c", "c", text)
		w.Raw("</a>")
		b, err := w.Result()
		if sendable := utf8.ValidString(text) && xmlstream.IsText(text); sendable != (err == nil) {
			t.Fatalf("writing %q: got error %v, want it sent: %v", text, err, sendable)
		}
		if err != nil {
			if string(b) != "before" || perch.KindOf(err) != perch.KindValidation {
				t.Fatalf("writing %q: got %q, %v; want before, %s", text, b, err, perch.KindValidation)
			}
			return
		}
		el, err := xmlstream.ParseOwned(b[len("before"):])
		if err != nil || el.Attr("b") != text || el.ChildText(xmlstream.NSClient, "c") != text {
			t.Fatalf("%q was read back from %s as %+v, %v; want no error, b %v, el.ChildText(xmlstream.NSClient) %v", text, b, el, err, text, text)
		}
	})
}
