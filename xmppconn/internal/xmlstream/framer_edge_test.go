package xmlstream_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// endless is a stream that repeats the same bytes until so many were read.
type endless struct {
	head, body string
	at, left   int // in the body, and bytes of it that are still to come
}

func (e *endless) Read(p []byte) (n int, err error) {
	if n = copy(p, e.head); n > 0 {
		e.head = e.head[n:]
		return n, nil
	}
	for n < len(p) && e.left > 0 {
		k := copy(p[n:], e.body[e.at:min(len(e.body), e.at+e.left)])
		n, e.left, e.at = n+k, e.left-k, (e.at+k)%len(e.body)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestSkippedStanzaEdge: a stanza that is skipped may have 16 MiB; then the stream ends.
func TestSkippedStanzaEdge(t *testing.T) {
	const head = "<message><body>"
	for _, tt := range []struct {
		bytes int
		ends  bool
	}{{16<<20 - 1024, false}, {16<<20 + 1024, true}} {
		f := xmlstream.NewFramer(&endless{head: streamtest.Header + head, body: strings.Repeat("x", 4096), left: tt.bytes - len(head)}, xmlstream.DefaultLimits())
		var err error
		for err == nil {
			var fr xmlstream.Frame
			if fr, err = f.Next(); err == nil {
				fr.Release()
			}
		}
		if ends := streamtest.Condition(err) == "policy-violation"; ends != tt.ends {
			t.Errorf("after %d bytes: %v, want the end of the stream for it: %v", tt.bytes, err, tt.ends)
		}
	}
}

// TestLargeAnswerEdge: the answer to our own roster request may have 64 MiB.
func TestLargeAnswerEdge(t *testing.T) {
	const head = "<iq type='result' id='r'><query xmlns='" + nsRoster + "'>"
	item := "<item jid='a@b' name='" + strings.Repeat("n", 8192-len("<item jid='a@b' name=''/>")) + "'/>"
	for _, tt := range []struct {
		bytes   int
		skipped bool
	}{{64<<20 - 1<<20, false}, {64<<20 + 1<<20, true}} {
		f := xmlstream.NewFramer(&endless{head: streamtest.Header + head, body: item, left: tt.bytes}, xmlstream.DefaultLimits())
		f.TakesLarge = func(*xmlstream.Skipped) bool { return true }
		skippedIt := false
		f.Skipping = func(s *xmlstream.Skipped) { skippedIt = skippedIt || s.Reason == "too_large" }
		for {
			fr, err := f.Next()
			if err != nil {
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("an answer of %d bytes: %v, want it read to its end", tt.bytes, err)
				}
				break
			}
			fr.Release()
		}
		if skippedIt != tt.skipped {
			t.Errorf("an answer of %d bytes is skipped: %v, want %v", tt.bytes, skippedIt, tt.skipped)
		}
	}
}

// TestEmptyReadsEdge: a reader may give nothing a hundred times in a row.
func TestEmptyReadsEdge(t *testing.T) {
	if err := xmlstream.EmptyReads(100); err != nil {
		t.Errorf("100 empty reads: got error %v, want none", err)
	}
	if err := xmlstream.EmptyReads(101); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("101 empty reads: got %v, want %v", err, io.ErrNoProgress)
	}
}
