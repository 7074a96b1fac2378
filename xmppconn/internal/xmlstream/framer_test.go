package xmlstream_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
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
	stream := " \r\n" + streamtest.Header + strings.Join(elements, " \n\t ") + "\n</stream:stream >\n"
	for _, n := range []int{0, 1, 2, 3, 7, 31, 32, 33, 64, 1000, 4095, 4096, 4097} {
		all, err := readAll(streamtest.Chunks(stream, n), xmlstream.DefaultLimits())
		if err != io.EOF {
			t.Fatalf("chunks of %d: got %v, want %v", n, err, io.EOF)
		}
		if len(all) != len(elements)+2 || all[0].kind != xmlstream.KindHeader || all[len(all)-1].kind != xmlstream.KindEnd {
			t.Fatalf("chunks of %d: got %d frames, want %v frames, kind %v, kind %v", n, len(all), len(elements)+2, xmlstream.KindHeader, xmlstream.KindEnd)
		}
		for i, want := range elements {
			if got := all[i+1]; got.kind != xmlstream.KindElement || got.raw != want {
				t.Errorf("chunks of %d: frame %d is %q, want %q", n, i, got.raw, want)
			}
		}
	}
}

func TestFramerSurvivesErrorsBesideData(t *testing.T) {
	all, err := readAll(iotest.DataErrReader(strings.NewReader(streamtest.Header+"<presence/>")), xmlstream.DefaultLimits())
	if err != io.EOF || len(all) != 2 {
		t.Fatalf("got %d frames, %v; want %v, 2 frames", len(all), err, io.EOF)
	}
	cause := errors.New("reset by peer")
	all, err = readAll(io.MultiReader(strings.NewReader(streamtest.Header+"<presence/><pre"), iotest.ErrReader(cause)), xmlstream.DefaultLimits())
	if err != cause || len(all) != 2 {
		t.Fatalf("got %d frames, %v; want %v, 2 frames", len(all), err, cause)
	}
	if _, err = readAll(emptyReader{}, xmlstream.DefaultLimits()); err != io.ErrNoProgress {
		t.Fatalf("a reader that never reads: got %v, want %v", err, io.ErrNoProgress)
	}
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

func TestFramerHeader(t *testing.T) {
	f := xmlstream.NewFramer(strings.NewReader(streamtest.Header+"<stream:error/>"), xmlstream.DefaultLimits())
	fr, err := f.Next()
	if err != nil {
		t.Fatalf("f.Next(): got error %v, want none", err)
	}
	h := fr.Header
	if h.From != "a.test" || h.ID != "s1" || h.Version != "1.0" || h.Lang() != "en" || h.To != "" || h.Default() != xmlstream.NSClient {
		t.Errorf("header %+v, want From a.test, ID s1, Version 1.0, lang en, To none, default namespace %v", h, xmlstream.NSClient)
	}
	fr, err = f.Next()
	if err != nil {
		t.Fatalf("f.Next(): got error %v, want none", err)
	}
	el, err := fr.Parse()
	if err != nil || !el.Is(xmlstream.NSStream, "error") || fr.Local != "error" {
		t.Errorf("prefix of the header not known: got %+v, %v; want no error, a stream error", el, err)
	}
}

func TestFramerHeaderMayDeclareItsPrefixesAnyhow(t *testing.T) {
	for _, header := range []string{
		"<stream xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:client'>",
		"<x:stream xmlns:x='http://etherx.jabber.org/streams' xmlns:c='jabber:client' xmlns='other'\n>",
	} {
		f := xmlstream.NewFramer(strings.NewReader(header+"<c:presence/>"), xmlstream.DefaultLimits())
		if _, err := f.Next(); err != nil {
			t.Fatalf("%s: got %v, want no error", header, err)
		}
		fr, err := f.Next()
		if err != nil {
			t.Fatalf("%s: got %v, want no error", header, err)
		}
		if el, err := fr.Parse(); err != nil || !el.Is(xmlstream.NSClient, "presence") {
			t.Errorf("%s: got %+v, %v; want no error, a presence", header, el, err)
		}
	}
}

func TestFramerEmptyHeaderEndsTheStream(t *testing.T) {
	all, err := readAll(strings.NewReader("<s:stream xmlns:s='http://etherx.jabber.org/streams'/>"), xmlstream.DefaultLimits())
	if err != io.EOF || len(all) != 2 || all[1].kind != xmlstream.KindEnd {
		t.Fatalf("got %v, %v; want %v, 2 frames, kind %v", all, err, io.EOF, xmlstream.KindEnd)
	}
}

func TestFramerRefuses(t *testing.T) {
	tests := []struct{ name, stream, condition string }{
		{"stanza before the header", "<presence/>", "bad-format"},
		{"stream error before the header", "<stream:error xmlns:stream='" + xmlstream.NSStream + "'><conflict/></stream:error>", "bad-format"},
		{"undeclared prefix in the header", "<stream:stream>", "bad-namespace-prefix"},
		{"other namespace in the header", "<stream xmlns='urn:x'>", "invalid-namespace"},
		{"end before the header", "</stream:stream>", "not-well-formed"},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n", "bad-format"},
		{"document type before the header", "<!DOCTYPE x>" + streamtest.Header, "restricted-xml"},
		{"comment before the header", "<!-- x -->" + streamtest.Header, "restricted-xml"},
		{"two declarations", "<?xml version='1.0'?>" + streamtest.Header, "restricted-xml"},
		{"another encoding", "<?xml version='1.0' encoding='latin1'?>", "unsupported-encoding"},
		{"another version", "<?xml version='1.1'?>", "unsupported-version"},
		{"half a declaration", "<?>", "unexpected EOF"},
		{"another target", "<?php version='1.0'?>", "restricted-xml"},
		{"endless declaration", "<?xml " + strings.Repeat(" ", 300), "not-well-formed"},
		{"declaration in the stream", streamtest.Header + "<?xml version='1.0'?>", "restricted-xml"},
		{"document type in the stream", streamtest.Header + "<!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml"},
		{"CDATA between stanzas", streamtest.Header + "<![CDATA[x]]>", "restricted-xml"},
		{"text between stanzas", streamtest.Header + "<presence/>x<presence/>", "bad-format"},
		{"comment in a stanza", streamtest.Header + "<message><!-- x --></message>", "restricted-xml"},
		{"instruction in a stanza", streamtest.Header + "<message><?x y?></message>", "restricted-xml"},
		{"half a CDATA", streamtest.Header + "<message><![CDAT[]]></message>", "restricted-xml"},
		{"no name", streamtest.Header + "< presence/>", "not-well-formed"},
		{"empty tag", streamtest.Header + "<>", "not-well-formed"},
		{"tag in a tag", streamtest.Header + "<presence <x/>", "not-well-formed"},
		{"slash in a tag", streamtest.Header + "<presence / >", "not-well-formed"},
		{"slash in an end tag", streamtest.Header + "<presence></presence/>", "not-well-formed"},
		{"other end", streamtest.Header + "</stream>", "not-well-formed"},
		{"end of a prefix", streamtest.Header + "</stream:streams>", "not-well-formed"},
		{"end within a stanza", streamtest.Header + "<message>", "unexpected EOF"},
		{"end within a tag", streamtest.Header + "<mess", "unexpected EOF"},
		{"end within the header", streamtest.Header[:80], "unexpected EOF"},
		{"nothing", "", "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range []int{0, 1, 5} {
				all, err := streamtest.ParseAll(streamtest.Chunks(tt.stream, n), xmlstream.DefaultLimits())
				if streamtest.Condition(err) != tt.condition {
					t.Errorf("chunks of %d: %v after %d frames, want %s", n, err, len(all), tt.condition)
				}
			}
		})
	}
}

