package xmppconn

import (
	"slices"
	"strings"
)

// element is one parsed XML element. Namespaces are resolved, and their declarations are
// not among the attributes. Trees of parseElement own their memory and may be kept; the
// trees that decodeFrame borrows may not.
type element struct {
	space, local string
	attrs        []attr
	text         string // character data directly inside, joined
	children     []*element
}

type attr struct{ space, local, value string }

// nsContext is what the stream header declares: the default namespace, prefixes and language.
type nsContext struct {
	def      string
	bindings []nsBinding
	lang     string // xml:lang: the language of what has none of its own
}

// usualNS and usualRoot are what nearly every stream header says; all its streams share
// them.
var usualNS = nsContext{def: nsClient, bindings: []nsBinding{{"stream", nsStream}}, lang: "en"}

const usualRoot = "stream:stream"

// shared returns an equal context that does not hold the header's text.
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

// parseElement parses one whole element. The error is a *framingError.
func parseElement(raw []byte, ctx nsContext) (*element, error) {
	p := newParser(string(raw), ctx)
	if err := p.document(); err != nil {
		return nil, err
	}
	return p.root, nil
}

// is reports whether e is not nil and has this name.
func (e *element) is(space, local string) bool {
	return e != nil && e.local == local && e.space == space
}

// child returns the first child with this name, or nil. Nil-safe.
func (e *element) child(space, local string) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.is(space, local) {
			return c
		}
	}
	return nil
}

// attr returns the value of an attribute without namespace, or "". Nil-safe.
func (e *element) attr(local string) string {
	v, _ := e.attrNS("", local)
	return v
}

// attrNS returns the value of an attribute in a namespace, and whether it is there.
func (e *element) attrNS(space, local string) (string, bool) {
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

// childText returns the text of the first child with this name, or "". Nil-safe.
func (e *element) childText(space, local string) string {
	if c := e.child(space, local); c != nil {
		return c.text
	}
	return ""
}

// innerText is the text without white space around it. Nil-safe.
func (e *element) innerText() string {
	if e == nil {
		return ""
	}
	return strings.TrimSpace(e.text)
}

// parseHeader reads the start tag of a stream and also returns its name as written, which
// the end tag must repeat.
func parseHeader(raw []byte) (*streamHeader, string, error) {
	p := newParser(string(raw), nsContext{})
	name, err := p.startTag()
	if err != nil {
		return nil, "", err
	}
	el := p.root
	if el.local != "stream" {
		return nil, "", &framingError{condition: "bad-format", detail: "the first element is not a stream header"}
	}
	if el.space != nsStream {
		return nil, "", &framingError{condition: "invalid-namespace", detail: "the stream header has another namespace"}
	}
	h := &streamHeader{
		from: el.attr("from"), to: el.attr("to"), id: el.attr("id"), version: el.attr("version"),
		ns: nsContext{def: p.def, bindings: slices.Clone(p.ns)},
	}
	h.lang, _ = el.attrNS(nsXML, "lang")
	h.ns.lang = h.lang
	return h, name, nil
}

// streamHeader is what the other side said in its <stream:stream> tag (RFC 6120, 4.7).
type streamHeader struct {
	from, to, id, version, lang string
	ns                          nsContext
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
	rest, ok := strings.CutPrefix(decl, "xml")
	if !ok || rest == "" || !isSpace(rest[0]) {
		return restricted("a processing instruction")
	}
	p := newParser("<xml"+rest+"/>", nsContext{})
	if _, err := p.startTag(); err != nil {
		return notWellFormed("an XML declaration that is none")
	}
	if p.root.attr("version") != "1.0" {
		return &framingError{condition: "unsupported-version", detail: "not XML 1.0"}
	}
	if enc := p.root.attr("encoding"); enc != "" && !strings.EqualFold(enc, "utf-8") {
		return &framingError{condition: "unsupported-encoding", detail: "not UTF-8"}
	}
	return nil
}
