package xmppconn

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFramerCutsStanzasAtAnySplit(t *testing.T) {
	elements := []string{
		"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
		"<presence/>",
		"<presence from='x@a.test/1'><status>a &gt; b ></status></presence >",
		"<message from=\"it's\" to='a>b</message>' ><body>Grüße 🐦</body><body/></message>",
		"<message><body><![CDATA[</message> ]] ]> ]]]></body></message>",
		"<r xmlns='urn:xmpp:sm:3'/>",
		"<iq type='result' id='1'/>",
		"<message><body>" + strings.Repeat("long ", 3000) + "</body></message>",
	}
	stream := " \r\n" + testHeader + strings.Join(elements, " \n\t ") + "\n</stream:stream >\n"
	for _, n := range []int{0, 1, 2, 3, 7, 31, 32, 33, 64, 1000, 4095, 4096, 4097} {
		all, err := readAll(chunks(stream, n), defaultLimits)
		if err != io.EOF {
			t.Fatalf("chunks of %d: %v", n, err)
		}
		if len(all) != len(elements)+2 || all[0].kind != frameHeader || all[len(all)-1].kind != frameEnd {
			t.Fatalf("chunks of %d: %d frames", n, len(all))
		}
		for i, want := range elements {
			if got := all[i+1]; got.kind != frameElement || got.raw != want {
				t.Errorf("chunks of %d: frame %d is %q, want %q", n, i, got.raw, want)
			}
		}
	}
}

