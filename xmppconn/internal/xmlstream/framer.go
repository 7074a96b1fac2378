package xmlstream

import (
	"errors"
	"io"
	"os"

	"github.com/perch-im/perch"
)

// Limits bound what one stanza may cost. All of them count from the stanza itself: the
// stream header is outside.
type Limits struct {
	Stanza int // bytes of a stanza that is kept; a longer one is skipped
	Depth  int // levels of elements, the stanza being the first
	Attrs  int // attributes of one element
	Hard   int // bytes of a skipped stanza, at which the stream ends
	Answer int // bytes of an answer that is taken in parts
}

// DefaultLimits are those of docs/operations.md.
func DefaultLimits() Limits {
	return Limits{Stanza: 1 << 20, Depth: 32, Attrs: 64, Hard: 16 << 20, Answer: 64 << 20}
}

// Framer cuts a byte stream into frames. It looks only at tags and quotes: names, entities
// and characters are for the parser, which sees every frame that is not skipped. Depth and
// quotes are all that a boundary depends on, so both always agree on where a stanza ends.
//
// It is used by one goroutine, and holds a buffer only while a stanza is in it. The exported
// fields may be changed between two calls of Next.
type Framer struct {
	Limits Limits
	// TakesLarge reports whether a stanza over the limit may be taken in parts. Nil: none may.
	// It is called from Next.
	TakesLarge func(*Skipped) bool
	// Skipping is called from Next, with a stanza as soon as it begins to be skipped.
	Skipping func(*Skipped)

	r     io.Reader
	scan  scanner
	ns    *nsContext // of the stream header; nil before it
	root  string     // name of the stream header as written
	in    input
	tree  *parser // of the frame that was handed out last, when it was parsed to find its end
	tried int     // bytes that were there when the current stanza was tried to be parsed
	skip  *Skipped
	large *largeAnswer // the stanza is an answer that is taken in parts
	total int          // bytes of the skipped stanza that are no longer in the buffer
	seq   uint64
	ended bool  // </stream:stream> was seen
	close bool  // the header was <stream:stream/>: the end comes next
	err   error // the first error; it stays
}

// NewFramer reads a stream, from its header on.
func NewFramer(r io.Reader, limits Limits) *Framer { return &Framer{Limits: limits, r: r} }

// Next returns the next frame. Errors are *Error for bytes that are not XMPP,
// io.EOF at an end between stanzas, io.ErrUnexpectedEOF within one, or the reader's own. All
// of them stay, but for a deadline that has passed: with another one the next call reads on.
func (f *Framer) Next() (fr Frame, _ error) {
	f.consume()
	for f.err == nil {
		if f.close {
			f.close, f.ended = false, true
			return f.frame(KindEnd), nil
		}
		if f.ended {
			f.err = io.EOF
			break
		}
		if f.whole(&fr) {
			return fr, nil
		}
		found, err := f.scan.run(f.in.bytes(), f.ns == nil, &f.Limits)
		ok := false
		switch {
		case err != nil:
		case found == nothing && f.large == nil:
			err = f.readMore()
		default:
			fr, ok, err = f.handOut(found)
		}
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return Frame{}, err // nothing is lost: the next call reads on
			}
			f.err = err
			break
		}
		if ok {
			return fr, nil
		}
	}
	f.in.free()
	f.scan.restart()
	return Frame{}, f.err
}

// Reset starts a new stream on r (after STARTTLS or SASL) and forgets everything that was
// buffered: bytes that arrived before TLS must never count as bytes inside of it.
func (f *Framer) Reset(r io.Reader) {
	f.dropTree()
	f.in.free()
	*f = Framer{Limits: f.Limits, TakesLarge: f.TakesLarge, Skipping: f.Skipping, r: r, seq: f.seq + 1}
}

// Idle reports whether there is nothing but the next stanza to wait for: no byte was read of it.
func (f *Framer) Idle() bool { return f.in.buf == nil }

// Buffered returns how many bytes were read but not handed out yet.
func (f *Framer) Buffered() int {
	if f.scan.done {
		return len(f.in.bytes()) - f.scan.pos
	}
	return len(f.in.bytes())
}

func (f *Framer) frame(kind Kind) Frame {
	return Frame{Kind: kind, ns: f.ns, owner: f, seq: f.seq}
}

// consume drops what the last frame was made of.
func (f *Framer) consume() {
	if !f.scan.done {
		return
	}
	f.seq++
	f.dropTree()
	f.in.drop(f.scan.pos)
	f.scan.restart()
	f.skip, f.large, f.total, f.tried = nil, nil, 0, 0
}

