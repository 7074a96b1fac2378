package packed

// unhex are the values of digits in lower case, 0xff of what is none.
var unhex = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	return t
}()

// IsHex reports whether s is the hex of some bytes as encoding/hex writes it, in lower case: then
// AppendHex loses nothing.
func IsHex(s string) bool {
	for i := range len(s) {
		if unhex[s[i]] > 0xf {
			return false
		}
	}
	return len(s)%2 == 0
}

// AppendHex appends the bytes that s is the hex of; IsHex has said that it is.
func AppendHex(dst []byte, s string) []byte {
	for i := 0; i+1 < len(s); i += 2 {
		dst = append(dst, unhex[s[i]]<<4|unhex[s[i+1]])
	}
	return dst
}
