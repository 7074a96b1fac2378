package occupants

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/perch-im/perch/internal/packed"
)

// A hash is packed as its kind (two bits) and its length (six), and the raw bytes when they make the
// text again, which most occupant ids and all photo hashes do.
const (
	kindText   = 0 << 6
	kindHex    = 1 << 6
	kindBase64 = 2 << 6

	longText = 63 // in place of a length: that comes after it
	maxRaw   = 62
)

var strictBase64 = base64.StdEncoding.Strict()

// appendHash packs a text that is a hash, mostly.
func appendHash(dst []byte, s string) []byte {
	at := len(dst)
	dst = append(dst, 0)
	if len(s) >= 8 && len(s) <= 2*maxRaw {
		if packed.IsHex(s) {
			dst[at] = kindHex | byte(len(s)/2)
			return packed.AppendHex(dst, s)
		}
		if b, ok := appendBase64(dst, s); ok {
			b[at] = kindBase64 | byte(len(b)-at-1)
			return b
		}
	}
	if len(s) < longText {
		dst[at] = kindText | byte(len(s))
		return append(dst, s...)
	}
	dst[at] = kindText | longText
	return packed.AppendText(dst, s)
}

// appendBase64 wants the padded form, and nothing that a decoder passes over.
func appendBase64(dst []byte, s string) ([]byte, bool) {
	if len(s)%4 != 0 || len(s)/4*3 > maxRaw {
		return nil, false
	}
	var src, raw [2 * maxRaw]byte
	n, err := strictBase64.Decode(raw[:], src[:copy(src[:], s)])
	if err != nil || strictBase64.EncodedLen(n) != len(s) {
		return nil, false
	}
	return append(dst, raw[:n]...), true
}

// cutHash splits a packed hash off.
func cutHash(s string) (kind byte, raw, rest string) {
	kind, n := s[0]&0xc0, int(s[0]&0x3f)
	if s = s[1:]; n == longText {
		raw, rest = text(s)
		return kind, raw, rest
	}
	return kind, s[:n], s[n:]
}

func skipHash(s string) string {
	_, _, rest := cutHash(s)
	return rest
}

// hash unpacks one.
func hash(s string) (text, rest string) {
	kind, raw, rest := cutHash(s)
	switch kind {
	case kindHex:
		return hex.EncodeToString([]byte(raw)), rest
	case kindBase64:
		return strictBase64.EncodeToString([]byte(raw)), rest
	}
	return raw, rest
}
