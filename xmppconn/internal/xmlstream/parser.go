package xmlstream

import (
	"strings"
	"sync"
	"unsafe"
)

const (
	// An element with more attributes is refused whatever the framer lets through: they
	// are compared with each other.
	maxAttrs = 256

	arenaElements, arenaAttrs, arenaChildren = 24, 48, 24
)

// parser turns the bytes of one element into a tree. All strings of the tree are views of
// src, but for those that had entities in them. Its slices are an arena: elements and
// attributes are cut from them and a new one is made when one is full, so that no element
// ever moves.
type parser struct {
	src  string
	pos  int
	ctx  nsContext
	def  string      // default namespace here
	ns   []nsBinding // declared in the element, the innermost last
	root *Element
	open []opened

	elements   []Element
	attrs      []attr
	childArena []*Element
	siblings   []*Element // finished children of the open elements
	tagAttrs   int        // where the attributes of the current tag begin in attrs
	scratch    []byte
}

// opened is an element whose end tag is still to come.
type opened struct {
	el       *Element
	name     string // as written
	def      string // default namespace outside
	ns       int
	siblings int
	more     []byte // text, when it comes in several pieces
}

// newParser makes a parser whose tree may be kept: its arena is cut to the size of src, which
// must not change.
func newParser(src string, ctx nsContext) *parser {
	n := min(arenaElements, 1+strings.Count(src, "<"))
	return &parser{
		src: src, ctx: ctx, def: ctx.def, elements: make([]Element, 0, n), childArena: make([]*Element, 0, n),
		attrs: make([]attr, 0, min(arenaAttrs, strings.Count(src, "="))),
	}
}

var parsers = sync.Pool{New: func() any {
	return &parser{
		open: make([]opened, 0, 8), elements: make([]Element, 0, arenaElements),
		attrs: make([]attr, 0, arenaAttrs), childArena: make([]*Element, 0, arenaChildren),
		siblings: make([]*Element, 0, 16), scratch: make([]byte, 0, 256),
	}
}}

// borrowParser parses without copying. The tree, and every string in it, is valid until
// giveBack and as long as raw: it is lent as a [Borrowed], whose texts leave it as copies.
func borrowParser(raw []byte, ctx nsContext) *parser {
	p := parsers.Get().(*parser)
	p.src, p.ctx, p.def = unsafe.String(unsafe.SliceData(raw), len(raw)), ctx, ctx.def //nolint:gosec // a view that giveBack ends
	return p
}

// giveBack ends the life of the tree. The arena is not cleared, which would cost as much as
// a third of the parsing: what is beyond its lengths is overwritten before it is read, and
// it points to nothing but pooled buffers. A parser of a long stanza, or one that had to
// grow far, is not kept.
func (p *parser) giveBack() {
	if len(p.src) > largeBuffer || cap(p.elements) > arenaElements || cap(p.attrs) > 2*maxAttrs ||
		cap(p.childArena) > 8*arenaChildren || cap(p.siblings) > 256 || cap(p.scratch) > smallBuffer ||
		cap(p.open) > 64 || cap(p.ns) > 64 {
		return
	}
	p.src, p.pos, p.ctx, p.def, p.root = "", 0, nsContext{}, "", nil
	p.open, p.ns, p.siblings = p.open[:0], p.ns[:0], p.siblings[:0]
	p.elements, p.attrs, p.childArena = p.elements[:0], p.attrs[:0], p.childArena[:0]
	parsers.Put(p)
}

// document parses src, which is one element and nothing else.
func (p *parser) document() error {
	for {
		if err := p.markup(); err != nil {
			return err
		}
		if len(p.open) == 0 {
			if p.pos != len(p.src) {
				return notWellFormed("content after the element")
			}
			return nil
		}
		text, err := p.chars('<')
		if err != nil {
			return err
		}
		if text != "" {
			p.addText(text)
		}
	}
}

// markup reads what begins with <.
func (p *parser) markup() error {
	if p.pos+1 >= len(p.src) || p.src[p.pos] != '<' {
		return badEnd()
	}
	switch p.src[p.pos+1] {
	case '/':
		return p.endTag()
	case '!':
		return p.cdata()
	case '?':
		return restricted("processing instruction")
	}
	if _, err := p.startTag(); err != nil {
		return err
	}
	if p.src[p.pos-2] == '/' {
		p.closeElement()
	}
	return nil
}

func (p *parser) cdata() error {
	body, ok := strings.CutPrefix(p.src[p.pos:], "<![CDATA[")
	if !ok || len(p.open) == 0 {
		return restricted("comment or document type declaration")
	}
	end := strings.Index(body, "]]>")
	if end < 0 {
		return badEnd()
	}
	body = body[:end]
	for i := 0; i < len(body); {
		n, err := charLen(body[i:])
		if err != nil {
			return err
		}
		i += n
	}
	if strings.IndexByte(body, '\r') >= 0 {
		body = strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n")
	}
	p.pos += len("<![CDATA[") + end + len("]]>")
	if body != "" {
		p.addText(body)
	}
	return nil
}