func TestFramerErrorStays(t *testing.T) {
	f := xmlstream.NewFramer(strings.NewReader(streamtest.Header+"x<presence/>"), xmlstream.DefaultLimits())
	f.Next()
	_, first := f.Next()
	_, second := f.Next()
	if first == nil || first != second || f.Buffered() != 0 {
		t.Errorf("got %v, then %v; %d buffered; want an error, the same %v, 0", first, second, f.Buffered(), second)
	}
}

func TestFramerSkipsWhatIsTooMuch(t *testing.T) {
	lim := xmlstream.Limits{Stanza: 400, Depth: 5, Attrs: 6, Hard: 100_000}
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
				f := xmlstream.NewFramer(streamtest.Chunks(streamtest.Header+tt.stanza+"<presence/>", n), lim)
				f.Next()
				fr, err := f.Next()
				if err != nil {
					t.Fatalf("f.Next(): got error %v, want none", err)
				}
				switch {
				case tt.reason == "" && (fr.Kind != xmlstream.KindElement || string(fr.Raw) != tt.stanza):
					t.Errorf("chunks of %d: got %+v, want Kind %v, %v", n, fr, xmlstream.KindElement, tt.stanza)
				case tt.reason != "" && (fr.Kind != xmlstream.KindSkipped || fr.Skipped.Reason != tt.reason || string(fr.Skipped.From) != tt.from):
					t.Errorf("chunks of %d: got %+v, want Kind %v, Reason %v, %v", n, fr.Skipped, xmlstream.KindSkipped, tt.reason, tt.from)
				case tt.from != "" && (fr.Skipped.ID != "m1" || fr.Skipped.Space != xmlstream.NSClient || fr.Skipped.Local != "message"):
					t.Errorf("chunks of %d: got %+v, want ID m1, Space %v, Local message", n, fr.Skipped, xmlstream.NSClient)
				}
				if fr, err = f.Next(); err != nil || string(fr.Raw) != "<presence/>" {
					t.Errorf("chunks of %d: the next stanza is %q, %v; want no error, <presence/>", n, fr.Raw, err)
				}
			}
		})
	}
}

