package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// maxJSONDepth is deeper than any body of this API.
const maxJSONDepth = 16

// decodeJSON reads the body of r, one JSON object, into a struct. It is stricter than
// encoding/json where leniency would hide a mistake or an attack: an unknown field, a key
// that stands twice, a key in other letters, invalid UTF-8, half a surrogate pair,
// anything after the object, a wrong type, and characters that XML cannot carry are all
// refused, the field named by its pointer.
func decodeJSON[T any](r *http.Request, into *T) error {
	present, err := decodeOptional(r, into)
	if err == nil && !present {
		return perch.Errorf(perch.KindMalformedJSON, "a JSON object is needed in the body")
	}
	return err
}

// decodeOptional is decodeJSON for requests that may come without a body.
func decodeOptional[T any](r *http.Request, into *T) (present bool, err error) {
	body, err := readBody(r)
	if err != nil || len(body) == 0 {
		return false, err
	}
	if err := checkMediaType(r); err != nil {
		return true, err
	}
	return true, decodeBytes(body, into)
}

// readBody reads the body of r to its end, within the limit of withBodyLimit.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		return body, nil
	}
	return nil, bodyError(err)
}

// bodyError is for a body that did not come to its end within its limits.
func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return perch.Wrap(perch.KindMalformedJSON, err, "the body could not be read to its end")
}

func checkMediaType(r *http.Request) error {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	ok := err == nil && (media == "application/json" || media == "application/merge-patch+json" && r.Method == http.MethodPatch)
	if charset := params["charset"]; charset != "" && !isUTF8Label(charset) {
		ok = false
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		ok = false
	}
	if !ok {
		return perch.Errorf(perch.KindUnsupportedMedia, "the body must be application/json in UTF-8, without a content encoding")
	}
	return nil
}

// decodeBytes is the part of decodeJSON after the body is read; the commands of a
// WebSocket come this way too. A json.RawMessage field is taken as it stands: its reader
// decodes it as strictly.
//
// Every step is a pass over the body that takes a time in proportion to its bytes, or stops
// at the first mistakes: a body costs about the same whatever is in it.
func decodeBytes[T any](body []byte, into *T) error {
	if err := checkEncoding(body); err != nil {
		return err
	}
	if err := checkSyntax(body); err != nil {
		return err
	}
	if first := bytes.TrimLeft(body, " \t\r\n"); first[0] != '{' {
		return perch.Errorf(perch.KindMalformedJSON, "the body must be a JSON object")
	}
	wrong, err := checkFields(body, reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return &perch.Error{Kind: perch.KindValidation, Detail: wrong[0].Pointer + ": " + wrong[0].Detail, Fields: wrong}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return unmarshalError(err)
	}
	return nil
}

// checkEncoding refuses what is not UTF-8. A byte order mark is named: editors and some
// client libraries add one, and no other message would help to find it (RFC 8259, 8.1).
func checkEncoding(body []byte) error {
	switch {
	case bytes.HasPrefix(body, []byte("\xEF\xBB\xBF")):
		return perch.Errorf(perch.KindMalformedJSON, "the body begins with a byte order mark (U+FEFF); send UTF-8 without it")
	case bytes.HasPrefix(body, []byte("\xFF\xFE")), bytes.HasPrefix(body, []byte("\xFE\xFF")):
		return perch.Errorf(perch.KindMalformedJSON, "the body begins with the byte order mark of UTF-16; send UTF-8 without a mark")
	case !utf8.Valid(body):
		return perch.Errorf(perch.KindMalformedJSON, "the body is not valid UTF-8")
	case deeper(body, maxJSONDepth):
		return perch.Errorf(perch.KindMalformedJSON, "nested deeper than %d", maxJSONDepth)
	}
	return nil
}

// deeper reports whether objects and lists are nested deeper than most. For what is no
// JSON the result is arbitrary: that is refused in any case.
func deeper(body []byte, most int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func checkSyntax(body []byte) error {
	var raw json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return perch.Wrap(perch.KindMalformedJSON, err, "not valid JSON at byte %d: %s", syntax.Offset, syntax.Error())
		}
		return perch.Wrap(perch.KindMalformedJSON, err, "not valid JSON")
	}
	if loneSurrogate(body) {
		// encoding/json would turn it into U+FFFD silently.
		return perch.Errorf(perch.KindMalformedJSON, `a \u escape is half of a surrogate pair`)
	}
	return nil
}

// unmarshalError is reached only for what the checker does not look at, such as a number
// that is too large for its field.
func unmarshalError(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return perch.Invalid("/"+strings.ReplaceAll(t.Field, ".", "/"), "a %.20s does not fit here", t.Value)
	}
	return perch.Wrap(perch.KindValidation, err, "a value does not have the form that its field needs")
}

// loneSurrogate looks for \uD800-\uDFFF escapes that are no pair. A backslash stands only
// in strings of valid JSON, so the bytes can be read without parsing.
func loneSurrogate(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		i++ // what is escaped
		if b[i] != 'u' {
			continue
		}
		switch unit := hex4(b[i+1:]); {
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return true
		case unit >= 0xD800 && unit <= 0xDBFF:
			rest := b[i+5:]
			if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
				return true
			}
			if low := hex4(rest[2:]); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 10
		default:
			i += 4
		}
	}
	return false
}

func hex4(b []byte) (v rune) {
	for _, c := range b[:4] {
		v <<= 4
		switch {
		case c <= '9':
			v |= rune(c - '0')
		default:
			v |= rune(c|0x20-'a') + 10
		}
	}
	return v
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer writes a key as RFC 6901, 3 wants it, shortened: it is the client's own
// text and is repeated in the answer.
func escapePointer(key string) string {
	if len(key) > 64 {
		key = strings.ToValidUTF8(key[:64], "") + "..."
	}
	return pointerEscapes.Replace(key)
}
