package xmlstream

import "strings"

// What the tests of this package look into from outside.

// Attribute is an attribute of an element.
type Attribute struct{ Space, Local, Value string }

// Attributes are all attributes of an element.
func (e *Element) Attributes() (all []Attribute) {
	for _, a := range e.attrs {
		all = append(all, Attribute{a.space, a.local, a.value})
	}
	return all
}

var clientNS = nsContext{def: NSClient, bindings: []nsBinding{{"stream", NSStream}}}

// ParseOwned parses an element, whatever comes, in the namespaces of a client's stream.
func ParseOwned(raw []byte) (*Element, error) {
	f := Frame{Raw: raw, ns: &clientNS}
	return f.Parse()
}

// ParseBorrowed is ParseOwned for a tree that is lent.
func ParseBorrowed(raw []byte, use func(*Borrowed)) error {
	f := Frame{Raw: raw, ns: &clientNS}
	return f.Borrow(use)
}

// ParseWithoutContext is ParseBorrowed where no namespace is declared.
func ParseWithoutContext(raw []byte, use func(*Borrowed)) error {
	f := Frame{Raw: raw, ns: &nsContext{}}
	return f.Borrow(use)
}

// ParseHead parses what may end anywhere.
func ParseHead(raw []byte) *Element { return parseHead(raw, &clientNS) }

// Owned is the tree that a borrowed one lies in.
func (e *Borrowed) Owned() *Element { return (*Element)(e) }

// Buffer is the size of the buffer that a framer holds; ok is false when it holds none.
func (f *Framer) Buffer() (size int, ok bool) { return cap(f.in.buf), f.in.buf != nil }

// SmallBuffer is the size of the buffer for a usual stanza.
const SmallBuffer = smallBuffer

// Lang and Default are what a stream header declares.
func (h *Header) Lang() string    { return h.ns.lang }
func (h *Header) Default() string { return h.ns.def }

// EmptyReads notes n reads in a row that gave nothing, and returns the error of the last.
func EmptyReads(n int) (err error) {
	in := &input{}
	for range n {
		err = in.noteRead(0, nil)
	}
	return err
}

// IsText reports whether XML can carry a text.
func IsText(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return !isChar(r) }) < 0 }

// SkipPlain passes over text of ASCII, eight bytes at a time.
func SkipPlain(s string, also byte) int { return skipPlain(s, 0, also) }
