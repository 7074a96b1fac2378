//go:build go1.26 && !go1.27 && !perch_plain_tls

package xmppconn

import (
	"bytes"
	"crypto/tls"
	"net"
	"reflect"
	"unsafe"
)

// maxIdleTLSBuffer is how much of its read buffers a TLS connection may keep while idle.
const maxIdleTLSBuffer = 1 << 10

// trimsTLS: this file knows the layout of tls.Conn in the release of Go that it names, and no
// other release builds it. Before it is let into the next one, TestTrimTLS has to pass there.
const trimsTLS = true

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
		if b.Len() == 0 && b.Cap() > maxIdleTLSBuffer {
			*b = bytes.Buffer{}
		}
	}
}
