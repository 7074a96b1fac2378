package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, err
	}
	return nil, perch.Wrap(perch.KindMalformedJSON, err, "the body could not be read to its end")
}

func checkMediaType(r *http.Request) error {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	ok := err == nil && (media == "application/json" || media == "application/merge-patch+json" && r.Method == http.MethodPatch)
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
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
// WebSocket come this way too. A json.RawMessage field is checked for everything but its
// own fields.
func decodeBytes[T any](body []byte, into *T) error {
	if !utf8.Valid(body) {
		return perch.Errorf(perch.KindMalformedJSON, "the body is not valid UTF-8")
	}
	if err := checkSyntax(body); err != nil {
		return err
	}
	tree, err := parseTree(body)
	if err != nil {
		return err
	}
	if _, ok := tree.(object); !ok {
		return perch.Errorf(perch.KindMalformedJSON, "the body must be a JSON object")
	}
	c := checker{}
	c.value("", tree, reflect.TypeFor[T]())
	if len(c.wrong) > 0 {
		return &perch.Error{Kind: perch.KindValidation, Detail: c.wrong[0].Pointer + ": " + c.wrong[0].Detail, Fields: c.wrong}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return unmarshalError(err)
	}
	return nil
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
		// encoding/json would turn it into U+FFFD without a word.
		return perch.Errorf(perch.KindMalformedJSON, `a \u escape is half of a surrogate pair`)
	}
	return nil
}

// unmarshalError is reached only for what the checker does not look at, such as a number
// that is too large for its field.
func unmarshalError(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return perch.Invalid("/"+strings.ReplaceAll(t.Field, ".", "/"), "%s does not fit here", t.Value)
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

// object and array are parsed JSON that remembers its keys in order.
type (
	object []member
	member struct {
		key   string
		value any
	}
	array []any
)

// parseTree reads valid JSON and refuses keys that stand twice: two readers of such a
// body could see two different requests.
func parseTree(body []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	return parseValue(dec, "", 0)
}

func parseValue(dec *json.Decoder, pointer string, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, perch.Errorf(perch.KindMalformedJSON, "nested deeper than %d", maxJSONDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, perch.Wrap(perch.KindMalformedJSON, err, "not valid JSON")
	}
	switch tok {
	case json.Delim('{'):
		return parseObject(dec, pointer, depth)
	case json.Delim('['):
		list := array{}
		for dec.More() {
			v, err := parseValue(dec, fmt.Sprintf("%s/%d", pointer, len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	}
	return tok, nil
}

func parseObject(dec *json.Decoder, pointer string, depth int) (any, error) {
	obj := object{}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, perch.Wrap(perch.KindMalformedJSON, err, "not valid JSON")
		}
		key, _ := tok.(string)
		at := pointer + "/" + escapePointer(key)
		if seen[key] {
			return nil, &perch.Error{Kind: perch.KindMalformedJSON, Detail: at + " stands twice",
				Fields: []perch.FieldError{{Pointer: at, Detail: "stands twice"}}}
		}
		seen[key] = true
		v, err := parseValue(dec, at, depth+1)
		if err != nil {
			return nil, err
		}
		obj = append(obj, member{key, v})
	}
	_, err := dec.Token()
	return obj, err
}

// escapePointer writes a key as RFC 6901, 3 wants it, shortened: it is the client's own
// text and comes back in the answer.
func escapePointer(key string) string {
	if len(key) > 64 {
		key = strings.ToValidUTF8(key[:64], "") + "..."
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