func TestFramerEndsAtTheHardLimit(t *testing.T) {
	lim := xmlstream.Limits{Stanza: 300, Depth: 5, Attrs: 10, Hard: 5000}
	for _, n := range []int{0, 7} {
		for _, size := range []int{4900, 5000, 20_000} {
			all, err := readAll(streamtest.Chunks(streamtest.Header+"<message>"+strings.Repeat("x", size)+"</message>", n), lim)
			if size == 4900 && (err != io.EOF || len(all) != 2) || size > 4900 && streamtest.Condition(err) != "policy-violation" {
				t.Errorf("size %d, chunks of %d: got %d frames, %v; want %v, 2 frames, policy-violation", size, n, len(all), err, io.EOF)
			}
		}
	}
	_, err := readAll(strings.NewReader("<stream:stream to='"+strings.Repeat("x", 400)), lim)
	if streamtest.Condition(err) != "policy-violation" {
		t.Errorf("endless header: got %v, want policy-violation", err)
	}
}

// A stream error that a sender hides in a message is content of that message, and nothing
// else: only children of the stream act on it.
func TestFramerNestedStreamErrorIsContent(t *testing.T) {
	attack := "<message from='eve@a.test' type='chat'><body>hi</body>" +
		"<stream:error><see-other-host xmlns='" + "urn:ietf:params:xml:ns:xmpp-streams" + "'>evil.test:5222</see-other-host></stream:error>" +
		"<stream:features/></message>"
	all, err := streamtest.ParseAll(strings.NewReader(streamtest.Header+attack+"<presence/>"), xmlstream.DefaultLimits())
	if err != io.EOF || len(all) != 2 {
		t.Fatalf("got %d elements, %v; want %v, 2 frames", len(all), err, io.EOF)
	}
	if !all[0].Is(xmlstream.NSClient, "message") || all[0].Child(xmlstream.NSStream, "error") == nil {
		t.Errorf("got %+v, want a message with a stream error in it", all[0])
	}
}

