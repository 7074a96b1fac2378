package conversations

import (
	"encoding/binary"
	"math"
)

// reader reads what the encoders of this package wrote. It never goes beyond its bytes: what is
// not there is zero, and bad says so in the end.
type reader struct {
	s   string
	bad bool
}

// fail ends the reading.
func (r *reader) fail() { r.bad, r.s = true, "" }

// take cuts n bytes off.
func (r *reader) take(n uint64) string {
	if n > uint64(len(r.s)) {
		r.fail()
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) octet() byte {
	if s := r.take(1); s != "" {
		return s[0]
	}
	return 0
}

// number reads an unsigned varint.
func (r *reader) number() uint64 {
	var n uint64
	for i := range min(len(r.s), binary.MaxVarintLen64) {
		b := r.s[i]
		if i == binary.MaxVarintLen64-1 && b > 1 {
			break // it has more than 64 bits
		}
		if n |= uint64(b&0x7f) << (7 * i); b < 0x80 {
			r.s = r.s[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

// signed reads a signed varint.
func (r *reader) signed() int64 {
	n := r.number()
	if n&1 != 0 {
		return ^int64(n >> 1)
	}
	return int64(n >> 1)
}

// text reads a text with its length before it: a part of the bytes that are read.
func (r *reader) text() string { return r.take(r.number()) }

// hash reads what Hash made, which is not 0.
func (r *reader) hash() uint32 {
	s := r.take(4)
	if s == "" {
		return 0
	}
	n := uint32(s[0])<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3])
	if n == 0 {
		r.fail()
	}
	return n
}

// counter reads one that is not 0.
func (r *reader) counter() uint16 {
	n := r.number()
	if n == 0 || n > math.MaxUint16 {
		r.fail()
		return 0
	}
	return uint16(n)
}
