package xmlstream

import (
	"strings"
	"sync"
	"unsafe"
)

// arenaElements is how many elements an arena has. When one is full, that of a tree that is lent is
// followed by a larger one, which is used again: for the roster of a hundred buddies. There are twice as
// many attributes.
const arenaElements, largeArena = 24, 256

// newParser makes a parser whose tree may be kept: its arena is cut to the size of src, which
// must not change.
func newParser(src string, ctx *nsContext) *parser {
	n := min(arenaElements, 1+strings.Count(src, "<"))
	return &parser{
		src: src, ctx: ctx, def: ctx.def, elements: make([]Element, 0, n), childArena: make([]*Element, 0, n),
		attrs: make([]attr, 0, min(2*arenaElements, strings.Count(src, "="))), chunk: arenaElements,
	}
}

// parseOwned parses an element whose tree may be kept: but for the tree it needs no memory.
func parseOwned(src string, ctx *nsContext) (*Element, error) {
	p := parsers.Get().(*parser)
	p.src, p.ctx, p.def, p.lent, p.chunk = src, ctx, ctx.def, false, arenaElements
	elements, attrs, children := p.elements, p.attrs, p.childArena
	n := min(arenaElements, 1+strings.Count(src, "<")-strings.Count(src, "</"))
	p.elements, p.childArena, p.attrs = make([]Element, 0, n), make([]*Element, 0, n), make([]attr, 0, min(2*arenaElements, strings.Count(src, "=")))
	err := p.document()
	root := p.root
	p.elements, p.attrs, p.childArena = elements, attrs, children
	clear(p.open[:cap(p.open)]) // the pool must not hold the tree
	clear(p.siblings[:cap(p.siblings)])
	clear(p.ns[:cap(p.ns)])
	p.giveBack()
	if err != nil {
		return nil, err
	}
	return root, nil
}

var parsers = sync.Pool{New: func() any {
	return &parser{
		open: make([]opened, 0, 8), elements: make([]Element, 0, arenaElements),
		attrs: make([]attr, 0, 2*arenaElements), childArena: make([]*Element, 0, arenaElements),
		siblings: make([]*Element, 0, 16), scratch: make([]byte, 0, 256),
	}
}}

// borrowParser parses without copying. The tree, and every string in it, is valid until
// giveBack and as long as raw: it is lent as a [Borrowed], whose texts leave it as copies.
func borrowParser(raw []byte, ctx *nsContext) *parser {
	p := parsers.Get().(*parser)
	p.src, p.ctx, p.def = unsafe.String(unsafe.SliceData(raw), len(raw)), ctx, ctx.def //nolint:gosec // a view that giveBack ends
	p.lent, p.chunk = true, largeArena
	return p
}

// giveBack ends the life of the tree. The arena is not cleared, which would cost as much as
// a third of the parsing: what is beyond its lengths is overwritten before it is read, and
// it points to nothing but pooled buffers. A parser of a long stanza, or one that had to
// grow far, is not kept.
func (p *parser) giveBack() {
	if poisonReleased {
		for i := range p.scratch {
			p.scratch[i] = 0xDB
		}
	}
	if len(p.src) > largeBuffer || cap(p.elements) > largeArena || cap(p.attrs) > 2*largeArena ||
		cap(p.childArena) > largeArena || cap(p.siblings) > largeArena || cap(p.scratch) > smallBuffer ||
		cap(p.open) > 64 || cap(p.ns) > 64 {
		return
	}
	p.src, p.pos, p.ctx, p.limits, p.def, p.root = "", 0, nil, nil, "", nil
	p.open, p.ns, p.siblings, p.scratch = p.open[:0], p.ns[:0], p.siblings[:0], p.scratch[:0]
	p.elements, p.attrs, p.childArena = p.elements[:0], p.attrs[:0], p.childArena[:0]
	parsers.Put(p)
}

// push makes room for another open element. Here and below the fields are set where they lie: to
// copy a struct that was written a moment ago costs more than all the rest of a tag.
func (p *parser) push() *opened {
	n := len(p.open)
	if n == cap(p.open) {
		p.open = append(p.open, opened{})
	}
	p.open = p.open[:n+1]
	return &p.open[n]
}

// addAttr appends to the attributes of the current tag, which lie next to each other.
func (p *parser) addAttr(space, local, value string) {
	if len(p.attrs) == cap(p.attrs) {
		current := p.attrs[p.tagAttrs:]
		p.attrs = append(make([]attr, 0, max(2*p.chunk, 2*len(current))), current...)
		p.tagAttrs = 0
	}
	n := len(p.attrs)
	p.attrs = p.attrs[:n+1]
	a := &p.attrs[n]
	a.space, a.local, a.value = space, local, value
}

func (p *parser) newElement() *Element {
	n := len(p.elements)
	if n == cap(p.elements) {
		p.elements, n = make([]Element, 0, p.chunk), 0
	}
	p.elements = p.elements[:n+1]
	return &p.elements[n]
}

// collectChildren moves the finished children from the stack to their own slice.
func (p *parser) collectChildren(from int) []*Element {
	done := p.siblings[from:]
	if cap(p.childArena)-len(p.childArena) < len(done) {
		p.childArena = make([]*Element, 0, max(p.chunk, len(done)))
	}
	n := len(p.childArena)
	p.childArena = append(p.childArena, done...)
	p.siblings = p.siblings[:from]
	return p.childArena[n:len(p.childArena):len(p.childArena)]
}
