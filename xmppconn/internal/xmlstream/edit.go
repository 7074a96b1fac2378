package xmlstream

import (
	"slices"
	"strings"
)

// NewElement is an element with a text, to be written by Writer.Tree.
func NewElement(space, local, text string) *Element {
	return &Element{space: space, local: local, text: text}
}

// With is e with an attribute of this value, or without it when the value is empty. E stays as it is.
func (e *Element) With(local, value string) *Element {
	c := *e
	c.attrs = slices.DeleteFunc(slices.Clone(e.attrs), func(a attr) bool { return a.space == "" && a.local == local })
	if value != "" {
		c.attrs = append(c.attrs, attr{local: local, value: value})
	}
	return &c
}

// WithAttrsOf is e with the attributes of another element behind its own.
func (e *Element) WithAttrsOf(other *Element) *Element {
	c := *e
	c.attrs = slices.Clone(e.attrs)
	for _, a := range other.attrs {
		if _, has := e.attrNS(a.space, a.local); !has {
			c.attrs = append(c.attrs, a)
		}
	}
	return &c
}

// Holding is e with these children, behind all of its text. E stays as it is.
func (e *Element) Holding(children []*Element) *Element {
	c := *e
	c.children, c.mixed = children, nil
	return &c
}

// Plain reports whether e has no attribute.
func (e *Element) Plain() bool { return e == nil || len(e.attrs) == 0 }

// Clone is a copy of a borrowed tree that may be kept.
func (e *Borrowed) Clone() *Element {
	if e == nil {
		return nil
	}
	c := &Element{space: strings.Clone(e.space), local: strings.Clone(e.local), text: strings.Clone(e.text)}
	for _, a := range e.attrs {
		c.attrs = append(c.attrs, attr{strings.Clone(a.space), strings.Clone(a.local), strings.Clone(a.value)})
	}
	for _, child := range e.children {
		c.children = append(c.children, (*Borrowed)(child).Clone())
	}
	if e.mixed != nil {
		c.mixed = &mixture{slices.Clone(e.mixed.pieces)}
	}
	return c
}

// OtherAttr names an attribute that is none of these; one in a namespace counts, except xml:lang. "":
// there is none.
func (e *Element) OtherAttr(names ...string) string {
	for _, a := range e.attrs {
		lang := a.space == nsXML && a.local == "lang"
		if !lang && (a.space != "" || !slices.Contains(names, a.local)) {
			return a.local
		}
	}
	return ""
}
