// Package wsframe reads and writes the frames of RFC 6455 as a server does. It has no connection,
// no goroutine and no buffer that is there while nothing happens: whoever has a socket feeds a
// [Decoder] with what arrives, and sends what the Append functions have written.
//
// An idle event socket is to cost no more than a few KiB, and an event that goes to a thousand of
// them is to be one write for each. A library that owns the connection cannot give that: it reads
// in a goroutine of its own, or in one whose stack it grows, keeps buffers for both directions, and
// takes a lock, a timer and a context for each frame. Compression and every other extension are
// left out: they are never negotiated.
package wsframe

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
)

// Op says what a frame is (RFC 6455, 5.2).
type Op byte

// The opcodes that there are.
const (
	Continuation Op = 0x0
	Text         Op = 0x1
	Binary       Op = 0x2
	Close        Op = 0x8
	Ping         Op = 0x9
	Pong         Op = 0xA
)

// control reports whether frames of op may stand between those of a message (RFC 6455, 5.5).
func (op Op) control() bool { return op >= Close }

// Code is why a socket is closed (RFC 6455, 7.4).
type Code uint16

// The codes of the RFC that a server sends by itself.
const (
	ProtocolError   Code = 1002
	UnsupportedData Code = 1003
	InvalidPayload  Code = 1007
	MessageTooBig   Code = 1009
)

// MaxControl is the largest payload of a control frame, in bytes.
const MaxControl = 125

// Bits of the first two bytes of a frame.
const (
	finBit  = 0x80 // the last frame of a message
	rsvBits = 0x70 // of extensions
	maskBit = 0x80
)

// AppendHead begins a frame that is a whole message, or a control frame, with a payload of size
// bytes to follow.
func AppendHead(b []byte, op Op, size int) []byte {
	first := finBit | byte(op)
	switch {
	case size < 126:
		return append(b, first, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(b, first, 127), uint64(size))
}

// Append adds a whole frame.
func Append(b []byte, op Op, payload []byte) []byte {
	return append(AppendHead(b, op, len(payload)), payload...)
}

// AppendClose adds a frame that closes a socket (RFC 6455, 5.5.1); code 0 is sent as none. What is
// more than fits of the reason is left out.
func AppendClose(b []byte, code Code, reason string) []byte {
	if code == 0 {
		return AppendHead(b, Close, 0)
	}
	reason = reason[:min(len(reason), MaxControl-2)]
	b = binary.BigEndian.AppendUint16(AppendHead(b, Close, 2+len(reason)), uint16(code))
	return append(b, reason...)
}

// ParseClose reads the payload of a close frame; code 0: it has none. Ok is false for one that
// must not be sent.
func ParseClose(payload []byte) (code Code, reason string, ok bool) {
	switch {
	case len(payload) == 0:
		return 0, "", true
	case len(payload) == 1:
		return 0, "", false
	}
	code = Code(binary.BigEndian.Uint16(payload))
	return code, string(payload[2:]), code.valid()
}

// valid reports whether a peer may send the code (RFC 6455, 7.4.2, and the registry of IANA).
func (c Code) valid() bool {
	switch c {
	case 1004, 1005, 1006: // reserved; none was sent; the connection was lost
		return false
	}
	return c >= 1000 && c <= 1014 || c >= 3000 && c <= 4999
}

// Accept is the value of Sec-WebSocket-Accept for the key of a handshake (RFC 6455, 4.2.2).
func Accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
