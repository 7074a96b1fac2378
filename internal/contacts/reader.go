package contacts

// reader reads what the encoders of this package wrote. It never goes beyond its bytes: what is
// not there is zero, and bad says so in the end.
type reader struct {
	s   string
	bad bool
}

func (r *reader) octet() byte {
	if len(r.s) == 0 {
		r.bad = true
		return 0
	}
	b := r.s[0]
	r.s = r.s[1:]
	return b
}

// number reads an unsigned varint.
func (r *reader) number() uint64 {
	var n uint64
	for shift := 0; shift < 64 && len(r.s) > 0; shift += 7 {
		b := r.s[0]
		r.s = r.s[1:]
		if shift == 63 && b > 1 {
			break // it has more than 64 bits
		}
		if n |= uint64(b&0x7f) << shift; b < 0x80 {
			return n
		}
	}
	r.bad, r.s = true, ""
	return 0
}

// text reads a text with its length before it: a part of the bytes that are read.
func (r *reader) text() string {
	n := r.number()
	if n > uint64(len(r.s)) {
		r.bad, r.s = true, ""
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

// count reads how many things follow of which each takes at least this many bytes.
func (r *reader) count(each int) int {
	n := r.number()
	if n > uint64(len(r.s)/each) {
		r.bad, r.s = true, ""
		return 0
	}
	return int(n)
}