func TestFramerSurvivesErrorsBesideData(t *testing.T) {
	all, err := readAll(iotest.DataErrReader(strings.NewReader(testHeader+"<presence/>")), defaultLimits)
	if err != io.EOF || len(all) != 2 {
		t.Fatalf("%d frames, %v", len(all), err)
	}
	cause := errors.New("reset by peer")
	all, err = readAll(io.MultiReader(strings.NewReader(testHeader+"<presence/><pre"), iotest.ErrReader(cause)), defaultLimits)
	if err != cause || len(all) != 2 {
		t.Fatalf("%d frames, %v", len(all), err)
	}
	if _, err = readAll(emptyReader{}, defaultLimits); err != io.ErrNoProgress {
		t.Fatalf("a reader that never reads: %v", err)
	}
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

func TestFramerHeader(t *testing.T) {
	f := newFramer(strings.NewReader(testHeader+"<stream:error/>"), defaultLimits)
	fr, err := f.next()
	if err != nil {
		t.Fatal(err)
	}
	h := fr.header
	if h.from != "a.test" || h.id != "s1" || h.version != "1.0" || h.lang != "en" || h.to != "" || h.ns.def != nsClient {
		t.Errorf("header %+v", h)
	}
	fr, err = f.next()
	if err != nil {
		t.Fatal(err)
	}
	el, err := fr.parse()
	if err != nil || !el.is(nsStream, "error") || fr.local != "error" {
		t.Errorf("prefix of the header not known: %+v, %v", el, err)
	}
}

func TestFramerHeaderMayDeclareItsPrefixesAnyhow(t *testing.T) {
	for _, header := range []string{
		"<stream xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:client'>",
		"<x:stream xmlns:x='http://etherx.jabber.org/streams' xmlns:c='jabber:client' xmlns='other'\n>",
	} {
		f := newFramer(strings.NewReader(header+"<c:presence/>"), defaultLimits)
		if _, err := f.next(); err != nil {
			t.Fatalf("%s: %v", header, err)
		}
		fr, err := f.next()
		if err != nil {
			t.Fatalf("%s: %v", header, err)
		}
		if el, err := fr.parse(); err != nil || !el.is(nsClient, "presence") {
			t.Errorf("%s: %+v, %v", header, el, err)
		}
	}
}

func TestFramerEmptyHeaderEndsTheStream(t *testing.T) {
	all, err := readAll(strings.NewReader("<s:stream xmlns:s='http://etherx.jabber.org/streams'/>"), defaultLimits)
	if err != io.EOF || len(all) != 2 || all[1].kind != frameEnd {
		t.Fatalf("%v, %v", all, err)
	}
}

func TestFramerRefuses(t *testing.T) {
	tests := []struct{ name, stream, condition string }{
		{"stanza before the header", "<presence/>", "bad-format"},
		{"stream error before the header", "<stream:error xmlns:stream='" + nsStream + "'><conflict/></stream:error>", "bad-format"},
		{"undeclared prefix in the header", "<stream:stream>", "bad-namespace-prefix"},
		{"other namespace in the header", "<stream xmlns='urn:x'>", "invalid-namespace"},
		{"end before the header", "</stream:stream>", "not-well-formed"},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n", "bad-format"},
		{"document type before the header", "<!DOCTYPE x>" + testHeader, "restricted-xml"},
		{"comment before the header", "<!-- x -->" + testHeader, "restricted-xml"},
		{"two declarations", "<?xml version='1.0'?>" + testHeader, "restricted-xml"},
		{"another encoding", "<?xml version='1.0' encoding='latin1'?>", "unsupported-encoding"},
		{"another version", "<?xml version='1.1'?>", "unsupported-version"},
		{"half a declaration", "<?>", "unexpected EOF"},
		{"another target", "<?php version='1.0'?>", "restricted-xml"},
		{"endless declaration", "<?xml " + strings.Repeat(" ", 300), "not-well-formed"},
		{"declaration in the stream", testHeader + "<?xml version='1.0'?>", "restricted-xml"},
		{"document type in the stream", testHeader + "<!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml"},
		{"CDATA between stanzas", testHeader + "<![CDATA[x]]>", "restricted-xml"},
		{"text between stanzas", testHeader + "<presence/>x<presence/>", "bad-format"},
		{"comment in a stanza", testHeader + "<message><!-- x --></message>", "restricted-xml"},
		{"instruction in a stanza", testHeader + "<message><?x y?></message>", "restricted-xml"},
		{"half a CDATA", testHeader + "<message><![CDAT[]]></message>", "restricted-xml"},
		{"no name", testHeader + "< presence/>", "not-well-formed"},
		{"empty tag", testHeader + "<>", "not-well-formed"},
		{"tag in a tag", testHeader + "<presence <x/>", "not-well-formed"},
		{"slash in a tag", testHeader + "<presence / >", "not-well-formed"},
		{"slash in an end tag", testHeader + "<presence></presence/>", "not-well-formed"},
		{"other end", testHeader + "</stream>", "not-well-formed"},
		{"end of a prefix", testHeader + "</stream:streams>", "not-well-formed"},
		{"end within a stanza", testHeader + "<message>", "unexpected EOF"},
		{"end within a tag", testHeader + "<mess", "unexpected EOF"},
		{"end within the header", testHeader[:80], "unexpected EOF"},
		{"nothing", "", "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range []int{0, 1, 5} {
				all, err := frameAndParse(chunks(tt.stream, n), defaultLimits)
				if condition(err) != tt.condition {
					t.Errorf("chunks of %d: %v after %d frames, want %s", n, err, len(all), tt.condition)
				}
			}
		})
	}
}

// frameAndParse is readAll where an element must also parse.
func frameAndParse(r io.Reader, lim limits) (trees []*element, err error) {
	f := newFramer(r, lim)
	for {
		fr, err := f.next()
		if err != nil {
			return trees, err
		}
		if fr.kind != frameElement {
			continue
		}
		el, err := fr.parse()
		if err != nil {
			return trees, err
		}
		trees = append(trees, el)
	}
}

func TestFramerErrorStays(t *testing.T) {
	f := newFramer(strings.NewReader(testHeader+"x<presence/>"), defaultLimits)
	f.next()
	_, first := f.next()
	_, second := f.next()
	if first == nil || first != second || f.buffered() != 0 {
		t.Errorf("%v, then %v; %d buffered", first, second, f.buffered())
	}
}

