package xmlstream

import (
	"strings"
	"unicode/utf8"
)

// special are the bytes at which character data and attribute values are looked at more
// closely. Everything else is plain ASCII text.
var special = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c < 0x20 && c != '\t' && c != '\n' || c >= utf8.RuneSelf
	}
	for _, c := range `<&]"'` {
		t[c] = true
	}
	return t
}()

// nameBytes are the bytes of a name; what is not ASCII is checked by isNameRune.
const (
	nameNot uint8 = iota
	namePlain
	nameOther // a colon, or not ASCII
)

var nameBytes = func() (t [256]uint8) {
	for c := range 256 {
		switch {
		case c == ':' || c >= utf8.RuneSelf:
			t[c] = nameOther
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
	if s[0] < utf8.RuneSelf {
		if s[0] < 0x20 && s[0] != '\r' && s[0] != '\t' && s[0] != '\n' {
			return 0, badChar()
		}
		return 1, nil
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

// chars reads character data up to end, a quote or <, and stops before it. Text without
// entities and carriage returns, the usual case, is a view of the input.
func (p *parser) chars(end byte) (string, error) {
	s, i := p.src, p.pos
	for i < len(s) {
		c := s[i]
		if !special[c] {
			i++
			continue
		}
		switch {
		case c == end:
			v := s[p.pos:i]
			p.pos = i
			return v, nil
		case c == '&' || c == '\r':
			return p.charsCopied(end, i)
		case c == '<':
			return "", notWellFormed("unexpected < in an attribute")
		case c == ']' && end == '<' && strings.HasPrefix(s[i:], "]]>"):
			return "", notWellFormed("unexpected ]]> in text")
		}
		n, err := charLen(s[i:])
		if err != nil {
			return "", err
		}
		i += n
	}
	return "", badEnd()
}

// charsCopied is chars for text that is not as it stands: entities are replaced, and \r\n
// and \r become \n (XML 1.0, 2.11). Up to i the text was found to be plain.
func (p *parser) charsCopied(end byte, i int) (string, error) {
	s, out, plain := p.src, p.scratch[:0], p.pos
	for i < len(s) {
		c := s[i]
		if !special[c] {
			i++
			continue
		}
		switch {
		case c == end:
			out = append(out, s[plain:i]...)
			p.pos, p.scratch = i, out
			return string(out), nil
		case c == '<':
			return "", notWellFormed("unexpected < in an attribute")
		case c == ']' && end == '<' && strings.HasPrefix(s[i:], "]]>"):
			return "", notWellFormed("unexpected ]]> in text")
		case c == '&':
			r, n, err := entity(s[i:])
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(append(out, s[plain:i]...), r)
			i += n
			plain = i
			continue
		case c == '\r':
			out = append(append(out, s[plain:i]...), '\n')
			if i++; i < len(s) && s[i] == '\n' {
				i++
			}
			plain = i
			continue
		}
		n, err := charLen(s[i:])
		if err != nil {
			return "", err
		}
		i += n
	}
	return "", badEnd()
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
