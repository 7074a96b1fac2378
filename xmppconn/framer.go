package xmppconn

import (
	"io"

	"github.com/perch-im/perch"
)

// limits bound what one stanza may cost. All of them count from the stanza itself: the
// stream header is outside.
type limits struct {
	stanza int // bytes of a stanza that is kept; a longer one is skipped
	depth  int // levels of elements, the stanza being the first
	attrs  int // attributes of one element
	hard   int // bytes of a skipped stanza, at which the stream ends
}

var defaultLimits = limits{stanza: 1 << 20, depth: 32, attrs: 64, hard: 16 << 20}

type frameKind uint8

const (
	frameHeader  frameKind = iota + 1 // the <stream:stream> start tag
	frameElement                      // a whole child of the stream, in any namespace
	frameEnd                          // </stream:stream>; after it next returns io.EOF
	frameSkipped                      // a stanza over a limit; still one stanza for XEP-0198
)

// frame is one thing on the stream. Raw, and nothing else in it, is a view of a borrowed
// buffer: it is valid until release or the next call of next.
type frame struct {
	kind    frameKind
	raw     []byte        // frameElement: the element from < to >
	local   string        // frameElement: name as written, without its prefix
	header  *streamHeader // frameHeader
	skipped *skipped      // frameSkipped
	ns      *nsContext    // what the stream header declares
	owner   *framer
}

// streamHeader is what the other side said in its <stream:stream> tag (RFC 6120, 4.7).
type streamHeader struct {
	from, to, id, version, lang string
	ns                          nsContext
}

// skipped says what was left out and why. Space, local, from and id are empty when the
// start tag itself was too long.
type skipped struct {
	reason       string // too_large, too_deep or malformed (too many attributes)
	space, local string
	from         perch.JID
	id           string
}

// framingError ends a stream; condition is the stream error of RFC 6120, 4.9.3 to send.
type framingError struct {
	condition string
	detail    string
}

func (e *framingError) Error() string { return "xmpp stream: " + e.condition + ": " + e.detail }

// framer cuts a byte stream into frames. It is used by one goroutine.
type framer struct {
	r   io.Reader
	lim limits
}

// newFramer reads a stream, from its header on.
func newFramer(r io.Reader, lim limits) *framer { return &framer{r: r, lim: lim} }

// next returns the next frame. Errors are *framingError for bytes that are not XMPP,
// io.EOF at an end between stanzas, io.ErrUnexpectedEOF within one, or the reader's own.
func (f *framer) next() (frame, error) { return frame{}, io.EOF }

// reset starts a new stream on r (after STARTTLS or SASL) and forgets everything that was
// buffered: bytes that arrived before TLS must never count as bytes inside of it.
func (f *framer) reset(r io.Reader) { *f = framer{r: r, lim: f.lim} }

// buffered returns how many bytes were read but not handed out yet.
func (f *framer) buffered() int { return 0 }

// release gives the buffer back. It may be called twice; next calls it too.
func (f *frame) release() {}

// parse turns an element frame into a tree that stays valid after release.
func (f *frame) parse() (*element, error) { return parseElement(f.raw, *f.ns) }
