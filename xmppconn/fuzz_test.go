package xmppconn

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// reference is what encoding/xml makes of a stream: the children of the root as bytes and
// trees, and how it ends.
type reference struct {
	raw   []string
	trees []*element
	ended bool // by the end tag of the root
	err   error
}

// refer reads a whole stream. Comments, instructions and directives end it, as ours do.
func refer(stream []byte) (ref reference) {
	d := xml.NewDecoder(bytes.NewReader(stream))
	var stack []*element
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
			el := &element{space: tok.Name.Space, local: tok.Name.Local}
			for _, a := range tok.Attr {
				if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
					el.attrs = append(el.attrs, attr{a.Name.Space, a.Name.Local, a.Value})
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
				parent.children = append(parent.children, el)
				continue
			}
			ref.raw = append(ref.raw, string(stream[from:d.InputOffset()]))
			ref.trees = append(ref.trees, el)
		case xml.CharData:
			if depth > 1 {
				stack[len(stack)-1].text += string(tok)
			}
		case xml.ProcInst:
			if depth != 0 || tok.Target != "xml" {
				ref.err = errors.New("a processing instruction")
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
	"text between stanzas":                            true, // RFC 6120, 4.4: nothing but white space
	"a declaration at stream level":                   true,
	"a processing instruction":                        true,
	"an XML declaration that is none":                 true,
	"an XML declaration without an end":               true,
	"not XML 1.0":                                     true,
	"not UTF-8":                                       true,
	"the first element is not a stream header":        true,
	"the stream header has another namespace":         true,
	"no white space before an attribute":              true, // XML 1.0, 3.1
	"an attribute given twice":                        true,
	"a namespace declared twice":                      true,
	"too many attributes":                             true,
	"a namespace declaration that is not allowed":     true, // Namespaces in XML, 3
	"a prefix that is not declared":                   true, // 5
	"a name with a prefix or local part that is none": true, // 4
	"a reference to half a character":                 true, // XML 1.0, 4.1
}

// fuzzLimits are beyond what a fuzzer makes: encoding/xml has no limits.
var fuzzLimits = limits{stanza: 1 << 30, depth: 1 << 20, attrs: 1 << 20, hard: 1 << 30}

func FuzzFramer(f *testing.F) {
	for _, s := range []string{
		testHeader + "<presence/> <message><body>a&amp;b</body></message></stream:stream>",
		testHeader + "<presence from='x'><show>away</show>\r\n</presence><iq/>",
		testHeader + "<message a='>' b=\"'\"><![CDATA[</message>]]]]></message>",
		testHeader + "<m xmlns:p='u' p:a='1'><p:b xmlns=''><c/></p:b></m><stream:error/>",
		testHeader + "<m><stream:error xmlns:stream='u'/></m><!-- c -->",
		testHeader + "<a>]]></a>", testHeader + "<a>&#xD;&#10;\r\r\n&bogus;</a>",
		testHeader + "<a b='1'c='2'/>", testHeader + "<a / >", testHeader + "<a></a >x",
		testHeader + "<größe>\u00b7</größe>", testHeader + "<a>\xff</a>", testHeader + "<a\x00/>",
		testHeader + "<a b='\t\n\r'/><:a/><a:/>", testHeader + "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
		"<stream xmlns='" + nsStream + "'/>", "<?xml version='1.0' encoding='UTF-8'?>", "<a:b:c>", "", "<?>",
	} {
		body, headed := strings.CutPrefix(s, testHeader)
		f.Add([]byte(body), headed, 3)
	}
	f.Fuzz(func(t *testing.T, stream []byte, headed bool, n int) {
		if headed { // else a fuzzer would rarely get past the header
			stream = append([]byte(testHeader), stream...)
		}
		ours, raws, ended, err := ourReading(chunks(string(stream), 0))
		compareWithReference(t, stream, ours, raws, ended, err)
		again, rawsAgain, endedAgain, errAgain := ourReading(chunks(string(stream), 1+(n&0x7fffffff)%70))
		if diff := cmp.Diff(ours, again, cmp.AllowUnexported(element{}, attr{})); diff != "" || ended != endedAgain {
			t.Fatalf("the split matters: %s", diff)
		}
		if diff := cmp.Diff(raws, rawsAgain); diff != "" || detail(err) != detail(errAgain) {
			t.Fatalf("the split matters: %v or %v, %s", err, errAgain, diff)
		}
	})
}

func ourReading(r io.Reader) (trees []*element, raws []string, ended bool, err error) {
	f := newFramer(r, fuzzLimits)
	for {
		fr, err := f.next()
		if err != nil {
			return trees, raws, ended, err
		}
		switch fr.kind {
		case frameEnd:
			return trees, raws, true, nil
		case frameElement:
			el, err := fr.parse()
			if err != nil {
				return trees, raws, false, err
			}
			trees, raws = append(trees, el), append(raws, string(fr.raw))
		}
	}
}

func compareWithReference(t *testing.T, stream []byte, ours []*element, raws []string, ended bool, err error) {
	t.Helper()
	ref := refer(stream)
	// encoding/xml has the names of XML 1.0 in its fourth edition; ours are of the fifth.
	names := ref.err != nil && strings.Contains(ref.err.Error(), "invalid XML name") ||
		err != nil && detail(err) == "a name that is none" && !isASCII(stream)
	for i := range min(len(ours), len(ref.trees)) {
		if raws[i] != ref.raw[i] {
			t.Fatalf("element %d is %q, by encoding/xml %q", i, raws[i], ref.raw[i])
		}
		if diff := cmp.Diff(ref.trees[i], ours[i], cmp.AllowUnexported(element{}, attr{})); diff != "" {
			t.Fatalf("element %d: %s", i, diff)
		}
	}
	switch {
	case names:
	case len(ours) > len(ref.trees):
		t.Fatalf("accepted %q, which encoding/xml refuses: %v", raws[len(ref.trees)], ref.err)
	case err != nil && stricter[detail(err)]:
	case len(ours) < len(ref.trees):
		t.Fatalf("refused %q: %v", ref.raw[len(ours)], err)
	case ended != ref.ended:
		t.Fatalf("ended %v (%v), by encoding/xml %v (%v)", ended, err, ref.ended, ref.err)
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
	if fe, ok := errors.AsType[*framingError](err); ok {
		return fe.detail
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// FuzzStanza decodes anything that parses by everything that decodes: nothing may panic,
// and what comes out must be fit to be shown.
func FuzzStanza(f *testing.F) {
	for _, s := range stanzaSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := borrowParser(bytes.Clone(raw), testNS)
		if p.document() != nil {
			p.giveBack()
			return
		}
		d := decodeStanza(p.root, reading{testSelf, 2e12, "en"})
		p.giveBack()
		for _, in := range d.in {
			checkInbound(t, in)
		}
		el, err := parseElement(raw, testNS)
		if err != nil {
			t.Fatalf("parsed borrowed, but not copied: %v", err)
		}
		decodeEverything(el)
	})
}

// FuzzMAMResult decodes anything that is a message as it comes live and as it comes out of an
// archive: it gives the same. And the beginning of anything can be read for what it answers to.
func FuzzMAMResult(f *testing.F) {
	for _, s := range oddStanzas {
		f.Add([]byte(s.raw))
	}
	for _, s := range stanzaSeeds {
		f.Add([]byte(s))
	}
	f.Add([]byte("</forwarded></result>")) // ended before the message does
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, start := range []string{"", "<message from='me@a.test'><result xmlns='" + nsMAM + "' queryid='q' id='1'><forwarded xmlns='" + nsForward + "'>"} {
			if head := archivedHead(append([]byte(start), raw...), testNS); start != "" && (head == nil || head.queryID != "q") {
				t.Fatalf("%q: got %+v, want the result that it begins with", raw, head)
			}
		}
		el, err := parseElement(raw, testNS)
		if err != nil || !el.is(nsClient, "message") {
			return
		}
		if result := archiveResultOf(el); result != nil && decodeStanza(el, reading{testSelf, testNow, "en"}).mam != nil {
			return // live it is a result of the archive itself, which no archive keeps
		}
		compareWithLive(t, el)
	})
}

