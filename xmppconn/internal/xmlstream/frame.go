package xmlstream

import (
	"bytes"

	"github.com/perch-im/perch"
)

// Kind is the kind of a frame.
type Kind uint8

// The kinds.
const (
	KindHeader   Kind = iota + 1 // the <stream:stream> start tag
	KindElement                  // a whole child of the stream, in any namespace
	KindEnd                      // </stream:stream>; after it Next returns io.EOF
	KindSkipped                  // a stanza over a limit; still one stanza for XEP-0198
	KindPart                     // a part of a large answer, made an IQ of its own
	KindLastPart                 // the same, and with it the stanza is over
)

// Frame is one thing on the stream. Raw, and nothing else in it, is a view of a borrowed
// buffer: it is valid until Release or the next call of Next.
type Frame struct {
	Kind    Kind
	Raw     []byte   // KindElement: the element from < to >
	Local   string   // KindElement: name as written, without its prefix
	Header  *Header  // KindHeader
	Skipped *Skipped // KindSkipped

	ns    *nsContext // what the stream header declares
	owner *Framer
	seq   uint64
}

// Release gives the buffer back. It may be called twice; Next calls it too.
func (f *Frame) Release() {
	if f.owner != nil && f.seq == f.owner.seq {
		f.owner.consume()
	}
	f.Raw = nil
}

// Parse turns an element into a tree that stays valid after Release. The error is an *Error.
func (f *Frame) Parse() (*Element, error) {
	return parseOwned(string(f.Raw), f.ns)
}

// Borrow parses an element without copying and lends the tree to use, which must not keep
// anything of it. The error is an *Error; use is not called then.
func (f *Frame) Borrow(use func(*Borrowed)) error {
	if o := f.owner; o != nil && o.tree != nil && f.seq == o.seq {
		use(o.tree.root.Borrowed())
		return nil
	}
	p := borrowParser(f.Raw, f.ns)
	defer p.giveBack()
	if err := p.document(); err != nil {
		return err
	}
	use(p.root.Borrowed())
	return nil
}

// Lang is the xml:lang of the stream: the language of what states none of its own.
func (f *Frame) Lang() string { return f.ns.lang }

// Own returns the frame with a copy of its bytes, which stays valid.
func (f *Frame) Own() Frame {
	own := *f
	own.Raw, own.owner = bytes.Clone(f.Raw), nil
	return own
}

// Describe says what can be said of an element that may not even have a sound start tag, for
// one that is left out.
func (f *Frame) Describe(reason string) *Skipped {
	s := &Skipped{Reason: reason, Local: f.Local}
	if f.Kind == KindElement || f.Kind == KindPart || f.Kind == KindLastPart {
		defer func() { _ = recover() }() // what could not be taken may have met a fault of the parser
		s.describe(f.Raw, len(f.Raw), f.ns)
	}
	return s
}

// Skipped says what was left out and why. Space, Local, From and ID are empty when the start
// tag itself was too long or wrong.
type Skipped struct {
	Reason       string // perch.DroppedTooLarge, DroppedTooDeep or DroppedMalformed (too many attributes)
	Space, Local string
	From         perch.JID
	ID, Type     string
	Head         *Element // the beginning, as far as it is sound; nil: not even the start tag is

	Answered bool // the request that it answers has failed already
	Counted  bool // it was counted already (XEP-0198)
}

// describe fills in the name, the sender and the beginning of a stanza, of which raw is what
// is there and tag the length of the start tag, or more.
func (s *Skipped) describe(raw []byte, tag int, ns *nsContext) {
	p := newParser(string(raw[:tag]), ns)
	el, _, err := p.startTag()
	if err != nil {
		return
	}
	s.Space, s.Local, s.From, s.ID = el.space, el.local, perch.JID(el.Attr("from")), el.Attr("id")
	s.Type = el.Attr("type")
	s.Head = parseHead(raw[:min(len(raw), maxHead)], ns)
}
