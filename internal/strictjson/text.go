package strictjson

import (
	"fmt"
	"strings"
)

// ForbiddenRune names the first character of s that XML 1.0 (section 2.2) forbids, or
// gives "" when there is none. Such a character would end the stream of the whole session, not only fail
// one message.
func ForbiddenRune(s string) string {
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return fmt.Sprintf("U+%04X", r)
		}
	}
	return ""
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// EscapePointer writes a key as RFC 6901, 3 wants it, shortened to 64 bytes: it is the client's
// own text and is repeated in the answer.
func EscapePointer(key string) string {
	if len(key) > 64 {
		key = strings.ToValidUTF8(key[:64], "") + "..."
	}
	return pointerEscapes.Replace(key)
}