func TestFramerResetForgetsWhatCameBefore(t *testing.T) {
	f := xmlstream.NewFramer(strings.NewReader(streamtest.Header+"<proceed xmlns='"+"urn:ietf:params:xml:ns:xmpp-tls"+"'/><iq type='set' id='injected'/>"), xmlstream.DefaultLimits())
	f.Next()
	fr, err := f.Next()
	if err != nil || fr.Local != "proceed" || f.Buffered() == 0 {
		t.Fatalf("got %+v, %v, %d buffered; want no error, Local proceed, some", fr, err, f.Buffered())
	}
	f.Reset(strings.NewReader(streamtest.Header + "<presence/>"))
	if f.Buffered() != 0 {
		t.Errorf("got %d bytes from before, want 0", f.Buffered())
	}
	fr.Release() // an old frame must not touch the new stream
	var kinds []xmlstream.Kind
	for {
		fr, err := f.Next()
		if err != nil {
			break
		}
		kinds = append(kinds, fr.Kind)
	}
	if !slices.Equal(kinds, []xmlstream.Kind{xmlstream.KindHeader, xmlstream.KindElement}) {
		t.Errorf("frames %v, want %v", kinds, []xmlstream.Kind{xmlstream.KindHeader, xmlstream.KindElement})
	}
}

func TestFramerReleaseOfAnOldFrameDoesNothing(t *testing.T) {
	f := xmlstream.NewFramer(strings.NewReader(streamtest.Header+"<presence id='1'/><presence id='2'/>"), xmlstream.DefaultLimits())
	f.Next()
	one, _ := f.Next()
	copied := one
	one.Release()
	one.Release()
	two, _ := f.Next()
	copied.Release()
	if string(two.Raw) != "<presence id='2'/>" {
		t.Errorf("the frame became %q, want <presence id='2'/>", two.Raw)
	}
}

// spyReader looks at the framer whenever it is asked for bytes.
type spyReader struct {
	io.Reader
	f      *xmlstream.Framer
	idle   int // reads without a buffer
	within int // reads with one
}

func (s *spyReader) Read(p []byte) (int, error) {
	if _, held := s.f.Buffer(); held {
		s.within++
	} else {
		s.idle++
	}
	return s.Reader.Read(p)
}

func TestFramerHoldsNoBufferWhileIdle(t *testing.T) {
	parts := []io.Reader{strings.NewReader(streamtest.Header)}
	for range 10 {
		parts = append(parts, strings.NewReader(" "), strings.NewReader("<presence from='somebody@a.test/res'/>\n"))
	}
	spy := &spyReader{Reader: io.MultiReader(parts...)}
	spy.f = xmlstream.NewFramer(spy, xmlstream.DefaultLimits())
	for {
		if _, err := spy.f.Next(); err != nil {
			break
		}
	}
	// Each part begins with a read into the small array; a stanza of more than that needs
	// a second one with a buffer.
	if spy.idle < 21 || spy.within == 0 {
		t.Errorf("got %d reads without a buffer, %d with one; want at least 21, some within", spy.idle, spy.within)
	}
}

func TestFramerGivesBackLargeBuffers(t *testing.T) {
	f := xmlstream.NewFramer(strings.NewReader(streamtest.Header+"<message>"+strings.Repeat("x", 500_000)+"</message>"), xmlstream.DefaultLimits())
	f.Next()
	fr, err := f.Next()
	if err != nil || len(fr.Raw) != 500_019 {
		t.Fatalf("got %d bytes, %v; want no error, 500019", len(fr.Raw), err)
	}
	if c, _ := f.Buffer(); c > xmlstream.DefaultLimits().Stanza+xmlstream.SmallBuffer {
		t.Errorf("a buffer of %d bytes, want at most %v", c, xmlstream.DefaultLimits().Stanza+xmlstream.SmallBuffer)
	}
	fr.Release()
	if _, held := f.Buffer(); held {
		t.Error("the buffer is still held, want it given back")
	}
}
