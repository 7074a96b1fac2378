package conversations

import (
	"math"

	"github.com/perch-im/perch/internal/packed"
)

// readHash reads what Hash made, which is not 0.
func readHash(r *packed.Reader) uint32 {
	s := r.Take(4)
	if s == "" {
		return 0
	}
	n := uint32(s[0])<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3])
	if n == 0 {
		r.Fail()
	}
	return n
}

// readCounter reads one that is not 0.
func readCounter(r *packed.Reader) uint16 {
	n := r.Number()
	if n == 0 || n > math.MaxUint16 {
		r.Fail()
		return 0
	}
	return uint16(n)
}
