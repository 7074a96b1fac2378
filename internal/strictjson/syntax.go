package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// maxDepth is deeper than any body of the API.
const maxDepth = 16

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
	case deeper(body, maxDepth):
		return perch.Errorf(perch.KindMalformedJSON, "nested deeper than %d", maxDepth)
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
