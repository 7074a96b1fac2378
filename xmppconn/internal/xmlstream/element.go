package xmlstream

import (
	"slices"
	"strings"
)

// Element is one parsed XML element that owns its memory: it may be kept, but each of its
// texts is a part of the whole stanza. Namespaces are resolved, and their declarations are not
// among the attributes. All methods take nil for an element that is not there.
type Element struct {
	space, local string
	attrs        []attr
	text         string // character data directly inside, joined
	children     []*Element
	mixed        *mixture // nil: all text comes before the children
}

// mixture says where the text of an element lies among its children.
type mixture struct{ pieces []piece }

// piece is a part of a text: it comes after so many children, and begins at this byte of the text.
type piece struct{ children, from int32 }

type attr struct{ space, local, value string }

// nsContext is what the stream header declares: the default namespace, prefixes and language.
type nsContext struct {
	def      string
	bindings []nsBinding
	lang     string // xml:lang: the language of what has none of its own
}

// usualNS and usualRoot are what nearly every stream header says; all its streams share
// them.
var usualNS = nsContext{def: NSClient, bindings: []nsBinding{{"stream", NSStream}}, lang: "en"}

const usualRoot = "stream:stream"

// shared returns an equal context that lies apart from the header.
func (c nsContext) shared() *nsContext {
	if c.def == usualNS.def && c.lang == usualNS.lang && slices.Equal(c.bindings, usualNS.bindings) {
		return &usualNS
	}
	own := nsContext{def: strings.Clone(c.def), bindings: slices.Clone(c.bindings), lang: strings.Clone(c.lang)}
	for i, b := range own.bindings {
		own.bindings[i] = nsBinding{strings.Clone(b.prefix), strings.Clone(b.uri)}
	}
	return &own
}

type nsBinding struct{ prefix, uri string }

// Is reports whether e is there and has this name.
func (e *Element) Is(space, local string) bool {
	return e != nil && e.local == local && e.space == space
}

// Space is the namespace of the name.
func (e *Element) Space() string {
	if e == nil {
		return ""
	}
	return e.space
}

// Local is the name without its namespace.
func (e *Element) Local() string {
	if e == nil {
		return ""
	}
	return e.local
}

// Children are the elements directly inside, in their order.
func (e *Element) Children() []*Element {
	if e == nil {
		return nil
	}
	return e.children
}

// Child returns the first child with this name, or nil.
func (e *Element) Child(space, local string) *Element {
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.Is(space, local) {
			return c
		}
	}
	return nil
}

// Attr returns the value of an attribute without namespace, or "".
func (e *Element) Attr(local string) string {
	v, _ := e.attrNS("", local)
	return v
}

// attrNS returns the value of an attribute in a namespace, and whether it is there.
func (e *Element) attrNS(space, local string) (string, bool) {
	if e == nil {
		return "", false
	}
	for i := range e.attrs {
		if a := &e.attrs[i]; a.local == local && a.space == space {
			return a.value, true
		}
	}
	return "", false
}

// Text returns the character data directly inside, joined.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	return e.text
}

// InnerText is Text without white space around it.
func (e *Element) InnerText() string { return strings.TrimSpace(e.Text()) }

// ChildText returns the text of the first child with this name, or "".
func (e *Element) ChildText(space, local string) string { return e.Child(space, local).Text() }

// Borrowed gives the element to a function that reads borrowed trees.
func (e *Element) Borrowed() *Borrowed { return (*Borrowed)(e) }

// parseHeader reads the start tag of a stream and also returns its name as written, which
// the end tag must repeat.
func parseHeader(raw []byte) (*Header, string, error) {
	p := borrowParser(raw, &nsContext{})
	defer p.giveBack()
	el, name, err := p.startTag()
	if err != nil {
		return nil, "", err
	}
	if el.local != "stream" {
		return nil, "", &Error{Condition: "bad-format", Detail: "the first element is not a stream header"}
	}
	if el.space != NSStream {
		return nil, "", &Error{Condition: "invalid-namespace", Detail: "wrong namespace of the stream header"}
	}
	lang, _ := el.attrNS(nsXML, "lang")
	return &Header{
		From: strings.Clone(el.Attr("from")), To: strings.Clone(el.Attr("to")), ID: strings.Clone(el.Attr("id")), Version: strings.Clone(el.Attr("version")),
		ns: nsContext{def: p.def, bindings: p.ns, lang: lang}.shared(),
	}, sharedRoot(name), nil
}

// sharedRoot is the name of a stream header as a text of its own.
func sharedRoot(name string) string {
	if name == usualRoot {
		return usualRoot
	}
	return strings.Clone(name)
}

// Header is what the other side said in its <stream:stream> tag (RFC 6120, 4.7).
type Header struct {
	From, To, ID, Version string

	ns *nsContext // with xml:lang
}

// localName reads the name of a start tag without its prefix. Names of stanzas cost
// nothing.
func localName(raw []byte) string {
	name := raw[1:]
	for i, c := range name {
		if isSpace(c) || c == '>' || c == '/' {
			name = name[:i]
			break
		}
	}
	for i, c := range name {
		if c == ':' {
			name = name[i+1:]
			break
		}
	}
	switch string(name) {
	case "message":
		return "message"
	case "presence":
		return "presence"
	case "iq":
		return "iq"
	case "r":
		return "r"
	case "a":
		return "a"
	}
	return string(name)
}

// checkDeclaration reads the inside of <?xml ... ?>: only XML 1.0 in UTF-8 is XMPP.
func checkDeclaration(decl string) error {
	if decl == "xml version='1.0'" || decl == `xml version="1.0"` {
		return nil // nearly every one
	}
	rest, ok := strings.CutPrefix(decl, "xml")
	if !ok || rest == "" || !isSpace(rest[0]) {
		return restricted("processing instruction")
	}
	el, _, err := newParser("<xml"+rest+"/>", &nsContext{}).startTag()
	if err != nil {
		return notWellFormed("invalid XML declaration")
	}
	if el.Attr("version") != "1.0" {
		return &Error{Condition: "unsupported-version", Detail: "unsupported XML version"}
	}
	if enc := el.Attr("encoding"); enc != "" && !strings.EqualFold(enc, "utf-8") {
		return &Error{Condition: "unsupported-encoding", Detail: "unsupported encoding"}
	}
	return nil
}
