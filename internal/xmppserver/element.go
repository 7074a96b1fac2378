package xmppserver

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"

	"mellium.im/xmpp/stream"
)

// Limits of one stanza (RFC 6120, 13.12). Its bytes are counted by meter.
const (
	maxDepth = 32
	maxAttrs = 64
)

// Element is one XML element: a stanza, or a part of one.
type Element struct {
	Name xml.Name
	Attr []xml.Attr // without namespace declarations
	Kids []Node
}

// Node is an element, or a text where El is nil.
type Node struct {
	El   *Element
	Text string
}

// Parse reads one stanza as a service has written it: in the default namespace of a stream of clients.
func Parse(stanza []byte) (*Element, error) {
	d := xml.NewDecoder(bytes.NewReader(stanza))
	d.DefaultSpace = NSClient
	start, err := nextStart(d, false)
	if err != nil {
		return nil, err
	}
	return readElement(d, start, 1)
}

// readElement reads up to the end of start. It copies what it keeps.
func readElement(r xml.TokenReader, start xml.StartElement, depth int) (*Element, error) {
	switch {
	case start.Name.Space == NSStream: // a stream has no elements of its own but its header, features and errors
		return nil, stream.BadFormat
	case depth > maxDepth || len(start.Attr) > maxAttrs:
		return nil, stream.PolicyViolation
	}
	e := &Element{Name: start.Name}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			e.Attr = append(e.Attr, a)
		}
	}
	for {
		t, err := r.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			kid, err := readElement(r, t, depth+1)
			if err != nil {
				return nil, err
			}
			e.Kids = append(e.Kids, Node{El: kid})
		case xml.CharData:
			e.Kids = append(e.Kids, Node{Text: string(t)})
		case xml.EndElement:
			return e, nil
		default: // comments, processing instructions, DTDs (RFC 6120, 11.1)
			return nil, stream.RestrictedXML
		}
	}
}

// Get returns an attribute without namespace, or "", as of a nil element.
func (e *Element) Get(name string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.Attr {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// Child returns the first child of that name, or nil, as of a nil element. An empty local name
// matches any.
func (e *Element) Child(space, local string) *Element {
	if e == nil {
		return nil
	}
	for _, k := range e.Kids {
		if k.El != nil && k.El.Name.Space == space && (local == "" || k.El.Name.Local == local) {
			return k.El
		}
	}
	return nil
}

// Payload returns the first child element, or nil.
func (e *Element) Payload() *Element {
	for _, k := range e.Kids {
		if k.El != nil {
			return k.El
		}
	}
	return nil
}

// Text returns the character data directly in e. It is "" for a nil element.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	if len(e.Kids) == 1 {
		return e.Kids[0].Text
	}
	var b strings.Builder
	for _, k := range e.Kids {
		b.WriteString(k.Text)
	}
	return b.String()
}

// Elements returns the child elements, none of a nil element.
func (e *Element) Elements() []*Element {
	if e == nil {
		return nil
	}
	var list []*Element
	for _, k := range e.Kids {
		if k.El != nil {
			list = append(list, k.El)
		}
	}
	return list
}

// Append writes e as XML inside of an element whose default namespace is ns.
func (e *Element) Append(b []byte, ns string) []byte {
	b = append(append(b, '<'), e.Name.Local...)
	if e.Name.Space != ns {
		b = AppendAttr(b, "xmlns", e.Name.Space)
	}
	for i, a := range e.Attr {
		switch a.Name.Space {
		case "":
			b = AppendAttr(b, a.Name.Local, a.Value)
		case NSXML:
			b = AppendAttr(b, "xml:"+a.Name.Local, a.Value)
		default: // a prefix of our own: the client's has been resolved
			p := "a" + strconv.Itoa(i)
			b = AppendAttr(b, "xmlns:"+p, a.Name.Space)
			b = AppendAttr(b, p+":"+a.Name.Local, a.Value)
		}
	}
	if len(e.Kids) == 0 {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	b = e.AppendKids(b)
	b = append(append(b, "</"...), e.Name.Local...)
	return append(b, '>')
}

// AppendKids writes what is inside of e.
func (e *Element) AppendKids(b []byte) []byte {
	for _, k := range e.Kids {
		if k.El != nil {
			b = k.El.Append(b, e.Name.Space)
		} else {
			b = AppendText(b, k.Text)
		}
	}
	return b
}

// AppendAttr writes ` name='value'`.
func AppendAttr(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), "='"...)
	return append(AppendText(b, value), '\'')
}

// AppendTag writes <name>text</name>, or nothing for an empty text.
func AppendTag(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	b = append(append(append(b, '<'), name...), '>')
	b = AppendText(b, text)
	return append(append(append(b, "</"...), name...), '>')
}

// AppendText escapes for text and attributes alike. What XML 1.0 cannot carry becomes
// U+FFFD: only options can hold such text, the decoder refuses it.
func AppendText(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '\'':
			b = append(b, "&apos;"...)
		case r == '"':
			b = append(b, "&quot;"...)
		case r == '\r', r == '\n', r == '\t':
			b = append(b, "&#"...)
			if r >= 10 {
				b = append(b, '1')
			}
			b = append(b, byte('0'+r%10), ';')
		case r < ' ' || r == 0xFFFE || r == 0xFFFF:
			b = append(b, "\uFFFD"...)
		default:
			b = append(b, string(r)...)
		}
	}
	return b
}
