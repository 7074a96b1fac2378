// Package payload checks a piece of XML of a client that is to be a child of a message: it must not be
// able to end the stream of the session, nor to say what the gateway says for itself.
package payload

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Bounds of one payload. A stanza may have more of both.
const (
	maxDepth      = 16
	maxAttributes = 64 // of one element
)

// Check reports why text is no payload. It must be one element with a namespace of its own that is not
// one of the gateway's, well formed by itself (XML 1.0, Namespaces in XML 1.0), and without what XMPP
// has no place for (RFC 6120, 11.1): comments, processing instructions, declarations. The texts of its
// errors are for clients. The caller bounds its length.
func Check(text string) error {
	c := checker{dec: xml.NewDecoder(strings.NewReader(text))}
	for {
		tok, err := c.dec.RawToken()
		switch {
		case errors.Is(err, io.EOF):
			return c.end()
		case err != nil:
			return errors.New("is not well-formed XML")
		}
		if err := c.token(tok); err != nil {
			return err
		}
	}
}

// checker reads the tokens of one payload.
type checker struct {
	dec  *xml.Decoder
	open []element // that are not closed
	done bool      // the element of the payload is closed
}

// element is an open one. Spaces are the namespaces that it declares, by prefix.
type element struct {
	name   xml.Name
	spaces map[string]string
}

func (c *checker) end() error {
	switch {
	case len(c.open) > 0:
		return errors.New("is not well-formed XML: an element is not closed")
	case !c.done:
		return errors.New("must be one XML element")
	}
	return nil
}

func (c *checker) token(tok xml.Token) error {
	switch tok := tok.(type) {
	case xml.StartElement:
		return c.start(tok)
	case xml.EndElement:
		n := len(c.open)
		if n == 0 || c.open[n-1].name != tok.Name {
			return errors.New("is not well-formed XML: an element is closed that is not open")
		}
		c.open, c.done = c.open[:n-1], n == 1
	case xml.CharData:
		if len(c.open) == 0 {
			return errors.New("must be one XML element, with nothing beside it")
		}
	default:
		return errors.New("must not have comments, processing instructions or declarations")
	}
	return nil
}

func (c *checker) start(tok xml.StartElement) error {
	switch {
	case c.done:
		return errors.New("must be one XML element, with nothing beside it")
	case len(c.open) == maxDepth:
		return fmt.Errorf("must have at most %d levels", maxDepth)
	case len(tok.Attr) > maxAttributes:
		return fmt.Errorf("must have at most %d attributes in an element", maxAttributes)
	}
	e := element{name: tok.Name}
	for _, a := range tok.Attr {
		if err := e.declare(a); err != nil {
			return err
		}
	}
	c.open = append(c.open, e)
	space, err := c.space(tok.Name)
	if err != nil {
		return err
	}
	if len(c.open) == 1 {
		switch {
		case space == "":
			return errors.New("must have a namespace of its own")
		case Reserved(space):
			return fmt.Errorf("must not be of the namespace %s, which is the gateway's", space)
		}
	}
	return c.attributes(tok.Attr)
}

// declare notes a namespace declaration; other attributes are none.
func (e *element) declare(a xml.Attr) error {
	prefix := ""
	switch {
	case a.Name.Space == "xmlns":
		prefix = a.Name.Local
		if prefix == "xml" || prefix == "xmlns" || a.Value == "" {
			return errors.New("declares a prefix that cannot be declared so")
		}
	case a.Name.Space != "" || a.Name.Local != "xmlns":
		return nil
	}
	if e.spaces == nil {
		e.spaces = map[string]string{}
	}
	if _, twice := e.spaces[prefix]; twice {
		return errors.New("is not well-formed XML: an attribute stands twice")
	}
	e.spaces[prefix] = a.Value
	return nil
}

// attributes checks that each has a declared prefix, and stands once.
func (c *checker) attributes(list []xml.Attr) error {
	seen := make(map[xml.Name]bool, len(list))
	for _, a := range list {
		name := a.Name
		if name.Space == "xmlns" || name.Space == "" && name.Local == "xmlns" {
			continue
		}
		space, err := c.space(name)
		if err != nil {
			return err
		}
		if name.Space != "" { // without a prefix an attribute has no namespace
			name.Space = space
		}
		if seen[name] {
			return errors.New("is not well-formed XML: an attribute stands twice")
		}
		seen[name] = true
	}
	return nil
}

// space finds the namespace of a name by its prefix.
func (c *checker) space(name xml.Name) (string, error) {
	switch {
	case strings.Contains(name.Local, ":"):
		return "", errors.New("has a colon in a name that is not after a prefix")
	case name.Space == "xml":
		return "http://www.w3.org/XML/1998/namespace", nil
	}
	for _, e := range slices.Backward(c.open) {
		if space, ok := e.spaces[name.Space]; ok {
			return space, nil
		}
	}
	if name.Space != "" {
		return "", errors.New("has a prefix that it does not declare")
	}
	return "", nil
}
