package wsframe

import (
	"encoding/binary"
	"errors"
)

// What a client can do wrong. After an error a Decoder must not be used.
var (
	// ErrProtocol is a violation of the RFC: to be answered with [ProtocolError].
	ErrProtocol = errors.New("wsframe: the frame violates RFC 6455")
	// ErrTooBig is a message over the limit: to be answered with [MessageTooBig].
	ErrTooBig = errors.New("wsframe: the message is over the limit")
)

// Message is a whole message of a client, or a control frame. The payload of a control frame is
// valid until the next call of the Decoder; that of a message belongs to the caller.
type Message struct {
	Op      Op // Text, Binary, Close, Ping or Pong
	Payload []byte
}

// Decoder puts the frames of a client together, in whatever pieces they come:
//
//	n, err := conn.Read(d.Space())
//	d.Fed(n)
//	for m, ok, err := d.Next(); ok; m, ok, err = d.Next() { ... }
//
// Between two messages it has only the few bytes that are in it. The bytes of a message gather in
// memory that grows as they arrive, not as the client announces them.
type Decoder struct {
	Limit int // of the payload of a message, in bytes

	buf      [64]byte // what was fed and not looked at is buf[at:end]
	at, end  uint8
	direct   bool // Space was the rest of a payload, and not of buf
	framed   bool // the payload of a frame is under way
	fragment bool // a message is under way: more frames of it follow
	fin      bool // of the frame
	op       Op   // of the frame
	kind     Op   // of the message
	mask     [4]byte
	turn     int // position in mask
	left     int // bytes of the payload that are missing

	message []byte
	control []byte
}

// grow is how many bytes of a payload are made room for at a time, at least.
const grow = 512

// Space is where the next bytes belong; Fed says how many came. It is never empty.
func (d *Decoder) Space() []byte {
	if d.direct = d.framed && d.at == d.end; d.direct {
		p := d.payload()
		if len(*p) == cap(*p) {
			n := len(*p) + min(d.left, max(grow, len(*p)))
			*p = append(make([]byte, 0, n), *p...)
		}
		return (*p)[len(*p):][:min(d.left, cap(*p)-len(*p))]
	}
	d.end = uint8(copy(d.buf[:], d.buf[d.at:d.end]))
	d.at = 0
	return d.buf[d.end:]
}

// Fed says that n bytes were written to what Space has returned.
func (d *Decoder) Fed(n int) {
	if !d.direct {
		d.end += uint8(n)
		return
	}
	p := d.payload()
	*p = (*p)[:len(*p)+n]
	d.unmask((*p)[len(*p)-n:])
}

// payload is where the bytes of the frame gather.
func (d *Decoder) payload() *[]byte {
	if d.op.control() {
		return &d.control
	}
	return &d.message
}

// Next returns the next message that is complete; ok is false when more bytes are needed.
func (d *Decoder) Next() (m Message, ok bool, err error) {
	for {
		if !d.framed {
			if ok, err := d.header(); !ok {
				return Message{}, false, err
			}
		}
		d.fromBuffer()
		if d.left > 0 {
			return Message{}, false, nil
		}
		d.framed = false
		if d.op.control() {
			return Message{d.op, d.control}, true, nil
		}
		if d.fragment = !d.fin; d.fin {
			m = Message{d.kind, d.message}
			d.message = nil
			return m, true, nil
		}
	}
}

// fromBuffer moves what is there of the payload out of buf.
func (d *Decoder) fromBuffer() {
	n := min(d.left, int(d.end-d.at))
	if n == 0 {
		return
	}
	p := d.payload()
	*p = append(*p, d.buf[d.at:int(d.at)+n]...)
	d.at += uint8(n)
	d.unmask((*p)[len(*p)-n:])
}

// unmask decodes bytes that have joined the payload (RFC 6455, 5.3).
func (d *Decoder) unmask(p []byte) {
	for i := range p {
		p[i] ^= d.mask[(d.turn+i)&3]
	}
	d.turn = (d.turn + len(p)) & 3
	d.left -= len(p)
}

// header reads what comes before a payload; ok is false when bytes of it are missing. What is
// wrong with a frame is found before its payload is read.
func (d *Decoder) header() (ok bool, err error) {
	p := d.buf[d.at:d.end]
	if len(p) < 2 {
		return false, nil
	}
	if p[0]&rsvBits != 0 || p[1]&maskBit == 0 {
		return false, ErrProtocol
	}
	d.fin, d.op = p[0]&finBit != 0, Op(p[0]&0x0F)
	size, at := uint64(p[1]&0x7F), 2
	switch {
	case size < 126:
	case size == 126 && len(p) >= 4:
		size, at = uint64(binary.BigEndian.Uint16(p[2:])), 4
	case size == 127 && len(p) >= 10:
		size, at = binary.BigEndian.Uint64(p[2:]), 10
	default:
		return false, nil
	}
	if err := d.check(size); err != nil || len(p) < at+4 {
		return false, err
	}
	d.mask, d.turn = [4]byte(p[at:]), 0
	d.at += uint8(at + 4)
	d.begin(int(size))
	return true, nil
}

// check refuses a frame that must not come now, or is too large.
func (d *Decoder) check(size uint64) error {
	switch d.op {
	case Text, Binary, Continuation:
		if d.fragment != (d.op == Continuation) {
			return ErrProtocol // a message within a message, or a part of none
		}
	case Close, Ping, Pong:
		if size > MaxControl || !d.fin {
			return ErrProtocol
		}
		return nil
	default:
		return ErrProtocol
	}
	switch {
	case size>>63 != 0:
		return ErrProtocol
	case size > uint64(max(0, d.Limit-len(d.message))):
		return ErrTooBig
	}
	return nil
}

// begin starts with the payload of a frame.
func (d *Decoder) begin(size int) {
	d.framed, d.left = true, size
	switch d.op {
	case Text, Binary:
		d.kind, d.message = d.op, make([]byte, 0, min(size, grow))
	case Close, Ping, Pong:
		d.control = make([]byte, 0, size) // what was there belongs to the message of before
	}
}
