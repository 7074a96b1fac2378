package xmlstream

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

// What stops at a byte, to look at it more closely. Everything else is plain ASCII text.
const (
	stopText  uint8 = 1 << iota // reading character data
	stopValue                   // reading an attribute value
	stopWrite                   // writing either
)

var stops = func() (t [256]uint8) {
	for c := range 256 {
		if c < 0x20 && c != '\t' && c != '\n' || c >= utf8.RuneSelf {
			t[c] = stopText | stopValue | stopWrite
		}
	}
	mark := func(set string, stop uint8) {
		for _, c := range set {
			t[c] |= stop
		}
	}
	mark("<&]", stopText)
	mark("<&\"'", stopValue)
	mark("<&>\"'\t\n", stopWrite)
	return t
}()

// What a byte is in a name; what is not ASCII is checked by isNameRune.
const (
	namePlain uint8 = 1 << iota
	nameStart
	nameOther // a colon, or not ASCII
	nameNot   = uint8(0)
)

var nameBytes = func() (t [256]uint8) {
	for c := range 256 {
		switch {
		case c == ':' || c >= utf8.RuneSelf:
			t[c] = nameOther
		case isNameRune(rune(c), false):
			t[c] = namePlain | nameStart
		case isNameRune(rune(c), true):
			t[c] = namePlain
		}
	}
	return t
}()

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// isChar is the production Char of XML 1.0, 2.2.
func isChar(r rune) bool {
	return r >= 0x20 && r <= 0xD7FF || r == '\t' || r == '\n' || r == '\r' ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// isNameRune is NameStartChar, or with inner NameChar, of XML 1.0, fifth edition, 2.3.
func isNameRune(r rune, inner bool) bool {
	switch {
	case r < utf8.RuneSelf:
		start := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		return start || inner && (r >= '0' && r <= '9' || r == '-' || r == '.')
	case r >= 0xC0 && r <= 0x2FF:
		return r != 0xD7 && r != 0xF7
	case r == 0xB7, r >= 0x300 && r <= 0x36F, r >= 0x203F && r <= 0x2040:
		return inner
	}
	return r >= 0x370 && r <= 0x1FFF && r != 0x37E || r >= 0x200C && r <= 0x200D ||
		r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF || r >= 0x3001 && r <= 0xD7FF ||
		r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD || r >= 0x10000 && r <= 0xEFFFF
}

func badUTF8() error {
	return &Error{Condition: "unsupported-encoding", Detail: "invalid UTF-8"}
}
func badChar() error  { return notWellFormed("forbidden character") }
func badEnd() error   { return notWellFormed("unexpected end of input") }
func badName() error  { return notWellFormed("invalid name") }
func badQName() error { return notWellFormed("invalid qualified name") }
func badValue() error { return notWellFormed("invalid attribute") }

// charLen returns the length of the character at the front of s, which is not plain.
func charLen(s string) (int, error) {
	c := s[0]
	if c < utf8.RuneSelf {
		if c < 0x20 && c != '\r' && c != '\t' && c != '\n' {
			return 0, badChar()
		}
		return 1, nil
	}
	// None of two bytes is forbidden, and none below U+D000 of three.
	if c >= 0xC2 && c < 0xE0 && len(s) > 1 && continues(s[1]) {
		return 2, nil
	}
	if c > 0xE0 && c < 0xED && len(s) > 2 && continues(s[1]) && continues(s[2]) {
		return 3, nil
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 {
		return 0, badUTF8()
	}
	if !isChar(r) {
		return 0, badChar()
	}
	return n, nil
}

// continues reports whether c is in a character of UTF-8, and does not begin it.
func continues(c byte) bool { return c&0xC0 == 0x80 }

// chars reads character data up to end, a quote or <, and stops before it. Text without
// entities and carriage returns, the usual case, is a view of the input.
func (p *parser) chars(end byte) (string, error) {
	s, stop, also := p.src, stopValue, end
	if end == '<' {
		stop, also = stopText, ']'
	}
	for i := skipPlain(s, p.pos, also); ; {
		for i < len(s) && stops[s[i]]&stop == 0 {
			i++
		}
		if i == len(s) {
			return "", badEnd()
		}
		c := s[i]
		if c == end {
			v := s[p.pos:i]
			p.pos = i
			return v, nil
		}
		if c >= 0xC2 && c < 0xE0 && i+1 < len(s) && continues(s[i+1]) {
			i += 2 // as in charLen: most alphabets
			continue
		}
		if c == '&' || c == '\r' {
			return p.charsCopied(end, stop, i)
		}
		n, err := p.charAt(end, i)
		if err != nil {
			return "", err
		}
		i += n
	}
}

// charAt returns the length of a character in character data or in a value up to end, at which
// the reading has stopped.
func (p *parser) charAt(end byte, i int) (int, error) {
	switch c := p.src[i]; {
	case c == '<':
		return 0, notWellFormed("unexpected < in an attribute")
	case c == ']' && end == '<' && strings.HasPrefix(p.src[i:], "]]>"):
		return 0, notWellFormed("unexpected ]]> in text")
	}
	return charLen(p.src[i:])
}

// charsCopied is chars for text that is not as it stands: entities are replaced, and \r\n
// and \r become \n (XML 1.0, 2.11). Up to i the text was found to be plain.
func (p *parser) charsCopied(end byte, stop uint8, i int) (string, error) {
	s, plain, from := p.src, p.pos, len(p.scratch)
	out := p.scratch
	for {
		for i < len(s) && stops[s[i]]&stop == 0 {
			i++
		}
		if i == len(s) {
			return "", badEnd()
		}
		switch c := s[i]; c {
		case end:
			out = append(out, s[plain:i]...)
			p.pos = i
			return p.copied(out, from), nil
		case '&':
			r, n, err := entity(s[i:])
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(append(out, s[plain:i]...), r)
			i += n
			plain = i
		case '\r':
			out = append(append(out, s[plain:i]...), '\n')
			if i++; i < len(s) && s[i] == '\n' {
				i++
			}
			plain = i
		default:
			n, err := p.charAt(end, i)
			if err != nil {
				return "", err
			}
			i += n
		}
	}
}

// copied is the text that was appended to the scratch from some place on. A tree that is lent has it
// there: what lies before never moves, since a larger scratch is another one.
func (p *parser) copied(out []byte, from int) string {
	if !p.lent {
		p.scratch = out[:from]
		return string(out[from:])
	}
	p.scratch = out
	return unsafe.String(unsafe.SliceData(out[from:]), len(out)-from) //nolint:gosec // a view that giveBack ends
}

// entity reads a reference at the front of s: one of the five names or a number. Others
// would need a DTD, which XMPP forbids (RFC 6120, 11.1).
func entity(s string) (r rune, n int, err error) {
	end := strings.IndexByte(s, ';')
	if end < 0 {
		return 0, 0, notWellFormed("unexpected &")
	}
	name := s[1:end]
	switch name {
	case "lt":
		return '<', end + 1, nil
	case "gt":
		return '>', end + 1, nil
	case "amp":
		return '&', end + 1, nil
	case "apos":
		return '\'', end + 1, nil
	case "quot":
		return '"', end + 1, nil
	}
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		switch r, ok = charRef(digits); {
		case ok && isChar(r):
			return r, end + 1, nil
		case ok && r >= 0xD800 && r <= 0xDFFF:
			return 0, 0, notWellFormed("reference to a surrogate")
		}
		return 0, 0, notWellFormed("invalid character reference")
	}
	return 0, 0, restricted("undefined entity")
}

func charRef(s string) (rune, bool) {
	base := rune(10)
	if hex, ok := strings.CutPrefix(s, "x"); ok {
		base, s = 16, hex
	}
	var r rune
	for i := range len(s) {
		d := rune(-1)
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case base == 16 && c >= 'a' && c <= 'f':
			d = rune(c-'a') + 10
		case base == 16 && c >= 'A' && c <= 'F':
			d = rune(c-'A') + 10
		}
		if r = r*base + d; d < 0 || r > utf8.MaxRune {
			return 0, false
		}
	}
	return r, s != ""
}
