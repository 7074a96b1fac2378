package xmppconn

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/perch-im/perch"
)

// Buffers that are given back are overwritten in every test of this package: whatever was
// kept without copying shows.
func init() { poison = true }

const (
	testHeader = "<?xml version='1.0'?><stream:stream from='a.test' id='s1' version='1.0' xml:lang='en' " +
		"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	testSelf = perch.JID("me@a.test/home")
)

var testNS = nsContext{def: nsClient, bindings: []nsBinding{{"stream", nsStream}}}

// chunks reads n bytes at a time; 0 is all at once.
func chunks(s string, n int) io.Reader {
	switch n {
	case 0:
		return strings.NewReader(s)
	case 1:
		return iotest.OneByteReader(strings.NewReader(s))
	}
	return &chunkReader{s: s, n: n}
}

type chunkReader struct {
	s string
	n int
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.s == "" {
		return 0, io.EOF
	}
	n := copy(p, c.s[:min(c.n, len(c.s))])
	c.s = c.s[n:]
	return n, nil
}

// seen is a frame with its bytes copied.
type seen struct {
	kind   frameKind
	raw    string
	reason string
}

// readAll reads frames until an error and copies them.
func readAll(r io.Reader, lim limits) (all []seen, err error) {
	f := newFramer(r, lim)
	for {
		fr, err := f.next()
		if err != nil {
			return all, err
		}
		s := seen{kind: fr.kind, raw: string(fr.raw)}
		if fr.skipped != nil {
			s.reason = fr.skipped.reason
		}
		all = append(all, s)
		fr.release()
	}
}

// condition names the stream error in err, or gives the error itself.
func condition(err error) string {
	if fe, ok := errors.AsType[*framingError](err); ok {
		return fe.condition
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// mustParse parses an element in the test stream's namespaces.
func mustParse(t testing.TB, raw string) *element {
	t.Helper()
	el, err := parseElement([]byte(raw), testNS)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return el
}

// decodeText decodes through a real framer and gives the buffer back before it looks, so
// that a view that was not copied is seen as garbage.
func decodeText(t testing.TB, raw string, now perch.Time) decoded {
	t.Helper()
	f := newFramer(strings.NewReader(testHeader+raw), defaultLimits)
	if _, err := f.next(); err != nil {
		t.Fatal(err)
	}
	fr, err := f.next()
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	d, err := decodeFrame(&fr, testSelf, now)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	fr.release()
	return d
}

// encoded is an encoder's result as text.
func encoded(t testing.TB) func(b []byte, err error) string {
	return func(b []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return string(bytes.Clone(b))
	}
}
