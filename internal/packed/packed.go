// Package packed reads and writes the texts and numbers of which the packed tables are made
// (internal/contacts, internal/conversations, internal/occupants): texts with their length before them, and varints.
package packed

import "encoding/binary"

// AppendText appends a text with its length before it, as a varint.
func AppendText[T ~string](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Reader reads what was packed. It never goes beyond its bytes, and never panics: what is not there is
// zero, and Bad says so in the end. Texts are parts of the bytes that are read.
type Reader struct {
	rest string
	bad  bool
}

// Read reads what is packed in s.
func Read(s string) Reader { return Reader{rest: s} }

// Rest is what was not read so far; it is empty after a failure.
func (r *Reader) Rest() string { return r.rest }

// Bad reports whether something was asked for that was not there, or Fail was called.
func (r *Reader) Bad() bool { return r.bad }

// Fail ends the reading, for what was read makes no sense.
func (r *Reader) Fail() { r.bad, r.rest = true, "" }

// Take reads n bytes.
func (r *Reader) Take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.Fail()
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// Octet reads one byte.
func (r *Reader) Octet() byte {
	if r.rest == "" {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// Number reads an unsigned varint.
func (r *Reader) Number() uint64 {
	var n uint64
	for i := range min(len(r.rest), binary.MaxVarintLen64) {
		b := r.rest[i]
		if i == binary.MaxVarintLen64-1 && b > 1 {
			break // it has more than 64 bits
		}
		if n |= uint64(b&0x7f) << (7 * i); b < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.Fail()
	return 0
}

// Signed reads a signed varint.
func (r *Reader) Signed() int64 {
	n := r.Number()
	if n&1 != 0 {
		return ^int64(n >> 1)
	}
	return int64(n >> 1)
}

// Text reads what AppendText wrote.
func (r *Reader) Text() string { return r.Take(r.Number()) }

// Count reads how many things follow of which each takes at least this many bytes.
func (r *Reader) Count(each int) int {
	n := r.Number()
	if n > uint64(len(r.rest)/each) {
		r.Fail()
		return 0
	}
	return int(n)
}
