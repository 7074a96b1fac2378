package xmppconn

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/perch-im/perch"
)

// limits bound what one stanza may cost. All of them count from the stanza itself: the
// stream header is outside.
type limits struct {
	stanza int // bytes of a stanza that is kept; a longer one is skipped
	depth  int // levels of elements, the stanza being the first
	attrs  int // attributes of one element
	hard   int // bytes of a skipped stanza, at which the stream ends
	answer int // bytes of an answer that is taken in parts
}

var defaultLimits = limits{stanza: 1 << 20, depth: 32, attrs: 64, hard: 16 << 20, answer: 64 << 20}

type frameKind uint8

const (
	frameHeader   frameKind = iota + 1 // the <stream:stream> start tag
	frameElement                       // a whole child of the stream, in any namespace
	frameEnd                           // </stream:stream>; after it next returns io.EOF
	frameSkipped                       // a stanza over a limit; still one stanza for XEP-0198
	framePart                          // a part of a large answer, made an IQ of its own
	frameLastPart                      // the same, and with it the stanza is over
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
	seq     uint64
}

// skipped says what was left out and why. Space, local, from and id are empty when the
// start tag itself was too long or wrong.
type skipped struct {
	reason       string // too_large, too_deep or malformed (too many attributes)
	space, local string
	from         perch.JID
	id, typ      string
	told         bool // the request that it answers has failed already
	counted      bool // it was counted already (XEP-0198)

	archived *mamResult // the message brings an archived one, as far as its beginning says
}

// framingError ends a stream; condition is the stream error of RFC 6120, 4.9.3 to send.
type framingError struct {
	condition string
	detail    string
	more      string // an application's own condition beside it (RFC 6120, 4.9.4), as XML
}

func (e *framingError) Error() string { return "xmpp stream: " + e.condition + ": " + e.detail }

func notWellFormed(detail string) error {
	return &framingError{condition: "not-well-formed", detail: detail}
}
func restricted(detail string) error {
	return &framingError{condition: "restricted-xml", detail: detail}
}

// framer cuts a byte stream into frames. It looks only at tags and quotes: names, entities
// and characters are for the parser, which sees every frame that is not skipped. Depth and
// quotes are all that a boundary depends on, so both always agree on where a stanza ends.
//
// It is used by one goroutine, and holds a buffer only while a stanza is in it.
type framer struct {
	r     io.Reader
	lim   limits
	scan  scanner
	ns    *nsContext // of the stream header; nil before it
	root  string     // name of the stream header as written
	in    input
	skip  *skipped
	large *largeAnswer // the stanza is an answer that is taken in parts
	total int          // bytes of the skipped stanza that are gone from the buffer
	seq   uint64
	ended bool  // </stream:stream> was seen
	close bool  // the header was <stream:stream/>: the end comes next
	err   error // the first error; it stays

	// The reader of a connection sets these two; both are called from next.
	takesLarge func(*skipped) bool // reports whether a stanza over the limit may be taken in parts
	skipping   func(*skipped)      // a stanza begins to be skipped
}

// newFramer reads a stream, from its header on.
func newFramer(r io.Reader, lim limits) *framer { return &framer{r: r, lim: lim} }