func TestFramerSkipsWhatIsTooMuch(t *testing.T) {
	lim := limits{stanza: 400, depth: 5, attrs: 6, hard: 100_000}
	attrs := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d='<>'", i)
		}
		return strings.ReplaceAll(b.String(), "<", "")
	}
	nested := func(n int) string { return strings.Repeat("<x>", n-1) + strings.Repeat("</x>", n-1) }
	message := func(inner string) string {
		return "<message from='b@b.test/1' id='m1' type='chat'>" + inner + "</message>"
	}
	tests := []struct{ name, stanza, reason, from string }{
		{"depth at the limit", message(nested(5)), "", ""},
		{"depth over it", message(nested(6)), "too_deep", "b@b.test/1"},
		{"empty element over the depth", message("<x><x><x><x><x/></x></x></x></x>"), "too_deep", "b@b.test/1"},
		{"depth 10,000", message(nested(10_000)), "too_deep", "b@b.test/1"},
		{"attributes at the limit", "<presence" + attrs(6) + "/>", "", ""},
		{"attributes over it", "<presence" + attrs(7) + "/>", "malformed", ""},
		{"attributes over it, not empty", "<presence" + attrs(7) + "></presence>", "malformed", ""},
		{"attributes over it, inside", message("<x" + attrs(7) + "/>"), "malformed", "b@b.test/1"},
		{"size at the limit", message(strings.Repeat("x", 400-len(message("")))), "", ""},
		{"size over it", message(strings.Repeat("x", 401-len(message("")))), "too_large", "b@b.test/1"},
		{"far over it", message(strings.Repeat("]]<x/>", 10_000)), "too_large", "b@b.test/1"},
		{"CDATA", message("<![CDATA[" + strings.Repeat("</message>", 1000) + "]]>"), "too_large", "b@b.test/1"},
		{"start tag too long", "<message from='" + strings.Repeat("x", 500) + "'/>", "too_large", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range []int{0, 1, 2, 100} {
				f := newFramer(chunks(testHeader+tt.stanza+"<presence/>", n), lim)
				f.next()
				fr, err := f.next()
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case tt.reason == "" && (fr.kind != frameElement || string(fr.raw) != tt.stanza):
					t.Errorf("chunks of %d: %+v", n, fr)
				case tt.reason != "" && (fr.kind != frameSkipped || fr.skipped.reason != tt.reason || string(fr.skipped.from) != tt.from):
					t.Errorf("chunks of %d: %+v", n, fr.skipped)
				case tt.from != "" && (fr.skipped.id != "m1" || !isStanza(fr.skipped.space, fr.skipped.local)):
					t.Errorf("chunks of %d: %+v", n, fr.skipped)
				}
				if fr, err = f.next(); err != nil || string(fr.raw) != "<presence/>" {
					t.Errorf("chunks of %d: the next stanza is %q, %v", n, fr.raw, err)
				}
			}
		})
	}
}

func TestFramerEndsAtTheHardLimit(t *testing.T) {
	lim := limits{stanza: 300, depth: 5, attrs: 10, hard: 5000}
	for _, n := range []int{0, 7} {
		for _, size := range []int{4900, 5000, 20_000} {
			all, err := readAll(chunks(testHeader+"<message>"+strings.Repeat("x", size)+"</message>", n), lim)
			if size == 4900 && (err != io.EOF || len(all) != 2) || size > 4900 && condition(err) != "policy-violation" {
				t.Errorf("size %d, chunks of %d: %d frames, %v", size, n, len(all), err)
			}
		}
	}
	_, err := readAll(strings.NewReader("<stream:stream to='"+strings.Repeat("x", 400)), lim)
	if condition(err) != "policy-violation" {
		t.Errorf("endless header: %v", err)
	}
}

