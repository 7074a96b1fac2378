package xmlstream

import "strings"

// maxAttrs is the number of attributes above which an element is refused whatever the framer lets
// through: they are compared with each other.
const maxAttrs = 256

// parser turns the bytes of one element into a tree. All strings of the tree are views of
// src, but for those that had entities in them. Its slices are an arena: elements and
// attributes are cut from them and a new one is made when one is full, so that no element
// ever moves.
type parser struct {
	src    string
	pos    int
	ctx    *nsContext
	limits *Limits     // nil: those of the package
	lent   bool        // the tree is valid until giveBack, and its texts may be in scratch
	def    string      // default namespace here
	ns     []nsBinding // declared in the element, the innermost last
	root   *Element
	open   []opened

	chunk      int // elements of the next arena
	elements   []Element
	attrs      []attr
	childArena []*Element
	siblings   []*Element // finished children of the open elements
	tagAttrs   int        // where the attributes of the current tag begin in attrs
	tagNS      int        // where its declarations begin in ns
	scratch    []byte     // texts that are not as they stand in src
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

// document parses src, which is one element and nothing else.
func (p *parser) document() error {
	if err := p.element(); err != nil {
		return err
	}
	if p.pos != len(p.src) {
		return notWellFormed("content after the element")
	}
	return nil
}

// element parses the element that src begins with.
func (p *parser) element() error {
	for {
		if err := p.markup(); err != nil {
			return err
		}
		if len(p.open) == 0 {
			return nil
		}
		if p.pos < len(p.src) && p.src[p.pos] == '<' {
			continue
		}
		if err := p.text(); err != nil {
			return err
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
	def, ns := p.def, len(p.ns)
	el, name, ok := p.plainTag()
	if !ok {
		var err error
		if el, name, err = p.startTag(); err != nil {
			return err
		}
	} else if p.root == nil {
		p.root = el
	}
	if p.src[p.pos-2] == '/' || p.leaf(el, name) { // it is closed at once
		p.siblings = append(p.siblings, el)
		p.def, p.ns = def, p.ns[:ns]
		return nil
	}
	o := p.push()
	o.el, o.name, o.def, o.ns, o.siblings, o.more = el, name, def, ns, len(p.siblings), nil
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

// text reads character data, and joins the pieces of an element's text without copying them again
// and again.
func (p *parser) text() error {
	text, err := p.chars('<')
	if err != nil || text == "" {
		return err
	}
	p.addText(text)
	return nil
}

func (p *parser) addText(text string) {
	o := &p.open[len(p.open)-1]
	if n := len(p.siblings) - o.siblings; n > 0 {
		o.mix(n)
	}
	if o.more == nil && o.el.text == "" {
		o.el.text = text
		return
	}
	if o.more == nil {
		o.more = append(o.more, o.el.text...)
	}
	o.more = append(o.more, text...)
}

// mix notes that the text continues after so many children.
func (o *opened) mix(children int) {
	if o.el.mixed == nil {
		o.el.mixed = &mixture{}
	}
	from := len(o.el.text)
	if o.more != nil {
		from = len(o.more)
	}
	o.el.mixed.pieces = append(o.el.mixed.pieces, piece{int32(children), int32(from)})
}

// startTag reads a start tag. It returns its element, and the name as written. Its declarations
// hold from now on.
func (p *parser) startTag() (*Element, string, error) {
	p.pos++
	start := p.pos
	prefix, local, err := p.name()
	if err != nil {
		return nil, "", err
	}
	name := p.src[start:p.pos]
	p.tagAttrs, p.tagNS = len(p.attrs), len(p.ns)
	n, err := p.attributes()
	if err != nil {
		return nil, "", err
	}
	if p.limits != nil && (len(p.open) >= p.limits.Depth || n > p.limits.Attrs) {
		return nil, "", &Error{Condition: "policy-violation", Detail: "over a limit of the stream"}
	}
	space := p.def
	if prefix != "" {
		if space, err = p.resolve(prefix, ""); err != nil {
			return nil, "", err
		}
	}
	attrs, err := p.resolveAttrs()
	if err != nil {
		return nil, "", err
	}
	el := p.newElement()
	el.space, el.local, el.attrs, el.text, el.children, el.mixed = space, local, attrs, "", nil, nil
	if p.root == nil {
		p.root = el
	}
	return el, name, nil
}

// attributes reads the attributes of a tag up to its end, and returns how many there are,
// declarations of namespaces among them.
func (p *parser) attributes() (n int, err error) {
	for ; ; n++ {
		before := p.pos
		if p.skipSpace(); p.pos >= len(p.src) {
			return n, badEnd()
		}
		switch p.src[p.pos] {
		case '>':
			p.pos++
			return n, nil
		case '/':
			if p.pos+1 >= len(p.src) || p.src[p.pos+1] != '>' {
				return n, notWellFormed("unexpected / in a tag")
			}
			p.pos += 2
			return n, nil
		}
		if before == p.pos {
			return n, notWellFormed("missing white space before an attribute")
		}
		if err := p.attribute(); err != nil {
			return n, err
		}
	}
}

func (p *parser) attribute() error {
	prefix, local, err := p.name()
	if err != nil {
		return err
	}
	value, err := p.value()
	switch {
	case err != nil:
		return err
	case prefix == "" && local == "xmlns":
		return p.declare("", value)
	case prefix == "xmlns":
		return p.declare(local, value)
	}
	p.addAttr(prefix, local, value)
	return nil
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
	if len(p.siblings) > o.siblings {
		o.el.children = p.collectChildren(o.siblings)
	}
	p.siblings = append(p.siblings, o.el)
	p.def, p.ns = o.def, p.ns[:o.ns]
}
