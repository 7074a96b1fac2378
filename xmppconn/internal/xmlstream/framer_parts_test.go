package xmlstream_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// inParts reads the first stanza of a stream whose limit makes it a large answer, and what is
// in its payload.
func inParts(stream string, n, limit int) (children []*node, skipped bool, err error) {
	limits := fuzzLimits
	limits.Stanza, limits.Answer = limit, 1<<30
	f := xmlstream.NewFramer(streamtest.Chunks(stream, n), limits)
	f.TakesLarge = func(*xmlstream.Skipped) bool { return true }
	for {
		fr, err := f.Next()
		if err != nil {
			return children, false, err
		}
		switch fr.Kind {
		case xmlstream.KindSkipped, xmlstream.KindEnd:
			return children, true, nil
		case xmlstream.KindElement, xmlstream.KindPart, xmlstream.KindLastPart:
			el, err := fr.Parse()
			if err != nil {
				return children, false, err
			}
			if payloads := el.Children(); len(payloads) > 0 {
				children = append(children, treeOf(payloads[0]).Children...)
			}
			if fr.Kind != xmlstream.KindPart {
				return children, false, nil
			}
		}
	}
}

// FuzzLargeAnswer compares an answer that is taken in parts with the same one as a whole.
func FuzzLargeAnswer(f *testing.F) {
	open := "<iq type='result' id='r'><query xmlns='" + nsRoster + "' ver='v'>"
	for _, s := range []string{
		open + streamtest.RosterItems(4) + "</query></iq>",
		open + "<item jid='a@b'/>x<![CDATA[</query>]]><item jid='a@b' name='>'><group>g</group></item></query><x><y/></x></iq>",
		"<iq id='r' type='result'><foo/><query xmlns='" + nsRoster + "'><item jid='a@b'/></query></iq>",
		"<p:iq xmlns:p='jabber:client' xmlns:q='" + nsRoster + "' id='r' type='result'>&amp;<q:query ><q:item jid='a@b' /></q:query ></p:iq>",
		open + "<item jid='a@b'></iten></query></iq>", open + "<item jid='&bogus;'/></query></iq>", open + "</query></iq>",
		"<iq type='result' id='r'/>", open + "<item jid='a@b'/><a:b/></query></iq>", "<iq><a></b></iq>",
	} {
		f.Add(s, 7, 64)
		f.Add(s, 0, 1)
	}
	f.Fuzz(func(t *testing.T, stanza string, n, limit int) {
		stream := streamtest.Header + stanza
		n, limit = (n&0x7fffffff)%70, len(streamtest.Header)+(limit&0x7fffffff)%300
		whole, wholeSkipped, wholeErr := inParts(stream, 0, 1<<30)
		parts, skipped, err := inParts(stream, n, limit)
		switch {
		case skipped: // one child is over the limit
		case wholeErr != nil:
			if err == nil {
				t.Fatalf("in parts got %d children, want the error of the whole, %v", len(parts), wholeErr)
			}
		case wholeSkipped || err != nil:
			t.Fatalf("in parts got %v, want the %d children of the whole", err, len(whole))
		default:
			if diff := cmp.Diff(whole, parts); diff != "" {
				t.Fatalf("in parts, -want (the whole) +got:\n%s", diff)
			}
		}
	})
}

// TestLargeAnswerHeadEdge: the start tags of a large answer may have 4 KiB.
func TestLargeAnswerHeadEdge(t *testing.T) {
	for _, tt := range []struct {
		head  int
		taken bool
	}{{4095, true}, {4097, false}} {
		open := "<iq type='result' id='r'><query xmlns='" + nsRoster + "' ver=''>"
		open = strings.Replace(open, "ver=''", "ver='"+strings.Repeat("v", tt.head-len(open))+"'", 1)
		children, skipped, err := inParts(streamtest.Header+open+streamtest.RosterItems(2000)+"</query></iq>", 0, 10_000)
		if taken := !skipped && err == nil && len(children) == 2000; taken != tt.taken {
			t.Errorf("start tags of %d bytes: got %d items, skipped %v, %v; want it taken: %v", tt.head, len(children), skipped, err, tt.taken)
		}
	}
}
