// Package streamtest has what the tests of xmppconn and of the packages below it read streams
// with. In every test that uses it, buffers that are given back are overwritten: a text that was
// kept without a copy shows.
package streamtest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func init() { xmlstream.PoisonReleased(true) }

// Header is the stream header of a server.
const Header = "<?xml version='1.0'?><stream:stream from='a.test' id='s1' version='1.0' xml:lang='en' " +
	"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

// Presence, Message and the others are what a client of today sends through a server of today.
const (
	Presence = "<presence from='romeo@montague.example/balcony-1f2e3d' to='me@a.test/home' xml:lang='en'>" +
		"<show>away</show><status>Wooing; back at five</status><priority>5</priority>" +
		"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://psi-im.org' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/>" +
		"<x xmlns='vcard-temp:x:update'><photo>01b87fcd030b72895ff8e88db57ec525450f000d</photo></x></presence>"
	Message = "<message from='romeo@montague.example/balcony-1f2e3d' to='me@a.test/home' id='ef7d1b2c-4f3a-4d7a-9f0e-5b0c7a3d2e11' type='chat' xml:lang='en'>" +
		"<body>But soft, what light through yonder window breaks? It is the east, and Juliet is the sun &amp; moon.</body>" +
		"<thread>e0ffe42b28561960c6b12b944a092794b9683a38</thread>" +
		"<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>" +
		"<origin-id xmlns='urn:xmpp:sid:0' id='ef7d1b2c-4f3a-4d7a-9f0e-5b0c7a3d2e11'/>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='me@a.test' id='2024-05-06-7a8b9c0d'/></message>"
	// Reply is a Message that answers another one, to be marked as displayed.
	Reply = "<message from='romeo@montague.example/balcony-1f2e3d' to='me@a.test/home' id='ef7d1b2c-4f3a-4d7a-9f0e-5b0c7a3d2e11' type='chat' xml:lang='en'>" +
		"<body>&gt; But soft, what light through yonder window breaks?\nIt is the east, and Juliet is the sun.</body>" +
		"<reply xmlns='urn:xmpp:reply:0' to='me@a.test/home' id='0b9a2d5e-7a54-4b5e-8a43-7f1f6d2f4c11'/>" +
		"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='53'/></fallback>" +
		"<markable xmlns='urn:xmpp:chat-markers:0'/><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>" +
		"<origin-id xmlns='urn:xmpp:sid:0' id='ef7d1b2c-4f3a-4d7a-9f0e-5b0c7a3d2e11'/>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='me@a.test' id='2024-05-06-7a8b9c0d'/></message>"
	// Encrypted is a message for two devices that this side has no key of.
	Encrypted = "<message from='romeo@montague.example/balcony-1f2e3d' to='me@a.test/home' id='ef7d1b2c-4f3a-4d7a-9f0e-5b0c7a3d2e11' type='chat' xml:lang='en'>" +
		"<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1763425984'><key rid='391028475' prekey='true'>MwohBeu2Gv8kq1c0Zt1Zb0Vt3Q9aQ2v1kq0J3p8m9tQkEAAYACIw</key>" +
		"<key rid='1029384756'>MwohBbYQwq4o1yX7wq5ZrW2t8mFqk3p1zZb0Vt3Q9aQ2EAEYACIw</key><iv>kQ2v1kq0J3p8m9tQ</iv></header><payload>W2t8mFqk3p1zZb0Vt3Q9aQ2v1kq0J3p8m9tQ</payload></encrypted>" +
		"<encryption xmlns='urn:xmpp:eme:0' name='OMEMO' namespace='eu.siacs.conversations.axolotl'/><body>I sent you an OMEMO encrypted message.</body><store xmlns='urn:xmpp:hints'/></message>"
	// Occupant is what a room of Prosody says of one who is in it, and RoomMessage what one of them says.
	Occupant = "<presence from='orchard@rooms.a.test/Romeo' to='me@a.test/home' xml:lang='en'>" +
		"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.net/client' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/>" +
		"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='lXMCmy5QGYQZnFbhXVPAuEQ3uVZ8fRBGGgEzXMWVsmA='/>" +
		"<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/></x></presence>"
	RoomMessage = "<message from='orchard@rooms.a.test/Romeo' to='me@a.test/home' id='ef7d1b2c-4f3a-4d7a-9f0e-5b0c7a3d2e11' type='groupchat' xml:lang='en'>" +
		"<body>But soft, what light through yonder window breaks? It is the east, and Juliet is the sun &amp; moon.</body>" +
		"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='lXMCmy5QGYQZnFbhXVPAuEQ3uVZ8fRBGGgEzXMWVsmA='/>" +
		"<origin-id xmlns='urn:xmpp:sid:0' id='ef7d1b2c-4f3a-4d7a-9f0e-5b0c7a3d2e11'/>" +
		"<stanza-id xmlns='urn:xmpp:sid:0' by='orchard@rooms.a.test' id='2024-05-06-7a8b9c0d'/></message>"
)

// RosterItems is the inside of a roster of n buddies, with groups, of about 170 bytes each.
func RosterItems(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<item jid='buddy-number-%05d@example.net' name='Buddy &amp; Number %05d' subscription='both'><group>Friends</group><group>Work &#x2014; %d</group></item>\n", i, i, i%7)
	}
	return b.String()
}

// Chunks reads n bytes at a time; 0 is all at once.
func Chunks(s string, n int) io.Reader {
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

// Framer is a framer that has read the header of a stream, which continues with text.
func Framer(t testing.TB, header, text string, limits xmlstream.Limits) *xmlstream.Framer {
	t.Helper()
	f := xmlstream.NewFramer(strings.NewReader(header+text), limits)
	if fr, err := f.Next(); err != nil || fr.Kind != xmlstream.KindHeader {
		t.Fatalf("Next() = kind %d, %v; want the stream header %q", fr.Kind, err, header)
	}
	return f
}

// Frame is the first frame behind the Header.
func Frame(t testing.TB, raw string) xmlstream.Frame {
	t.Helper()
	fr, err := Framer(t, Header, raw, xmlstream.DefaultLimits()).Next()
	if err != nil {
		t.Fatalf("Next() of %s: got error %v, want a frame", raw, err)
	}
	return fr
}

// Parse is an element as it comes behind the Header.
func Parse(t testing.TB, raw string) *xmlstream.Element {
	t.Helper()
	fr := Frame(t, raw)
	defer fr.Release()
	el, err := fr.Parse()
	if err != nil {
		t.Fatalf("Parse() of %s: got error %v, want an element", raw, err)
	}
	return el
}

// ParseAll parses every element of a stream, and returns how it ends.
func ParseAll(r io.Reader, limits xmlstream.Limits) (trees []*xmlstream.Element, err error) {
	f := xmlstream.NewFramer(r, limits)
	for {
		fr, err := f.Next()
		if err != nil {
			return trees, err
		}
		if fr.Kind != xmlstream.KindElement {
			continue
		}
		el, err := fr.Parse()
		if err != nil {
			return trees, err
		}
		trees = append(trees, el)
	}
}

// Condition names the stream error in err, or gives the text of the error itself.
func Condition(err error) string {
	if e, ok := errors.AsType[*xmlstream.Error](err); ok {
		return e.Condition
	}
	if err == nil {
		return ""
	}
	return err.Error()
}
