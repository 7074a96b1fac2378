package xmlstream

import (
	"math/bits"
	"unicode/utf8"
)

// plainTag is startTag for a tag as nearly all are: names of ASCII without a prefix, one space
// before each attribute, values of ASCII without references. Ok is false for any other, also for
// one that is wrong, and then nothing has been read.
func (p *parser) plainTag() (el *Element, name string, ok bool) {
	s, start := p.src, p.pos+1
	i := plainName(s, start)
	if i < 0 {
		return nil, "", false
	}
	name = s[start:i]
	def, n := p.def, 0
	p.tagAttrs, p.tagNS = len(p.attrs), len(p.ns)
	for s[i] == ' ' {
		if i = p.plainAttr(i + 1); i < 0 || i == len(s) {
			break
		}
		n++
	}
	if i >= 0 && i+1 < len(s) && s[i] == '/' {
		i++
	}
	if i < 0 || i == len(s) || s[i] != '>' || p.limits != nil && (len(p.open) >= p.limits.Depth || n > p.limits.Attrs) {
		p.def, p.attrs, p.ns = def, p.attrs[:p.tagAttrs], p.ns[:p.tagNS]
		return nil, "", false
	}
	attrs, err := p.resolveAttrs()
	if err != nil {
		p.def, p.attrs, p.ns = def, p.attrs[:p.tagAttrs], p.ns[:p.tagNS]
		return nil, "", false
	}
	p.pos = i + 1
	el = p.newElement()
	el.space, el.local, el.attrs, el.text, el.children, el.mixed = p.def, name, attrs, "", nil, nil
	return el, name, true
}

// plainAttr reads an attribute and returns the place after it, or -1.
func (p *parser) plainAttr(start int) int {
	s, prefix := p.src, ""
	i := plainName(s, start)
	if i >= 0 && s[i] == ':' {
		prefix, start = s[start:i], i+1 // xml:lang, mostly
		i = plainName(s, start)
	}
	if i < 0 || i+1 >= len(s) || s[i] != '=' || s[i+1] != '\'' && s[i+1] != '"' {
		return -1
	}
	name, quote, from := s[start:i], s[i+1], i+2
	for i = skipPlain(s, from, quote); i < len(s) && stops[s[i]]&stopValue == 0; i++ {
	}
	if i == len(s) || s[i] != quote {
		return -1
	}
	switch {
	case prefix == "xmlns" || name == "xmlns" && prefix == "" && p.declare("", s[from:i]) != nil:
		return -1
	case name != "xmlns" || prefix != "":
		p.addAttr(prefix, name, s[from:i])
	}
	return i + 1
}

// plainName returns the place after a name of ASCII, which is not the end, or -1.
func plainName(s string, start int) int {
	i := start
	for i < len(s) && nameBytes[s[i]]&namePlain != 0 {
		i++
	}
	if i == start || i == len(s) || nameBytes[s[start]]&nameStart == 0 || s[i] >= utf8.RuneSelf {
		return -1
	}
	return i
}

// leaf reads text of ASCII without references and the end tag of the element around it. False:
// what follows is something else, or wrong, and nothing was read.
func (p *parser) leaf(el *Element, name string) bool {
	s, i := p.src, p.pos
	for i = skipPlain(s, i, ']'); i < len(s) && stops[s[i]]&stopText == 0; i++ {
	}
	end := i + len("</") + len(name)
	if end >= len(s) || s[i] != '<' || s[i+1] != '/' || s[end] != '>' || s[i+2:end] != name {
		return false
	}
	el.text = s[p.pos:i]
	p.pos = end + 1
	return true
}

// skipPlain passes over text of ASCII eight bytes at a time, and stops before <, &, also, a control
// character or what is not ASCII, or when less than eight bytes are left.
func skipPlain(s string, i int, also byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	own := uint64(also) * ones
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		// Each sum has the top bit of a byte where that is none of those: below U+0080 nothing is
		// carried, and what a byte above it carries changes only what comes behind a stop.
		plain := (x + (0x80-' ')*ones) & ((x ^ '<'*ones) + 0x7f*ones) & ((x ^ '&'*ones) + 0x7f*ones) & ((x ^ own) + 0x7f*ones) &^ x
		if plain &= tops; plain != tops {
			return i + bits.TrailingZeros64(plain^tops)/8
		}
	}
	return i
}