// handOut turns what the scanner found into a frame. Ok is false when there is none yet.
func (f *Framer) handOut(found found) (_ Frame, ok bool, _ error) {
	switch found {
	case nothing:
		fr, ok, err := f.nextPart()
		if err == nil && !ok {
			err = f.readMore()
		}
		return fr, ok, err
	case foundHeader:
		fr, err := f.headerFrame()
		return fr, err == nil, err
	case foundEnd:
		if !f.isEnd(f.in.bytes()[f.scan.start:f.scan.pos]) {
			return Frame{}, false, notWellFormed("end tag does not match the stream header")
		}
		f.ended = true
		return f.frame(KindEnd), true, nil
	case foundTooManyAttrs:
		f.beginSkip(perch.DroppedMalformed)
		if f.scan.done {
			return f.elementFrame()
		}
	case foundTooDeep:
		f.beginSkip(perch.DroppedTooDeep)
	case foundElement:
		return f.elementFrame()
	}
	return Frame{}, false, nil
}

func (f *Framer) headerFrame() (Frame, error) {
	raw := f.in.bytes()[f.scan.start:f.scan.pos]
	if len(raw) > f.Limits.Stanza || f.scan.firstAttrs > f.Limits.Attrs {
		return Frame{}, &Error{Condition: "policy-violation", Detail: "stream header too large"}
	}
	h, name, err := parseHeader(raw)
	if err != nil {
		return Frame{}, err
	}
	f.ns, f.root, f.close = h.ns, name, f.scan.empty
	fr := f.frame(KindHeader)
	fr.Header = h
	return fr, nil
}

// isEnd compares an end tag with the header, white space before the > aside.
func (f *Framer) isEnd(tag []byte) bool {
	name := tag[2 : len(tag)-1]
	for len(name) > 0 && isSpace(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	return string(name) == f.root
}

func (f *Framer) elementFrame() (Frame, bool, error) {
	raw := f.in.bytes()[f.scan.start:f.scan.pos]
	if len(raw) > f.Limits.Stanza && f.large == nil && f.skip == nil {
		if f.beginParts() {
			return Frame{}, false, nil
		}
		f.beginSkip(perch.DroppedTooLarge)
	}
	if f.skip != nil {
		if f.total+len(raw) > f.Limits.Hard {
			return Frame{}, false, f.errTooLong()
		}
		fr := f.frame(KindSkipped)
		fr.Skipped = f.skip
		return fr, true, nil
	}
	if f.large != nil {
		fr, err := f.makePart(KindLastPart, f.scan.pos)
		return fr, err == nil, err
	}
	fr := f.frame(KindElement)
	fr.Raw, fr.Local = raw, localName(raw)
	return fr, true, nil
}

func (f *Framer) errTooLong() error {
	return &Error{Condition: "policy-violation", Detail: "stanza too long"}
}

// beginSkip remembers what can be said about the stanza while its start tag is here. The
// first reason stays.
func (f *Framer) beginSkip(reason string) {
	if f.skip != nil {
		return
	}
	f.skip = f.describe()
	f.skip.Reason = reason
	if f.Skipping != nil {
		f.Skipping(f.skip)
	}
}

// describe says what is known of the current stanza.
func (f *Framer) describe() *Skipped {
	if f.large != nil {
		s := f.large.about // its start tag may be gone
		return &s
	}
	s := &Skipped{}
	if n := f.scan.first; n > 0 && n <= f.Limits.Stanza && f.scan.firstAttrs <= f.Limits.Attrs {
		s.describe(f.in.bytes()[f.scan.start:f.scan.pos], n, f.ns)
	}
	return s
}

// readMore makes room and reads. Between stanzas it holds no buffer while it waits.
func (f *Framer) readMore() error {
	switch {
	case f.ns == nil && len(f.in.bytes()) > f.Limits.Stanza:
		return &Error{Condition: "policy-violation", Detail: "stream header too large"}
	case f.scan.pos-f.scan.start > f.Limits.Stanza && f.skip == nil:
		if f.beginParts() {
			return nil // it is scanned once more, for the places to cut it at
		}
		f.beginSkip(perch.DroppedTooLarge)
	}
	if f.skip != nil {
		f.total += f.scan.pos - f.scan.start
		if f.total > f.Limits.Hard {
			return f.errTooLong()
		}
		f.in.clear()
		f.scan.shift(f.scan.pos)
	} else {
		n := f.scan.start
		f.in.drop(n)
		f.scan.shift(n)
	}
	err := f.in.read(f.r, f.Limits.Stanza, f.scan.between())
	if errors.Is(err, io.EOF) && !f.scan.between() {
		return io.ErrUnexpectedEOF
	}
	return err
}
