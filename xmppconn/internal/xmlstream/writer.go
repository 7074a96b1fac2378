package xmlstream

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// Writer builds XML in bytes. Markup comes from the program (Raw, Bytes), text from people
// (Text, Attr, Element): only the latter is escaped and checked. Text that XML 1.0 cannot carry
// is an error that names its field, and never replaced in silence. The first error stays.
type Writer struct {
	b    []byte
	from []byte // what was there already
	most int    // bytes that a tree may make of it; 0: see AtMost
	err  error
}

// NewWriter appends to b, which may be nil.
func NewWriter(b []byte) *Writer { return &Writer{b: b, from: b} }

// Result returns the bytes; with an error, of KindValidation unless Fail was given another, b
// as it was.
func (w *Writer) Result() ([]byte, error) {
	if w.err != nil {
		return w.from, w.err
	}
	return w.b, nil
}

// Fail keeps an error, unless there is one already.
func (w *Writer) Fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// Raw writes markup as it is. No byte of it may come from outside.
func (w *Writer) Raw(markup string) { w.b = append(w.b, markup...) }

// Bytes is Raw for what another Writer has made.
func (w *Writer) Bytes(markup []byte) { w.b = append(w.b, markup...) }

// Base64 writes data in base64, which needs no escapes.
func (w *Writer) Base64(data []byte) { w.b = base64.StdEncoding.AppendEncode(w.b, data) }

// Int writes a number.
func (w *Writer) Int(n int64) { w.b = strconv.AppendInt(w.b, n, 10) }

// Text writes character data. The field is a JSON pointer for the error.
func (w *Writer) Text(field, s string) { w.escape(field, s, false) }

// Attr writes an attribute, or nothing when the value is empty.
func (w *Writer) Attr(field, name, value string) {
	if value == "" {
		return
	}
	w.b = append(w.b, ' ')
	w.b = append(w.b, name...)
	w.b = append(w.b, '=', '\'')
	w.escape(field, value, true)
	w.b = append(w.b, '\'')
}

// Element writes <name>text</name>, or nothing when the text is empty.
func (w *Writer) Element(field, name, text string) {
	if text == "" {
		return
	}
	w.b = append(w.b, '<')
	w.b = append(w.b, name...)
	w.b = append(w.b, '>')
	w.Text(field, text)
	w.b = append(w.b, '<', '/')
	w.b = append(w.b, name...)
	w.b = append(w.b, '>')
}

// escape writes s so that a parser reads s again. White space in attributes and carriage
// returns everywhere would be changed by a parser (XML 1.0, 2.11 and 3.3.3), so they are
// written as references.
func (w *Writer) escape(field, s string, attribute bool) {
	if w.err != nil {
		return
	}
	plain := 0
	for i := 0; i < len(s); {
		if stops[s[i]]&stopWrite == 0 {
			i++
			continue
		}
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
		case c < ' ' && c != '\n' && c != '\t' || c >= utf8.RuneSelf:
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
