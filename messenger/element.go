package messenger

import (
	"encoding/xml"
	"strconv"
	"strings"

	"mellium.im/xmpp/stream"
)

// Namespaces of the stanzas that the service understands.
const (
	nsClient   = "jabber:client"
	nsStream   = "http://etherx.jabber.org/streams"
	nsStreams  = "urn:ietf:params:xml:ns:xmpp-streams"
	nsStanzas  = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsTLS      = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL     = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind     = "urn:ietf:params:xml:ns:xmpp-bind"
	nsSession  = "urn:ietf:params:xml:ns:xmpp-session"
	nsRoster   = "jabber:iq:roster"
	nsVCard    = "vcard-temp"
	nsPhoto    = "vcard-temp:x:update"
	nsArchive  = "urn:xmpp:archive"
	nsRSM      = "http://jabber.org/protocol/rsm"
	nsNick     = "http://jabber.org/protocol/nick"
	nsDelay    = "urn:xmpp:delay"
	nsStates   = "http://jabber.org/protocol/chatstates"
	nsPing     = "urn:xmpp:ping"
	nsInfo     = "http://jabber.org/protocol/disco#info"
	nsLookup   = "http://messenger.live.com/xmpp/jidlookup"
	nsLookupV1 = "jidlookup" // as on the page of April 2012
	nsXML      = "http://www.w3.org/XML/1998/namespace"
)

// Limits of one stanza (RFC 6120, 13.12). Its bytes are counted by meter.
const (
	maxDepth = 32
	maxAttrs = 64
)

// element is one XML element: a stanza, or a part of one.
type element struct {
	name xml.Name
	attr []xml.Attr // without namespace declarations
	kids []node
}

// node is an element, or a text where el is nil.
type node struct {
	el   *element
	text string
}

// readElement reads up to the end of start. It copies what it keeps.
func readElement(r xml.TokenReader, start xml.StartElement, depth int) (*element, error) {
	switch {
	case start.Name.Space == nsStream: // a stream has no elements of its own but its header, features and errors
		return nil, stream.BadFormat
	case depth > maxDepth || len(start.Attr) > maxAttrs:
		return nil, stream.PolicyViolation
	}
	e := &element{name: start.Name}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			e.attr = append(e.attr, a)
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
			e.kids = append(e.kids, node{el: kid})
		case xml.CharData:
			e.kids = append(e.kids, node{text: string(t)})
		case xml.EndElement:
			return e, nil
		default: // comments, processing instructions, DTDs (RFC 6120, 11.1)
			return nil, stream.RestrictedXML
		}
	}
}

// get returns an attribute without namespace, or "".
func (e *element) get(name string) string {
	for _, a := range e.attr {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// child returns the first child of that name, or nil. An empty local name matches any.
func (e *element) child(space, local string) *element {
	for _, k := range e.kids {
		if k.el != nil && k.el.name.Space == space && (local == "" || k.el.name.Local == local) {
			return k.el
		}
	}
	return nil
}

// payload returns the first child element, or nil.
func (e *element) payload() *element {
	for _, k := range e.kids {
		if k.el != nil {
			return k.el
		}
	}
	return nil
}

// text returns the character data directly in e. It is "" for a nil element.
func (e *element) text() string {
	if e == nil {
		return ""
	}
	if len(e.kids) == 1 {
		return e.kids[0].text
	}
	var b strings.Builder
	for _, k := range e.kids {
		b.WriteString(k.text)
	}
	return b.String()
}

// append writes e as XML inside of an element whose default namespace is ns.
func (e *element) append(b []byte, ns string) []byte {
	b = append(append(b, '<'), e.name.Local...)
	if e.name.Space != ns {
		b = appendAttr(b, "xmlns", e.name.Space)
	}
	for i, a := range e.attr {
		switch a.Name.Space {
		case "":
			b = appendAttr(b, a.Name.Local, a.Value)
		case nsXML:
			b = appendAttr(b, "xml:"+a.Name.Local, a.Value)
		default: // a prefix of our own: the client's has been resolved
			p := "a" + strconv.Itoa(i)
			b = appendAttr(b, "xmlns:"+p, a.Name.Space)
			b = appendAttr(b, p+":"+a.Name.Local, a.Value)
		}
	}
	if len(e.kids) == 0 {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	b = e.appendKids(b)
	b = append(append(b, "</"...), e.name.Local...)
	return append(b, '>')
}

// appendKids writes what is inside of e.
func (e *element) appendKids(b []byte) []byte {
	for _, k := range e.kids {
		if k.el != nil {
			b = k.el.append(b, e.name.Space)
		} else {
			b = appendText(b, k.text)
		}
	}
	return b
}

// appendAttr writes ` name='value'`.
func appendAttr(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), "='"...)
	return append(appendText(b, value), '\'')
}

// appendTag writes <name>text</name>, or nothing for an empty text.
func appendTag(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	b = append(append(append(b, '<'), name...), '>')
	b = appendText(b, text)
	return append(append(append(b, "</"...), name...), '>')
}

// appendText escapes for text and attributes alike. What XML 1.0 cannot carry becomes
// U+FFFD: only Options can hold such text, the decoder refuses it.
func appendText(b []byte, s string) []byte {
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
