package xmlstream

import (
	"strconv"

	"github.com/perch-im/perch"
)

// Parse parses a text that is one element and nothing else, in no namespace but those that it
// declares itself, within the levels and attributes of limits. The error is an *Error.
func Parse(text string, limits Limits) (*Element, error) {
	p := newParser(text, &nsContext{})
	p.limits = &limits
	if err := p.document(); err != nil {
		return nil, err
	}
	return p.root, nil
}

// Tree writes an element and everything in it, with the namespaces that it is in declared. Space is
// the default namespace of where it is written. What a parser reads of it is the same element; its
// prefixes and the quotes of its attributes are not kept. What it has been read from may be much shorter: a
// namespace that was declared once, and used by a prefix, is written with each element that is in it. So the
// error is of KindValidation when w has more bytes in the end than AtMost allows.
func (w *Writer) Tree(field string, e *Borrowed, space string) {
	w.tree(field, (*Element)(e), space)
	w.full(field)
}

// AtMost bounds what w has after a Tree; without it that is a stanza by DefaultLimits.
func (w *Writer) AtMost(n int) { w.most = n }

// full reports whether nothing more of a tree is written, and keeps the error.
func (w *Writer) full(field string) bool {
	most := w.most
	if most == 0 {
		most = DefaultLimits().Stanza
	}
	if len(w.b)-len(w.from) > most {
		w.Fail(perch.Invalid(field, "written anew, it must have at most %d bytes", most))
	}
	return w.err != nil
}

func (w *Writer) tree(field string, e *Element, space string) {
	if w.full(field) {
		return
	}
	w.Raw("<")
	w.Raw(e.local)
	if e.space != space {
		w.attribute(field, "xmlns", e.space)
	}
	for i := range e.attrs {
		if w.full(field) {
			return
		}
		w.namespaced(field, &e.attrs[i], i)
	}
	if e.text == "" && len(e.children) == 0 {
		w.Raw("/>")
		return
	}
	w.Raw(">")
	w.inside(field, e)
	w.Raw("</")
	w.Raw(e.local)
	w.Raw(">")
}

// inside writes text and children in their order.
func (w *Writer) inside(field string, e *Element) {
	var pieces []piece
	if e.mixed != nil {
		pieces = e.mixed.pieces
	}
	written, child := 0, 0
	for i := 0; ; i++ {
		end, until := len(e.text), len(e.children)
		if i < len(pieces) {
			end, until = int(pieces[i].from), int(pieces[i].children)
		}
		w.Text(field, e.text[written:end])
		for ; child < until; child++ {
			w.tree(field, e.children[child], e.space)
		}
		if written = end; i == len(pieces) {
			return
		}
	}
}

// namespaced writes an attribute that may be in a namespace: n makes its prefix one of its own.
func (w *Writer) namespaced(field string, a *attr, n int) {
	switch a.space {
	case "":
		w.attribute(field, a.local, a.value)
	case nsXML:
		w.attribute(field, "xml:"+a.local, a.value)
	default:
		prefix := "a" + strconv.Itoa(n)
		w.attribute(field, "xmlns:"+prefix, a.space)
		w.attribute(field, prefix+":"+a.local, a.value)
	}
}

// attribute is Attr for a value that may be empty.
func (w *Writer) attribute(field, name, value string) {
	w.Raw(" " + name + "='")
	w.escape(field, value, true)
	w.Raw("'")
}
