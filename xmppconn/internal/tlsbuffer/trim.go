//go:build go1.26 && !go1.27 && !perch_plain_tls

// Package tlsbuffer gives the read buffers of idle TLS connections back.
package tlsbuffer

import (
	"bytes"
	"crypto/tls"
	"net"
	"reflect"
	"unsafe"
)

// Trims reports whether buffers are given back in this build. This file knows the layout of tls.Conn in the release of Go that it names, and no
// other release builds it. Before it is let into the next one, TestTrim has to pass there.
const Trims = true

// buffers are the places of crypto/tls's own read buffers: the record that is being
// read, and the handshake messages. They grow to the longest record that ever came, such
// as a roster of 10 KiB, and the library has no way to give that back: with thousands of
// idle connections it is the largest part of what they cost. Where the fields are not what
// they were, this finds nothing and nothing is given back.
var buffers = findBuffers(reflect.TypeFor[tls.Conn]())

func findBuffers(t reflect.Type) []uintptr {
	var found []uintptr
	for _, name := range []string{"rawInput", "hand"} {
		if f, ok := t.FieldByName(name); ok && f.Type == reflect.TypeFor[bytes.Buffer]() {
			found = append(found, f.Offset)
		}
	}
	return found
}

// Trim gives those read buffers of a TLS connection back that are empty and larger than most bytes.
// Only the goroutine that reads from conn may call it, between two reads and after the
// handshake: nothing else touches these buffers. Of any other connection it changes nothing.
func Trim(conn net.Conn, most int) {
	tc, ok := conn.(*tls.Conn)
	if !ok {
		return
	}
	for _, at := range buffers {
		b := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(tc), at)) //nolint:gosec // checked by findBuffers
		if b.Len() == 0 && b.Cap() > most {
			*b = bytes.Buffer{}
		}
	}
}
