package xmppconn

import (
	"bytes"
	"crypto/tls"
	"net"
	"reflect"
	"unsafe"
)

// keepTLSBuffer is how much of its read buffers a TLS connection may keep while idle.
const keepTLSBuffer = 1 << 10

// tlsBuffers are the places of crypto/tls's own read buffers: the record that is being
// read, and the handshake messages. They grow to the longest record that ever came, such
// as a roster of 10 KiB, and the library has no way to give that back: with thousands of
// idle connections it is the largest part of what they cost. Where the fields are not what
// they were, this finds nothing and nothing is given back.
var tlsBuffers = findTLSBuffers(reflect.TypeFor[tls.Conn]())

func findTLSBuffers(t reflect.Type) []uintptr {
	var found []uintptr
	for _, name := range []string{"rawInput", "hand"} {
		if f, ok := t.FieldByName(name); ok && f.Type == reflect.TypeFor[bytes.Buffer]() {
			found = append(found, f.Offset)
		}
	}
	return found
}

// trimTLS gives the empty read buffers of a TLS connection back when they are large. Only
// the goroutine that reads from conn may call it, between two reads and after the
// handshake: nothing else touches these buffers.
func trimTLS(conn net.Conn) {
	tc, ok := conn.(*tls.Conn)
	if !ok {
		return
	}
	for _, at := range tlsBuffers {
		b := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(tc), at)) //nolint:gosec // checked by findTLSBuffers
		if b.Len() == 0 && b.Cap() > keepTLSBuffer {
			*b = bytes.Buffer{}
		}
	}
}