func checkInbound(t *testing.T, in perch.Inbound) {
	t.Helper()
	switch in := in.(type) {
	case *perch.MessageIn:
		if !utf8.ValidString(in.Body) || in.Body == "" && in.Subject == "" || in.From == "" || in.Kind == "" {
			t.Fatalf("%+v", in)
		}
	case *perch.PresenceIn:
		if !in.Show.Valid() || in.From == "" || !utf8.ValidString(in.Status) {
			t.Fatalf("%+v", in)
		}
	case *perch.SubscriptionIn:
		if !in.From.IsBare() {
			t.Fatalf("%+v", in)
		}
	case *perch.ChatStateIn:
		if !in.State.Valid() {
			t.Fatalf("%+v", in)
		}
	}
}

func decodeEverything(el *element) {
	q, ok := parseIQ(el)
	parseSM(el)
	for _, space := range []string{nsStreams, nsSASL, nsStanzas} {
		parseConditions(el, space)
	}
	payload := el
	if ok {
		payload = q.payload
	}
	parseRoster(payload)
	parseRosterPush(payload)
	parseVCard(payload, "x@a.test")
	for _, now := range []perch.Time{0, 2e12} {
		parseArchive136(payload, testSelf, perch.ArchiveQuery{With: "x@a.test"}, 10, now)
	}
	parseMAMFin(payload)
	parseLookup(payload)
	parseDiscoInfo(payload)
	isPing(payload)
}

