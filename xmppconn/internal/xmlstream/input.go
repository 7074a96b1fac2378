package xmlstream

import (
	"io"
	"sync"
)

// Sizes of the buffers that are lent out. A longer stanza gets one of its own, which is
// left to the garbage collector: a rare giant must not stay in a pool.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
	maxEmpty    = 100 // reads without a byte or an error, as in bufio
)

var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// poisonReleased is set by tests.
var poisonReleased bool

// PoisonReleased is for tests: what is given back is overwritten from now on, so that a view
// that was kept too long shows at once. It is called before any framer is used.
func PoisonReleased(on bool) { poisonReleased = on }

// input is the bytes that were read and not used yet. While there are none it holds no
// buffer: the first bytes of a stanza are read into peek, and only then a buffer is
// borrowed. An idle connection costs these few bytes.
type input struct {
	buf   []byte // borrowed; nil when there is nothing in it
	off   int    // bytes of buf that were dropped
	err   error  // came with the last bytes; returned when they are used
	empty int
	peek  [32]byte
}

func (in *input) bytes() []byte { return in.buf[in.off:] }

// drop forgets the first n bytes.
func (in *input) drop(n int) {
	if poisonReleased {
		for i := range in.buf[in.off : in.off+n] {
			in.buf[in.off+i] = 0xDB
		}
	}
	if in.off += n; in.off == len(in.buf) {
		in.free()
	}
}

// clear forgets everything and keeps a buffer of a modest size, for a stanza that is
// being skipped.
func (in *input) clear() {
	if cap(in.buf) > largeBuffer {
		in.buf = largeBuffers.Get().(*[largeBuffer]byte)[:0]
	}
	in.buf, in.off = in.buf[:0], 0
}

// free gives the buffer back, with whatever is in it.
func (in *input) free() {
	switch cap(in.buf) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(in.buf[:smallBuffer]))
	case largeBuffer:
		largeBuffers.Put((*[largeBuffer]byte)(in.buf[:largeBuffer]))
	}
	in.buf, in.off = nil, 0
}

// read reads once, at least a byte or an error. The buffer grows with the stanza and not
// beyond what a stanza may have. Idle says that white space may be dropped.
func (in *input) read(r io.Reader, limit int, idle bool) error {
	if in.err != nil {
		return in.err
	}
	if in.buf == nil {
		return in.readFirst(r, idle)
	}
	in.makeRoom(limit)
	n, err := r.Read(in.buf[len(in.buf):cap(in.buf)])
	in.buf = in.buf[:len(in.buf)+n]
	return in.noteRead(n, err)
}

// readFirst reads into the small array, and borrows a buffer when there is something to keep.
func (in *input) readFirst(r io.Reader, idle bool) error {
	n, err := r.Read(in.peek[:])
	got := in.peek[:n]
	for idle && len(got) > 0 && isSpace(got[0]) {
		got = got[1:]
	}
	if len(got) > 0 {
		in.buf = append(smallBuffers.Get().(*[smallBuffer]byte)[:0], got...)
	}
	return in.noteRead(n, err)
}

func (in *input) noteRead(n int, err error) error {
	if n > 0 {
		in.err, in.empty = err, 0
		return nil
	}
	if err == nil {
		if in.empty++; in.empty > maxEmpty {
			err = io.ErrNoProgress
		}
	}
	return err
}

// makeRoom makes space after the bytes that are there: it moves them to the front, or to a
// larger buffer.
func (in *input) makeRoom(limit int) {
	if len(in.buf) < cap(in.buf) && in.off == 0 {
		return
	}
	if in.off > 0 {
		n := copy(in.buf, in.buf[in.off:])
		in.buf, in.off = in.buf[:n], 0
		if n < cap(in.buf) {
			return
		}
	}
	var larger []byte
	if cap(in.buf) < largeBuffer {
		larger = largeBuffers.Get().(*[largeBuffer]byte)[:0]
	} else {
		larger = make([]byte, 0, min(2*cap(in.buf), max(limit, largeBuffer)+smallBuffer))
	}
	larger = append(larger, in.buf...)
	in.free()
	in.buf = larger
}
