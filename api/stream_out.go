package api

import (
	"sync"
	"syscall"
)

// outBuffer has frames that are on their way to a client. It is borrowed while there are any.
type outBuffer struct {
	b    []byte
	sent int                   // bytes of b that are written
	err  error                 // of the last try
	once func(fd uintptr) bool // tries; made once for all streams that borrow the buffer
}

// maxOutBuffer is how large a buffer may be to be borrowed again, in bytes.
const maxOutBuffer = 64 << 10

var outBuffers = sync.Pool{New: func() any {
	o := &outBuffer{}
	o.once = func(fd uintptr) bool {
		var n int
		n, o.err = writeNow(fd, o.rest())
		o.sent += n
		return true // never wait for the descriptor
	}
	return o
}}

// rest is what is not written yet.
func (o *outBuffer) rest() []byte { return o.b[o.sent:] }

// try writes what the kernel takes at once. Done reports whether that was all.
func (o *outBuffer) try(raw syscall.RawConn) (done bool, err error) {
	if err := raw.Write(o.once); err != nil {
		return false, err
	}
	return len(o.rest()) == 0, o.err
}

// release gives the buffer back.
func (o *outBuffer) release() {
	if cap(o.b) <= maxOutBuffer {
		o.b, o.sent = o.b[:0], 0
		outBuffers.Put(o)
	}
}
