package xmlstream

import "bytes"

// found is what the scanner stopped at.
type found uint8

const (
	nothing           found = iota // all bytes are used up
	foundHeader                    // the start tag of the stream
	foundTooDeep                   // a start tag below the limit; the stanza continues
	foundTooManyAttrs              // a start tag with more attributes than the limit
	foundElement                   // a whole stanza
	foundEnd                       // the end tag of the stream
)

type scanState uint8

const (
	inBetween scanState = iota // white space at stream level
	inText                     // character data of a stanza
	inOpen                     // after <
	inTag                      // within a tag, outside of quotes
	inSlash                    // after the / of an empty element
	inQuote                    // within an attribute value
	inBang                     // after <!
	inCData                    // within <![CDATA[
	inDecl                     // within <?xml
)

const cdataOpen = "[CDATA["

// tagStops are the bytes within a tag that matter to a boundary.
var tagStops = [256]bool{'>': true, '/': true, '"': true, '\'': true, '<': true}

// scanner finds where stanzas end. It can be stopped and continue at any byte; the bytes
// before pos are never looked at again, so a skipped stanza need not be kept.
type scanner struct {
	start, pos int // of the current stanza; the next byte to look at
	state      scanState
	done       bool // a frame ends at pos
	closing    bool // the current tag is an end tag
	empty      bool // the last start tag was <a/>
	quote      byte
	match      int // how much of a fixed word was seen
	depth      int // open elements below the stream
	tagAttrs   int // attributes of the current tag
	first      int // length of the first tag; 0 until it is whole
	firstAttrs int

	// Of an answer that is taken in parts, see framer_parts.go.
	split  bool // the places to cut it at are noted
	opened bool // its payload has begun
	cut    int  // the last such place; 0: none
}

// restart begins the next stanza at the front of the bytes.
func (s *scanner) restart() { *s = scanner{} }

// shift adjusts the positions to the removal of n bytes before pos.
func (s *scanner) shift(n int) {
	s.start = max(0, s.start-n)
	s.pos -= n
	s.cut = max(0, s.cut-n)
}

// between reports whether no stanza has begun.
func (s *scanner) between() bool { return s.state == inBetween }

// run looks at b from pos on. It stops at the end of a frame, at each start tag that is
// over a limit, or when b is used up. Header says that the stream header is still to come.
func (s *scanner) run(b []byte, header bool, lim *Limits) (found, error) {
	for s.pos < len(b) {
		switch s.state {
		case inBetween:
			if err := s.space(b); err != nil {
				return nothing, err
			}
		case inText:
			i := bytes.IndexByte(b[s.pos:], '<')
			if i < 0 {
				s.pos = len(b)
				return nothing, nil
			}
			s.pos += i + 1
			s.state = inOpen
		case inOpen:
			if err := s.open(b[s.pos], header); err != nil {
				return nothing, err
			}
		case inTag, inSlash, inQuote:
			f, err := s.tag(b, header, lim)
			if f != nothing || err != nil {
				return f, err
			}
		case inBang:
			if b[s.pos] != cdataOpen[s.match] {
				return nothing, restricted("comment or document type declaration")
			}
			s.pos++
			if s.match++; s.match == len(cdataOpen) {
				s.state, s.match = inCData, 0
			}
		case inCData:
			s.cdata(b)
		case inDecl:
			if err := s.declaration(b); err != nil {
				return nothing, err
			}
		}
	}
	return nothing, nil
}

// space passes over white space between stanzas, which keeps connections alive (RFC 6120,
// 4.6.1) and is not reported.
func (s *scanner) space(b []byte) error {
	for s.pos < len(b) && isSpace(b[s.pos]) {
		s.pos++
	}
	s.start = s.pos
	if s.pos < len(b) {
		if b[s.pos] != '<' {
			return &Error{Condition: "bad-format", Detail: "text between stanzas"}
		}
		s.pos++
		s.state = inOpen
	}
	return nil
}