// addText joins the pieces of an element's text without copying them again and again.
func (p *parser) addText(text string) {
	o := &p.open[len(p.open)-1]
	if o.more == nil && o.el.text == "" {
		o.el.text = text
		return
	}
	if o.more == nil {
		o.more = append(o.more, o.el.text...)
	}
	o.more = append(o.more, text...)
}

// startTag reads a start tag and opens its element. It returns the name as written.
func (p *parser) startTag() (string, error) {
	p.pos++
	prefix, local, err := p.name()
	if err != nil {
		return "", err
	}
	name := p.src[p.pos-len(local)-prefixLen(prefix) : p.pos]
	el := p.newElement()
	if p.root == nil {
		p.root = el
	}
	p.open = append(p.open, opened{el: el, name: name, def: p.def, ns: len(p.ns), siblings: len(p.siblings)})
	p.tagAttrs = len(p.attrs)
	for {
		more, err := p.attribute()
		if err != nil {
			return "", err
		}
		if !more {
			break
		}
	}
	el.local = local
	if el.space, err = p.resolve(prefix, p.def); err != nil {
		return "", err
	}
	el.attrs, err = p.resolveAttrs()
	return name, err
}

func prefixLen(prefix string) int {
	if prefix == "" {
		return 0
	}
	return len(prefix) + 1
}

// attribute reads the next attribute, or the end of the tag and then returns false.
func (p *parser) attribute() (bool, error) {
	before := p.pos
	if p.skipSpace(); p.pos >= len(p.src) {
		return false, badEnd()
	}
	switch p.src[p.pos] {
	case '>':
		p.pos++
		return false, nil
	case '/':
		if p.pos+1 >= len(p.src) || p.src[p.pos+1] != '>' {
			return false, notWellFormed("unexpected / in a tag")
		}
		p.pos += 2
		return false, nil
	}
	if before == p.pos {
		return false, notWellFormed("missing white space before an attribute")
	}
	prefix, local, err := p.name()
	if err != nil {
		return false, err
	}
	value, err := p.value()
	if err != nil {
		return false, err
	}
	switch {
	case prefix == "" && local == "xmlns":
		return true, p.declare("", value)
	case prefix == "xmlns":
		return true, p.declare(local, value)
	}
	p.addAttr(attr{prefix, local, value})
	return true, nil
}

// addAttr appends to the attributes of the current tag, which lie next to each other.
func (p *parser) addAttr(a attr) {
	if len(p.attrs) == cap(p.attrs) {
		current := p.attrs[p.tagAttrs:]
		p.attrs = append(make([]attr, 0, max(arenaAttrs, 2*len(current))), current...)
		p.tagAttrs = 0
	}
	p.attrs = append(p.attrs, a)
}

// value reads = and a quoted value.
func (p *parser) value() (string, error) {
	if p.skipSpace(); p.pos >= len(p.src) || p.src[p.pos] != '=' {
		return "", badValue()
	}
	p.pos++
	if p.skipSpace(); p.pos >= len(p.src) || p.src[p.pos] != '"' && p.src[p.pos] != '\'' {
		return "", badValue()
	}
	quote := p.src[p.pos]
	p.pos++
	value, err := p.chars(quote)
	p.pos++
	return value, err
}

func (p *parser) skipSpace() {
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
}

func (p *parser) newElement() *Element {
	if len(p.elements) == cap(p.elements) {
		p.elements = make([]Element, 0, arenaElements)
	}
	p.elements = append(p.elements, Element{})
	return &p.elements[len(p.elements)-1]
}

// endTag closes the innermost element, whose name it must repeat.
func (p *parser) endTag() error {
	if len(p.open) == 0 {
		return notWellFormed("end tag without start tag")
	}
	name := p.open[len(p.open)-1].name
	p.pos += 2
	if !strings.HasPrefix(p.src[p.pos:], name) {
		return notWellFormed("end tag does not match start tag")
	}
	p.pos += len(name)
	p.skipSpace()
	if p.pos >= len(p.src) || p.src[p.pos] != '>' {
		return notWellFormed("end tag does not match start tag")
	}
	p.pos++
	p.closeElement()
	return nil
}

func (p *parser) closeElement() {
	last := len(p.open) - 1
	o := &p.open[last]
	p.open = p.open[:last]
	if o.more != nil {
		o.el.text = string(o.more)
	}
	o.el.children = p.collectChildren(o.siblings)
	p.siblings = append(p.siblings, o.el)
	p.def, p.ns = o.def, p.ns[:o.ns]
}

// collectChildren moves the finished children from the stack to their own slice.
func (p *parser) collectChildren(from int) []*Element {
	done := p.siblings[from:]
	if len(done) == 0 {
		return nil
	}
	if cap(p.childArena)-len(p.childArena) < len(done) {
		p.childArena = make([]*Element, 0, max(arenaChildren, len(done)))
	}
	n := len(p.childArena)
	p.childArena = append(p.childArena, done...)
	p.siblings = p.siblings[:from]
	return p.childArena[n:len(p.childArena):len(p.childArena)]
}