// A stream error that a sender hides in a message is content of that message, and nothing
// else: only children of the stream act on it.
func TestFramerNestedStreamErrorIsContent(t *testing.T) {
	attack := "<message from='eve@a.test' type='chat'><body>hi</body>" +
		"<stream:error><see-other-host xmlns='" + nsStreams + "'>evil.test:5222</see-other-host></stream:error>" +
		"<stream:features/></message>"
	all, err := frameAndParse(strings.NewReader(testHeader+attack+"<presence/>"), defaultLimits)
	if err != io.EOF || len(all) != 2 {
		t.Fatalf("%d elements, %v", len(all), err)
	}
	if !all[0].is(nsClient, "message") || all[0].child(nsStream, "error") == nil {
		t.Errorf("%+v", all[0])
	}
}

func TestFramerResetForgetsWhatCameBefore(t *testing.T) {
	f := newFramer(strings.NewReader(testHeader+"<proceed xmlns='"+nsTLS+"'/><iq type='set' id='injected'/>"), defaultLimits)
	f.next()
	fr, err := f.next()
	if err != nil || fr.local != "proceed" || f.buffered() == 0 {
		t.Fatalf("%+v, %v, %d buffered", fr, err, f.buffered())
	}
	f.reset(strings.NewReader(testHeader + "<presence/>"))
	if f.buffered() != 0 {
		t.Errorf("%d bytes from before", f.buffered())
	}
	fr.release() // an old frame must not touch the new stream
	var kinds []frameKind
	for {
		fr, err := f.next()
		if err != nil {
			break
		}
		kinds = append(kinds, fr.kind)
	}
	if !slices.Equal(kinds, []frameKind{frameHeader, frameElement}) {
		t.Errorf("frames %v", kinds)
	}
}

func TestFramerReleaseOfAnOldFrameDoesNothing(t *testing.T) {
	f := newFramer(strings.NewReader(testHeader+"<presence id='1'/><presence id='2'/>"), defaultLimits)
	f.next()
	one, _ := f.next()
	copied := one
	one.release()
	one.release()
	two, _ := f.next()
	copied.release()
	if string(two.raw) != "<presence id='2'/>" {
		t.Errorf("the frame became %q", two.raw)
	}
}

// spyReader looks at the framer whenever it is asked for bytes.
type spyReader struct {
	io.Reader
	f      *framer
	idle   int // reads without a buffer
	within int // reads with one
}

func (s *spyReader) Read(p []byte) (int, error) {
	if s.f.in.buf == nil {
		s.idle++
	} else {
		s.within++
	}
	return s.Reader.Read(p)
}

func TestFramerHoldsNoBufferWhileIdle(t *testing.T) {
	parts := []io.Reader{strings.NewReader(testHeader)}
	for range 10 {
		parts = append(parts, strings.NewReader(" "), strings.NewReader("<presence from='somebody@a.test/res'/>\n"))
	}
	spy := &spyReader{Reader: io.MultiReader(parts...)}
	spy.f = newFramer(spy, defaultLimits)
	for {
		if _, err := spy.f.next(); err != nil {
			break
		}
	}
	// Each part begins with a read into the small array; a stanza of more than that needs
	// a second one with a buffer.
	if spy.idle < 21 || spy.within == 0 {
		t.Errorf("%d reads without a buffer, %d with one", spy.idle, spy.within)
	}
}

func TestFramerGivesBackLargeBuffers(t *testing.T) {
	f := newFramer(strings.NewReader(testHeader+"<message>"+strings.Repeat("x", 500_000)+"</message>"), defaultLimits)
	f.next()
	fr, err := f.next()
	if err != nil || len(fr.raw) != 500_019 {
		t.Fatalf("%d bytes, %v", len(fr.raw), err)
	}
	if c := cap(f.in.buf); c > defaultLimits.stanza+smallBuffer {
		t.Errorf("a buffer of %d bytes", c)
	}
	fr.release()
	if f.in.buf != nil {
		t.Error("the buffer is still held")
	}
}