// open looks at the byte after <.
func (s *scanner) open(c byte, header bool) error {
	s.closing, s.tagAttrs = false, 0
	switch c {
	case '/':
		if header {
			return notWellFormed("end tag before the stream header")
		}
		s.closing, s.state = true, inTag
	case '!':
		if s.depth == 0 {
			return restricted("declaration at stream level")
		}
		s.state, s.match = inBang, 0
	case '?':
		if !header || s.first != 0 {
			return restricted("processing instruction")
		}
		s.state = inDecl
	case '>', '<', '=', '"', '\'', '&':
		return notWellFormed("tag without a name")
	default:
		s.state = inTag
		return nil // the byte belongs to the name
	}
	s.pos++
	return nil
}

// tag continues within a tag until its end.
func (s *scanner) tag(b []byte, header bool, lim *Limits) (found, error) {
	i := s.pos
	for i < len(b) {
		switch s.state {
		case inQuote:
			n := bytes.IndexByte(b[i:], s.quote)
			if n < 0 {
				s.pos = len(b)
				return nothing, nil
			}
			i += n + 1
			s.state = inTag
			continue
		case inSlash:
			if b[i] != '>' {
				return nothing, notWellFormed("unexpected / in a tag")
			}
		}
		for i < len(b) && !tagStops[b[i]] {
			i++
		}
		if i == len(b) {
			break
		}
		c := b[i]
		i++
		switch c {
		case '"', '\'':
			s.quote, s.state = c, inQuote
			s.tagAttrs++
		case '/':
			if s.closing {
				return nothing, notWellFormed("unexpected / in an end tag")
			}
			s.state = inSlash
		case '<':
			return nothing, notWellFormed("unexpected < in a tag")
		case '>':
			s.pos = i
			return s.endTag(header, lim), nil
		}
	}
	s.pos = i
	return nothing, nil
}

// endTag is called after the > of a tag.
func (s *scanner) endTag(header bool, lim *Limits) found {
	s.empty = s.state == inSlash
	s.state = inText
	if s.closing {
		s.depth--
		s.noteCut()
		return s.atDepth()
	}
	if s.first == 0 || header {
		s.first, s.firstAttrs = s.pos-s.start, s.tagAttrs
	}
	if header {
		s.done = true
		return foundHeader
	}
	deep, rich := s.depth >= lim.Depth, s.tagAttrs > lim.Attrs
	if !s.empty {
		s.depth++
	}
	s.noteCut()
	switch {
	case rich && s.depth > 0:
		return foundTooManyAttrs
	case rich:
		s.done = true
		return foundTooManyAttrs
	case deep:
		return foundTooDeep
	}
	return s.atDepth()
}

func (s *scanner) atDepth() found {
	switch {
	case s.depth > 0:
		return nothing
	case s.depth < 0:
		s.done = true
		return foundEnd
	}
	s.done = true
	return foundElement
}

// cdata continues to the ]]> of a CDATA section; match counts the brackets just seen.
func (s *scanner) cdata(b []byte) {
	for s.pos < len(b) {
		c := b[s.pos]
		s.pos++
		switch {
		case c == ']':
			s.match = min(s.match+1, 2)
		case c == '>' && s.match == 2:
			s.state = inText
			return
		default:
			s.match = 0
		}
	}
}

// declaration waits for the whole XML declaration and checks it (RFC 6120, 11.5 and 11.6).
// It is short: it is looked at again from its start when more bytes arrive.
func (s *scanner) declaration(b []byte) error {
	const longest = 256
	inside := b[s.start+len("<?"):]
	i := bytes.Index(inside[:min(len(inside), longest)], []byte("?>"))
	if i < 0 {
		if len(inside) >= longest {
			return notWellFormed("unterminated XML declaration")
		}
		s.pos = len(b)
		return nil
	}
	if err := checkDeclaration(string(inside[:i])); err != nil {
		return err
	}
	s.start += len("<?") + i + len("?>")
	s.pos = s.start
	s.first = -1 // a second declaration is refused
	s.state = inBetween
	return nil
}
