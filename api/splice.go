package api

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/coder/websocket"
)

// scanner finds the places in a stream of bytes where something of our own can stand.
type scanner interface {
	// next reads to the next such place, or to the end of p, which is not empty, and says
	// how many bytes that were.
	next(p []byte) int
	// between says that what was read ends at such a place.
	between() bool
	// closed says that the stream has said goodbye: nothing may follow.
	closed() bool
}

// splicer is a stream that another node writes and this one passes through, with words of
// this node between its frames. Its methods are safe for concurrent use; while a write is
// under way the others wait, as long as write may take.
type splicer struct {
	write func([]byte) error // bounded in time
	scan  scanner

	mu    sync.Mutex
	begun bool   // something has passed: from now on a place for our words will come
	own   []byte // waits for its place
	last  bool   // own ends the stream
	over  bool   // the stream has ended here: what still comes is dropped
	ended chan struct{}
}

func newSplicer(scan scanner, write func([]byte) error) *splicer {
	return &splicer{write: write, scan: scan, ended: make(chan struct{})}
}

// pass writes what has come, whole or not. What comes after the end is dropped, so that
// the other side can still be heard.
func (s *splicer) pass(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
	if err := s.settle(); err != nil {
		return err
	}
	for len(p) > 0 && !s.over {
		n := s.scan.next(p)
		for len(s.own) == 0 && !s.last && n < len(p) {
			n += s.scan.next(p[n:]) // nothing waits: all in one write
		}
		if err := s.write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
		if err := s.settle(); err != nil {
			return err
		}
	}
	return nil
}

// add puts a frame of our own in at the next place for one. With last the stream ends
// behind it, and ended is closed. An error of writing shows again in pass, or nowhere: the
// client has gone.
func (s *splicer) add(frame []byte, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue(frame, last)
	if s.begun {
		_ = s.settle()
	}
}

// queue is add while s.mu is held, and writes nothing yet.
func (s *splicer) queue(frame []byte, last bool) {
	if s.last || s.over {
		return
	}
	s.own, s.last = append(s.own, frame...), last
}

// settle writes what waits, if this is a place for it; s.mu is held.
func (s *splicer) settle() (err error) {
	if s.over || !s.scan.between() {
		return nil
	}
	if s.scan.closed() {
		s.finish()
		return nil
	}
	if len(s.own) > 0 {
		err = s.write(s.own)
		s.own = nil
	}
	if s.last {
		s.finish()
	}
	return err
}

func (s *splicer) finish() {
	s.over, s.own = true, nil
	close(s.ended)
}

// whole says that the client has seen nothing but whole frames.
func (s *splicer) whole() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over || s.scan.between()
}

// frameScanner finds the ends of messages in the frames of a WebSocket server (RFC 6455,
// 5.2). It trusts them: they come from a node of our own, and what it misreads only ends a
// stream less politely.
type frameScanner struct {
	head [14]byte
	have int    // bytes of head
	left uint64 // bytes of the payload that are still to come
	open bool   // a message goes on in the next frame
	bye  bool   // a close frame has begun
}

func (s *frameScanner) between() bool { return s.have == 0 && s.left == 0 && !s.open }
func (s *frameScanner) closed() bool  { return s.bye && s.between() }

func (s *frameScanner) next(p []byte) (n int) {
	for n < len(p) {
		if s.left > 0 {
			k := int(min(s.left, uint64(len(p)-n)))
			s.left -= uint64(k)
			n += k
		} else {
			n += s.header(p[n:])
		}
		if s.between() {
			break
		}
	}
	return n
}

// header reads one byte or more of a frame's head.
func (s *frameScanner) header(p []byte) int {
	k := copy(s.head[s.have:s.need()], p)
	s.have += k
	if s.have < s.need() {
		return k
	}
	op, fin := s.head[0]&0xF, s.head[0]&0x80 != 0
	switch size := s.head[1] & 0x7F; size {
	case 126:
		s.left = uint64(binary.BigEndian.Uint16(s.head[2:]))
	case 127:
		s.left = binary.BigEndian.Uint64(s.head[2:])
	default:
		s.left = uint64(size)
	}
	if op < 8 { // control frames may stand between the frames of a message
		s.open = !fin
	}
	s.bye = s.bye || op == 8
	s.have = 0
	return k
}

// need is how long the head is, as far as it is known.
func (s *frameScanner) need() int {
	if s.have < 2 {
		return 2
	}
	n := 2
	switch s.head[1] & 0x7F {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if s.head[1]&0x80 != 0 {
		n += 4 // a mask, which no server sends
	}
	return n
}

// textFrame is a whole message of a WebSocket server.
func textFrame(payload []byte) []byte { return append(frameHead(0x81, len(payload)), payload...) }

// goodbyeFrame says why a WebSocket ends (RFC 6455, 5.5.1).
func goodbyeFrame(code websocket.StatusCode, reason string) []byte {
	f := frameHead(0x88, 2+len(reason))
	f = binary.BigEndian.AppendUint16(f, uint16(code)) //nolint:gosec // codes have four digits
	return append(f, reason...)
}

func frameHead(first byte, size int) []byte {
	f := make([]byte, 0, 10+size)
	switch {
	case size < 126:
		return append(f, first, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(f, first, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(f, first, 127), uint64(size))
}

// lineScanner finds the ends of frames that end with so many line breaks: one in NDJSON,
// two in SSE.
type lineScanner struct{ want, have int }

func (s *lineScanner) between() bool { return s.have >= s.want }
func (s *lineScanner) closed() bool  { return false }

func (s *lineScanner) next(p []byte) (n int) {
	for n < len(p) {
		if p[n] == '\n' {
			n++
			if s.have++; s.between() {
				break
			}
			continue
		}
		s.have = 0
		if i := bytes.IndexByte(p[n:], '\n'); i >= 0 {
			n += i
		} else {
			n = len(p)
		}
	}
	return n
}
