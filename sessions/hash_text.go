package sessions

import (
	"encoding/binary"
	"io"
)

// text adds strings to a hash so that no two lists give the same.
func text(h io.Writer, list ...string) {
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], uint32(len(list)))
	_, _ = h.Write(n[:])
	for _, s := range list {
		binary.LittleEndian.PutUint32(n[:], uint32(len(s)))
		_, _ = h.Write(n[:])
		_, _ = io.WriteString(h, s)
	}
}
