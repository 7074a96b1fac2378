package xmppconn_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// The benchmarks read the same stanza again and again from a stream. The bare scan looks
// at each byte once and counts the tags: nothing can be cheaper that looks at all bytes.

// loopReader gives a header and then one stanza for ever.
type loopReader struct {
	head, body []byte
	off        int
}

func (l *loopReader) Read(p []byte) (int, error) {
	if len(l.head) > 0 {
		n := copy(p, l.head)
		l.head = l.head[n:]
		return n, nil
	}
	n := copy(p, l.body[l.off:])
	l.off = (l.off + n) % len(l.body)
	return n, nil
}

func benchStanzas(b *testing.B, run func(b *testing.B, text string)) {
	xmlstream.PoisonReleased(false)
	defer xmlstream.PoisonReleased(true)
	for _, s := range []struct{ name, stanza string }{{"presence", streamtest.Presence}, {"message", streamtest.Message}, {"reply", streamtest.Reply}, {"encrypted", streamtest.Encrypted}, {"occupant", streamtest.Occupant}, {"room message", streamtest.RoomMessage}} {
		b.Run(s.name, func(b *testing.B) {
			b.SetBytes(int64(len(s.stanza)))
			b.ReportAllocs()
			run(b, s.stanza)
		})
	}
}

var sink int

// benchNow is the time at which the stanzas are decoded.
var benchNow = perch.At(time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC))

func BenchmarkScan(b *testing.B) {
	benchStanzas(b, func(b *testing.B, text string) {
		raw := []byte(text)
		for b.Loop() {
			n := 0
			for _, c := range raw {
				if c == '<' {
					n++
				}
			}
			sink += n
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	benchStanzas(b, func(b *testing.B, text string) {
		f := xmlstream.NewFramer(&loopReader{head: []byte(streamtest.Header), body: []byte(text)}, xmlstream.DefaultLimits())
		f.Next()
		for b.Loop() {
			fr, err := f.Next()
			if err != nil {
				b.Fatalf("f.Next(): got error %v, want none", err)
			}
			sink += len(fr.Raw)
			fr.Release()
		}
	})
}

func BenchmarkFrameAndDecode(b *testing.B) {
	benchStanzas(b, func(b *testing.B, text string) {
		f := xmlstream.NewFramer(&loopReader{head: []byte(streamtest.Header), body: []byte(text)}, xmlstream.DefaultLimits())
		f.Next()
		for b.Loop() {
			fr, err := f.Next()
			if err != nil {
				b.Fatalf("f.Next(): got error %v, want none", err)
			}
			d, err := stanza.Decode(&fr, "me@a.test/home", benchNow)
			if err != nil || len(d.In) == 0 {
				b.Fatalf("got %v, want no error, some In", err)
			}
			fr.Release()
		}
	})
}

// BenchmarkFrameAndParse is what an IQ costs: a tree that owns its memory.
func BenchmarkFrameAndParse(b *testing.B) {
	asIQ := strings.NewReplacer("<presence ", "<iq ", "<message ", "<iq ", "</presence>", "</iq>", "</message>", "</iq>")
	benchStanzas(b, func(b *testing.B, text string) {
		text = asIQ.Replace(text)
		f := xmlstream.NewFramer(&loopReader{head: []byte(streamtest.Header), body: []byte(text)}, xmlstream.DefaultLimits())
		f.Next()
		for b.Loop() {
			fr, err := f.Next()
			if err != nil {
				b.Fatalf("f.Next(): got error %v, want none", err)
			}
			if _, err := fr.Parse(); err != nil {
				b.Fatalf("fr.Parse(): got error %v, want none", err)
			}
			fr.Release()
		}
	})
}

// xmlStanza is the same work for encoding/xml, with structs instead of a tree.
type xmlStanza struct {
	XMLName  xml.Name
	From     string `xml:"from,attr"`
	To       string `xml:"to,attr"`
	ID       string `xml:"id,attr"`
	Type     string `xml:"type,attr"`
	Show     string `xml:"show"`
	Status   string `xml:"status"`
	Priority string `xml:"priority"`
	Body     string `xml:"body"`
	Thread   string `xml:"thread"`
	Photo    struct {
		Hash string `xml:"photo"`
	} `xml:"vcard-temp:x:update x"`
	Active  *struct{} `xml:"http://jabber.org/protocol/chatstates active"`
	Request *struct{} `xml:"urn:xmpp:receipts request"`
	Ids     []struct {
		By string `xml:"by,attr"`
		ID string `xml:"id,attr"`
	} `xml:"urn:xmpp:sid:0 stanza-id"`
}

func BenchmarkEncodingXMLDecode(b *testing.B) {
	benchStanzas(b, func(b *testing.B, text string) {
		d := xml.NewDecoder(&loopReader{head: []byte(streamtest.Header), body: []byte(text)})
		nextStart(b, d) // the header
		for b.Loop() {
			start := nextStart(b, d)
			var s xmlStanza
			if err := d.DecodeElement(&s, &start); err != nil {
				b.Fatalf("d.DecodeElement(): got error %v, want none", err)
			}
			sink += len(s.From)
		}
	})
}

// BenchmarkEncodingXMLTokens is its least possible work: only the tokens.
func BenchmarkEncodingXMLTokens(b *testing.B) {
	benchStanzas(b, func(b *testing.B, text string) {
		d := xml.NewDecoder(&loopReader{head: []byte(streamtest.Header), body: []byte(text)})
		nextStart(b, d)
		for b.Loop() {
			nextStart(b, d)
			if err := d.Skip(); err != nil {
				b.Fatalf("d.Skip(): got error %v, want none", err)
			}
		}
	})
}

func nextStart(b *testing.B, d *xml.Decoder) xml.StartElement {
	for {
		tok, err := d.Token()
		if err != nil {
			b.Fatalf("d.Token(): got error %v, want none", err)
		}
		if start, ok := tok.(xml.StartElement); ok {
			return start
		}
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	out := &perch.MessageOut{
		ID: "ef7d1b2c-4f3a-4d7a-9f0e-5b0c7a3d2e11", To: "romeo@montague.example", Kind: perch.ChatMessage,
		Body: "But soft, what light through yonder window breaks? It is the east, and Juliet is the sun & moon.", Receipt: true,
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = stanza.AppendOutbound(buf[:0], out); err != nil {
			b.Fatalf("stanza.AppendOutbound(): got error %v, want none", err)
		}
	}
	b.SetBytes(int64(len(buf)))
}

// The benchmarks must measure stanzas that are what they say.
func TestBenchmarkStanzas(t *testing.T) {
	for _, s := range []string{streamtest.Presence, streamtest.Message, streamtest.Reply, streamtest.Encrypted, streamtest.Occupant, streamtest.RoomMessage} {
		var x xmlStanza
		d := xml.NewDecoder(io.MultiReader(bytes.NewReader([]byte(streamtest.Header)), bytes.NewReader([]byte(s))))
		for range 3 { // declaration, header, stanza
			tok, err := d.Token()
			if err != nil {
				t.Fatalf("d.Token(): got error %v, want none", err)
			}
			if start, ok := tok.(xml.StartElement); ok && start.Name.Local != "stream" {
				if err := d.DecodeElement(&x, &start); err != nil || x.From == "" {
					t.Fatalf("got %+v, %v; want no error, some From", x, err)
				}
			}
		}
		fr := streamtest.Frame(t, s)
		if d, err := stanza.Decode(&fr, "me@a.test/home", benchNow); err != nil || len(d.In) == 0 {
			t.Errorf("Decode() of %s = %+v, %v; want something in it", s, d, err)
		}
	}
}
