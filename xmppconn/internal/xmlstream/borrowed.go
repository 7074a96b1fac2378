package xmlstream

import (
	"iter"
	"strings"
)

// Borrowed is an element of a tree that lies in a buffer of the framer: it is valid inside of
// the call of [Frame.Borrow] that lends it, and nothing of it may be kept. That is what the
// type is for: its texts are no strings, and become one only as a copy. All methods take nil
// for an element that is not there.
type Borrowed Element

// Text is a text of a borrowed tree.
type Text struct{ s string }

// Copy returns the text as a string that may be kept.
func (t Text) Copy() string { return strings.Clone(t.s) }

// Peek returns the text as it lies in the buffer: for a comparison or a parser that keeps
// nothing of it.
func (t Text) Peek() string { return t.s }

// Is reports whether the text is s.
func (t Text) Is(s string) bool { return t.s == s }

// Empty reports whether there is no text.
func (t Text) Empty() bool { return t.s == "" }

// Is reports whether e is there and has this name.
func (e *Borrowed) Is(space, local string) bool { return (*Element)(e).Is(space, local) }

// Space is the namespace of the name.
func (e *Borrowed) Space() Text { return Text{(*Element)(e).Space()} }

// Local is the name without its namespace.
func (e *Borrowed) Local() Text { return Text{(*Element)(e).Local()} }

// Children are the elements directly inside, in their order.
func (e *Borrowed) Children() iter.Seq[*Borrowed] {
	return func(yield func(*Borrowed) bool) {
		if e == nil {
			return
		}
		for _, c := range e.children {
			if !yield((*Borrowed)(c)) {
				return
			}
		}
	}
}

// Count is how many Children there are.
func (e *Borrowed) Count() int { return len((*Element)(e).Children()) }

// Child returns the first child with this name, or nil.
func (e *Borrowed) Child(space, local string) *Borrowed {
	return (*Borrowed)((*Element)(e).Child(space, local))
}

// Attr returns the value of an attribute without namespace; it is empty when there is none.
func (e *Borrowed) Attr(local string) Text { return Text{(*Element)(e).Attr(local)} }

// Lang returns xml:lang, and whether the element states it.
func (e *Borrowed) Lang() (Text, bool) {
	lang, stated := (*Element)(e).attrNS(nsXML, "lang")
	return Text{lang}, stated
}

// Text returns the character data directly inside, joined.
func (e *Borrowed) Text() Text { return Text{(*Element)(e).Text()} }

// InnerText is Text without white space around it.
func (e *Borrowed) InnerText() Text { return Text{(*Element)(e).InnerText()} }

// ChildText returns the text of the first child with this name; it is empty when there is none.
func (e *Borrowed) ChildText(space, local string) Text { return e.Child(space, local).Text() }
