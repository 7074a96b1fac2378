package xmppconn

import (
	"strconv"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// writer builds XML in bytes. Markup comes from the program (raw), text from people (text,
// attr, element): only the latter is escaped and checked. Text that XML 1.0 cannot carry is
// an error that names its field, and never replaced in silence. The first error stays.
type writer struct {
	b   []byte
	err error
}

// result gives the bytes, or the error.
func (w *writer) result() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return w.b, nil
}

// raw writes markup as it is. No byte of it may come from outside.
func (w *writer) raw(markup string) { w.b = append(w.b, markup...) }

func (w *writer) int(n int64) { w.b = strconv.AppendInt(w.b, n, 10) }

// text writes character data. The field is a JSON pointer for the error.
func (w *writer) text(field, s string) { w.escape(field, s, false) }

// attr writes an attribute, or nothing when the value is empty.
func (w *writer) attr(field, name, value string) {
	if value == "" {
		return
	}
	w.b = append(w.b, ' ')
	w.b = append(w.b, name...)
	w.b = append(w.b, '=', '\'')
	w.escape(field, value, true)
	w.b = append(w.b, '\'')
}

// element writes <name>text</name>, or nothing when the text is empty.
func (w *writer) element(field, name, text string) {
	if text == "" {
		return
	}
	w.b = append(w.b, '<')
	w.b = append(w.b, name...)
	w.b = append(w.b, '>')
	w.text(field, text)
	w.b = append(w.b, '<', '/')
	w.b = append(w.b, name...)
	w.b = append(w.b, '>')
}

// escape writes s so that a parser reads s again. White space in attributes and carriage
// returns everywhere would be changed by a parser (XML 1.0, 2.11 and 3.3.3), so they are
// written as references.
func (w *writer) escape(field, s string, attribute bool) {
	if w.err != nil {
		return
	}
	plain := 0
	for i := 0; i < len(s); {
		ref, n := "", 1
		switch c := s[i]; {
		case c == '&':
			ref = "&amp;"
		case c == '<':
			ref = "&lt;"
		case c == '>':
			ref = "&gt;"
		case c == '\r':
			ref = "&#13;"
		case c == '\'' && attribute:
			ref = "&apos;"
		case c == '"' && attribute:
			ref = "&quot;"
		case c == '\n' && attribute:
			ref = "&#10;"
		case c == '\t' && attribute:
			ref = "&#9;"
		case special[c] && c != ']' && c != '\'' && c != '"':
			var r rune
			r, n = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				w.err = perch.Invalid(field, "it must be valid UTF-8")
				return
			}
			if !isChar(r) {
				w.err = perch.Invalid(field, "the character %U cannot be sent over XMPP", r)
				return
			}
		}
		if ref != "" {
			w.b = append(w.b, s[plain:i]...)
			w.b = append(w.b, ref...)
			plain = i + 1
		}
		i += n
	}
	w.b = append(w.b, s[plain:]...)
}