// FuzzRoundTrip writes texts and reads them back through the framer: exactly one stanza,
// with exactly these texts.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a@b.test/c", "id", "body", "thread", "subject")
	f.Add("a@b.test/'><x/>", "\"'&<>", "]]> \r\n\t\r</body></message><presence/>", "\u00a0", "🐦 ]]")
	f.Add("a", "&#0;", "\x00", "\xff", "\ufffe")
	f.Fuzz(func(t *testing.T, to, id, body, thread, subject string) {
		kind := perch.ChatMessage
		out := &perch.MessageOut{ID: id, To: perch.JID(to), Kind: kind, Body: body, Thread: thread, Subject: subject, Receipt: true}
		roundTrip(t, out, func(el *element) bool {
			return el.attr("to") == to && el.attr("id") == id && el.childText(nsClient, "body") == body &&
				el.childText(nsClient, "thread") == thread && el.childText(nsClient, "subject") == subject
		}, to, id, body, thread, subject)
		sub := &perch.SubscriptionOut{To: perch.JID(to), Type: "subscribe", Nick: id, Message: body}
		roundTrip(t, sub, func(el *element) bool {
			return el.attr("to") == string(perch.JID(to).Bare()) && el.childText(nsNick, "nick") == id &&
				el.childText(nsClient, "status") == body
		}, string(perch.JID(to).Bare()), id, body)
	})
}

func roundTrip(t *testing.T, out perch.Outbound, same func(*element) bool, texts ...string) {
	t.Helper()
	before := []byte("<before/>")
	b, err := appendOutbound(before, out)
	if sendable := texts[0] != "" && allChars(texts); sendable != (err == nil) {
		t.Fatalf("%q: %v", texts, err)
	}
	if err != nil {
		if string(b) != "<before/>" || perch.KindOf(err) != perch.KindValidation {
			t.Fatalf("%q, %v", b, err)
		}
		return
	}
	trees, err := frameAndParse(strings.NewReader(testHeader+string(b)), fuzzLimits)
	if err != io.EOF || len(trees) != 2 || !same(trees[1]) {
		t.Fatalf("%q was read back as %+v, %v", b, trees, err)
	}
}

func allChars(texts []string) bool {
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.IndexFunc(s, func(r rune) bool { return !isChar(r) }) >= 0 {
			return false
		}
	}
	return true
}