// next returns the next frame. Errors are *framingError for bytes that are not XMPP,
// io.EOF at an end between stanzas, io.ErrUnexpectedEOF within one, or the reader's own. All
// of them stay, but for a deadline that has passed: with another one the next call reads on.
func (f *framer) next() (frame, error) {
	f.consume()
	for f.err == nil {
		if f.close {
			f.close, f.ended = false, true
			return f.frame(frameEnd), nil
		}
		if f.ended {
			f.err = io.EOF
			break
		}
		found, err := f.scan.run(f.in.bytes(), f.ns == nil, &f.lim)
		if err != nil {
			f.err = err
			break
		}
		fr, ok, err := f.take(found)
		if err == nil && !ok && found == nothing {
			if fr, ok, err = f.part(); err == nil && !ok {
				err = f.more()
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return frame{}, err // nothing is lost: the next call reads on
		}
		if err != nil {
			f.err = err
			break
		}
		if ok {
			return fr, nil
		}
	}
	f.in.free()
	f.scan.restart()
	return frame{}, f.err
}

// reset starts a new stream on r (after STARTTLS or SASL) and forgets everything that was
// buffered: bytes that arrived before TLS must never count as bytes inside of it.
func (f *framer) reset(r io.Reader) {
	f.in.free()
	*f = framer{r: r, lim: f.lim, seq: f.seq + 1, takesLarge: f.takesLarge, skipping: f.skipping}
}

// idle says that there is nothing but the next stanza to wait for: no byte was read of it.
func (f *framer) idle() bool { return f.in.buf == nil }

// buffered returns how many bytes were read but not handed out yet.
func (f *framer) buffered() int {
	if f.scan.done {
		return len(f.in.bytes()) - f.scan.pos
	}
	return len(f.in.bytes())
}

// release gives the buffer back. It may be called twice; next calls it too.
func (f *frame) release() {
	if f.owner != nil && f.seq == f.owner.seq {
		f.owner.consume()
	}
	f.raw = nil
}

// parse turns an element frame into a tree that stays valid after release.
func (f *frame) parse() (*element, error) { return parseElement(f.raw, *f.ns) }

func (f *framer) frame(kind frameKind) frame {
	return frame{kind: kind, ns: f.ns, owner: f, seq: f.seq}
}

// consume drops what the last frame was made of.
func (f *framer) consume() {
	if !f.scan.done {
		return
	}
	f.seq++
	f.in.drop(f.scan.pos)
	f.scan.restart()
	f.skip, f.large, f.total = nil, nil, 0
}

// take turns what the scanner found into a frame. Ok is false when there is none yet.
func (f *framer) take(found found) (frame, bool, error) {
	switch found {
	case foundHeader:
		fr, err := f.takeHeader()
		return fr, err == nil, err
	case foundEnd:
		if !f.isEnd(f.in.bytes()[f.scan.start:f.scan.pos]) {
			return frame{}, false, notWellFormed("the end tag does not match the stream header")
		}
		f.ended = true
		return f.frame(frameEnd), true, nil
	case foundTooRich:
		f.beginSkip(perch.DroppedMalformed)
		if f.scan.done {
			return f.takeElement()
		}
	case foundTooDeep:
		f.beginSkip(perch.DroppedTooDeep)
	case foundElement:
		return f.takeElement()
	}
	return frame{}, false, nil
}

func (f *framer) takeHeader() (frame, error) {
	raw := f.in.bytes()[f.scan.start:f.scan.pos]
	if len(raw) > f.lim.stanza || f.scan.firstAttrs > f.lim.attrs {
		return frame{}, &framingError{condition: "policy-violation", detail: "the stream header is too large"}
	}
	h, name, err := parseHeader(raw)
	if err != nil {
		return frame{}, err
	}
	f.ns, f.root, f.close = h.ns.shared(), strings.Clone(name), f.scan.empty
	if name == usualRoot {
		f.root = usualRoot
	}
	fr := f.frame(frameHeader)
	fr.header = h
	return fr, nil
}

// isEnd compares an end tag with the header, white space before the > aside.
func (f *framer) isEnd(tag []byte) bool {
	name := tag[2 : len(tag)-1]
	for len(name) > 0 && isSpace(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	return string(name) == f.root
}

func (f *framer) takeElement() (frame, bool, error) {
	raw := f.in.bytes()[f.scan.start:f.scan.pos]
	if len(raw) > f.lim.stanza && f.large == nil && f.skip == nil {
		if f.beginParts() {
			return frame{}, false, nil
		}
		f.beginSkip(perch.DroppedTooLarge)
	}
	if f.skip != nil {
		if f.total+len(raw) > f.lim.hard {
			return frame{}, false, f.tooMuch()
		}
		fr := f.frame(frameSkipped)
		fr.skipped = f.skip
		return fr, true, nil
	}
	if f.large != nil {
		fr, err := f.makePart(frameLastPart, f.scan.pos)
		return fr, err == nil, err
	}
	fr := f.frame(frameElement)
	fr.raw, fr.local = raw, localName(raw)
	return fr, true, nil
}

func (f *framer) tooMuch() error {
	return &framingError{condition: "policy-violation", detail: "a stanza is longer than the stream allows"}
}

// beginSkip remembers what can be said about the stanza while its start tag is here. The
// first reason stays.
func (f *framer) beginSkip(reason string) {
	if f.skip != nil {
		return
	}
	f.skip = f.describe()
	f.skip.reason = reason
	if f.skipping != nil {
		f.skipping(f.skip)
	}
}

// describe says what is known of the current stanza.
func (f *framer) describe() *skipped {
	if f.large != nil {
		s := f.large.about // its start tag may be gone
		return &s
	}
	s := &skipped{}
	if n := f.scan.first; n > 0 && n <= f.lim.stanza && f.scan.firstAttrs <= f.lim.attrs {
		describe(s, f.in.bytes()[f.scan.start:][:n], *f.ns)
		if s.local == "message" {
			s.archived = archivedHead(f.in.bytes()[f.scan.start:f.scan.pos], *f.ns)
		}
	}
	return s
}

// describe fills in the name and sender from a start tag, as far as it is sound.
func describe(s *skipped, tag []byte, ns nsContext) {
	p := newParser(string(tag), ns)
	if _, err := p.startTag(); err != nil {
		return
	}
	el := p.root
	s.space, s.local, s.from, s.id = el.space, el.local, perch.JID(el.attr("from")), el.attr("id")
	s.typ = el.attr("type")
}

// more makes room and reads. Between stanzas it holds no buffer while it waits.
func (f *framer) more() error {
	switch {
	case f.ns == nil && len(f.in.bytes()) > f.lim.stanza:
		return &framingError{condition: "policy-violation", detail: "the stream header is too large"}
	case f.scan.pos-f.scan.start > f.lim.stanza && f.skip == nil:
		if f.beginParts() {
			return nil // it is scanned once more, for the places to cut it at
		}
		f.beginSkip(perch.DroppedTooLarge)
	}
	if f.skip != nil {
		f.total += f.scan.pos - f.scan.start
		if f.total > f.lim.hard {
			return f.tooMuch()
		}
		f.in.clear()
		f.scan.shift(f.scan.pos)
	} else {
		n := f.scan.start
		f.in.drop(n)
		f.scan.shift(n)
	}
	err := f.in.read(f.r, f.lim.stanza, f.scan.between())
	if errors.Is(err, io.EOF) && !f.scan.between() {
		return io.ErrUnexpectedEOF
	}
	return err
}
